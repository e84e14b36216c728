"""The glossary over the score: terms of the open page first, search, and the page that defines a term."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.course import Start
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.glossary import GlossaryScreen
from rnnviz.words.terms import TERMS
from tests.tui.driving import press


def shown(app: RnnvizApp) -> list[str]:
    assert isinstance(app.screen, GlossaryScreen)
    return [line.rstrip() for line in app.screen.query_one(Canvas).plain()]


async def test_a_lesson_page_has_its_terms_first_and_enter_opens_where_one_is_defined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    app = RnnvizApp(start=Start(slug="the-hidden-state"), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "G")
        lines = shown(app)
        assert lines[0].startswith(" Glossary")
        assert lines[0].endswith(f"{len(TERMS)} terms")
        of_page = [line for line in lines[2:-1] if line[1:2] in "▸·"]
        assert any("hidden state" in line for line in of_page)
        assert len(of_page) < len(lines) - 3  # and others after them
        await press(pilot, *"sigma")
        assert "esc show all" in shown(app)[-1]
        await press(pilot, "escape", *"weight sh")
        lines = shown(app)
        assert lines[2].startswith(" ▸ weight sharing")
        assert "Defined in lesson 1, page 4" in " ".join(lines)
        await press(pilot, "enter")
        guide = app.main.guide
        assert guide is not None
        assert guide.run is not None
        assert (guide.run.lesson.number, guide.run.at) == (1, 3)


async def test_free_play_has_the_terms_of_the_open_panel_first_and_no_page_to_open() -> None:
    app = RnnvizApp(Experiment(seq_len=6), compile=False)
    async with app.run_test(size=(60, 20)) as pilot:
        await app.settled()
        await press(pilot, "y", "G")
        assert "▸" in shown(app)[2]
        assert "gradient" in "".join(line[:20] for line in shown(app)[2:6])
        assert "enter" not in shown(app)[-1]
        await press(pilot, "enter", *"zzz")
        assert "No term or definition holds these letters" in shown(app)[2]
        await press(pilot, "enter", "down", "backspace", "backspace", "backspace", "end")
        assert "weight sharing" in "".join(shown(app))
        assert max(map(len, shown(app))) <= 60
        await press(pilot, "escape")
        assert not isinstance(app.screen, GlossaryScreen)
