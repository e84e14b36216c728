"""Inputs of several numbers are a heatmap with one of them written out; I shows ∂L/∂x in their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.course import Start
from rnnviz.numbers import fixed, scientific
from rnnviz.player.kinds.network import NetworkRun
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.player.player import Player
from rnnviz.tui import score
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.palette import Palette
from rnnviz.tui.view import View
from tests.networks_here import file_of, layer_of
from tests.recordings_here import made
from tests.tui.driving import press, rows, text

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids="{0[0]}x{0[1]}".format)


@pytest.fixture
def table(tmp_path: Path) -> str:
    series = np.random.default_rng(0).standard_normal((60, 4))
    lines = ["temp,wind,rain,sun", *(",".join(f"{value:.3f}" for value in row) for row in series)]
    (tmp_path / "weather.csv").write_text("\n".join(lines))
    return str(tmp_path / "weather.csv")


@SIZES
async def test_a_chosen_number_is_written_and_the_gradient_names_what_mattered(
    table: str, size: tuple[int, int]
) -> None:
    app = RnnvizApp(Experiment(data=table, hidden_size=4, seq_len=8, epochs=1), compile=False)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        await press(pilot, "end", "right_curly_bracket", "right_curly_bracket", "right_curly_bracket",
                    "right_curly_bracket", "left_curly_bracket")  # fmt: skip
        scene = app.main.frame.scene
        assert f"x[2] rain {fixed(float(scene.trace.x[7, 0, 2]))}" in text(app)
        await press(pilot, "I")
        assert "appears on the way back" in text(app)
        await press(pilot, "right", "left", "left")
        found = scene.trace.grad_x_of(8)[:, 0]
        step, number = np.unravel_index(np.abs(found).argmax(), found.shape)
        assert f"x[2] {scientific(float(found[6, 2]))}" in text(app)
        assert f"most: t = {step + 1} x[{number}]" in text(app)
        assert any(row.startswith("‖∂L₈/∂x‖") for row in rows(app, "score"))
        await press(pilot, "I")
        assert any(row.startswith("input x") for row in rows(app, "score"))


async def test_a_recording_has_it_and_weights_alone_give_the_reason(tmp_path: Path) -> None:
    made(tmp_path / "run", records=1)
    app = RnnvizApp(Opening(str(tmp_path / "run")), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", "left", "I")
        assert any(row.startswith("‖∂L₁₂/∂x‖") for row in rows(app, "score"))
    player = Player(NetworkRun(NetworkOpening("model.pt"), file_of(layer_of())))
    assert "no ∂L/∂x" in player.frame.cannot["inputs"]


async def test_a_lesson_before_the_gradient_has_none() -> None:
    app = RnnvizApp(start=Start(None, "1"), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "I")
        assert "∂x" not in text(app)
        assert "later lesson" in text(app, "lesson")


async def test_one_number_has_no_other_to_select() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "right_curly_bracket")
        assert "one number" in text(app, "telling")


@pytest.mark.parametrize("strength", ["none", "truecolor"])
def test_without_colour_each_row_has_its_sign(strength: str) -> None:
    player = Player(NetworkRun(NetworkOpening("model.pt"), file_of(layer_of(inputs=12))))
    from rnnviz.scene.commands import Seek

    frame = player.do(Seek(40))
    palette = Palette(strength)
    for feature in (0, 5, 11):
        sheet = score.draw(frame, 80, 20, palette, View(feature=feature)).plain()
        assert f"x[{feature}] {fixed(float(frame.scene.trace.x[39, 0, feature]))}" in "\n".join(sheet)
        first = next(row for row in sheet if row.startswith("input x"))
        assert ("▀" in first) == palette.has_halves
