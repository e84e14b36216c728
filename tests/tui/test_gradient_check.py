"""The gradient check, by a key: its figure is shown beside the gradient, for its sequence only."""

from __future__ import annotations

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import Trace
from rnnviz.nn.spec import CELLS
from rnnviz.player.player import Player
from rnnviz.scene.commands import Check
from rnnviz.tui.app import RnnvizApp
from tests.tui.driving import press, text


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
@pytest.mark.parametrize("cell", CELLS)
async def test_p_checks_this_very_sequence(cell: str, size: tuple[int, int]) -> None:
    app = RnnvizApp(Experiment(cell=cell), compile=False)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        assert "checked" not in text(app)
        await press(pilot, "end", "right", "left", "p")
        frame = app.main.frame
        assert frame is not None
        figure = frame.scene.trace.check()
        assert figure < 1e-6
        assert f"✓ checked {figure:.0e}" in text(app)
        assert f"{figure:.0e}" in text(app, "telling")
        await press(pilot, "left")
        assert f"✓ checked {figure:.0e}" in text(app), "it stays"


async def test_another_sequence_is_another_check() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "p", "w")
        assert "checked" not in text(app)


async def test_a_wrong_gradient_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trace, "check", lambda self, seed=0: 3e-4)
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "p")
        assert "✗ checked 3e-04" in text(app)


async def test_it_finds_a_place_beside_the_ghost_and_an_open_panel() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", "left", "p")
        for key in ("y", "v", "s"):
            await press(pilot, key)
            assert "✓" in text(app)


def test_what_is_not_finite_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    player, other = Player(Experiment()), Player(Experiment())
    monkeypatch.setattr(Trace, "check", lambda self, seed=0: float("nan"))
    assert "not finite" in player.do(Check()).hint
    monkeypatch.setattr(Trace, "check", lambda self, seed=0: 2e-3)
    assert "2e-03 off" in other.do(Check()).hint
