"""Dispatch: a key goes through LISTENERS, in this order, to the first that handles it.

    line         a sequence or the name of a file being typed: every key, until enter or esc
    typing       text for an open panel: every key, until enter or esc
    copying      what to copy: one key
    autoplay    a lesson that runs by itself: any key pauses it
    answer       the answer to a lesson's question: a digit, or a number key by key
    step_number  the number of a time step, after g or a digit
    lesson       enter continues when no question is open; esc and backspace edit a number being typed
    lesson_text  PgDn and PgUp, while the text has more lines
    open_panel   the actions that an open panel defines for itself
    panel_key    a panel's own key opens and closes it
    app          the app's own actions (actions.py)
    player       a command; before there is a player, the action is stored for it

A choice with the mouse or in the command palette comes without a key and goes through the same list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import in_labels
from rnnviz.scene.commands import SaveModel, Seek, TypeSequence
from rnnviz.tui import actions, keys, panels

if TYPE_CHECKING:
    from rnnviz.tui.screen import ScoreScreen

LONGEST_PASTE = 1000  # characters
LONGEST_NUMBER = 6  # digits
LINE_KEYS = {"enter": "next", "escape": "cancel", "backspace": "previous"}  # while typing, whatever is rebound


@dataclass(frozen=True)
class Press:
    """key: Textual's name of it; None if it came without a key. action, panel: the ids it belongs to."""

    key: str | None = None
    character: str | None = None
    action: str | None = None
    panel: str | None = None

    @classmethod
    def of_key(cls, key: str, character: str | None) -> Press:
        return cls(key, character, keys.BY_KEY.get(key), panels.BY_KEY.get(key))

    @classmethod
    def of(cls, name: str) -> Press:
        """An action or a panel by its id, without a key."""
        return cls(panel=name) if name in panels.BY_ID else cls(action=name)


Listener = Callable[["ScoreScreen", Press], bool]


def dispatch(screen: ScoreScreen, press: Press) -> bool:
    """Pass a press to the first listener that handles it; whether one did."""
    return any(listener(screen, press) for listener in LISTENERS)


def line(screen: ScoreScreen, press: Press) -> bool:
    view = screen.view
    name, text = ("saving", view.saving) if view.saving is not None else ("sequence", view.sequence)
    if text is None or press.key is None:
        return False
    if press.key == "escape":
        screen.hush()
        screen.look(**{name: None})
    elif press.key == "enter":
        screen.change(**{name: None})
        screen.send(SaveModel(text, view.overwrites) if name == "saving" else TypeSequence(text))
    else:
        screen.hush()
        if press.key == "backspace":
            text = text[:-1]
        elif press.character is not None and press.character.isprintable():
            text = (text + press.character)[:LONGEST_PASTE]
        screen.look(**{name: text, "overwrites": False})
    return True


def typing(screen: ScoreScreen, press: Press) -> bool:
    text = screen.view.typing
    if text is None or press.key is None:
        return False
    if press.key == "escape":
        screen.look(typing=None, finding=False)
    elif press.key == "enter":
        _submit_text(screen, text)
    elif press.key == "backspace":
        _edit_text(screen, text[:-1])
    elif press.character is not None and press.character.isprintable():
        _edit_text(screen, (text + press.character)[:LONGEST_PASTE])
    return True


def _edit_text(screen: ScoreScreen, text: str) -> None:
    found = panels.BY_ID[screen.view.panel or ""].find if screen.view.finding else None
    if found is not None and screen.frame is not None:
        screen.look(**{"typing": text, **found(screen.frame, screen.view, text)})
    else:
        screen.look(typing=text)


def _submit_text(screen: ScoreScreen, text: str) -> None:
    was_finding = screen.view.finding
    screen.change(typing=None, finding=False)
    if was_finding:
        screen.draw()
        return
    typed = panels.BY_ID[screen.view.panel or ""].submit
    if typed is None or screen.frame is None:
        return
    try:
        screen.apply(typed(screen.frame, screen.view, text))
    except InputError as error:
        screen.warn(in_labels(str(error)))


def copying(screen: ScoreScreen, press: Press) -> bool:
    if screen.view.copying is None or press.key is None:
        return False
    screen.look(copying=None)
    from rnnviz.tui.copying import copy

    return copy(screen, press.character or press.key) or press.action in ("cancel", "copy")


def autoplay(screen: ScoreScreen, press: Press) -> bool:
    return screen.guide is not None and press.key is not None and screen.guide.handle_key(press.key)


def answer(screen: ScoreScreen, press: Press) -> bool:
    return screen.guide is not None and press.key is not None and screen.guide.handle_character(press.character)


def step_number(screen: ScoreScreen, press: Press) -> bool:
    prompt = screen.view.prompt
    if press.key is not None and len(press.key) == 1 and press.key in "0123456789":
        if screen.frame is not None:
            _go_to(screen, (prompt or "") + press.key)
        return True
    action = LINE_KEYS.get(press.key or "", press.action)
    if prompt is None or action is None:
        return False
    if action == "previous":
        _go_to(screen, prompt[:-1])
        return True
    screen.look(prompt=None)
    return action in ("next", "cancel", "seek")


def _go_to(screen: ScoreScreen, number: str) -> None:
    number = number.lstrip("0")[:LONGEST_NUMBER] or number[:1]
    screen.change(prompt=number)
    if number:
        screen.send(Seek(int(number) if screen.frame is None else screen.frame.scene.time(int(number))))
    else:
        screen.draw()


def lesson(screen: ScoreScreen, press: Press) -> bool:
    guide = screen.guide
    if guide is None:
        return False
    action = LINE_KEYS.get(press.key or "", press.action) if guide.typed else press.action
    return action is not None and guide.handle_action(action)


def lesson_text(screen: ScoreScreen, press: Press) -> bool:
    by = {"page_down": 1, "page_up": -1}.get(press.action or "", 0)
    if screen.guide is None or not screen.guide.can_scroll(by):
        return False
    screen.guide.scroll(by)
    return True


def open_panel(screen: ScoreScreen, press: Press) -> bool:
    panel = panels.BY_ID.get(screen.view.panel or "")
    if panel is None or press.action is None or press.action not in panel.actions or screen.frame is None:
        return False
    if panel.id in screen.frame.cannot:
        return False
    screen.apply(panel.actions[press.action](screen.frame, screen.view))
    return True


def panel_key(screen: ScoreScreen, press: Press) -> bool:
    if press.panel is None:
        return False
    screen.open_panel(None if screen.view.panel == press.panel else press.panel)
    return True


def app(screen: ScoreScreen, press: Press) -> bool:
    if press.action is None or press.action not in actions.DO:
        return False
    reason = screen.frame.cannot.get(press.action) if screen.frame is not None else None
    if reason is not None:
        screen.say(reason)
        return True
    actions.DO[press.action](screen)
    return True


def player(screen: ScoreScreen, press: Press) -> bool:
    action = keys.BY_ID.get(press.action or "")
    if action is None or action.command is None:
        return False
    if screen.frame is None:
        screen.early.append(action.id)
    else:
        screen.pause()
        screen.send(action.command(screen.frame))
    return True


LISTENERS: tuple[Listener, ...] = (
    line, typing, copying, autoplay, answer, step_number, lesson, lesson_text, open_panel, panel_key, app, player,
)  # fmt: skip
