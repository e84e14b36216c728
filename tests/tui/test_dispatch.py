"""Who gets a key: the order of the listeners, and that every action has someone who does it."""

from __future__ import annotations

from rnnviz.lessons.course import Start
from rnnviz.tui import actions, dispatch, keys, panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.dispatch import LISTENERS, Press
from tests.tui.driving import press, text


def test_the_order_is_the_one_that_is_written_down() -> None:
    assert dispatch.__doc__ is not None
    lines = [line.split() for line in dispatch.__doc__.splitlines() if line.startswith("    ")]
    assert [words[0] for words in lines] == [listener.__name__ for listener in LISTENERS]


def test_every_action_is_a_command_or_done_by_the_app_and_never_both() -> None:
    of_the_app = [action.id for action in keys.ACTIONS if action.command is None]
    assert sorted(of_the_app) == sorted(actions.DO)


def test_an_id_or_a_key_means_one_thing() -> None:
    assert not set(keys.BY_ID) & set(panels.BY_ID)
    assert not set(keys.BY_KEY) & set(panels.BY_KEY)
    assert Press.of("ledger").panel == "ledger"
    assert Press.of("next").action == "next"


async def test_what_is_typed_goes_before_everything() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "slash", "q", "n", "4")
        assert app.main.view.typing == "qn4"
        await press(pilot, "escape")
        assert app.main.view.typing is None
        assert app.main.view.panel == "knobs", "and nobody else heard the esc"


async def test_the_mouse_passes_by_what_takes_keys_alone() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "slash", "u")
        app.main.action_act("ledger")
        assert app.main.view.panel == "ledger", "it is no letter of what is typed"


async def test_a_number_is_extended_by_digits_and_ended_by_any_other_key() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "g", "7")
        assert app.main.view.prompt == "7"
        assert app.main.frame is not None
        assert app.main.frame.cursor.t == 7
        await press(pilot, "backspace", "3", "right")
        assert app.main.view.prompt is None
        assert app.main.frame.cursor.t == 4, "the key that ended it did what it does"


async def test_news_and_warnings_are_told_apart_by_a_sign_and_not_by_colour_alone() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "plus")
        assert text(app, "telling").startswith(" Press space to play 8 steps a second.")
        app.main.warn("This cannot be done.")
        assert text(app, "telling").startswith(" ! This cannot be done.")
        await press(pilot, "escape")
        assert "!" not in text(app, "telling")


async def test_likewise_on_the_rule_of_a_lesson() -> None:
    app = RnnvizApp(start=Start(None, "1"), compile=False)
    async with app.run_test(size=(80, 24)):
        await app.settled()
        app.main.say("This is news.")
        assert text(app, "lesson").startswith("─ This is news. ─")
        app.main.warn("This cannot be done.")
        assert text(app, "lesson").startswith("─ ! This cannot be done. ─")
