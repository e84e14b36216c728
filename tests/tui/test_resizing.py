"""A window of any size at any time, whatever is open: a notice where there is no room, and all is back after it."""

from __future__ import annotations

import random

import pytest
from textual.pilot import Pilot

from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.course import Start
from rnnviz.nn.spec import CELLS
from rnnviz.tui import panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.course_menu import ContentsScreen
from rnnviz.tui.help import HelpScreen
from rnnviz.tui.too_small import TooSmall

SIZES = [
    (1, 1), (2, 1), (1, 9), (10, 3), (21, 3), (59, 24), (60, 19), (60, 20), (80, 24), (100, 30), (119, 40), (120, 31),
    (160, 50), (300, 100), (300, 1), (3, 100),
]  # fmt: skip
#: What can be open over the score or in it, by the keys that open it. "theme" has none.
OVERLAYS: dict[str, tuple[str, ...]] = {
    "help": ("question_mark",), "lessons": ("L",), "a lesson's steps": ("L", "right"), "palette": ("ctrl+p",),
    "theme": (), "go to": ("g", "1"), "a knob's value": ("o", "enter", "5"), "all panels": ("tab",),
    "find": ("slash", "u"),
    **{panel.id: (panel.key,) for panel in panels.ALL if panel.key},
}  # fmt: skip


async def opened(app: RnnvizApp, pilot: Pilot[None], overlay: str) -> None:
    if overlay == "theme":
        app.action_change_theme()
    await pilot.press(*OVERLAYS[overlay])
    await pilot.pause()


async def resized(pilot: Pilot[None], width: int, height: int) -> None:
    await pilot.resize_terminal(width, height)
    await pilot.pause(0.05)  # Textual gathers resizes for a moment


@pytest.mark.parametrize("overlay", ["help", "lessons", "palette"])
async def test_what_is_open_over_the_score_survives_a_window_too_small_for_it(overlay: str) -> None:
    app = RnnvizApp(Experiment(hidden_size=4), compile=False)
    async with app.run_test(size=(160, 50)) as pilot:
        await app.settled()
        await opened(app, pilot, overlay)
        screen = app.screen
        assert screen is not app.main
        for width, height in ((100, 30), (20, 5)):
            await resized(pilot, width, height)
        assert isinstance(app.screen, TooSmall)
        await pilot.press("escape", "down", "pagedown")  # nothing hears them
        for width, height in ((1, 1), (60, 20)):
            await resized(pilot, width, height)
        assert app.screen is screen
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main
        assert app.main.query_one("#score").size.width == 60


async def test_nothing_is_opened_where_it_could_not_be_seen() -> None:
    app = RnnvizApp(Experiment(hidden_size=4), compile=False)
    async with app.run_test(size=(40, 10)) as pilot:
        await app.settled()
        await pilot.press("question_mark", "L", "ctrl+p")
        await pilot.pause()
        assert app.screen is app.main
        await resized(pilot, 80, 24)
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape", "L")
        assert isinstance(app.screen, ContentsScreen)


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
async def test_the_keys_that_always_leave_do_so_whatever_is_open(key: str) -> None:
    for overlay in ("help", "lessons", "palette", "theme", "go to", "a knob's value", "find"):
        app = RnnvizApp(Experiment(hidden_size=4), compile=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await app.settled()
            await opened(app, pilot, overlay)
            await pilot.press(key)
            await pilot.pause()
            assert not app.is_running, overlay


@pytest.mark.slow
@pytest.mark.parametrize("lesson", [None, "6", "15"])
async def test_random_sizes_with_everything_open_and_training_going_on(
    lesson: str | None, request: pytest.FixtureRequest, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    chance = random.Random(f"{request.config.getoption('--keys-seed')} {lesson}")
    first = Experiment(cell=chance.choice(CELLS), hidden_size=4, epochs=3)
    app = RnnvizApp(first, start=Start(None, lesson) if lesson else None, compile=False)
    done: list[object] = []
    try:
        async with app.run_test(size=(160, 50)) as pilot:
            await app.settled()
            for overlay in chance.sample(list(OVERLAYS), len(OVERLAYS)):
                await opened(app, pilot, overlay)
                done.append(overlay)
                if chance.random() < 0.3:
                    await pilot.press("e")
                if lesson and app.screen is app.main:
                    await pilot.press("n", "n")
                for _ in range(3):
                    size = chance.choice(SIZES)
                    if chance.random() < 0.3:
                        size = chance.randint(1, 300), chance.randint(1, 100)
                    await pilot.resize_terminal(*size)
                    await pilot.press(chance.choice(["down", "up", "right", "space", "pagedown", "b"]))
                    done.append(size)
                await pilot.press("escape", "escape")
            await resized(pilot, 80, 24)
            assert not isinstance(app.screen, TooSmall)
    except BaseException:
        print("done:", done)
        raise
