"""The triangle, driven by keys: a row of it is the score's gradient row, and what the command line tells."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import Trace
from rnnviz.nn.spec import CELLS
from rnnviz.numbers import exponent, scientific
from rnnviz.player.player import Player
from rnnviz.scene.commands import Measure
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.geometry import columns
from rnnviz.tui.panels.triangle import _are_spelled, sign
from rnnviz.views import analysis
from rnnviz.views import prepare as preparing
from rnnviz.views.analysis import Triangle
from tests.tui.driving import press, rows

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def chosen(app: RnnvizApp, name: str = "panel") -> str:
    marked = [row for row in rows(app, name) if row.startswith(" ▸")]
    assert len(marked) == 1
    return marked[0]


async def test_the_chosen_row_is_the_gradient_row_and_what_the_command_line_says() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", "v", *["left"] * 8, "up", "up", "up")
        frame = app.main.frame
        assert frame is not None
        assert frame.loss_step == 7
        assert "L₇" in chosen(app)
        command = [sys.executable, "-m", "rnnviz", "gradients", "--json", "--loss-step", "7"]
        told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["grad_norm"]
        np.testing.assert_allclose(frame.gradient.norms, told, rtol=1e-12)
        cols = columns(80, frame.T, frame.cursor.t)
        row = chosen(app)
        score = rows(app, "score")
        powers = next(line for line in score if line[:10].strip() == "10^")
        for t in range(8):
            assert int(row[cols.x(t) : cols.x(t) + cols.width]) == exponent(told[t])
            if t >= 3:
                assert int(powers[cols.x(t) : cols.x(t) + cols.width]) == exponent(told[t]), "one above the other"
        assert row[cols.end :].split()[0] == scientific(told[3])
        assert "‖∂L₇/∂h‖" in "\n".join(score)


async def test_every_cell_is_the_power_of_ten_of_its_norm() -> None:
    app = RnnvizApp(Experiment(seq_len=30, gain=0.5), compile=False)
    async with app.run_test(size=(160, 50)) as pilot:
        await app.settled()
        await press(pilot, "v")
        frame = app.main.frame
        assert frame is not None
        triangle = frame.scene.trace.triangle
        panel = rows(app, "open")
        cols = columns(len(panel[0]), 30, 0)
        assert cols.width == 1
        for k in range(1, 31):
            row = next(line for line in panel if f"L{str(k).translate(SUBSCRIPTS)} " in line)
            shown = row[cols.left : cols.end].rstrip()
            assert shown == "".join(sign(exponent(float(triangle[k, t]))) for t in range(k + 1))


async def test_a_long_sequence_shows_a_part_and_says_which() -> None:
    app = RnnvizApp(Experiment(seq_len=150, points=300, hidden_size=8), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "v")
        head = rows(app)[0]
        assert "losses 144–150 of 150" in head
        assert "t 101–150 of 150" in head
        await press(pilot, *["up"] * 10)
        assert "L₁₄₀" in chosen(app)


async def test_a_loss_at_the_end_alone_is_one_row() -> None:
    app = RnnvizApp(Experiment(task="recall", seq_len=12, lag=8, samples=20), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "v", "up", "down")
        assert "only step 12 has a loss" in rows(app)[0]
        assert "L₁₂" in chosen(app)


async def test_it_is_worked_out_beside_and_once_for_a_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, whole = threading.Event(), analysis.make_triangle
    asked = []

    def slow(trace: Trace, on_part: Callable[[int, int], None]) -> Any:
        asked.append(trace)

        def after_the_key(done: int, total: int) -> None:
            go_on.wait(20)
            on_part(done, total)

        return whole(trace, after_the_key)

    monkeypatch.setattr(analysis, "make_triangle", slow)
    app = RnnvizApp(Experiment(seq_len=40, points=60, hidden_size=64), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("v", "right")
        await pilot.pause()
        assert "Backpropagating each loss" in rows(app)[0]
        assert app.main.frame is not None
        assert app.main.frame.cursor.t == 1
        await pilot.press("escape")  # stop it
        go_on.set()
        await app.settled()
        await press(pilot, "right")
        assert len(asked) == 1, "stopped is stopped"
        assert "Backpropagating" in rows(app)[0]
        await press(pilot, "e")
        assert len(asked) == 2, "another scene, another triangle"
        assert "power of ten" in rows(app)[0]


@pytest.mark.parametrize("cell", CELLS)
def test_in_parts_it_is_the_same_triangle_and_gain(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "AT_ONCE", 0)
    player = Player(Experiment(cell=cell, seq_len=40, points=60, hidden_size=40, loss_at="3,17,29,30,40"))
    scene = player.frame.scene
    assert analysis.triangle(scene) is None
    assert analysis.gain(scene) is None
    player.do(Measure("triangle"))
    scene = player.do(Measure("gain")).scene
    np.testing.assert_allclose(analysis.triangle(scene).norms, scene.trace.triangle, rtol=1e-13)
    np.testing.assert_allclose(analysis.gain(scene), scene.trace.gain, rtol=1e-13)


@pytest.mark.parametrize(
    ("value", "glyph"),
    [(0.5, "1"), (3.0, "0"), (2e-9, "9"), (2e-10, "a"), (2e-35, "z"), (1e-36, "."), (20.0, "¹"), (3e9, "⁹"),
     (1e10, "^"), (0.0, "∅"), (float("inf"), "∞"), (float("nan"), "?")],
)  # fmt: skip
def test_one_sign_tells_the_power_of_ten(value: float, glyph: str) -> None:
    assert sign(exponent(value), value) == glyph


def test_the_power_of_ten_is_that_of_the_number_as_it_is_written() -> None:
    values = [10.0**p * f for p in range(-320, 300, 7) for f in (0.9999999999999999, 1.0, 1.0000000000000002, 3.0)]
    powers = analysis.in_powers(np.array([[*values, 0.0, np.inf, np.nan]])).powers
    assert powers[0].tolist() == [*map(exponent, values), *[analysis.NO_POWER] * 3]


def whole(experiment: Experiment) -> Triangle:
    found = analysis.triangle(Player(experiment).do(Measure("triangle")).scene)
    assert found is not None
    return found


def test_the_power_itself_stands_in_a_cell_wherever_there_is_room_for_all_of_them() -> None:
    near, far = whole(Experiment()), whole(Experiment(seq_len=40, gain=0.1))
    assert _are_spelled(near, 3), "-2 and a cell between"
    assert not _are_spelled(near, 2)
    assert not _are_spelled(far, 3), "-30 would touch its neighbours"
    assert _are_spelled(far, 4)
