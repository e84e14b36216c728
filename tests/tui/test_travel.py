"""Time travel: everything moves together, and the history of the horizon is what the traces of those epochs say."""

from __future__ import annotations

import math

import numpy as np

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.metrics import horizon
from rnnviz.player.player import Player
from rnnviz.scene.commands import Back, Survey, Train
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas

FAST = Experiment(gain=0.5, epochs=6)


def test_a_ray_is_the_gradient_of_that_epochs_trace() -> None:
    player = Player(FAST)
    norms = [player.frame.gradient.norms]
    for _ in range(6):
        norms.append(player.do(Train("epoch")).gradient.norms)
    frame = player.do(Survey())
    assert frame.cursor.epoch == 6
    assert sorted(frame.horizons.profiles) == list(range(7))
    for epoch, profile in frame.horizons.profiles.items():
        assert np.allclose(profile.kept, norms[epoch][::-1] / norms[epoch][-1], rtol=1e-12)
        assert profile.horizon == horizon(norms[epoch])
    before = {name: w.copy() for name, w in frame.scene.trace.params.items()}
    player.do(Back("epoch"))
    after = player.do(Train("epoch"))
    assert all(np.array_equal(before[name], w) for name, w in after.scene.trace.params.items())


async def test_scrubbing_moves_score_horizon_and_loss_together() -> None:
    app = RnnvizApp(FAST, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        for key in ("a", "end", "right", "left", "m"):
            await pilot.press(key)
            await app.settled()
        await pilot.pause()
        await app.settled()
        for key, epoch in (("left", 5), ("left", 4), ("up", 3), ("right", 4), ("right", 5)):
            await pilot.press(key)
            await app.settled()
            await pilot.pause()
            frame = app.main.frame
            assert frame.cursor.epoch == epoch
            panel = app.main.query_one("#panel", Canvas).plain()
            assert f"epoch {epoch}/6" in app.main.query_one("#title", Canvas).plain()[0]
            if frame.cursor.batch == 0:
                assert f"horizon {frame.gradient.horizon:.1f}" in panel[2]
                assert f"loss {frame.learning.loss[epoch - 1]:.4f}" in panel[0]
            for line in filter(str.strip, panel[2:]):
                lag = int(line[:10].replace("lag", ""))
                cells = line[10:].split()[:7]
                for cell, profile in zip(cells, frame.horizons.profiles.values(), strict=True):
                    kept = profile.kept[lag]
                    assert cell == ("++" if kept >= 0.995 else f"{100 * kept:.0f}" if kept >= 0.01 else
                                    str(math.floor(math.log10(kept))))  # fmt: skip


async def test_a_field_of_many_steps_says_which_lags_it_shows() -> None:
    app = RnnvizApp(Experiment(seq_len=40), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("m")
        await app.settled()
        await pilot.pause()
        await app.settled()
        lines = app.main.query_one("#panel", Canvas).plain()
        assert [line[:10].replace("lag", "").strip() for line in lines[2:7]] == ["10", "20", "30", "40", ""]


async def test_where_columns_are_narrow_a_cell_is_the_tens_of_the_per_cent() -> None:
    app = RnnvizApp(Experiment(epochs=20), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        for key in ("a", "m"):
            await pilot.press(key)
            await app.settled()
        await pilot.pause()
        await app.settled()
        await pilot.pause()
        profiles = app.main.frame.horizons.profiles
        lines = [line for line in app.main.query_one("#panel", Canvas).plain()[2:] if line.strip()]
        for line in lines:
            lag = int(line[:10].replace("lag", ""))
            cells = line[10:].split()[:21]
            for epoch, cell in enumerate(cells):
                kept = profiles[epoch].kept[lag]
                assert cell == ("+" if kept >= 0.995 else "·" if kept < 0.01 else str(int(10 * kept)))
        assert len({cell for line in lines for cell in line[10:].split()[:21]}) > 2, "and they differ"
