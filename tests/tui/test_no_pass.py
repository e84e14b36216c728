"""The UI thread runs no pass: the engine raises there, while keys go through every panel and everything that moves."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import Model, gain, numba_engine, numpy_engine
from rnnviz.tui import keys, panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.views import ledger as views_ledger

SMALL = Experiment(task="copying", hidden_size=4, samples=20, epochs=2)  # with a lag, and many steps that carry loss
LARGE = Experiment(cell="lstm", hidden_size=256, seq_len=500, points=504, batch_size=4, epochs=1)

#: What passes through a network, or is as slow: where it is called by its name.
ENGINE = ("forward", "backward", "triangle", "train_batches")
PASSES = [
    *((room, name) for room in (numpy_engine, numba_engine) for name in ENGINE),
    (gain, "gains"),
    (views_ledger, "make_ledger"),
]
#: Not pressed: these leave the score, or the program's own process.
ELSEWHERE = {"quit", "suspend", "help", "commands", "contents", "find", "type", "save"}

#: Of a large network the jobs of these take minutes; of a small one they are opened.
LONG = ("eigenvalues", "space", "map")


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Every pass on the main thread raises, and is written down: whatever catches the error, it is found here."""
    monkeypatch.chdir(tmp_path)  # a key saves a picture here
    caught: list[str] = []

    def guarded(name: str, run: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            if threading.current_thread() is threading.main_thread():
                caught.append(name)
                raise AssertionError(f"{name} on the UI thread")
            return run(*given, **named)

        return call

    for room, name in PASSES:
        monkeypatch.setattr(room, name, guarded(f"{getattr(room, '__name__', room)}.{name}", getattr(room, name)))
    return caught


async def walk(experiment: Experiment, guard: list[str], moves: list[str]) -> None:
    """With every panel open, these keys; and every action there is."""
    app = RnnvizApp(experiment, compile=False)
    async with app.run_test(size=(140, 40)) as pilot:

        async def press(*names: str) -> None:
            for name in names:
                await pilot.press(name)
                await app.settled()
                assert guard == [], f"after {name}"

        await app.settled()
        await press("end", "right", "left", "left", *moves)
        left_out = LONG if experiment is LARGE else ()
        for panel in panels.ALL:
            if panel.id not in left_out:
                app.main.open_panel(panel.id)
                await app.settled()
                await press(*moves[: 1 if panel.id == "map" else None])  # each move trains twelve networks
        elsewhere = ELSEWHERE | ({"panel_back"} if left_out else set())  # it opens the last panel
        await press("escape", *(action.keys[0] for action in keys.ACTIONS if action.id not in elsewhere), "escape")
        await press("x", "c", *moves)


async def test_no_key_passes_through_the_network_on_the_ui_thread(guard: list[str]) -> None:
    await walk(SMALL, guard, ["less_than_sign", "t", "w", "b"])


@pytest.mark.slow
async def test_nor_does_one_with_256_units_and_500_steps(guard: list[str]) -> None:
    await walk(LARGE, guard, ["less_than_sign", "t"])


def test_the_guard_sees_a_pass(guard: list[str]) -> None:
    with pytest.raises(AssertionError, match="on the UI thread"):
        Model.create("rnn").forward(np.zeros((3, 1, 1)))
    assert guard
