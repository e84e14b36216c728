"""A file of weights in the app: what the row is, that there is no loss, the outputs, and what cannot be done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.lessons.course import find
from rnnviz.numbers import fixed, scientific
from rnnviz.player.kinds.opening import NETWORK_CANNOT, NetworkOpening
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.voice import VOICE
from tests.networks_here import layer_of
from tests.tui.driving import press, rows, text

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids="{0[0]}x{0[1]}".format)


@pytest.fixture
def path(tmp_path: Path) -> str:
    arrays = {f"rnn.{name}": np.asarray(array, np.float32) for name, array in layer_of("lstm").weights.items()}
    rng = np.random.default_rng(1)
    arrays |= {"head.weight": rng.normal(0, 1, (2, 6)).astype(np.float32), "head.bias": np.zeros(2, np.float32)}
    np.savez(tmp_path / "model.npz", **arrays)
    return str(tmp_path / "model.npz")


@SIZES
async def test_the_row_is_the_jacobian_of_the_last_state(path: str, size: tuple[int, int]) -> None:
    app = RnnvizApp(NetworkOpening(path), compile=False)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        assert "rnn · LSTM · H 6 T 40" in text(app, "title")
        assert "no loss" in text(app, "title")
        (line,) = [row for row in rows(app, "score") if row.startswith("no loss")]
        assert "the largest singular value of ∂h₄₀/∂hₜ" in line
        trace = app.main.frame.scene.trace
        await press(pilot, "end")
        y = trace.y[39, 0]
        assert f"ŷ[0] {fixed(float(y[0]))}" in text(app)
        assert f"max ŷ[{y.argmax()}]" in text(app)
        await press(pilot, "right")
        assert "there is no loss" in text(app, "telling")
        found = trace.sensitivity_of(40)
        for t in range(40, 30, -1):
            await press(pilot, "left")
            (row,) = [row for row in rows(app, "score") if row.startswith("‖∂h₄₀/∂h‖")]
            assert f"h {scientific(float(found.h.largest[t]))}" in row
        assert "t: Frobenius norm" in text(app)
        await press(pilot, "t")
        (row,) = [row for row in rows(app, "score") if row.startswith("‖∂h₄₀/∂h‖")]
        assert f"h {scientific(float(found.h.frobenius[31]))}" in row
        assert "the Frobenius norm of ∂h₄₀/∂hₜ" in text(app)
        for key, name in (("e", "epoch"), ("x", "cut"), ("S", "save"), ("B", "batch_back")):
            await press(pilot, key)
            assert VOICE.say(NETWORK_CANNOT[name])[:70] in text(app, "telling")
        assert "∂L" not in text(app)


async def test_a_typed_sequence_is_read_and_answered(path: str) -> None:
    app = RnnvizApp(NetworkOpening(path), typed="1 2 3; 4 5 6", compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        assert "T 2" in text(app, "title")
        assert "Typed: 1 2 3; 4 5 6" in text(app, "telling")
        await press(pilot, "T", *"1[2] = 0.5", "enter")
        assert app.main.frame.scene.trace.x[:, 0].tolist() == [[1, 2, 0.5], [4, 5, 6]]
        assert app.main.frame.ghost is not None


async def test_the_only_layer_of_a_file_pinned_is_compared_with_nothing() -> None:
    path = find().folder / "recordings" / "remembers.safetensors"
    app = RnnvizApp(NetworkOpening(str(path)), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "c", "enter")
        assert app.main.frame is not None
        assert app.main.frame.pinned is not None
