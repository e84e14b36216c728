"""Random keys on every task and cell: no exception, no stuck state, and undo leads back to the first frame.

`pytest -m slow tests/tui/test_random_keys.py --keys 2000 --keys-seed 7` presses as many as you like.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import numpy as np
import pytest

from rnnviz.experiment.experiment import TASKS, Experiment
from rnnviz.nn.spec import CELLS
from rnnviz.scene.frame import Frame
from rnnviz.tui import keys, panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas

LEAVING = {"quit", "commands", "play", "save"}  # these end the app, open a screen, move by the clock, write a file
KEYS = [key for action in keys.ACTIONS if action.id not in LEAVING for key in action.keys]
KEYS += [panel.key for panel in panels.ALL if panel.key] * 2 + list("0123456789") + ["right", "left", "enter"] * 8
PATIENCE = 60.0  # seconds after which a job counts as stuck


def same(a: Frame, b: Frame) -> bool:
    weights = a.scene.trace.params
    return (
        a.experiment == b.experiment
        and a.cursor == b.cursor
        and a.loss_step == b.loss_step
        and a.scene.sample == b.scene.sample
        and all(np.array_equal(weights[name], w, equal_nan=True) for name, w in b.scene.trace.params.items())
    )


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("task", TASKS)
async def test_random_keys(
    task: str, cell: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # ctrl+s saves pictures
    count, seed = request.config.getoption("--keys"), request.config.getoption("--keys-seed")
    chance = random.Random(f"{seed} {task} {cell}")
    first = Experiment(task=task, cell=cell, hidden_size=4, epochs=2, samples=None if task in ("sine", "names",
                       "characters", "captions") else 40)  # fmt: skip
    app = RnnvizApp(first, compile=False)
    pressed: list[str] = []
    async with app.run_test(size=chance.choice([(80, 24), (100, 30), (160, 50), (60, 20)])) as pilot:
        await app.settled()
        start = app.main.frame
        try:
            for _ in range(count):
                key = chance.choice(KEYS)
                pressed.append(key)
                await pilot.press(key)
                if chance.random() < 0.8:
                    await asyncio.wait_for(app.settled(), PATIENCE)
                if app.screen is not app.main:
                    await pilot.press("escape")
            for key in ("escape", "escape", "escape"):
                await pilot.press(key)
                await asyncio.wait_for(app.settled(), PATIENCE)
            before = app.main.frame
            for _ in range(count + 1):
                before = app.main.frame
                await pilot.press("u")
                await asyncio.wait_for(app.settled(), PATIENCE)
                # other epochs to go keep the scene, and are undone all the same
                if same(app.main.frame, before) and app.main.frame.scene is before.scene:
                    break
        except BaseException:
            print("keys:", " ".join(pressed))
            raise
        assert same(app.main.frame, start), " ".join(pressed)
        for canvas in app.main.query(Canvas):
            canvas.repaint()
