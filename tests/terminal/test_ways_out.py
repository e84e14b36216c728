"""Every way out leaves the terminal as a shell expects it, and no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.terminal.app import RNNVIZ, ready, rnnviz
from tests.terminal.broken import AT_THE_START, ON_A_KEY
from tests.terminal.driver import SURROUNDINGS, Terminal, cmdline, environment

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
def test_a_key(key):
    with rnnviz() as t:
        t.wait_for(ready)
        t.keys(key)
        assert t.exit_code() == 0
        assert t.left_behind() == []
        assert t.still_running() == []
        assert not any(t.screen())  # nothing printed either


@pytest.mark.slow
def test_a_key_before_anything_is_loaded():
    with rnnviz() as t:
        t.wait_for(any)  # the first paint
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []


@pytest.mark.slow
def test_a_key_while_training():
    with rnnviz("--epochs", "100000") as t:
        t.wait_for(ready)
        t.keys("a")
        t.wait_for("training")
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []


@pytest.mark.parametrize(
    "where",
    ["handler", *(pytest.param(w, marks=pytest.mark.slow) for w in (*ON_A_KEY, *AT_THE_START) if w != "handler")],
)
def test_an_exception_is_one_line_exit_code_1_and_a_file(where, tmp_path):
    command = [sys.executable, "-m", "tests.terminal.broken", where]
    with Terminal(command, cwd=ROOT, env={"XDG_STATE_HOME": str(tmp_path)}) as t:
        if where in ON_A_KEY:
            t.wait_for(ready)
            t.keys("Y")
            if where == "input":
                t.watch(0.5)
                t.keys("x")
        assert t.exit_code() == 1
        assert t.left_behind() == []
        assert t.all_running() == []
        said = "".join(f"{row:80}" for row in t.screen()).strip()
        raw = t.raw[t.raw.rindex(b"\x1b[?25h") :]
    file = tmp_path / "rnnviz" / "traceback.txt"
    assert said.startswith("rnnviz: stopped by an error in rnnviz itself: ")
    assert "broken" in said
    assert str(file) in said
    assert raw.count(b"\n") == 1
    assert raw.count(b"\x1b") == 1  # that of the cursor: none came with the error
    assert "Traceback" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_exception_without_a_place_for_its_traceback():
    command = [sys.executable, "-m", "tests.terminal.broken", "handler"]
    with Terminal(command, cwd=ROOT, env={"XDG_STATE_HOME": "/dev/null"}) as t:
        t.wait_for(ready)
        t.keys("Y")
        assert t.exit_code() == 1
        assert t.left_behind() == []
        assert "of broken.py" in " ".join(t.screen())


@pytest.mark.slow
def test_an_end_that_does_not_come_is_forced():
    with Terminal([sys.executable, "-m", "tests.terminal.broken", "never ends"], cwd=ROOT) as t:
        t.wait_for(ready)
        t.keys("Y")
        assert t.exit_code() == 0
        assert t.left_behind() == []
        assert t.all_running() == []


SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1]


@pytest.mark.parametrize("number", [SIGNALS[0], *(pytest.param(n, marks=pytest.mark.slow) for n in SIGNALS[1:])])
def test_a_signal(number):
    with rnnviz() as t:
        t.wait_for(ready)
        t.signal(number)
        assert t.exit_code() == 128 + number
        assert t.left_behind() == []
        assert t.all_running() == []
        assert not any(t.screen())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("when", ["training", "at the first paint"])
def test_a_signal_at_work(number, when):
    with rnnviz("--epochs", "100000") as t:
        if when == "training":
            t.wait_for(ready)
            t.keys("a")
            t.wait_for("training")
        else:
            t.wait_for(any)
        t.signal(number)
        assert t.exit_code() == 128 + number
        assert t.left_behind() == []
        assert t.all_running() == []


def play_to_nobody(t: Terminal) -> None:
    """A walk that nobody reads, until the terminal takes no more."""
    t.wait_for(ready)
    t.settle()
    t.keys("+", "+", "+", "+", "space")
    t.fill(60)


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS[:4])
@pytest.mark.parametrize("where", SURROUNDINGS)
def test_a_signal_while_nobody_reads(number, where):
    with rnnviz(env=SURROUNDINGS[where]) as t:
        play_to_nobody(t)
        t.signal(number)
        t.wait_until_gone()
        assert t.exit_code() == 128 + number
        assert t.left_behind() == []  # what nobody had read is dropped, and the terminal given back all the same


@pytest.mark.slow
@pytest.mark.parametrize("ignored", [False, True], ids=["", "nohup"])
@pytest.mark.parametrize("when", ["at the first paint", "at rest", "training", "while nobody reads"])
def test_a_closed_window(when, ignored):
    command = ["sh", "-c", f"trap '{'' if ignored else '-'}' HUP; exec {RNNVIZ[0]} --free --epochs 100000"]
    with Terminal(command) as t:
        if when == "at the first paint":
            t.wait_for(any)
        elif when == "at rest":
            t.wait_for(ready)
        elif when == "training":
            t.wait_for(ready)
            t.keys("a")
            t.wait_for("training")
        else:
            play_to_nobody(t)
        t.hang_up()
        t.wait_until_gone()
        assert t.process.returncode == 128 + signal.SIGHUP


@pytest.mark.slow
def test_whoever_started_it_is_killed():
    """A wrapper that is no shell; the window stays."""
    wrapper = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    shell = 'python -c "$0" "$@"; stty -a >/dev/null; sleep 60'
    with Terminal(["sh", "-c", shell, wrapper, *RNNVIZ, "--free"]) as t:
        t.wait_for(ready)
        wrappers = [pid for pid in t.all_running() if wrapper in cmdline(pid)[2:3]]
        os.kill(wrappers[0], signal.SIGKILL)
        end = time.monotonic() + 10
        while any(RNNVIZ[0] in cmdline(pid)[:2] for pid in t.all_running()):
            assert time.monotonic() < end, t.all_running()
            t.watch(0.05)
        assert t.left_behind() == []


@pytest.mark.slow
def test_a_session_without_a_terminal_of_its_own():
    """setsid: no signal tells of the window's end."""
    with Terminal(["sh", "-c", f"exec 3<&0; trap '' HUP; setsid -w {RNNVIZ[0]} --free <&3 & wait"]) as t:
        t.wait_for(ready)
        t.hang_up()
        t.wait_until_gone()


@pytest.mark.slow
def test_a_terminal_that_reports_its_size_in_band():
    with rnnviz(in_band_resize=True) as t:
        t.wait_for(ready)
        t.resize(100, 30)
        t.wait_for(lambda rows: "quit" in rows[29])
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []


@pytest.mark.parametrize("where", ["a pipe", "a dumb terminal"])
def test_no_terminal_is_one_line_and_exit_code_2(where):
    if where == "a pipe":
        env, nothing = environment(), subprocess.DEVNULL
        run = subprocess.run(RNNVIZ, env=env, stdin=nothing, capture_output=True, text=True, timeout=20)
        code, out, said = run.returncode, run.stdout, run.stderr
    else:
        with rnnviz(env={"TERM": "dumb"}) as t:
            code, out, said = t.exit_code(), "", t.raw.decode().replace("\r\n", "\n")
    assert code == 2
    assert out == ""
    assert "rnnviz read" in said
    assert said.count("\n") == 1
    assert "\x1b" not in said
