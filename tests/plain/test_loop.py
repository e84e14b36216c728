"""rnnviz read in a real pipe and on a real pty: its lines, its end, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.plain.test_lessons import odd
from tests.terminal.driver import Terminal

READ = [sys.executable, "-m", "rnnviz", "read"]
SCRIPT = (
    "right\nback\nright 3\nwhere\nend\nright\nleft 2\nledger\nclose\ngain 1.5\nepoch 2\nloss curve\nneuron\nhelp\nfoo\n"
)


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def piped(lines: str, *arguments: str, code: int = 0, **env: str) -> str:
    done = subprocess.run([*READ, *arguments], input=lines, capture_output=True, text=True, env={**os.environ, **env})
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def test_the_same_lines_from_a_pipe_get_the_same_bytes() -> None:
    """Whatever the width, also by --plain, and with or without a last line end."""
    first = piped(SCRIPT, "--steps", "5", COLUMNS="40")
    plain = subprocess.run(
        [*READ[:-1], "--plain", "--steps", "5"], input=SCRIPT.rstrip(), capture_output=True, text=True,
        env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    assert (plain.returncode, plain.stderr, plain.stdout) == (0, "", first)
    assert "Step 3 of 5: " in first
    assert 'There is no word "foo"' in first
    assert [line for line in first.splitlines() if odd(line)] == []


@pytest.mark.slow
def test_a_lesson_from_a_pipe_keeps_its_progress() -> None:
    assert "Page 3 of 7" in piped("next\nnext\n", "1")
    assert "Page 3 of 7" in piped("", "1")
    assert "Page 3 of 7" in piped("")


def test_symbols_stay_with_symbols_in_the_encoding_of_the_output() -> None:
    text = piped("end\nright\nleft\nquit\nright\n", "--symbols", "--steps", "5", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert text.isascii()
    assert text.splitlines()[-3].startswith("Back at step 5: |dL5/dh5| is ")  # and nothing after quit


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--stepz", "5"], "rnnviz read: --stepz: unknown flag; did you mean --steps?"),
        (["why-gradients-vanich"], "did you mean why-gradients-vanish?"),
        (["6", "--steps", "4"], "lessons bring their own experiment"),
        (["--steps", "0"], "--steps: 0 is out of range"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], line: str) -> None:
    done = subprocess.run([*READ, *arguments], input="", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


def test_nothing_but_text_on_a_terminal() -> None:
    with Terminal([*READ, "--steps", "5"], columns=50) as t:
        t.wait_for("reads one of 5 steps")
        t.type("right\n")
        t.wait_for("The error is")
        t.type("\x04")  # the end of the input
        assert t.exit_code() == 0
        assert b"\x1b" not in t.raw.replace(b"\r\n", b"\n")
        assert all(len(line) <= 50 for line in t.raw.decode().replace("\r\n", "\n").split("\n"))
        assert t.left_behind() == []


@pytest.mark.slow
def test_ctrl_c_stops_the_job_and_not_the_program() -> None:
    with Terminal([*READ, "--steps", "60", "--hidden", "200", "--epochs", "100000", "--points", "4000"]) as t:
        t.wait_for("reads one of 60 steps")
        t.settle(0.5)  # it waits for a line
        t.keys("ctrl+c")
        t.wait_for("Nothing runs.")
        t.type("train all\n")
        t.wait_for("Training: ")  # its progress, after a while
        t.keys("ctrl+c")
        t.wait_for("Stopped after ")
        t.settle(0.5)
        t.type("half a li")
        t.keys("ctrl+c")
        t.wait_for(lambda rows: sum("Nothing runs." in row for row in rows) == 2)
        t.type("where\n")
        t.wait_for("Step 0 of 60.")
        t.type("quit\n")
        assert t.exit_code() == 0
        assert b"Traceback" not in t.raw


def test_ctrl_c_ends_a_script() -> None:
    process = subprocess.Popen(
        [*READ, "--steps", "60", "--hidden", "200", "--epochs", "100000", "--points", "4000"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("train all\n")
    process.stdin.flush()
    for _ in range(6):
        process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == "rnnviz read: stopped\n"


def test_a_reader_that_goes_away() -> None:
    done = subprocess.run(
        f"yes right | {sys.executable} -m rnnviz read --steps 5 | head -1", shell=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("rnnviz in lines of text.")
    assert done.stderr == ""


def test_a_kiosk_writes_no_file_and_ends_when_nobody_types(tmp_path: Path) -> None:
    with Terminal([*READ, "--kiosk", "--idle", "0.03", "2"], cwd=tmp_path) as t:  # 1.8 seconds
        t.wait_for("goes to the next page")
        t.type("save model.npz\n")
        t.wait_for("This is a kiosk: no file is written.")
        t.type("data /etc/passwd\n")
        t.wait_for("a kiosk reads no file")
        assert t.exit_code() == 0
    assert list(tmp_path.iterdir()) == []
