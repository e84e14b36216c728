"""Stopped and gone on with: the whole screen comes back, keys work once, the shell has its terminal meanwhile."""

import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.terminal.app import RNNVIZ, ready, rest, rnnviz
from tests.terminal.driver import SCRATCH, Terminal, cmdline, process_stat

pytestmark = pytest.mark.slow

SHELL = ["bash", "--norc", "--noprofile", "-i"]
COMMAND = shlex.join([*RNNVIZ, "--steps", "40"])


def in_a_shell(command: str = COMMAND) -> Terminal:
    settings = Path(SCRATCH.name) / "inputrc"
    settings.write_text("set enable-bracketed-paste off\n")  # the one mode the shell would switch on itself
    env = {"PS1": "shell> ", "HISTFILE": "/dev/null", "INPUTRC": str(settings), "COMMAND": command}
    return Terminal(SHELL, env=env)


def prompt(t: Terminal) -> None:
    """The shell can be typed to, on its own screen and with its own attributes; what it says to that."""
    t.wait_for(lambda rows: any(row == "shell>" for row in rows))
    t.settle()
    assert t.left_modes() == []
    t.type("echo $((6*7))\r")
    t.wait_for(lambda rows: "42" in rows)


def begin(t: Terminal) -> list[str]:
    t.wait_for("shell>")
    t.type("stty -a >/dev/null; eval $COMMAND\r")
    t.wait_for(ready)
    t.press("right", "right", quiet=0.5)
    return t.screen()


def picture(rows: list[str]) -> list[str]:
    """All but the mark that tells when the compiled engine has come into use."""
    return [row.replace("○", "●") for row in rows]


def goes_on(t: Terminal, before: list[str]) -> None:
    """The same picture, and each key counts once. On a busy machine the old one may still be there, go, and return."""
    t.settle(0.5)
    t.wait_for(lambda rows: picture(rows) == picture(before))
    t.press("right", quiet=0.5)
    t.wait_for(lambda rows: any("t = 3" in row for row in rows))


def ends(t: Terminal) -> None:
    t.keys("q")
    t.wait_for(lambda rows: any(row == "shell>" for row in rows))
    t.type("exit\r")
    t.exit_code()
    assert t.left_behind() == []
    assert t.all_running() == []


def rnnvizes(t: Terminal) -> list[int]:
    """The processes that are rnnviz itself: not the shell, not a wrapper, not the compiler."""
    return [pid for pid in t.all_running() if RNNVIZ[0] in cmdline(pid)[:2]]


def state(pid: int) -> str:
    return process_stat(pid)[0]


def wait_for_state(pid: int, wanted: str) -> None:
    end = time.monotonic() + 10
    while state(pid) != wanted:
        assert time.monotonic() < end, f"{state(pid)}, not {wanted}"
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["ctrl+z", "SIGTSTP", "SIGTTIN", "SIGTTOU"])
def test_stopped_and_brought_back_by_the_shell(how):
    with in_a_shell() as t:
        before = begin(t)
        if how == "ctrl+z":
            t.keys("ctrl+z")
        else:
            os.kill(rnnvizes(t)[0], getattr(signal, how))
        prompt(t)
        t.type("fg\r")
        goes_on(t, before)
        ends(t)


def test_twice_and_at_another_size():
    with in_a_shell() as t:
        before = begin(t)
        for _ in range(2):
            t.keys("ctrl+z")
            prompt(t)
            t.type("fg\r")
            t.wait_for(lambda rows: picture(rows) == picture(before))
        t.keys("ctrl+z")
        prompt(t)
        t.resize(100, 30)
        t.type("fg\r")
        t.wait_for(lambda rows: ready(rows) and "quit" in rows[29])
        ends(t)


def test_with_a_wrapper_between_it_and_the_shell():
    with in_a_shell(f"sh -c {shlex.quote(COMMAND + '; true')}") as t:
        before = begin(t)
        t.keys("ctrl+z")
        prompt(t)
        t.type("fg\r")
        goes_on(t, before)
        ends(t)


def test_in_the_background_it_waits_to_be_brought_to_the_front():
    with in_a_shell() as t:
        t.wait_for("shell>")
        t.type("eval $COMMAND &\r")
        t.settle(1.5)
        prompt(t)
        t.type("fg\r")
        t.wait_for(ready)
        t.press("right", "right", quiet=0.5)
        before = t.screen()
        t.keys("ctrl+z")
        prompt(t)
        t.type("bg\r")
        t.settle(1.0)
        prompt(t)
        t.type("fg\r")
        goes_on(t, before)
        ends(t)


def test_stopped_by_force_while_the_shell_uses_the_terminal():
    with in_a_shell() as t:
        before = begin(t)
        os.kill(rnnvizes(t)[0], signal.SIGSTOP)
        t.wait_for("shell>")
        t.type("printf '\\033[?1049l\\033[?1000l\\033[?1003l\\033[?25h\\033[?7h'; fg\r")
        goes_on(t, before)
        ends(t)


@pytest.mark.parametrize("stop", ["SIGTSTP", "SIGSTOP", None])
def test_continued_by_whoever_stopped_it_without_a_shell(stop):
    with rnnviz("--steps", "40") as t:
        t.wait_for(ready)
        rest(t)
        t.press("right", "right", quiet=0.5)
        before = t.screen()
        if stop is not None:
            t.signal(getattr(signal, stop))
            wait_for_state(t.process.pid, "T")
            t.settle(0.3)
        t.show("\x1b[2J")  # whatever happened to the terminal meanwhile
        t.signal(signal.SIGCONT)
        goes_on(t, before)
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []


@pytest.mark.parametrize("then", [signal.SIGCONT, signal.SIGTERM])
def test_what_comes_before_it_has_stopped_is_not_lost(then):
    """Giving the terminal back takes a moment, in which it may be continued, or told to leave, already."""
    with rnnviz("--steps", "40") as t:
        t.wait_for(ready)
        t.press("right", "right", quiet=0.5)
        before = t.screen()
        t.signal(signal.SIGTSTP)
        t.signal(then)
        if then == signal.SIGCONT:
            goes_on(t, before)
            t.keys("q")
        assert t.exit_code() == (0 if then == signal.SIGCONT else 143)
        assert t.left_behind() == []


def test_no_thread_of_before_goes_on_beside_those_of_after():
    """An old reader of keys would take some of them, or halves."""
    with in_a_shell() as t:
        begin(t)
        rest(t)
        threads = f"/proc/{rnnvizes(t)[0]}/task"
        before = len(os.listdir(threads))
        for _ in range(3):
            t.keys("ctrl+z")
            prompt(t)
            t.type("fg\r")
            t.wait_for(ready)
            rest(t)
        assert len(os.listdir(threads)) == before
        ends(t)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, None])
def test_ended_before_it_ever_was_in_front(number):
    """As `timeout` and batch systems do it; the signal comes to whichever thread is the first to wake."""
    launcher = "import subprocess, sys; print('code', subprocess.Popen(sys.argv[1:], process_group=0).wait())"
    for _ in range(3):
        with Terminal([sys.executable, "-c", launcher, *RNNVIZ, "--free"]) as t:
            deadline = time.monotonic() + 20
            while not rnnvizes(t) or state(rnnvizes(t)[0]) != "T":
                assert time.monotonic() < deadline
                t.watch(0.1)
            if number is None:
                t.hang_up()
                t.wait_until_gone()
                continue
            os.kill(rnnvizes(t)[0], number)
            os.kill(rnnvizes(t)[0], signal.SIGCONT)
            t.exit_code()
            assert [row for row in t.screen() if row] == [f"code {128 + number}"]
            assert t.left_behind() == []


def test_ctrl_z_without_a_shell_says_why_not():
    with rnnviz() as t:
        t.wait_for(ready)
        t.keys("ctrl+z")
        t.wait_for("ctrl+z needs a shell")
        t.keys("q")
        assert t.exit_code() == 0


def test_training_pauses_and_goes_on():
    with in_a_shell(shlex.join([*RNNVIZ, "--epochs", "100000"])) as t:
        t.wait_for("shell>")
        t.type("eval $COMMAND\r")
        t.wait_for(ready)
        t.keys("a")
        t.wait_for("esc stop")
        t.keys("ctrl+z")
        prompt(t)
        t.type("fg\r")
        t.wait_for("esc stop")
        t.keys("escape")
        t.wait_for(lambda rows: ready(rows) and "esc stop" not in rows[-1])
        ends(t)


@pytest.mark.parametrize("end", ["kill", "the window closes", "kill -9"])
def test_ended_while_it_is_stopped(end):
    with in_a_shell() as t:
        begin(t)
        t.keys("ctrl+z")
        prompt(t)
        if end == "the window closes":
            t.hang_up()
            t.wait_until_gone()
            return
        t.type(f"{end} %1; wait\r")
        deadline = time.monotonic() + 10
        while rnnvizes(t):
            assert time.monotonic() < deadline
            t.watch(0.1)
        t.type("exit\r")
        t.watch(0.5)
        t.type("exit\r")
        t.exit_code()
        assert t.left_behind() == []
