"""A user's own keys: they are heard, every place that shows a key shows them, and the old ones are free."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from rnnviz.lessons.course import Start, find
from rnnviz.lessons.progress import Progress
from rnnviz.session import Session
from rnnviz.tui import keymap, keys, panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.help import sections
from rnnviz.tui.keymap import KeyMistakeError, checked, key_name
from rnnviz.tui.notice import Kind, Notice
from rnnviz.tui.palette import Palette
from rnnviz.tui.status_lines import narration
from rnnviz.tui.view import View
from rnnviz.tui.voice import KEYS, VOICE
from tests.lessons.learner import Learner
from tests.tui.driving import press, text

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def usual_keys():
    yield
    keymap.use({})


def test_keys_are_named_as_people_write_them():
    known = {
        "x": "x", "X": "X", "é": "é", "?": "question_mark", "/": "slash", "+": "plus", "-": "minus", "=": "equals_sign",
        "→": "right", "right": "right", "PgDn": "pagedown", "esc": "escape", "Home": "home", "F5": "f5", "f12": "f12",
        "space": "space", "tab": "tab", "ctrl+b": "ctrl+b", "ctrl+right": "ctrl+right", "shift+tab": "shift+tab",
        "alt+x": "alt+x", "shift+ctrl+left": "ctrl+shift+left", "question_mark": "question_mark", "~": "tilde",
        "*": "asterisk", "!": "exclamation_mark", "#": "number_sign", ".": "full_stop",
    }  # fmt: skip
    assert {written: key_name(written) for written in known} == known
    for wrong in (
        "",
        "xx",
        "ctrl+",
        "+x",
        "ctrl+ctrl+x",
        "ctrl+X",
        "shift+x",
        "super+x",
        "f99",
        "ctrl+i",
        "ctrl+?",
        " ",
    ):
        assert key_name(wrong) is None, wrong


def test_the_characters_are_what_textual_calls_them():
    from textual.keys import _character_to_key

    for code in range(33, 127):
        assert key_name(chr(code)) == _character_to_key(chr(code))


@pytest.mark.parametrize(
    ("own", "action", "what"),
    [
        ({"lefft": "x"}, "lefft", "did you mean left?"),
        ({"batch": "e"}, "batch", "e is the key of epoch, too"),
        ({"batch": "Z", "ledger": ["Z", "y"]}, "ledger", "Z is the key of batch, too"),
        ({"batch": 5}, "batch", "5 is not a key"),
        ({"batch": []}, "batch", "not a key"),
        ({"batch": ["b", 1]}, "batch", "not a key"),
        ({"batch": "ctrl+F99"}, "batch", "'ctrl+F99' is no key"),
        ({"batch": "7"}, "batch", "'7' types a number"),
        ({"batch": "ctrl+c"}, "batch", "'ctrl+c' always quits"),
        ({"batch": {"x": "y"}}, "batch", "not a key"),
    ],
)
def test_a_mistake_is_refused_at_its_action(own, action, what):
    with pytest.raises(KeyMistakeError, match=re.escape(what)) as caught:
        checked(own)
    assert caught.value.action == action


def test_keys_can_be_exchanged_and_ctrl_c_always_quits():
    swapped = checked({"batch": "e", "epoch": "b", "quit": "Q"})
    assert swapped == {"batch": ("e",), "epoch": ("b",), "quit": ("Q", "ctrl+q", "ctrl+c")}


OWN = {"right": "M", "play": "F9", "ledger": "Q", "knobs": ["ctrl+o", "K"], "lesson_next": ">", "loss_after": "."}


async def test_own_keys_are_heard_and_shown_and_the_old_ones_are_not():
    app = RnnvizApp(compile=False, session=Session(keys=checked(OWN)))
    async with app.run_test(size=(100, 30)) as pilot:
        await app.settled()
        assert "M read on" in text(app, "keys")
        assert "F9 play" in text(app, "keys")
        await press(pilot, "M", "M", "right", "l")
        assert app.main.frame.cursor.t == 2
        await press(pilot, "y")
        assert app.main.view.panel is None
        await press(pilot, "Q")
        assert app.main.view.panel == "ledger"
        await press(pilot, "ctrl+o")
        assert app.main.view.panel == "knobs"
        await press(pilot, "K", "N")
        assert app.main.view.panel is None
        faces = dict(entry for _, entries in sections(app.main.frame) for entry in entries)
        assert faces["M"] == keys.BY_ID["right"].help
        assert "→  l" not in faces
        assert any("Ledger" in about or "ledger" in about for name, about in faces.items() if name == "Q")
        titles = {command.title: command.help for command in app.get_system_commands(app.screen)}
        assert titles["Read the next step; on the way back: undo one step back"] == "M"
        assert VOICE.say("[right] and [knobs]") == "M and ctrl+o"
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await app.settled()
        await press(pilot, "right")
        assert app.main.frame.cursor.t == 1
        assert "→ read on" in text(app, "keys")


async def test_a_lesson_is_read_and_goes_on_with_own_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    app = RnnvizApp(compile=False, start=Start(None, "the-hidden-state"), session=Session(keys=checked(OWN)))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        pages = [text(app, "lesson")]
        for _ in range(40):
            await press(pilot, "greater_than_sign")  # twice, to skip a question
            pages.append(text(app, "lesson"))
            if app.main.guide.run.open_exercise is not None:
                break
        everything = " ".join(" ".join(pages).split())
        assert "M reads on" in everything
        assert "ctrl+o opens the knobs" in everything
        assert "→" not in everything.replace("←→", "")
        assert "ctrl+o" in text(app, "keys")  # the tool of the exercise
        at = app.main.guide.run.at
        await press(pilot, "n")
        assert app.main.guide.run.at == at
    assert Progress(find().name)  # and nothing of the course is broken


async def test_a_lesson_is_played_to_its_end_with_every_key_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    letters = iter(map(chr, range(ord("А"), ord("А") + 100)))
    own = checked({name: next(letters) for name in keymap.DEFAULTS if name != "quit"})
    app = RnnvizApp(compile=False, start=Start(None, "why-gradients-vanish"), session=Session(keys=own))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        report = await Learner(app, pilot).play()
        assert report.solved
        assert report.verdicts
        assert own["lesson_next"][0] != "n"


def test_no_sentence_names_a_key_by_hand():
    """A sentence names an action, in brackets; these keys belong to screens and lines that have their own."""
    own = {"R": "course_menu.py", "enter": "experiment.py"}
    faces = {KEYS[name]: name for name in keymap.DEFAULTS}
    pressed = re.compile(r"\b[Pp]ress (\S+)")
    found = []
    for folder in ("tui", "words", "views", "player", "scene"):
        for path in sorted((ROOT / "rnnviz" / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found += [
                        f"{path.name}:{node.lineno}: {key}" for key in pressed.findall(node.value)
                        if key.strip(".,:;") in faces.keys() - {"a"} and own.get(key) != path.name
                    ]  # fmt: skip
    assert not found, "\n".join(found)


def test_every_key_of_the_lessons_belongs_to_an_action():
    """What a lesson prints in `code` or as an arrow before a word is replaced when it is rebound; nothing else is."""
    keymap.use({name: (f"f{number}",) for number, name in enumerate(["knobs", "right", "left"], start=13)})
    texts = [path.read_text(encoding="utf-8") for path in find().files]
    said = "\n".join(map(VOICE.say, texts))
    assert "`o`" not in said
    assert "`F13`" in said
    assert "F14 reads" in said
    assert "W ← W − " in said
    assert not re.search(r"[→←] [a-z]{2,}", said)
    assert panels.BY_KEY["f13"] == "knobs"
    assert "o" not in panels.BY_KEY


def test_a_notice_before_the_first_frame_names_its_key() -> None:
    view = View(notice=Notice("Cannot suspend: [suspend] needs a shell.", Kind.WARNING))
    assert narration(None, view, 80, 2, Palette()).plain()[0].strip() == "! Cannot suspend: ctrl+z needs a shell."
