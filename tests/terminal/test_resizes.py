"""Windows of any size at any time in a real pty, while the app plays, trains and is in a lesson: the screen is in the
end what it would be if it were drawn anew. The same in-process, with everything open: tests/tui/test_resizing.py."""

from __future__ import annotations

import random
import signal

import pytest

from tests.terminal.app import RNNVIZ, ready
from tests.terminal.driver import Terminal

EDGES = [(20, 5), (59, 19), (60, 20), (61, 21), (79, 24), (80, 24), (119, 31), (120, 32), (160, 50), (300, 100)]
LARGEST = [(500, 200), (600, 240)]  # what is beyond the first is not drawn on
DOING: dict[str, tuple[list[str], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    # the flags, the keys to begin with, those pressed meanwhile, those to end with
    "playing": (["--steps", "30"], ("+", "+", "+", "space"), ("down", "up", "tab", "?", "escape"), ("space",)),
    "training": (["--epochs", "100000"], ("a",), ("down", "x", "o", "escape"), ("escape",)),
    "in a lesson": (["lesson", "1"], (), ("right", "left", "n", "backspace", "?", "escape", "L", "escape"), ()),
}


@pytest.mark.slow
@pytest.mark.parametrize("doing", DOING)
def test_two_hundred_resizes(doing: str, request: pytest.FixtureRequest) -> None:
    chance = random.Random(f"{request.config.getoption('--keys-seed')} {doing}")
    flags, first, meanwhile, last = DOING[doing]
    done: list[object] = []
    with Terminal([*RNNVIZ, *flags], colours="256") as t:
        t.wait_for(lambda rows: any("time t" in row for row in rows) and "? keys" in rows[-1])
        t.keys(*first)
        for n in range(67):
            size = chance.choice(EDGES) if chance.random() < 0.6 else (chance.randint(60, 300), chance.randint(20, 100))
            if n % 20 == 19:
                size = chance.choice(LARGEST)
            done.append(size)
            t.resize(*size)
            t.watch(chance.choice([0.0, 0.005, 0.03, 0.1]))
            if chance.random() < 0.25:
                done.append(chance.choice(meanwhile))
                t.keys(str(done[-1]))
            assert t.process.poll() is None, done
        t.resize(80, 24)
        t.settle(0.3) if doing == "in a lesson" else t.watch(0.5)
        t.keys("escape")
        t.watch(0.3)
        t.keys(*last)
        t.wait_for(lambda rows: any("time t" in row for row in rows) and "? keys" in rows[-1])
        t.settle(0.7)
        before = t.styled()
        t.show("\x1b[H" + "another program writes here\r\n" * 20)
        t.signal(signal.SIGWINCH)  # all is sent anew
        t.settle(0.7)
        assert t.styled() == before, done
        t.keys("ctrl+q")
        assert t.exit_code() == 0
        assert t.left_behind() == []


@pytest.mark.slow
def test_a_window_that_is_soon_as_it_was_is_drawn_anew() -> None:
    """Two resizes within a moment are one to the app, and no change of size: what the terminal cut off is missing."""
    with Terminal([*RNNVIZ, "--free"], colours="256") as t:
        t.wait_for(ready)
        t.settle(1.5)
        before = t.styled()
        t.resize(40, 10)
        t.resize(80, 24)
        t.settle(0.7)
        assert t.styled() == before
        t.keys("q")
        assert t.exit_code() == 0
