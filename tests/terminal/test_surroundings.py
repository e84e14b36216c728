"""The app where people run it: other sizes, no home, a terminal that answers nothing, ssh, tmux."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.terminal import ssh
from tests.terminal.app import RNNVIZ, ready, rest, rnnviz
from tests.terminal.driver import Terminal, environment

STEPS = ["--steps", "40"]

pytestmark = pytest.mark.slow


def walk(t: Terminal) -> list[str]:
    """Three steps in, with everything loaded; the screen there."""
    t.wait_for(ready)
    rest(t)
    t.press("right", "right", "right", quiet=1.0)
    return t.screen()


def quit_clean(t: Terminal) -> None:
    t.keys("q")
    assert t.exit_code() == 0
    assert t.left_behind() == []
    assert t.still_running() == []


def test_too_small_says_so_and_recovers():
    with rnnviz() as t:
        before = walk(t)
        t.resize(20, 5)
        t.settle()
        assert any(row.strip() for row in t.screen())
        assert not ready(t.screen())
        t.resize(80, 24)
        t.settle()
        assert t.screen() == before
        quit_clean(t)


@pytest.mark.parametrize("colours", ["256", "none"])
def test_a_terminal_that_answers_no_question_sees_the_same(colours):
    screens = []
    for answers in (True, False):
        with rnnviz(colours=colours, answers=answers) as t:
            walk(t)
            screens.append(t.styled())
            quit_clean(t)
    assert screens[0] == screens[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [("TEXTUAL_COLOR_SYSTEM", "x"), ("TEXTUAL_LOG", "/no/such/folder/log"), ("TEXTUAL_SCREENSHOT", "0"),
     ("TEXTUAL_DRIVER", "no.such:driver"), ("TEXTUAL_THEME", "x"), ("TEXTUAL_FPS", "x"), ("ESCDELAY", "x")],
)  # fmt: skip
def test_switches_of_textual_that_mean_nothing(name, value):
    with rnnviz(env={name: value}) as t:
        t.wait_for(ready)
        quit_clean(t)


@pytest.mark.parametrize("home", ["read-only", "missing", "unset"])
def test_nowhere_to_write(home, tmp_path):
    if home == "read-only" and os.geteuid() == 0:
        place = "/proc/1"  # root may write to any directory but one of the kernel's
    else:
        (tmp_path / "home").mkdir(mode=0o500)
        place = str(tmp_path / "home")
    places = ("HOME", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    env: dict[str, str | None] = dict.fromkeys(places)
    if home != "unset":
        env["HOME"] = place if home == "read-only" else "/nonexistent"
    with rnnviz(env=env) as t:
        t.wait_for(ready)  # the compiler goes on beside it, and cannot keep what it makes
        t.press("right", "a", quiet=1.0)
        quit_clean(t)
    train = [*RNNVIZ, "train", "--json", "--epochs", "2"]
    run = subprocess.run(train, env=environment(env=env), capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


#: What a program may leave to those that it starts, in Python.
LEFT_TO_IT = {
    "2000 open files": "import resource\n"
    "resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))\n"
    "for _ in range(2000): os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)",
    "all signals blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
    "a window's signals ignored": "signal.signal(signal.SIGWINCH, signal.SIG_IGN)\n"
    "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
}


@pytest.mark.parametrize("what", LEFT_TO_IT)
def test_what_whoever_started_it_left_to_it(what):
    launcher = f"import os, signal, sys\n{LEFT_TO_IT[what]}\nos.execvp(sys.argv[1], sys.argv[1:])"
    for end in ("a key", "a signal"):
        with Terminal([sys.executable, "-c", launcher, *RNNVIZ, "--free"]) as t:
            t.wait_for(ready)
            t.press("right", "right")
            t.resize(100, 30)
            t.wait_for(lambda rows: "quit" in rows[29])
            if end == "a key":
                quit_clean(t)
            else:
                t.signal(signal.SIGTERM)
                assert t.exit_code() == 143
                assert t.left_behind() == []
                assert t.all_running() == []


@pytest.fixture
def sshd(tmp_path):
    """The ssh command line to a server of this user on the loopback, with keys made for this test."""
    if ssh.missing():
        pytest.skip(f"needs sshd and ssh: {ssh.missing()}")
    with ssh.server(tmp_path) as port:
        yield ssh.client(tmp_path, port)


def test_through_ssh(sshd):
    with rnnviz(*STEPS, colours="256") as t:
        here, looks = walk(t), t.styled()
    with Terminal([*sshd, shlex.join([*RNNVIZ, *STEPS])], colours="truecolor") as t:
        walk(t)
        t.wait_for(lambda rows: rows == here, timeout=60)
        assert t.styled() == looks  # ssh does not tell that the terminal has more than 256 colours
        quit_clean(t)


def test_through_ssh_when_the_connection_is_cut(sshd):
    command = [*RNNVIZ, "--seed", str(10**9 + os.getpid())]  # to be found by
    with Terminal([*sshd, shlex.join(command)]) as t:
        t.wait_for(ready)
        assert running(command)
        t.hang_up()
        t.exit_code()
        deadline = time.monotonic() + 10
        while running(command):
            assert time.monotonic() < deadline, "still running on the other side"
            time.sleep(0.1)


def running(command: list[str]) -> list[str]:
    """Process ids of Pythons that were started with these arguments."""
    end = "".join(f"{word}\0" for word in command)
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_text().endswith(end):
                found.append(path.parent.name)
    return found


def test_through_tmux(tmp_path):
    if not shutil.which("tmux"):
        pytest.skip("needs tmux: apt-get install tmux")
    with rnnviz(*STEPS, colours="256") as t:
        here = walk(t)
    base = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]
    env = environment("256")

    def tmux(*arguments: str) -> str:
        run = subprocess.run([*base, *arguments], env=env, capture_output=True, text=True, check=True)
        return run.stdout

    def screen() -> list[str]:
        rows = [row.rstrip() for row in tmux("capture-pane", "-p").split("\n")[:-1]]
        return rows + [""] * (24 - len(rows))

    def wait_for(wanted) -> None:
        deadline = time.monotonic() + 60
        while not wanted(screen()):
            assert time.monotonic() < deadline, "\n".join(screen())
            time.sleep(0.1)

    tmux("new-session", "-d", "-x", "80", "-y", "24", shlex.join([*RNNVIZ, *STEPS]))
    try:
        wait_for(ready)
        tmux("send-keys", "Right", "Right", "Right")
        wait_for(lambda rows: rows == here)
        tmux("send-keys", "q")
        deadline = time.monotonic() + 10
        while subprocess.run([*base, "list-sessions"], env=env, capture_output=True).returncode == 0:
            assert time.monotonic() < deadline, "rnnviz did not end"
            time.sleep(0.1)
    finally:
        subprocess.run([*base, "kill-server"], env=env, capture_output=True)


def test_a_broken_numba_is_said_once_in_the_status_line(tmp_path):
    (tmp_path / "stub" / "numba").mkdir(parents=True)
    (tmp_path / "stub" / "numba" / "__init__.py").write_text("raise ImportError('broken here')\n")
    home = {"PYTHONPATH": str(tmp_path / "stub"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with Terminal([*RNNVIZ, "--free"], env=home) as t:
        t.wait_for("Compiled engine unavailable: see rnnviz doctor", timeout=60)
        t.press("right", quiet=1.0)
        assert not any("Compiled engine" in row for row in t.screen())
        quit_clean(t)
    assert "ImportError: broken here" in (tmp_path / "cache" / "rnnviz" / "compiler-error.txt").read_text()
