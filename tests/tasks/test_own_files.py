"""A file of somebody's own that is no experiment, or no text: what it is and what can be done, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnviz.cli.main import main
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.tasks import own_files

TABLE = "month,riders\n" + "".join(f"m{i},{100 + i * 37 % 29}\n" for i in range(48))
FILES = {
    "riders.csv": (TABLE, "a table (CSV)"),
    "riders.tsv": (TABLE.replace(",", "\t"), "a table (TSV)"),
    "riders.dat": (TABLE.replace(",", ";"), "a table of numbers"),
    "riders": ("\n".join(map(str, range(1000))), "a table of numbers"),
    "riders.txt": ("\n".join(f"{i} {i / 7:.3f}" for i in range(1000)), "a table of numbers"),
    "german.dat": ("\n".join(f"{i};{i},5" for i in range(100)), "a table of numbers"),
    "long.csv": (5000 * "2026-01-01,3.5\n" + 5000 * "2026-01-02,3.5\n", "a table (CSV)"),
    "riders.xlsx": ("PK\x03\x04\x00", "a spreadsheet"),
    "riders.npy": ("\x93NUMPY", "arrays (NumPy)"),
    "riders.json": ('{"a": [1, 2]}', "data (JSON)"),
    "model.pb": ("PK", "weights"),
}


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path(request.param).write_text(FILES[request.param][0], encoding="latin-1")
    return str(request.param)


@pytest.mark.parametrize(
    "flags", [["train", "FILE"], ["train", "--source", "FILE"], ["gradients", "--experiment", "FILE"], ["FILE"]]
)
def test_numbers_are_called_what_they_are(file: str, flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if file == "model.pt" and len(flags) < 3:
        pytest.skip("in place of an experiment, a file of weights is opened")
    assert main([word.replace("FILE", file) for word in flags]) == 2
    told = capsys.readouterr().err
    assert f"{file}: is {FILES[file][1]}" in told or f"{file} is {FILES[file][1]}" in told
    assert (own_files.OPEN if own_files.is_read(file) else own_files.READ) in told
    assert told.count("\n") == 1


def test_a_text_is_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("It was a dark night in 1984\nand the clocks struck 13\nwhen a word\nwas said.\nAh\n")
    assert own_files.what("text.txt") is None
    assert own_files.what("absent.txt") is None
    assert own_files.what(".") is None
    with pytest.raises(InputError, match=r"text\.txt: is a text, not an experiment .* --task characters --source"):
        Experiment.from_file("text.txt")
    Path("settings.txt").write_text("seed = 3\n")
    assert Experiment.from_file("settings.txt") == Experiment(seed=3)


def test_a_table_may_be_read_as_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("riders.csv").write_text(TABLE)
    assert main(["gradients", "--task", "characters", "--source", "riders.csv", "--steps", "10", "--json"]) == 0
