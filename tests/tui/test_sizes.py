"""Nothing is cut without a mark, from 60 × 20 to 300 × 100 cells: each text that a painter puts beyond its sheet, where
the sheet has no mark that something is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnnviz import glyphs
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.course import Start
from rnnviz.sheet import Sheet, cells_of
from rnnviz.tui import panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas

SIDEWAYS = "…›‹"
DOWN = "…↓↑↕"


def lost(sheet: Sheet, y: int, x: int, text: str) -> str:
    """What of a text is beyond the sheet."""
    entries = text if glyphs.is_plain(text) else cells_of(text)
    if not 0 <= y < sheet.height:
        return text.strip()
    return "".join(entries[: max(0, -x)]).strip() + "".join(entries[max(0, sheet.width - x) :]).strip()


def is_marked(sheet: Sheet, y: int) -> bool:
    if 0 <= y < sheet.height:
        return any(mark in sheet.plain()[y] for mark in SIDEWAYS)
    return any(mark in row for row in sheet.plain() for mark in DOWN)


@pytest.fixture
def unmarked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was cut without a mark."""
    found: list[str] = []
    cuts: list[tuple[Sheet, int, str, str]] = []
    put, repaint = Sheet.put, Canvas.repaint

    def noted(sheet: Sheet, y: int, x: int, text: str, style: Any = None) -> int:
        gone = lost(sheet, y, x, text) if sheet.width and sheet.height else ""
        if gone:
            cuts.append((sheet, y, text, gone))
        return put(sheet, y, x, text, style)

    def checked(canvas: Canvas) -> None:
        cuts.clear()
        repaint(canvas)
        found.extend(
            f"{canvas.id} {sheet.width} × {sheet.height}, row {y}: {text!r} without {gone!r}"
            for sheet, y, text, gone in cuts
            if not is_marked(sheet, y)
        )

    monkeypatch.setattr(Sheet, "put", noted)
    monkeypatch.setattr(Canvas, "repaint", checked)
    return found


def test_a_cut_without_a_mark_is_found() -> None:
    sheet = Sheet(6, 2)
    assert lost(sheet, 0, 0, "123456  ") == ""
    assert (lost(sheet, 0, 2, "雪の朝"), lost(sheet, 2, 0, "low"), lost(sheet, 0, -1, "ab")) == ("朝", "low", "a")
    sheet.put(0, 0, "12345…")
    assert is_marked(sheet, 0)
    assert not is_marked(sheet, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "task", "sizes"),
    [
        ("rnn", "sine", [(60, 20), (80, 24), (160, 50)]),
        ("lstm", "recall", [(60, 20), (70, 22), (100, 30), (300, 100)]),
        ("gru", "characters", [(60, 20), (80, 24), (200, 60)]),
    ],
)
async def test_the_score_and_every_panel(
    cell: str, task: str, sizes: list[tuple[int, int]], unmarked: list[str]
) -> None:
    app = RnnvizApp(Experiment(cell=cell, task=task, epochs=2), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("e")
        await app.settled()
        for size in sizes:
            await pilot.resize_terminal(*size)
            await pilot.pause(0.05)
            unmarked.clear()  # sheets of the size before
            for keys in (["home"], ["end", "right", "right", "right"]):
                await pilot.press(*keys)
                for panel in (None, *(panel.id for panel in panels.ALL)):
                    app.main.open_panel(panel)
                    await app.settled()
                    await pilot.pause()
                    assert unmarked == [], (size, panel)
            app.main.open_panel(None)


@pytest.mark.slow
async def test_a_lesson_and_the_contents(unmarked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    app = RnnvizApp(start=Start(None, "6"), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        for size in [(60, 20), (70, 22), (80, 24), (100, 30), (160, 50), (300, 100)]:
            await pilot.resize_terminal(*size)
            await pilot.pause(0.05)
            unmarked.clear()
            for key in ("n", "right", "L", "right", "escape", "escape", "backspace"):
                await pilot.press(key)
                await app.settled()
                await pilot.pause()
                assert unmarked == [], (size, key)
