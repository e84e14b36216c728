"""Strings made to steer a terminal, through every way into rnnviz: none reaches it as it is.

The bytes are those of real pipes and of a real pty. In a pipe no control character is rnnviz' own; in the pty the
app's own sequences are, so there the strings' are looked for.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnviz.lessons.course import own_folder
from tests.terminal.app import RNNVIZ, ready
from tests.terminal.driver import Terminal

STEERS = "\x1b]0;PWN\x07\x1b[7;7;7H\x9b31m\x90\x85\u202e\u2066\u200f\u2028"
_PARTS = ("\x1b]0;PWN", "\x1b[7;7;7H", "\x9b", "\x90", "\x85", "\u202e", "\u2066", "\u200f", "\u2028")
FOUND = [mark.encode() for mark in _PARTS]
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def quoted(text: str) -> str:
    return json.dumps(text)


def lessons(folder: Path) -> Path:
    """A folder with a name that steers, of a lesson that is well, but for its sources, and one that is not."""
    course = folder / f"course{STEERS}"
    course.mkdir()
    good = next(own_folder().glob("01-*.md")).read_text(encoding="utf-8")
    (course / "01-good.md").write_text(good, encoding="utf-8")
    title, summary = quoted(f"T{STEERS}"), quoted(f"S{STEERS}")
    front = f"+++\ntitle = {title}\nsummary = {summary}\nsources = [{quoted(STEERS)}]\n+++\n"
    body = f"\n## H{STEERS}\n\nProse {STEERS} and `code{STEERS}`\n\n```do{STEERS}\nx = 1\n```\n"
    (course / f"02-bad{STEERS}.md").write_text(front + body, encoding="utf-8")
    return course


def text(folder: Path, content: str = "the rain in Spain stays mainly in the plain, " * 20) -> Path:
    file = folder / f"text{STEERS}.txt"
    file.write_text(content, encoding="utf-8")
    return file


def toml(folder: Path, content: str) -> Path:
    file = folder / f"experiment{STEERS}.toml"
    file.write_text(content, encoding="utf-8")
    return file


#: What is tried: the arguments, made in an empty folder.
COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "a command": lambda f: [f"trian{STEERS}"],
    "a flag": lambda f: [f"--hiden{STEERS}"],
    "a flag of train": lambda f: ["train", f"--hiden{STEERS}=1"],
    "a word too many": lambda f: ["train", "a.toml", STEERS],
    "a value": lambda f: ["train", "--cell", STEERS],
    "a number": lambda f: ["train", "--hidden", STEERS],
    "a lesson": lambda f: ["lesson", STEERS],
    "a speed": lambda f: ["play", "1", "--speed", STEERS],
    "a folder that is not there": lambda f: ["lessons", "--lessons", STEERS],
    "a lesson file that is not there": lambda f: ["lessons", "check", STEERS],
    "what to do with lessons": lambda f: ["lessons", STEERS],
    "a source that is not there": lambda f: ["train", "--task", "characters", "--source", STEERS],
    "an experiment that is not there": lambda f: ["train", f"{STEERS}.toml"],
    "the names of lessons, files and folders": lambda f: ["lessons", "--lessons", str(lessons(f))],
    "the checker on them": lambda f: ["lessons", "check", str(lessons(f))],
    "an unknown setting in a file": lambda f: ["train", str(toml(f, f"{quoted('u' + STEERS)} = 1\n"))],
    "a source in a file": lambda f: ["train", str(toml(f, f'task = "characters"\nsource = {quoted(STEERS)}\n'))],
    "a file that is no TOML": lambda f: ["gradients", str(toml(f, f"x = {STEERS}\n"))],
    "a text with all of it": lambda f: [
        "train", "--task", "characters", "--epochs", "1", "--steps", "4", "--source",
        str(text(f, f"ab{STEERS}cd " * 30)),
    ],
    "the same as JSON": lambda f: [
        "train", "--json", "--task", "characters", "--epochs", "1", "--steps", "4", "--source",
        str(text(f, f"ab{STEERS}cd " * 30)),
    ],
}  # fmt: skip
RUNNER = """
import json, sys
from rnnviz.cli.main import main
for name, argv in json.load(open(sys.argv[1], encoding="utf-8")).items():
    print("==", name, flush=True)
    print("== code", main(argv), flush=True)
"""


@pytest.mark.slow
def test_what_the_commands_print_has_no_control_character_in_it(tmp_path):
    """All in one process: what is looked at is the bytes in its pipe."""
    asked = {}
    for number, (name, make) in enumerate(COMMANDS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        asked[name] = make(folder)
    (tmp_path / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    home = {"XDG_DATA_HOME": str(tmp_path / f"home{STEERS}"), "HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", RUNNER, str(tmp_path / "asked.json")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=os.environ | home | {"PYTHONUTF8": "1"}, cwd=tmp_path, check=True,
    )  # fmt: skip
    parts = run.stdout.decode().split("== ")
    told = dict(zip(COMMANDS, zip(parts[1::2], parts[2::2], strict=True), strict=True))
    for name, (out, code) in told.items():
        found = CONTROL.search(out)
        assert found is None, (name, found, out[:400])
        assert "Traceback" not in out, (name, out)
        assert code.strip() in ("code 0", "code 1", "code 2"), (name, code)
    labels = json.loads(told["the same as JSON"][0].split("\n", 1)[1])["experiment"]["source"]
    assert labels == asked["the same as JSON"][-1], "JSON is exact"
    assert r"\x1b]0;PWN" in told["a lesson"][0]


@pytest.mark.slow
def test_text_from_right_to_left_stays_in_its_columns(tmp_path):
    """A terminal that puts such rows in order would draw steps in columns of others."""
    source = text(tmp_path, "שלום עולם مرحبا " * 30)
    with Terminal([*RNNVIZ, "--task", "characters", "--source", str(source), "--steps", "12"]) as t:
        t.wait_for(ready)
        assert not t._emulator.reorders
        t.press("end")
        assert any("ש" in row for row in t.screen())
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []


@pytest.mark.slow
def test_no_name_or_text_steers_the_terminal_of_the_app(tmp_path):
    home = {"XDG_DATA_HOME": str(tmp_path / f"home{STEERS}")}
    with Terminal([*RNNVIZ, "--lessons", str(lessons(tmp_path))], env=home) as t:
        t.wait_for(ready)
        t.press("L")
        for key in ("down", "right", "enter", "L", "up", "right", "escape"):
            t.keys(key)
            t.settle()
        assert not [mark for mark in FOUND if mark in t.raw]
    source = text(tmp_path, f"ab{STEERS}cd 雪の朝 " * 30)
    with Terminal([*RNNVIZ, "--task", "characters", "--source", str(source), "--steps", "30"], env=home) as t:
        t.wait_for(ready)
        t.press("end")
        for key in ("right", "o", "f", "i", "s", "d", "y", "v", "m", "c"):
            t.keys(key)
            t.settle()
        t.keys("ctrl+p")
        t.settle()
        t.type(f"\x1b[200~a{STEERS.replace(chr(27), '')}\x1b]0;PWN\x07\x1b[7;7;7H\x1b[201~")
        t.settle()
        assert not [mark for mark in FOUND if mark in t.raw]
        assert b"PWN" in t.raw, "it was shown"
