"""The watching screen of `rnnviz workshop` in a real terminal: save, see, hint, the next file."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from rnnviz.workshop.exercise import SOLUTIONS
from rnnviz.workshop.exercises import EXERCISES
from rnnviz.workshop.folder import init
from tests.terminal.app import RNNVIZ
from tests.terminal.driver import Terminal

WRONG = (SOLUTIONS / "01_forward.py").read_text().replace("W_hh @", "W_hh.T @")


def workshop(folder: Path, **settings) -> Terminal:
    init(str(folder / "workshop"))
    return Terminal([*RNNVIZ, "workshop"], cwd=folder, **settings)


def says(*words: str):
    """Whether the screen has all of these words, however it breaks its lines."""
    return lambda screen: all(part in " ".join(" ".join(screen).split()) for part in words)


def replace(path: Path, content: str) -> None:
    """As many editors save: another file takes the place of the old one."""
    beside = path.with_suffix(".tmp")
    beside.write_text(content)
    os.replace(beside, path)


def test_save_see_hint_next(tmp_path):
    folder = tmp_path / "workshop"
    with workshop(tmp_path) as t:
        t.wait_for(says("01_forward.py: one step forward", "0 of 10 solved", "a is not written yet", "h = tanh(a)"))
        replace(folder / "01_forward.py", WRONG)
        t.wait_for(says("a is the first that differs", "as if W_hh were transposed", "a ✗ h ✗"))
        t.keys("h", "h")
        t.wait_for(says("Hint 1 of 3", "Hint 2 of 3"))
        t.keys("s")
        t.wait_for(says("opens when yours is right"))
        shutil.copy(SOLUTIONS / "01_forward.py", folder)
        t.wait_for(says("✓ 01_forward.py is solved", "02_unroll.py: the whole sequence", "1 of 10 solved"))
        t.wait_for(says("h is not written yet"))
        t.keys("s")
        t.wait_for(says("One solution of 01_forward.py", "np.tanh(a)"))
        t.keys("escape")
        t.wait_for(says("h is not written yet"))
        (folder / "03_loss.py").unlink()
        t.wait_for(says("03_loss.py is not there"))
        (folder / "05_bptt.py").write_text("def bptt(:")
        t.wait_for(says("05_bptt.py: backpropagation", "Line 1: this is not Python"))
        t.keys("l")
        t.wait_for(says("✓ 01_forward.py", "› ✗ 05_bptt.py", "10_your_cell.py a cell of your own not written yet"))
        t.keys("0")
        t.wait_for(says("10_your_cell.py: a cell of your own", "step is not written yet"))
        t.keys("n")
        t.wait_for(says("01_forward.py: one step forward", "is solved"))
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []
        assert t.all_running() == []


def test_half_written_files_and_a_loop_that_a_save_ends(tmp_path):
    path = tmp_path / "workshop" / "01_forward.py"
    with workshop(tmp_path) as t:
        t.wait_for(says("a is not written yet"))
        path.write_text("while True:\n    pass\n")
        t.wait_for(says("checking 01_forward.py"))
        with path.open("w") as file:  # in several steps
            for part in (SOLUTIONS / "01_forward.py").read_text().splitlines(keepends=True):
                file.write(part)
                file.flush()
                time.sleep(0.02)
        begin = time.monotonic()
        t.wait_for(says("✓ 01_forward.py is solved"), timeout=20)
        assert time.monotonic() - begin < 20
        t.keys("q")
        assert t.exit_code() == 0


@pytest.mark.slow
def test_it_opens_the_first_that_is_not_solved_and_ends_with_the_last(tmp_path):
    folder = tmp_path / "workshop"
    folder.mkdir()
    for exercise in EXERCISES[:-2]:
        shutil.copy(SOLUTIONS / exercise.file, folder)
    with workshop(tmp_path, columns=120, rows=40) as t:
        for n, exercise in enumerate(EXERCISES[-2:], 8):
            t.wait_for(says(f"{exercise.file}: {exercise.title}", f"{n} of 10 solved", "is not written yet"))
            shutil.copy(SOLUTIONS / exercise.file, folder)
        t.wait_for(says("10 of 10 solved", "All ten are solved"))


@pytest.mark.slow
def test_nothing_is_written_while_nobody_saves_and_every_end_is_clean(tmp_path):
    for number in (signal.SIGTERM, signal.SIGINT):
        with workshop(tmp_path) as t:
            t.wait_for(says("a is not written yet"))
            t.settle()
            assert t.watch(1.2) == 0
            t.resize(120, 40)
            t.settle(0.4)
            assert t.screen()[0].rstrip().endswith("0 of 10 solved")
            t.signal(number)
            assert t.exit_code() == (0 if number == signal.SIGINT else 128 + number)
            assert t.left_behind() == []


@pytest.mark.slow
def test_an_editor_in_the_same_terminal(tmp_path):
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\ncp {SOLUTIONS / '01_forward.py'} $1\n")
    editor.chmod(0o755)
    with workshop(tmp_path, env={"EDITOR": str(editor)}) as t:
        t.wait_for(says("a is not written yet"))
        t.keys("e")
        t.wait_for(says("✓ 01_forward.py is solved"))
    with workshop(tmp_path, env={"EDITOR": "/no/such/editor"}) as t:
        t.wait_for(says("h is not written yet"))
        t.keys("e")
        t.wait_for(says("could not be started"))


@pytest.mark.slow
@pytest.mark.parametrize("size", [(40, 12), (10, 3)])
def test_any_size_and_no_colours(size, tmp_path):
    columns, rows = size
    with workshop(
        tmp_path,
        columns=columns,
        rows=rows,
        colours="none",
        env={"LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ) as t:
        t.settle(0.5)
        t.keys("down", "up", "h", "n", "p", "left", "home")
        t.settle(0.5)
        t.keys("l")
        t.settle(0.3)
        assert t.process.poll() is None
        t.keys("q")
        assert t.exit_code() == 0
        assert t.raw.isascii()


@pytest.mark.slow
def test_colours_and_characters_are_those_of_the_configuration(tmp_path):
    config = tmp_path / "config" / "rnnviz"
    config.mkdir(parents=True)
    (config / "config.toml").write_text('color = "none"\nascii = true\n')
    with workshop(tmp_path, env={"XDG_CONFIG_HOME": str(tmp_path / "config")}) as t:
        t.wait_for(says("a is not written yet"))
        assert t.raw.isascii()
        assert not any(cell.fg not in ("default", "") for row in t.styled() for cell in row)
