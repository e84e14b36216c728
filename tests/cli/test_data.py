"""`rnnviz data`, and `--data` from file to the fit in one command."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from rnnviz.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [f"{1949 + k // 12}-{k % 12 + 1:02d};{100 + 2 * k + 30 * math.sin(math.pi * k / 6):.1f}" for k in range(96)]
    rows[40] = "1952-05;NA"
    Path("air.csv").write_text("month;passengers\n" + "\n".join(rows).replace(".", ",") + "\n")
    Path("names").mkdir()
    for name in ("Czech", "Irish"):
        Path("names", f"{name}.txt").write_text("\n".join(name[: 2 + k % 4] for k in range(20)))
    return tmp_path


def test_what_is_understood_is_printed_with_a_plot(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "air.csv", "--steps", "12"]) == 0
    out = capsys.readouterr().out
    for line in (
        "air.csv: a table, 96 rows, 2 columns, UTF-8.",
        "delimiter ; · the first row holds the names · decimal comma.",
        "dates: 1949-01 in the first row, 1956-12 in the last.",
        "column month: dates; dates.",
        "13 of 84 windows hold a missing value and are left out;",
        "task series: 71 sequences of 12 steps, 63 for training and 8 for validation;",
        "A season has 12 steps.",
        "passengers, row by row",
        "••",
    ):
        assert line in out
    assert all(len(line) <= 80 for line in out.splitlines())
    assert out.endswith("rnnviz --data air.csv --steps 12 opens it in the app.\n")
    assert main(["data", "air.csv", "--na=-1", "--no-standardize", "--target", "2"]) == 0
    assert "rnnviz --data air.csv --target=2 --no-standardize --na=-1 opens" in capsys.readouterr().out
    assert main(["data", "names"]) == 0
    assert "Czech       20 ████" in capsys.readouterr().out


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "air.csv", "--json", "--missing", "interpolate", "--no-standardize"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["task"], found["season"], found["sequences"]) == ("table", "series", 12, 76)
    assert found["columns"][1]["missing"] == 1
    assert found["notes"] == [
        "1 missing value is filled by a line between the values beside them (--missing interpolate)."
    ]
    assert main(["data", "names", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == {"Czech": 20, "Irish": 20}


def test_training_prints_the_fit_and_both_baselines(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["train", "--data", "air.csv", "--steps", "8", "--epochs", "2"]
    assert main(flags) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "one step ahead" in out
    assert "the next passengers: " in out
    assert "Validation error: network " in out
    assert ", 12 steps before " in out
    assert main([*flags, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["experiment"]["task"] == "series"
    assert set(found["baselines"]) == {"error", "last_value", "seasonal", "season", "echo", "repeats_last_value"}
    assert found["baselines"]["season"] == 12
    assert found["baselines"]["error"] == pytest.approx(found["history"]["val_loss"][-1])
    assert len(found["prediction"]) == len(found["targets"]) == len([v for v in found["targets"] if v is not None])
    assert main(["train", "--data", "names", "--epochs", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["baselines"] is None


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["data", "nope.csv"], "rnnviz data: nope.csv does not exist"),
        (["data"], "required: FILE"),
        (["data", "."], "no text file; did you mean names?|has one text file"),
        (["data", "air.csv", "--steps", "500"], "--steps: air.csv has 96 rows"),
        (["data", "air.csv", "--columns", "w"], "--columns: no column is named 'w'"),
        (["train", "--data", "air.csv", "--missing", "guess"], "--missing: 'guess' is unknown; choose from leave-out"),
        (["train", "--data", "names", "--target", "x"], "--target: a folder with a file for each class has"),
        (["gradients", "--target", "x"], "--target: only your own data has a use for it; name its file with --data"),
        (["gradients", "--task", "series"], "--data: the task 'series' learns your own data"),
        (["data", "air.csv", "--rows", "1"], "--rows: 1 is out of range"),
    ],
)  # fmt: skip
def test_an_error_is_one_line(flags: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(flags) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert any(part in error for part in reason.split("|")), error
