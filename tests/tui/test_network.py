"""The network drawn: what stands on its edges is what flows there; folded it is a loop, and the loop can be cut."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.spec import CELLS
from rnnviz.numbers import factor, fixed, scientific
from rnnviz.player.player import Player
from rnnviz.scene.commands import Go
from rnnviz.tui import panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.palette import Palette
from rnnviz.tui.view import View
from tests.tui.driving import press, text


async def test_unrolled_it_shows_what_flows_around_the_cursor() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, *["right"] * 4, "d")
        trace = app.main.frame.scene.trace  # type: ignore[union-attr]
        W_hh, W_ih = trace.params["rnn.weight_hh_l0"], trace.params["rnn.weight_ih_l0"]
        drawn = text(app, "panel")
        for t, name in ((3, "₃"), (4, "₄")):
            assert f"ŷ{name} {fixed(float(trace.y[t - 1, 0, 0]))}" in drawn
            assert f"x{name} {fixed(float(trace.x[t - 1, 0, 0]))}" in drawn
            assert f"h{name} {factor(np.linalg.norm(trace.h[t, 0]))}" in drawn
            assert f" {factor(np.linalg.norm(W_hh @ trace.h[t - 1, 0]))} " in drawn
            assert f"↑ {factor(np.linalg.norm(W_ih @ trace.x[t - 1, 0]))}" in drawn
        assert "h₅ ·" in drawn, "not read yet"
        await press(pilot, "right")
        assert "h₅ ·" not in text(app, "panel")


async def test_going_back_each_step_carries_its_factor() -> None:
    app = RnnvizApp(Experiment(gain=0.6, seed=3), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", *["left"] * 5, "d")
        gradient = app.main.frame.gradient  # type: ignore[union-attr]
        drawn = text(app, "panel")
        t = app.main.frame.cursor.t  # type: ignore[union-attr]
        assert t == 6
        assert len({factor(float(gradient.factors[t])) for t in (5, 6, 7)}) == 3, "three that can be told apart"
        assert f"∂h {scientific(float(gradient.norms[6]))}" in drawn
        assert f"∂h {scientific(float(gradient.norms[7]))}" in drawn
        assert f"× {factor(float(gradient.factors[6]))}" in drawn, "from 7 back to 6"
        assert "∂h ·" in drawn, "5 is not reached"
        arrows = next(row for row in drawn.splitlines() if "┃ h₆" in row)
        assert "×" not in arrows[: arrows.index("┃")]


async def test_at_the_loss_step_the_error_enters() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", "left", "d")
        assert text(app, "panel").count("↓ ∂L") == 1
        await press(pilot, "t")
        assert app.main.frame.loss_step is None  # type: ignore[union-attr]


async def test_folded_it_is_one_box_and_its_weights() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, *["right"] * 4, "d", "enter")
        drawn = text(app, "panel")
        assert drawn.count("┏") == 1
        for weights in ("W_hh  20 × 20 = 400", "W_ih  20 × 1 = 20", "W_out  1 × 20 = 20"):
            assert weights in drawn
        trace = app.main.frame.scene.trace  # type: ignore[union-attr]
        arriving = np.linalg.norm(trace.params["rnn.weight_hh_l0"] @ trace.h[3, 0])
        assert f"‖W_hh·h₃‖ = {factor(arriving)}" in drawn
        assert app.main.frame.cursor.t == 4, "enter folds, and does not walk"  # type: ignore[union-attr]
        await press(pilot, "enter")
        assert text(app, "panel").count("╭") == 2


async def test_cut_the_memory_is_gone_and_the_screen_says_so() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "d")
        before = {name: text(app, name) for name in ("score", "panel", "title", "telling")}
        await press(pilot, "x")
        assert "╳ cut ╳" in text(app, "panel")
        assert "no memory" in text(app, "panel")
        assert "cut RNN" in text(app, "title")
        assert "W_hh = 0: h₁₀ depends on x₁₀ alone" in text(app, "telling")
        await press(pilot, "right", "left", "left")
        assert "ends at h₁₀" in text(app, "telling")
        assert (app.main.frame.gradient.norms[:10] == 0).all()  # type: ignore[union-attr]
        score = text(app, "score").splitlines()
        assert any(re.search(r"10\^ +0  ", row) for row in score), "a true 0 where nothing comes back"
        await press(pilot, "right", "backspace", "backspace", "x")
        assert {name: text(app, name) for name in before} == before


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (119, 30), (120, 40), (160, 50)])
@pytest.mark.parametrize("cell", CELLS)
async def test_it_fits_every_window(size: tuple[int, int], cell: str) -> None:
    app = RnnvizApp(Experiment(task="recall", lag=5, samples=10, cell=cell, num_layers=2), compile=False)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        name = "open" if size[0] >= 120 else "panel"
        await press(pilot, "right", "right", "d")
        boxes = text(app, name)
        assert boxes.count("┏") == (2 if size[1] >= 40 else 1), "both layers where there is room"
        assert "h₂ " in boxes
        total = f"{app.main.frame.scene.model.parameter_count:,}"  # type: ignore[union-attr]
        assert (total in boxes) == (size[1] >= 40), "the table below where there is room"
        await press(pilot, "enter", "x", "end", "right", "left", "left")
        assert "W_hh" in text(app, name)


def test_an_lstm_shows_both_paths() -> None:
    player = Player(Experiment(cell="lstm"))
    player.do(Go("backward", 6))
    frame = player.frame
    lane = frame.gradient.highway
    assert lane is not None
    drawn = "\n".join(panels.BY_ID["network"].draw(frame, View(), 80, 9, Palette()).plain())
    for value in (f"∂h {scientific(float(frame.gradient.norms[7]))}", f"∂c {scientific(float(lane.norms[7]))}",
                  f"× {factor(float(frame.gradient.factors[6]))}", f"× {factor(float(lane.factors[6]))}"):  # fmt: skip
        assert value in drawn
    player.do(Go("forward", 6))
    drawn = "\n".join(panels.BY_ID["network"].draw(player.frame, View(), 80, 9, Palette()).plain())
    assert f"f {factor(float(frame.scene.trace.gates['f'][5].mean()))}" in drawn


async def test_the_summary_is_that_of_keras() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "i")
        rows = text(app, "panel").splitlines()
        assert re.search(r"rnn_l0 \(SimpleRNN\) +\(8, 10, 20\) +440", rows[2])
        assert re.search(r"readout \(Dense\) +\(8, 10, 1\) +21", rows[3])
        assert re.search(r"Total +461", rows[5])


def test_the_parts_add_up_to_the_total_for_every_cell() -> None:
    for cell in CELLS:
        frame = Player(Experiment(cell=cell, num_layers=2, biases=2)).frame
        drawn = panels.BY_ID["summary"].draw(frame, View(), 70, 40, Palette()).plain()
        numbers = [(len(row) - len(row.lstrip()), int(row.split()[-1].replace(",", ""))) for row in drawn[2:]
                   if re.search(r"\d$", row.rstrip())]  # fmt: skip
        layers = sum(n for indent, n in numbers[:-1] if indent == 1)
        parts = sum(n for indent, n in numbers[:-1] if indent == 3)
        assert layers == parts == numbers[-1][1] == frame.scene.model.parameter_count
