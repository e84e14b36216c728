"""The kind of a person's data, from its name and its beginning, and the task that it is for.

    >>> kind_of(Path("air.csv")), task_of("air.csv"), task_of("data/names")
    ('table', 'series', 'labelled')

Does not import numpy.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from rnnviz.errors import InputError, short_repr
from rnnviz.tasks import own_files
from rnnviz.tasks.own import cells
from rnnviz.tasks.own.decisions import Decisions
from rnnviz.tasks.own.layout import layout, split
from rnnviz.tasks.own.lines import PEEKED, UTF_16, named, opened, peek, unreadable

#: Kinds that are read; of every other kind `own_files.what` says what it is.
ARRAYS = (".npz", ".npy")
TABLES = (".csv", ".tsv", ".tab", ".dat", ".data", ".ssv")
LOOKED_AT, ENOUGH = 200, 0.9  # lines, and the share of them that must agree
_ZIP, _NPY = b"PK\x03\x04", b"\x93NUMPY"


def located(data: str) -> Path:
    """The path, with the reader's home in place of `~`. Raises InputError."""
    try:
        return Path(data).expanduser()
    except (RuntimeError, ValueError) as error:
        raise InputError(f"data: {short_repr(data)} cannot be found: {error}") from None


def kind_of(path: Path) -> str:
    """The kind of a path: "folder", "arrays", "labelled" (lines of text<TAB>label), "table", "text".

    Raises InputError for anything else.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    if stat.S_ISDIR(mode):
        return "folder"
    head, suffix = peek(path), path.suffix.lower()
    if head.startswith(_NPY) or (head.startswith(_ZIP) and suffix in ARRAYS):
        return "arrays"
    other = own_files.what(path)
    if other is not None and suffix not in TABLES and not other.startswith("a table of"):
        if suffix in ARRAYS:
            raise InputError(
                f"data: {named(path)} is not a file of NumPy arrays, whatever its name; save it with np.savez"
            )
        raise InputError(f"data: {named(path)} is {other}; {own_files.READ}")
    if head.startswith((_ZIP, b"\x1f\x8b", b"BZh", b"\xfd7zXZ")):
        raise InputError(f"data: {named(path)} is compressed; unpack it first")
    if b"\0" in head and head[:2] not in UTF_16:
        raise InputError(f"data: {named(path)} is a binary file; {own_files.READ}")
    lines = _beginning(path)
    if _are_labelled(lines):
        return "labelled"
    return "table" if suffix in TABLES or other is not None or _is_table(lines) else "text"


def task_of(data: str, has_label: bool = False) -> str:
    """The task for a file or folder: "series", "labelled" or "characters". has_label: whether a column of a table is
    to be its label."""
    kind = kind_of(located(data))
    if kind == "arrays":
        from rnnviz.tasks.own import read

        return read(data).task
    if kind == "table" and has_label:
        return "labelled"
    return {"folder": "labelled", "labelled": "labelled", "text": "characters"}.get(kind, "series")


def _beginning(path: Path) -> list[str]:
    found: list[str] = []
    characters = 0
    with opened(path) as lines:
        for line in lines:
            characters += len(line) + 1
            if len(found) >= LOOKED_AT or (characters > PEEKED and found):
                break
            if line.strip():
                found.append(line)
    return found


def _are_labelled(lines: list[str]) -> bool:
    """Whether most lines are a text, one tab, and a label: the text is neither a number nor a date, and a number in
    the place of the label is a small whole one."""
    parts = [line.split("\t") for line in lines]
    texts = [part for part in parts if len(part) == 2 and part[0].strip() and part[1].strip()]
    if len(texts) < 2 or len(texts) < ENOUGH * len(lines):
        return False
    words = [p for p in texts if cells.number(p[0], ".") is None and cells.moment(p[0]) is None]
    fractions = [p for p in texts if cells.number(p[1], ".") is not None and not p[1].strip().lstrip("-").isdecimal()]
    return len(words) >= ENOUGH * len(texts) and len(fractions) < 0.5 * len(texts)


def _is_table(lines: list[str]) -> bool:
    """Whether most lines, after the first, are cells of which some column holds numbers."""
    if len(lines) < 2:
        return False
    try:
        found = layout(lines, Decisions())
    except (InputError, ValueError):
        return False
    if not {"number", "counter"} & set(found.kinds):
        return False
    rows = list(split(lines, found.delimiter))
    fitting = sum(len(row) == len(found.names) for row in rows)
    return fitting >= ENOUGH * len(rows)
