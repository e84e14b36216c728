"""Recognise the kind of a person's own file, so that an error can say what rnnviz can do with it.

    >>> what("riders.csv")
    'a table (CSV)'

Does not import numpy.
"""

from __future__ import annotations

from pathlib import Path

from rnnviz import files

BY_NAME = {
    "a table (CSV)": ".csv",
    "a table (TSV)": ".tsv .tab",
    "a spreadsheet": ".xls .xlsx .ods .numbers",
    "a table (Parquet)": ".parquet .pq .feather .arrow",
    "a database": ".sqlite .sqlite3 .db",
    "arrays (NumPy)": ".npy .npz",
    "arrays (MATLAB)": ".mat",
    "arrays (HDF5)": ".h5 .hdf5 .nc",
    "data (JSON)": ".json .jsonl .ndjson",
    "data (pickle)": ".pkl .pickle .joblib",
    "weights": ".pt .pth .ckpt .safetensors .keras .onnx .pb",
    "sound": ".wav .mp3 .flac .ogg",
    "a picture": ".png .jpg .jpeg .gif .svg",
}
_KINDS = {suffix: kind for kind, suffixes in BY_NAME.items() for suffix in suffixes.split()}
TEXTS = (".txt", ".md", ".rst", ".tex", ".html", ".py")
LOOKED_AT = 4096  # bytes read of a file with an unknown suffix
NUMERIC = 0.8  # smallest share of lines with a number in the last cell for a table

READ = (
    "rnnviz reads tables (CSV), arrays (.npz), texts, lines of text<TAB>label, and folders with a file for each class"
)
READ_KINDS = ("a table (CSV)", "a table (TSV)", "a table of numbers", "arrays (NumPy)")
OPEN = "train on it with --data FILE"


def what(path: str | Path) -> str | None:
    """The kind of the file in a few words, from its name or its first lines; None for a text or an unknown kind."""
    suffix = Path(path).suffix.lower()
    if suffix in _KINDS:
        return _KINDS[suffix]
    return "a table of numbers" if suffix not in TEXTS[1:] and _is_numeric(path) else None


def is_read(path: str | Path) -> bool:
    """Whether `--data` reads a file of this kind."""
    return what(path) in READ_KINDS


def _is_numeric(path: str | Path) -> bool:
    try:
        lines = files.read(path, LOOKED_AT, cut=True).decode("utf-8", "replace").splitlines()[1:-1]
    except OSError:
        return False
    having = [line for line in lines if line.strip()]
    return len(having) >= 2 and sum(map(_has_numbers, having)) >= NUMERIC * len(having)


def _has_numbers(line: str) -> bool:
    """Whether the last cell of a line is a number, whatever separates its cells."""
    for separator in (";", "\t", ",", None):
        cells = line.strip().split(separator)
        try:
            float(cells[-1].strip().strip('"').replace(",", "."))
        except (ValueError, IndexError):
            continue
        return True
    return False


def no_experiment(path: str | Path, reason: str) -> str:
    """The reason why a file is not an experiment, in one line that also says what can be done with it."""
    kind = what(path)
    if kind is not None:
        return f"{path}: is {kind}, not an experiment (TOML); {OPEN if is_read(path) else READ}"
    if Path(path).suffix.lower() in TEXTS:
        return f"{path}: is a text, not an experiment (TOML); train on it with --task characters --source FILE"
    return f"{path}: {reason}"


def no_use(task: str, source: str) -> str:
    """The error for a source with a task that reads no file."""
    kind = what(source)
    if kind is not None:
        return f"{source} is {kind}; {OPEN if is_read(source) else READ}"
    return f"the task {task!r} reads no file; the task 'characters' reads a text"
