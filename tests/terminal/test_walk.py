"""Walking through a sequence in a real terminal: the picture depends on where we stand, not on how we got
there, and its numbers are those of `rnnviz gradients`."""

import json
import subprocess

import pytest

from rnnviz.numbers import exponent, scientific
from rnnviz.tui.geometry import columns
from tests.terminal.app import RNNVIZ, ready, rest, rnnviz
from tests.terminal.driver import COLOURS, environment

STEPS = 40


def gradients(*flags: str) -> dict:
    command = [*RNNVIZ, "gradients", "--json", *flags]
    return json.loads(subprocess.run(command, capture_output=True, check=True, env=environment()).stdout)


def test_right_reads_a_step_and_left_takes_it_back():
    with rnnviz() as t:
        t.wait_for(ready)
        t.settle()
        start = t.styled()[1:]  # the title, above it, says which engine is there by now
        t.keys("right")
        t.wait_for("t = 1 ")
        t.settle()
        assert t.styled()[1:] != start
        t.keys("left")
        t.wait_for("t = 0 ")
        t.settle()
        assert t.styled()[1:] == start


@pytest.mark.slow
@pytest.mark.parametrize(("colours", "size"), [*((colours, (80, 24)) for colours in COLOURS), ("256", (160, 50))])
def test_thirty_steps_there_and_back_is_the_identical_screen(colours, size):
    with rnnviz("--steps", str(STEPS), columns=size[0], rows=size[1], colours=colours) as t:
        t.wait_for(ready)
        rest(t)
        before = t.styled()
        for _ in range(30):
            t.press("right", quiet=0.05)
        t.settle()
        assert t.styled() != before
        t.press(*["left"] * 30, quiet=1.0)  # all at once, as with a key held down
        assert t.styled() == before


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], ["--loss-at", "last"], ["--seed", "3", "--gain", "1.5"]], ids=" ".join)
def test_a_walk_back_shows_the_gradients_of_the_command_line(flags):
    flags = [*flags, "--steps", str(STEPS)]
    told = gradients(*flags)
    assert told["loss_step"] == STEPS
    shown = []
    with rnnviz(*flags) as t:
        t.wait_for(ready)
        t.keys(*["right"] * (STEPS + 1))
        t.wait_for("turned")
        for step in range(STEPS, -1, -1):
            t.keys("left")
            t.wait_for(lambda rows, now=f"t = {step} ": now in rows[1] and "going back" in rows[1])
            t.settle(0.03)
            (row,) = [row for row in t.screen() if row.startswith("‖∂L")]
            shown.append(row.split()[-1])
    assert shown == [scientific(norm) for norm in reversed(told["grad_norm"])]


@pytest.mark.slow
def test_the_exponents_under_the_bars_are_those_of_the_command_line():
    told = gradients()
    T = told["loss_step"]
    with rnnviz() as t:
        t.wait_for(ready)
        t.keys(*["right"] * (T + 1), *["left"] * (T + 1))
        t.wait_for(lambda rows: "t = 0 " in rows[1] and "going back" in rows[1])
        t.settle()
        (row,) = [row for row in t.screen() if "10^" in row]
    shown = row[: columns(80, T, 0).end].partition("10^")[2].split()
    assert [int(word) for word in shown] == [exponent(norm) for norm in told["grad_norm"]]


@pytest.mark.slow
def test_a_training_is_seen_epoch_by_epoch_and_then_nothing_moves():
    with rnnviz() as t:
        t.wait_for(ready)
        rest(t)
        t.keys("right", "right", "a")
        titles = set()
        while not any("epoch 20/20" in title for title in titles):
            t.watch(0.02)
            titles.add(t.screen()[0])
        epochs = {title.partition("epoch")[2].split("/")[0].strip() for title in titles}
        assert len(epochs) > 5, epochs
        assert "t = 2 " in t.screen()[1], "the place in the sequence is kept"
        t.settle()
        mark = t.mark()
        t.watch(2.0)
        assert t.bytes_since(mark) == 0, "nothing moves once it is over"
