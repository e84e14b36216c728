"""The presenter's layout: more space where there is room, no key bar, a black screen, a speed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rnnviz.cli.commands import APP, COMMANDS
from rnnviz.cli.flags import read
from rnnviz.cli.session_flags import session
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.course import Start, find
from rnnviz.session import Session
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.films.film import Clock
from rnnviz.tui.films.headless import studio
from rnnviz.tui.place import read as place
from rnnviz.tui.presenter import Blank
from tests.tui.driving import press, rows, text

PRESENTING = Session(colors="truecolor", theme="dark", ascii=False, presenting=True)
BACK = place("t=4,back")


def plain(made: object) -> list[str]:
    return [row.rstrip() for row in made.picture().sheet.plain()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36), (160, 50)])
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
async def test_it_shows_all_that_the_usual_layout_shows_but_the_keys(size: tuple[int, int], cell: str) -> None:
    experiment = Experiment(seq_len=12, cell=cell)
    async with studio(experiment, place=BACK, size=size) as made:
        usual = plain(made)
    async with studio(experiment, place=BACK, size=size, session=PRESENTING) as made:
        presented = plain(made)
    assert "q quit" in usual[-1]
    assert not any("q quit" in row for row in presented)
    for label in ("input x", "hidden h", "output ŷ", "‖∂L", "time t", "t = 4"):
        assert any(label in row for row in usual)
        assert any(label in row for row in presented), label
    if size >= (120, 36):
        assert not presented[0]
        assert all(row.startswith("    ") for row in presented if row), "margins"
        names = [y for y, row in enumerate(presented) if row[4:].startswith(("hidden h", "output ŷ"))]
        assert all(not presented[y - 1][:60].strip() for y in names), "an empty row before each quantity"


async def test_the_row_of_the_keys_goes_to_the_score() -> None:
    heights = []
    for asked in (replace(PRESENTING, presenting=False), PRESENTING):
        async with studio(start=Start(None, "the-hidden-state", step=1), session=asked) as made:
            heights.append([made.app.main.query_one(f"#{name}", Canvas).size.height for name in ("score", "lesson")])
    assert heights[1] == [heights[0][0] + 1, heights[0][1]]


async def test_a_key_begins_and_ends_it_and_the_picture_is_the_same_again() -> None:
    async with studio(Experiment(seq_len=12), place=BACK, size=(120, 36)) as made:
        before = plain(made)
        await made.press("f5")
        assert not any("q quit" in row for row in plain(made))
        assert any("F5 ends it, F6 blanks the screen" in row for row in plain(made))
        await made.press("f5", "escape")
        assert plain(made) == before


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 50)])
async def test_a_lesson_has_its_whole_text_in_it(size: tuple[int, int]) -> None:
    course = find()
    for at in (0, 5, 8):
        slug = course.slug(course.files[at])
        async with studio(start=Start(None, slug, step=3), size=size, session=PRESENTING) as made:
            lesson = "lesson-beside" if made.app.main.has_class("wide") else "lesson"
            canvas = made.app.main.query_one(f"#{lesson}", Canvas)
            assert canvas.display
            assert "PgDn" not in "".join(canvas.plain())
            assert len([row for row in canvas.plain() if row.strip()]) > 3


async def test_the_screen_is_blank_until_the_next_key_which_does_nothing_else() -> None:
    app = RnnvizApp(Experiment(seq_len=8), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "right", "f6")
        assert isinstance(app.screen, Blank)
        assert not any(segment.text.strip() for row in _screen(app) for segment in row)
        await press(pilot, "right")
        assert app.main.frame is not None
        assert app.main.frame.cursor.t == 1
        assert app.screen is app.main
        await press(pilot, "question_mark", "f6", "q")
        assert not isinstance(app.screen, Blank)
        assert app.screen is not app.main, "the page below is there again"


@pytest.mark.parametrize("key", ["f6", "f5", "ctrl+s", "ctrl+p", "f1", "escape", "tab"])
async def test_the_keys_that_work_anywhere_too_show_a_blank_screen_again_and_do_nothing_else(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = RnnvizApp(Experiment(seq_len=8), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        before = (_screen(app), app.main.view.presenting)
        await press(pilot, "f6", key)
        assert app.screen is app.main
        assert (_screen(app), app.main.view.presenting) == before
    assert not any(tmp_path.iterdir())


def _screen(app: RnnvizApp) -> list[list[object]]:
    from rnnviz.tui.textual_private import rows_of_screen

    return rows_of_screen(app)  # type: ignore[return-value]


async def test_a_lesson_that_plays_waits_while_the_screen_is_blank() -> None:
    from rnnviz.tui.autoplay import Autoplay

    slug = find().slug(find().files[0])
    async with studio(start=Start(None, slug, step=1)) as made:
        guide, clock = made.app.main.guide, Clock()
        assert guide is not None
        assert guide.run is not None
        autoplay = Autoplay(guide, 1.0, clock, look=0.0)
        guide.begin_autoplay(guide.run, autoplay)
        await made.rest_between_steps()
        await made.press("f6")
        assert autoplay.is_paused
        assert clock.pop() is None, "no page is turned"
        await made.press("x")
        assert "Paused" in "".join(plain(made))


def test_the_flags() -> None:
    asked = session(read(["--present", "--speed", "2"], APP))
    assert asked.presenting
    assert asked.speed == 2
    assert not session(read([], APP)).presenting
    for command in (APP, COMMANDS["play"]):
        words = ["--speed", "1000"] if command is APP else ["1", "--speed", "fast"]
        with pytest.raises(InputError, match=r"speed: .* is not a number from 0.05 to 100"):
            read(words, command)


async def test_the_speed_is_that_of_playing() -> None:
    app = RnnvizApp(Experiment(seq_len=8), compile=False, session=Session(speed=0.6))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        assert app.main.view.speed == pytest.approx(2.4)
        await press(pilot, "plus")
        assert app.main.view.speed == 4
        await press(pilot, "minus", "minus", "minus")
        assert app.main.view.speed == 1
        assert rows(app, "telling")
        assert "1 steps a second" in text(app, "telling")


async def test_it_survives_a_resize_in_both_directions() -> None:
    async with studio(Experiment(seq_len=12), place=BACK, size=(120, 36), session=PRESENTING) as made:
        roomy = plain(made)
        for size in ((61, 20), (80, 24), (160, 50), (120, 36)):
            await made.pilot.resize_terminal(*size)
            await made.rest()
            assert not made.app.main.has_class("tiny")
            assert any("time t" in row for row in plain(made))
        assert plain(made) == roomy
