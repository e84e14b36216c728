"""A click and the wheel do what keys do: choices, knobs, units, tabs, lessons, text that is longer than its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from rnnviz.experiment.experiment import BY_GROUP, Experiment
from rnnviz.lessons.course import Start
from rnnviz.lessons.pages import page
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.lesson_view import measure
from tests.tui.driving import press, rows, text


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


async def wheel(pilot: Pilot[None], widget: str, y: int, by: int) -> None:
    """A turn of it over row y: down (1) or up (-1)."""
    kind = MouseScrollDown if by > 0 else MouseScrollUp
    await pilot._post_mouse_events([kind], widget, (2, y), button=0)
    await pilot.pause()


def place(app: RnnvizApp, widget: str, word: str) -> tuple[int, int]:
    """Where a word stands in a canvas."""
    y, row = next((y, row) for y, row in enumerate(rows(app, widget)) if word in row)
    return row.index(word), y


async def test_a_choice_is_answered_by_a_click_on_it() -> None:
    app = RnnvizApp(start=Start(None, "6"), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        guide = app.main.guide
        assert guide is not None
        for _ in range(12):
            assert guide.run is not None
            question = guide.run.open_question
            if question is not None and question.choices:
                break
            await press(pilot, "n", "n")
        wanted = len(question.choices) if question is not None else 0
        at = place(app, "lesson", f"{wanted} {question.choices[-1].say[:8]}")  # type: ignore[union-attr]
        await pilot.click("#lesson", offset=(1, 0))
        await pilot.pause()
        assert guide.run is not None
        assert guide.run.answer is None
        await pilot.click("#lesson", offset=(at[0] + 3, at[1]))
        await app.settled()
        await pilot.pause()
        assert guide.run.answer is not None
        assert guide.run.answer.given == str(wanted)


async def test_a_knob_is_chosen_and_turned_by_clicks_and_the_wheel() -> None:
    app = RnnvizApp(Experiment(), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "o")
        at = place(app, "panel", "units")
        await pilot.click("#panel", offset=at)
        await pilot.pause()
        assert BY_GROUP[app.main.view.row].name == "hidden_size"
        await pilot.click("#panel", offset=place(app, "panel", "◂"))
        await app.settled()
        assert app.main.frame is not None
        assert app.main.frame.experiment.hidden_size == 16
        row = next(row for row in rows(app, "panel") if "units" in row)
        await pilot.click("#panel", offset=(row.rindex("▸"), place(app, "panel", "units")[1]))
        await app.settled()
        assert app.main.frame.experiment.hidden_size == 20
        await wheel(pilot, "#panel", 0, 1)
        assert BY_GROUP[app.main.view.row].name == "num_layers"
        await wheel(pilot, "#panel", 0, -1)
        assert BY_GROUP[app.main.view.row].name == "hidden_size"
        await pilot.click("#tabs", offset=(70, 0))
        await pilot.pause()
        assert app.main.view.panel == "network"


async def test_a_row_of_units_and_the_wheel_over_it_choose_a_unit() -> None:
    app = RnnvizApp(Experiment(), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "right")
        y = place(app, "score", "hidden h")[1]
        assert app.main.frame is not None
        await pilot.click("#score", offset=(2, y + 2))
        await pilot.pause()
        first = app.main.frame.cursor.unit
        assert first > 0
        await pilot.click("#score", offset=(76, y + 2))
        await pilot.pause()
        assert app.main.frame.cursor.unit in (first, first + 1)
        await wheel(pilot, "#score", y, -1)
        await wheel(pilot, "#score", y, -1)
        assert app.main.frame.cursor.unit < first + 1
        before = app.main.frame.cursor
        await pilot.click("#score", offset=(2, 0))
        assert app.main.frame.cursor == before, "there is no unit"


async def test_a_lesson_is_chosen_and_opened_by_clicks() -> None:
    app = RnnvizApp(Experiment(), compile=False)
    async with app.run_test(size=(80, 30)) as pilot:
        await app.settled()
        await press(pilot, "L")
        await pilot.click("#contents", offset=(8, 4))
        await pilot.pause()
        assert app.screen.row == 2  # type: ignore[attr-defined]
        await wheel(pilot, "#contents", 4, -1)
        assert app.screen.row == 1  # type: ignore[attr-defined]
        await pilot.click("#contents", offset=(8, 3))
        await app.settled()
        assert app.main.guide is not None
        assert app.main.guide.run is not None
        assert app.main.guide.run.lesson.slug == "the-hidden-state"


async def test_a_text_longer_than_its_place_says_so_and_can_be_read_to_its_end() -> None:
    app = RnnvizApp(start=Start(None, "9"), compile=False)
    async with app.run_test(size=(60, 20)) as pilot:
        await app.settled()
        guide = app.main.guide
        assert guide is not None
        assert guide.run is not None
        await press(pilot, "y")
        assert "PgDn ↓" in rows(app, "lesson")[0]
        seen = text(app, "lesson")
        await press(pilot, "pagedown")
        assert "PgUp ↑" in rows(app, "lesson")[0]
        assert "PgDn" not in rows(app, "lesson")[0]
        assert "→ reads on; f" in text(app, "lesson")
        assert app.main.frame is not None
        table = [row for row in rows(app, "panel") if row.strip()]
        assert len(table) >= 5, "a head and some rows of the ledger"
        await wheel(pilot, "#lesson", 1, -1)
        await press(pilot, "pageup")
        assert text(app, "lesson") == seen
        await press(pilot, "y", "n")
        for _ in guide.run.lesson.steps:  # nothing is cut without a mark, at any step
            shown = rows(app, "lesson")
            lines = page(guide.run, app.main.frame, measure(60), guide.typed).lines
            assert len(lines) < len(shown) or f"PgDn ↓{len(lines) - len(shown) + 1}" in shown[0]
            await press(pilot, "n", "n")


async def test_a_note_longer_than_the_lessons_rule_is_shown_whole() -> None:
    app = RnnvizApp(start=Start(None, "1"), compile=False)
    note = " ".join(["Progress", "will", "not", "be", "kept:", "/a/folder" * 12, "cannot", "be", "written", "here."])
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        app.main.warn(note)
        await pilot.pause()
        shown = " ".join(row.strip() for row in rows(app, "lesson")[:4])
        assert note.replace(" ", "") in shown.replace(" ", "")
        assert all(len(row) == 80 for row in rows(app, "lesson"))


async def test_a_row_of_the_ledger_and_a_cell_of_the_triangle_go_to_their_step() -> None:
    app = RnnvizApp(Experiment(), compile=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", "left", "left", "y")
        assert app.main.frame is not None
        y = next(y for y, row in enumerate(rows(app, "panel")) if row[1:5].strip() == "7")
        await pilot.click("#panel", offset=(20, y))
        await app.settled()
        assert app.main.frame.cursor.t == 7
        before = app.main.frame.cursor
        await pilot.click("#panel", offset=(20, 0))  # a sentence
        assert app.main.frame.cursor == before
        await press(pilot, "v")
        x, y = place(app, "panel", "L₈")
        await pilot.click("#panel", offset=(x, y))
        await app.settled()
        assert app.main.frame.loss_step == 8
        await pilot.click("#panel", offset=place(app, "panel", "-"))
        await app.settled()
        assert app.main.frame.cursor.t < 7


async def test_a_curve_beside_the_score_opens_its_panel() -> None:
    app = RnnvizApp(Experiment(), compile=False)
    async with app.run_test(size=(160, 50)) as pilot:
        await app.settled()
        await pilot.click("#beside-fit", offset=(5, 2))
        await pilot.pause()
        assert app.main.view.panel == "fit"


async def test_screens_are_left_by_clicks_and_their_legends_do_what_they_say() -> None:
    app = RnnvizApp(Experiment(), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "question_mark")
        await pilot.click("#close", offset=(3, 0))
        await pilot.pause()
        assert app.screen is app.main
        await press(pilot, "L")
        last = app.screen.size.height - 1
        legend = app.screen.legend  # type: ignore[attr-defined]
        await pilot.click("#contents", offset=(legend.index("→ pages") + 4, last))
        await pilot.pause()
        assert app.screen.lesson is not None  # type: ignore[attr-defined]
        legend = app.screen.legend  # type: ignore[attr-defined]
        await pilot.click("#contents", offset=(legend.index("← lessons") + 1, last))
        await pilot.pause()
        assert app.screen.lesson is None  # type: ignore[attr-defined]
        await pilot.click("#contents", offset=(legend.index("esc close") + 5, last))
        await pilot.pause()
        assert app.screen is app.main
