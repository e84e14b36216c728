"""Attention: weights that add up to 1, larger for states that are like the last, and the share of a gradient."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.spec import CELLS
from rnnviz.player.player import Player
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.geometry import columns
from rnnviz.tui.marks import BARS
from rnnviz.views.attention import similarity as attention
from rnnviz.views.metrics import value
from tests.tui.driving import press, rows


@pytest.mark.parametrize("cell", CELLS)
def test_the_weights_are_those_of_the_formula(cell: str) -> None:
    frame = Player(Experiment(cell=cell, hidden_size=6)).frame
    trace = frame.scene.trace
    scores = [float(trace.h[t, 0] @ trace.h[10, 0]) / 6**0.5 for t in range(1, 11)]
    expected = [np.exp(s) / sum(np.exp(scores)) for s in scores]
    np.testing.assert_allclose(attention(trace.h[1:11, 0]), expected, rtol=1e-12)
    assert value(frame, "attention[3]") == pytest.approx(expected[2])
    assert sum(value(frame, f"attention[{t}]") for t in range(1, 11)) == pytest.approx(1)  # type: ignore[misc]


def test_of_a_gradient_on_the_sum_each_state_gets_its_weight() -> None:
    """With the weights held fixed: ∂(g · Σ αₜ hₜ)/∂hₜ = αₜ g, by central differences."""
    trace = Player(Experiment(hidden_size=4)).frame.scene.trace
    alpha, g = attention(trace.h[1:11, 0]), np.array([0.3, -1.0, 0.5, 2.0])
    h = trace.h[1:, 0]
    for t in range(10):
        for unit in range(4):
            nudge = np.zeros_like(h)
            nudge[t, unit] = 1e-6
            slope = (g @ (alpha @ (h + nudge)) - g @ (alpha @ (h - nudge))) / 2e-6
            assert slope == pytest.approx(alpha[t] * g[unit], abs=1e-8)


def test_a_state_that_is_no_number_leaves_no_weights() -> None:
    assert np.isfinite(attention(np.full((3, 2), 1e200))).all() is np.False_
    assert np.isnan(attention(np.array([[0.1, 0.2], [np.nan, 0.0], [1.0, 1.0]]))).all()


async def test_the_panel_draws_a_bar_for_each_state_and_writes_the_one_at_the_cursor() -> None:
    app = RnnvizApp(Experiment(gain=2.0), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        while app.main.view.panel != "attention":
            await press(pilot, "tab")
        await press(pilot, *["right"] * 4)
        frame = app.main.frame
        assert frame is not None
        weights = attention(frame.scene.trace.h[1:11, 0])
        panel = rows(app, "panel")
        assert f"α₄ {weights[3]:.3g}" in panel[1], "as in the row of the weights"
        cols = columns(len(panel[0]), 10, 4)
        heights = [sum(BARS.index(row[cols.x(t)]) for row in panel[1:] if row[cols.x(t)] in BARS) for t in range(1, 11)]
        n = max(heights)
        assert heights == [round(n * w / weights.max()) for w in weights]
