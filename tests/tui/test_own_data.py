"""A person's own data in the app: every panel of a forecast and of classes, and a knob of the data."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.panels import ALL
from tests.tui.driving import text


def data(folder: Path, kind: str) -> str:
    path = folder / f"{kind}.csv"
    if kind == "series":
        rows = "".join(f"{k},{'' if k == 9 else round(math.sin(k / 2), 3)},{k % 5}\n" for k in range(50))
        path.write_text("t,wave,step\n" + rows)
    else:
        path.write_text("".join(f"{'abc'[k % 3] * (2 + k % 3)}\t{'xyz'[k % 3]}\n" for k in range(30)))
    return str(path)


@pytest.mark.parametrize("kind", ["series", "classes"])
async def test_every_panel_opens(kind: str, tmp_path: Path) -> None:
    experiment = Experiment(
        data=data(tmp_path, kind), hidden_size=4, epochs=2, columns="2" if kind == "series" else None
    )
    app = RnnvizApp(experiment, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        shown = []
        for _ in ALL:
            await pilot.press("tab")
            await app.settled()
            shown.append(text(app) + text(app, "panel"))
        await pilot.press("e")
        await app.settled()
        whole = "\n".join(shown)
        assert ("validation error: network" in whole) == (kind == "series")
        task = app.main.frame.scene.task
        assert task.title == ("classes of classes.csv" if kind == "classes" else "forecast of series.csv")
