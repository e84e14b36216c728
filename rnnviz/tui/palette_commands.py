"""The commands of the palette (ctrl+p): every action and every panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.app import SystemCommand

from rnnviz.tui import keymap, keys, panels
from rnnviz.tui.main import Main
from rnnviz.tui.voice import VOICE


def of(main: Main) -> Iterator[SystemCommand]:
    for action in keys.ACTIONS:
        if action.id != "commands":
            about = VOICE.say(keys.about(action.id, action.help, main.frame))
            face = keymap.faces_of(action.id)
            yield _command(main, about[0].upper() + about[1:], face, action.id, main.action_act)
    for panel in panels.ALL:
        about = keys.about(panel.id, panel.about, main.frame)
        yield _command(main, f"Panel: {panel.title}", about, panel.id, main.open_panel)


def _command(main: Main, title: str, about: str, name: str, do: Callable[[str], object]) -> SystemCommand:
    """A command of the palette; what this run cannot do says so, and why."""
    reason = main.frame.cannot.get(name) if main.frame is not None else None
    if reason is None:
        return SystemCommand(title, about, partial(do, name))
    return SystemCommand(f"{title} (not here)", VOICE.say(reason), partial(do, name))
