"""Private names of Textual move some day: the app shows the same without them, in more bytes."""

from __future__ import annotations

import sys

import pytest

from tests.terminal.app import ready, rest, rnnviz
from tests.terminal.driver import Terminal


def step_in(t: Terminal) -> tuple[list[str], int]:
    """The screen after one step, and the bytes of the step."""
    t.wait_for(ready)
    rest(t)
    _, sent = t.timed("right")
    screen = t.screen()
    t.keys("q")
    assert t.exit_code() == 0
    return screen, sent


@pytest.mark.slow
@pytest.mark.parametrize("what", ["updates", "all"])
def test_the_app_runs_without_the_private_names(what: str) -> None:
    with rnnviz() as t:
        screen, sent = step_in(t)
    assert 100 < sent < 2000
    with Terminal([sys.executable, "-m", "tests.terminal.moved", what, "--free"]) as t:
        without, more = step_in(t)
    assert without == screen
    assert more > 3 * sent
