"""rnnviz show and rnnviz record: what is written where, and what is refused in one line."""

from __future__ import annotations

import os
import re
import shlex
import stat
from pathlib import Path

import pytest

from rnnviz.cli.commands import COMMANDS
from rnnviz.cli.flags import read
from rnnviz.cli.main import main
from rnnviz.tui import place
from rnnviz.tui.films.film import script

WALK = ("--steps", "12", "--gain", "0.7", "--at", "t=4,back")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def says(capsys, *words):
    code = main(list(words))
    return code, *capsys.readouterr()


def test_a_picture_is_text_where_no_terminal_is(capsys):
    code, out, err = says(capsys, "show", *WALK, "--panel", "ledger", "--size", "90x30")
    assert (code, err) == (0, "")
    rows = out.splitlines()
    assert len(rows) == 30
    assert max(map(len, rows)) <= 90
    assert "\x1b" not in out
    assert "t = 4" in out
    assert "going back" in out
    assert "ledger" in out
    assert says(capsys, "show", *WALK, "--panel", "ledger", "--size", "90x30")[1] == out


@pytest.mark.parametrize(
    ("color", "has"), [("truecolor", "38;2;"), ("256", "38;5;"), ("16", "\x1b[1;93m"), ("none", "")]
)
def test_colours_are_those_asked_for(capsys, color, has):
    code, out, _ = says(capsys, "show", *WALK, "--color", color)
    assert code == 0
    assert has in out
    others = {"38;2;", "38;5;", "\x1b["} - ({has, "\x1b["} if has else set())
    assert not [other for other in others if other in out and color in ("none", "256", "truecolor")]


def test_the_ending_says_what_is_written_and_nothing_is_overwritten(capsys, here):
    for name, begins in (("a.svg", "<svg"), ("a.txt", " rnnviz"), ("a.ansi", "\x1b[")):
        assert says(capsys, "show", *WALK, "-o", name)[0] == 0
        assert (here / name).read_text(encoding="utf-8").startswith(begins)
    before = (here / "a.svg").read_bytes()
    code, _, err = says(capsys, "show", "-o", "a.svg")
    assert code == 2
    assert "a.svg: exists; --force overwrites it" in err
    assert (here / "a.svg").read_bytes() == before
    assert says(capsys, "show", "-o", "a.svg", "--force")[0] == 0
    assert (here / "a.svg").read_bytes() != before
    assert sorted(path.name for path in here.iterdir()) == ["a.ansi", "a.svg", "a.txt"]
    if os.name == "posix":
        assert not stat.S_IMODE((here / "a.svg").stat().st_mode) & 0o133


def test_a_link_is_not_written_through(capsys, here):
    (here / "a.svg").symlink_to(here / "elsewhere.svg")
    for more in ((), ("--force",)):
        assert says(capsys, "show", "-o", "a.svg", *more)[0] == 2
    assert not (here / "elsewhere.svg").exists()


def test_a_file_that_is_there_is_refused_before_the_work(capsys, here, monkeypatch):
    monkeypatch.setattr("rnnviz.cli.pictures._studio", lambda *_: pytest.fail("work before the refusal"))
    (here / "a.svg").touch()
    (here / "folder.svg").mkdir()
    for command in ("show", "record"):
        assert "a.svg: exists; --force overwrites it" in says(capsys, command, "-o", "a.svg")[2]
        assert "folder.svg: is not a file that can be overwritten" in says(capsys, command, "-o", "folder.svg")[2]


def test_a_file_with_the_name_of_a_setting_is_no_flag_in_a_message(capsys, here):
    (here / "seed").mkdir()
    assert "show: seed: is not a file" in says(capsys, "show", "-o", "seed", "--format", "svg")[2]
    assert "inspect: lag: " in says(capsys, "inspect", "lag")[2]
    assert "gradients: seed: " in says(capsys, "gradients", "--experiment=seed")[2]


def test_what_is_neither_a_file_nor_a_lesson_is_not_called_a_missing_lesson(capsys, here):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(here / "pipe")
    for command in ("show", "record", "read"):
        assert f"{command}: 'pipe' is not a command or an experiment file" in says(capsys, command, "pipe")[2]


def test_a_step_of_a_lesson_with_its_answer(capsys):
    code, out, _ = says(capsys, "show", "--lesson", "sequences-and-memory", "--step", "4")
    assert code == 0
    assert "4/" in out
    assert says(capsys, "show", "1", "--step", "4")[1] == out
    answered = says(capsys, "show", "1", "--step", "4", "--answer", "1")
    assert answered[0] == 0
    assert answered[1] != out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "--at", "foo"), "--at: 'foo' is unknown; a place has t=N, forward"),
        (("show", "--at", "t=99"), "--at: t=99: the sequence has the steps 0 to 10"),
        (("show", "--at", "t=1,t=2"), "give one t"),
        (("show", "--at", "back,loss"), "give one move"),
        (("show", "--at", "unit=20"), "0 to 19"),
        (("show", "--at", "sequence=0"), "1 to"),
        (("show", "--at", "train=2,epoch=3"), "epoch=3"),
        (("show", "--at", "t=-1"), "whole number"),
        (("show", "--at", "batch=99999"), "an epoch has 5 batches"),
        (("show", "--at", "train=999999"), "at most 100,000 epochs"),
        (("show", "--at", "norm=frobenius"), "one norm"),
        (("show", "--panel", "x"), "--panel: 'x' is unknown; choose from fit"),
        (("show", "--size", "10x10"), "60x20 to 500x200"),
        (("show", "--size", "x"), "60x20"),
        (("show", "--color", "pink"), "none of auto, truecolor"),
        (("show", "-o", "a.png"), "use .svg, .txt, .ansi"),
        (("show", "-o", "no/such/a.svg"), "cannot be written: No such file"),
        (("show", "--step", "2"), "--step: only a lesson has steps; name one with --lesson"),
        (("show", "--answer", "2"), "--answer: only a lesson has steps; name one with --lesson"),
        (("show", "--hints", "2"), "--hints: only a lesson has steps; name one with --lesson"),
        (("show", "nosuch"), "there is no lesson 'nosuch'"),
        (("show", "1", "--gain", "2"), "bring their own experiment"),
        (("show", "1", "--step", "99"), "is not one of the steps 1 to"),
        (("show", "1", "--answer", "1"), "asks no question"),
        (("show", "1", "--hints", "99999"), "--hints: 99999 is more than the 0 of this step"),
        (("show", "nosuch", "-o", "/dev/full", "--format", "svg"), "there is no lesson"),
        (("show", "-o", "/dev/full", "--format", "svg"), "/dev/full: is not a file that can be overwritten"),
        (("record",), "name the file"),
        (("record", "1", "--keys", "right", "-o", "a.cast"), "plays by itself"),
        (("record", "--keys", "oops!", "-o", "a.svg"), "--keys: 'oops!' is no key"),
        (("record", "-o", "a.txt"), "use .svg, .cast"),
    ],
)
def test_what_is_wrong_is_one_line(capsys, here, words, said):
    code, out, err = says(capsys, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert len(err) < 400
    assert not list(here.iterdir())


def test_a_film_says_how_long_and_how_large_it_is(capsys, here):
    words = ("record", "--steps", "5", "--keys", "right*5 end right left*3", "-o", "a.v3.cast", "--color", "256")
    code, out, err = says(capsys, *words)
    assert (code, err) == (0, "")
    assert re.fullmatch(r"a\.v3\.cast: \d+\.\d seconds, \d+ kB\n", out)
    first = (here / "a.v3.cast").read_bytes()
    assert b'"version": 3' in first
    assert says(capsys, *words, "--force")[0] == 0
    assert (here / "a.v3.cast").read_bytes() == first


PAGE = (Path(__file__).parents[2] / "docs" / "talks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("line", re.findall(r"^rnnviz (?:show|record) .*$", PAGE, re.MULTILINE))
def test_the_commands_of_the_page_are_commands(line):
    words = shlex.split(line, comments=True)[1:]
    options = read(words[1:], COMMANDS[words[0]])
    if options.values.get("keys"):
        assert script(options["keys"])


@pytest.mark.parametrize("part", re.findall(r"^\| (`.*`) \|", PAGE, re.MULTILINE))
def test_the_places_of_the_page_are_places(part):
    for text in re.findall(r"`([^`]+)`", part):
        assert str(place.read(text)) == text
    assert all(f"{name}" in PAGE for name in re.findall(r"\w+(?==)", place.ALLOWED))
