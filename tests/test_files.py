"""Files from outside, by kind: what is no file is refused before it is opened, and no more is read than can be used."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnviz import files
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.check import check
from rnnviz.lessons.course import find, head
from rnnviz.tasks import build
from rnnviz.tui.voice import MEASURE

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs pipes and devices")


def socket_at(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


def link(to: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.symlink_to(to)

    return make


ODD: dict[str, tuple[Callable[[Path], None], str]] = {
    "folder": (Path.mkdir, "it is a folder"),
    "pipe": (lambda path: os.mkfifo(path), "it is a pipe"),
    "socket": (socket_at, "it is a socket"),
    "zeros": (link("/dev/zero"), "it is a device"),
    "nothing": (link("/dev/null"), "it is a device"),
    "terminal": (link("/dev/tty"), "it is a device"),
    "loop": (lambda path: path.symlink_to(path), "symbolic links"),
    "endless": (link("/proc/self/pagemap"), "too long"),
}


@pytest.fixture(params=ODD)
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A file that is none, named like a lesson, and why it cannot be read."""
    make, reason = ODD[request.param]
    path = tmp_path / "01-odd.md"
    make(path)
    if request.param == "endless" and not path.exists():
        pytest.skip("no such file on this system")
    return path, reason


def test_what_is_no_file_says_so(odd: tuple[Path, str]) -> None:
    path, reason = odd
    with pytest.raises(OSError, match=reason):
        files.read(path, 1000)


def test_an_experiment_that_is_no_file(odd: tuple[Path, str]) -> None:
    path, reason = odd
    with pytest.raises(InputError) as caught:
        Experiment.from_file(path)
    assert str(path) in str(caught.value)
    assert reason in str(caught.value) or reason == "too long"  # what it may be instead is said there


def test_a_text_that_is_no_file(odd: tuple[Path, str]) -> None:
    path, reason = odd
    with pytest.raises(InputError, match="source"):
        build("characters", source=str(path))
    if reason != "too long":  # of a text the beginning is enough
        with pytest.raises(InputError, match=reason):
            build("characters", source=str(path))


def test_a_lesson_that_is_no_file(odd: tuple[Path, str]) -> None:
    path, reason = odd
    (problem,) = check([path], (), MEASURE)
    assert reason in problem.what
    assert problem.remedy
    course = find(path.parent)
    assert head(course.files[0])[0] == "01-odd"


def test_of_a_long_file_no_more_is_read_than_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.write(b"beginning")
        file.truncate(10**12)
    assert files.read(path, 9, cut=True) == b"beginning"
    with pytest.raises(files.OddFileError, match="too long"):
        files.read(path, 1000)
    (tmp_path / "short").write_bytes(b"123")
    assert files.read(tmp_path / "short", 3) == b"123"
    with pytest.raises(files.OddFileError, match="too long"):
        files.read(tmp_path / "short", 2)


@pytest.mark.parametrize("command", [["gradients"], ["train"], [], ["lessons", "check"], ["gradients", "--source"]])
def test_the_command_line_waits_for_no_pipe(tmp_path: Path, command: list[str]) -> None:
    """A pipe that nobody writes into, as any file a command takes."""
    path = tmp_path / ("01-x.md" if "check" in command else "x.toml")
    os.mkfifo(path)
    words = [*command, str(path), *(["--task", "characters"] if "--source" in command else [])]
    run = subprocess.run(
        [sys.executable, "-m", "rnnviz", *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    said = run.stdout + run.stderr
    assert run.returncode in (1, 2)
    assert "it is a pipe, not a file" in said
    assert len(said.splitlines()) == 1
