"""Without colours and with sixteen nothing is left out: a glyph, a sign, a number or weight says what colour would."""

from __future__ import annotations

import os

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.session import Session
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.geometry import columns_of
from rnnviz.tui.marks import ternary
from rnnviz.tui.palette import Palette
from tests.tui.driving import press, rows, text


@pytest.fixture(autouse=True)
def same_environment(monkeypatch):
    monkeypatch.setenv("NO_COLOR", os.environ.get("NO_COLOR", ""))  # the app sets it, and it is restored


def style_at(app: RnnvizApp, canvas: str, word: str):
    """The style of the first cell of a word."""
    widget = app.main.query_one(f"#{canvas}", Canvas)
    y, row = next((y, row) for y, row in enumerate(widget.plain()) if word in row)
    x = row.index(word)
    for segment in widget.render_line(y):
        if x < len(segment.text):
            return segment.style
        x -= len(segment.text)


def test_every_role_differs_without_colours_or_has_a_mark_of_its_own():
    palette = Palette("none")
    assert palette.accent.reverse
    assert palette.back.reverse  # beside it: ▶ reading, ◀ going back
    assert palette.warn.bold  # before it: !
    assert palette.output != palette.target  # a line of dashes and single dots besides
    assert palette.text != palette.faint


@pytest.mark.parametrize("steps", [10, 40])
async def test_the_signs_and_sizes_of_the_states_are_glyphs(steps):
    app = RnnvizApp(Experiment(seq_len=steps), compile=False, session=Session(colors="none"))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end")
        frame = app.main.frame
        cols = columns_of(frame, 80)
        y = next(y for y, row in enumerate(rows(app, "score")) if "hidden h" in row)
        for unit in range(3):
            row = rows(app, "score")[y + unit]
            for t in range(max(1, cols.first), steps + 1):
                value = float(frame.scene.trace.h[t, 0, unit])
                cell = row[cols.x(t) : cols.x(t) + cols.width]
                if cols.width >= 3:
                    assert ("-" if value < 0 else "+") in cell, (unit, t)
                else:
                    assert cell[0] == ternary(value), (unit, t)


async def test_place_direction_unit_and_rows_are_marked_without_colours():
    app = RnnvizApp(Experiment(), compile=False, session=Session(colors="none"))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "right", "right", "down")
        score = text(app)
        assert "▶" in score
        assert "reading" in score
        row = next(row for row in rows(app, "score") if "▸" in row)
        assert "unit 1" in row
        assert style_at(app, "score", "t = 2").reverse
        for name in ("input x", "hidden h", "output ŷ", "target", "‖∂L"):
            assert name in score
        await press(pilot, "end", "right", "left")
        assert "◀ going back" in text(app)
        app.main.warn("careful")
        await pilot.pause()
        assert "! careful" in text(app, "telling")


@pytest.mark.parametrize("colors", ["none", "standard"])
async def test_the_chosen_command_is_seen_in_the_palette(colors):
    app = RnnvizApp(compile=False, session=Session(colors=colors))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "ctrl+p")
        listed = app.screen.query("CommandList").first()
        for _ in range(100):
            await pilot.pause(0.02)
            if listed.option_count > 3:
                break
        await press(pilot, "down", "down")
        styles = [next(iter(listed.render_line(y))).style for y in range(8)]
        looks = {(bool(style.underline), style.bgcolor) for style in styles}
        assert len(looks) == 2
        if colors == "none":
            assert {underline for underline, _ in looks} == {True, False}
        else:  # as far apart as black and white
            one, other = (ground.get_truecolor() for _, ground in looks)
            assert abs(one.red - other.red) > 150


async def test_a_flag_comes_before_no_color_in_the_environment(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = RnnvizApp(compile=False, session=Session(colors="256"))
    assert not app.no_color
    assert app.strength == "256"
    app = RnnvizApp(compile=False, session=Session(colors="none"))
    assert app.no_color
