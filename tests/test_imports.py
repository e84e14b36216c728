"""What is imported when. A command that prints one line must not wait for numba, and the app must not wait
for what only one of its panels needs. Each case runs in a Python of its own and reads its sys.modules."""

import json
import subprocess
import sys

import pytest

HEAVY = ("numpy", "scipy", "numba", "llvmlite", "textual", "rich", "plotext")
ALL_BUT_NUMPY = HEAVY[1:]

REPORT = """
import contextlib, io, json, sys
out = io.StringIO()
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
    exec(sys.argv.pop(1))
print(json.dumps({"said": out.getvalue(), "heavy": sorted(set(sys.argv[1].split(",")) & set(sys.modules))}))
"""


def after(code: str) -> dict:
    """{"said": what `code` printed, "heavy": which of HEAVY are imported after it}"""
    run = subprocess.run(
        [sys.executable, "-c", REPORT, code, ",".join(HEAVY)], capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def after_command(*arguments: str) -> dict:
    return after(f"from rnnviz.cli.main import main; sys.exit(main({list(arguments)!r}))")


def test_the_report_sees_an_import():
    assert after("import numpy; print('x')") == {"said": "x\n", "heavy": ["numpy"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--version"], "0."),
        (["--help"], "gradients"),
        (["train", "--help"], "--hidden"),
        (["gradients", "--help"], "--steps"),
        (["--no-such-flag"], "--no-such-flag"),
        (["train", "--hiden", "3"], "--hiden"),
        (["train", "--hidden", "many"], "many"),
        (["train", "--hidden", "0"], "at least 1"),
        (["no-such-command"], "no-such-command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_answers_without_numbers_import_nothing_heavy(arguments, said):
    answer = after_command(*arguments)
    assert said in answer["said"]
    assert answer["heavy"] == []


@pytest.mark.parametrize(
    ("code", "never"),
    [
        ("import rnnviz", HEAVY),
        ("import rnnviz.experiment.experiment", HEAVY),
        ("import rnnviz.tasks.catalog", HEAVY),
        ("import rnnviz.nn", HEAVY),
        ("from rnnviz.nn.spec import CELLS, LOSSES, OPTIMIZERS", HEAVY),  # names alone
        ("from rnnviz.nn import Model, Training", ALL_BUT_NUMPY),
        ("import rnnviz; rnnviz.Model.create()", ALL_BUT_NUMPY),
        ("import rnnviz.tasks", ALL_BUT_NUMPY),
        ("import rnnviz.tui.app", ("numpy", "scipy", "numba", "llvmlite", "plotext")),  # the first paint has none
    ],
)
def test_a_room_does_not_import_what_it_can_do_without(code, never):
    assert not set(after(code)["heavy"]) & set(never)
