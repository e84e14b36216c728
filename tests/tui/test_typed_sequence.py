"""T: a sequence is typed below the score, and read on enter; what is wrong is a line, and the text stays."""

from __future__ import annotations

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.tui.app import RnnvizApp
from tests.tui.driving import press, rows, text

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids="{0[0]}x{0[1]}".format)


@SIZES
async def test_a_name_is_typed_corrected_and_read(size: tuple[int, int]) -> None:
    app = RnnvizApp(Experiment(task="names", hidden_size=6), compile=False)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        await press(pilot, "T", *"Rosq", "1")
        assert "sequence: Rosq1" in text(app, "telling"), "a digit is no step number here"
        assert "Enter reads, esc leaves." in text(app, "telling")
        await press(pilot, "enter")
        assert "! '1' is not a symbol" in text(app, "telling")
        assert "sequence: Rosq1" in text(app, "telling"), "it stays, to be corrected"
        await press(pilot, "backspace", "backspace", *"si", "enter")
        assert "T 5" in text(app, "title")
        assert "own: " in text(app, "telling")
        (row,) = [row for row in rows(app, "score") if row.startswith("input x")]
        assert row.split()[2:7] == list("rossi")
        await press(pilot, "u")
        assert not app.main.frame.scene.is_typed


async def test_esc_leaves_and_every_key_is_text() -> None:
    app = RnnvizApp(Experiment(task="names", hidden_size=6), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        before = app.main.frame
        await press(pilot, "T", *"quaxTe", "escape")
        assert app.main.frame is before
        assert app.main.view.sequence is None
        assert app.is_running


async def test_a_warning_has_the_only_line_beside_an_open_panel() -> None:
    app = RnnvizApp(Experiment(task="names", hidden_size=6), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "y", "T", "é", "enter")
        assert "! 'é' is not a symbol" in text(app, "telling")
        await press(pilot, "backspace", "a")
        assert "sequence: a" in text(app, "telling")
        await press(pilot, "enter")
        assert "T 1" in text(app, "title")


async def test_a_sequence_to_begin_with() -> None:
    app = RnnvizApp(Experiment(task="names", hidden_size=6), typed="Ng = Dutch", compile=False)
    async with app.run_test(size=(80, 24)):
        await app.settled()
        assert "Typed: Ng = Dutch" in text(app, "telling")
