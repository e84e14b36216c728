"""Every way out leaves the terminal as a shell expects it, and no process behind."""

import signal
import subprocess
import sys

import pytest

from tests.terminal.app import RNNVIZ, ready, rnnviz
from tests.terminal.driver import Terminal, environment

RAISE_ON_A_KEY = """
import sys
from rnnviz.player.player import Player

def broken(self, command):
    raise RuntimeError("broken on purpose")

Player.begin = broken
from rnnviz.cli.main import main
sys.exit(main(["--free"]))
"""


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


def test_an_exception():
    with Terminal([sys.executable, "-c", RAISE_ON_A_KEY]) as t:
        t.wait_for(ready)
        t.keys("right")
        assert t.exit_code() != 0
        assert t.left_behind() == []
        assert b"broken on purpose" in t.raw


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("training", [False, True], ids=["at rest", "training"])
def test_a_signal(number, training):
    with rnnviz("--epochs", "100000") as t:
        t.wait_for(ready)
        if training:
            t.keys("a")
            t.wait_for("training")
        t.signal(number)
        assert t.exit_code() in (-number, 128 + number)
        assert t.left_behind() == []
        assert t.still_running() == []


@pytest.mark.slow
def test_a_closed_window():
    with rnnviz() as t:
        t.wait_for(ready)
        t.hang_up()
        t.exit_code()
        assert t.still_running() == []


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
    assert "rnnviz gradients" in said
    assert said.count("\n") == 1
    assert "\x1b" not in said
