"""The app on the compiled engine: the same keys show the same screens as on NumPy."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import CELLS, compiler, engine, loaded_kernels
from rnnviz.tui.app import RnnvizApp
from tests.tui.driving import press, text

KEYS = ("right", "right", "end", "right", "right", "t", "less_than_sign", "b", "e", "x", "u", "w", "p")
CANVASES = ("score", "title", "telling", "panel")

pytestmark = pytest.mark.skipif(compiler.IN_PROCESS, reason="kernels run inside the process")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Nothing in the background, and no engine selected."""
    yield
    loaded_kernels.in_background(None)
    engine.select(None)


async def screens(experiment: Experiment, compile: bool) -> list[str]:
    """What is on the screen after each key, without the sign of the engine."""
    engine.select(None if compile else "numpy")  # kernels that an earlier test has loaded stay in this process
    app = RnnvizApp(experiment, compile=compile)
    found = []
    async with app.run_test(size=(100, 40)) as pilot:
        await app.settled()
        async with asyncio.timeout(120):
            while compile and app.main.frame.engine != "numba":
                await asyncio.sleep(0.01)
        for key in KEYS:
            await press(pilot, key)
            assert app.main.frame.engine == ("numba" if compile else "numpy")
            assert ("●" in text(app, "title")) == compile
            found.append("\n".join(text(app, name) for name in CANVASES).replace("●", "○"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
async def test_the_same_keys_show_the_same_screens(cell: str) -> None:
    list(compiler.compiled([(cell, "float64")]))  # in the cache, as from an earlier session
    experiment = Experiment(cell=cell, hidden_size=6, num_layers=2)
    on_numpy, compiled = await screens(experiment, False), await screens(experiment, True)
    # of the gradient check (p) the last digits are rounding errors, and the engines round differently
    checked = re.compile(r"\d(\.\d+)?(e-\d+|·10\S+)")
    on_numpy[-1], compiled[-1] = (checked.sub("", screen[-1]) for screen in (on_numpy, compiled))
    assert compiled == on_numpy
