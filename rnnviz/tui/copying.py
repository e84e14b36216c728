"""Copying to the terminal's clipboard, by OSC 52: a key opens a short list, another key chooses from it.

It works over SSH, since the terminal at the other end does it. tmux passes it on with `set -g set-clipboard on`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.numbers import counted
from rnnviz.scene.cursor import Phase
from rnnviz.tui import panels
from rnnviz.words.row_name import symbol

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.screen import ScoreScreen
    from rnnviz.tui.view import View

MOST = 50_000  # bytes: terminals drop a longer sequence, some of them without a word
IN_TMUX, ELSEWHERE = "tmux needs: set -g set-clipboard on", "the terminal must support OSC 52"


@dataclass(frozen=True)
class Choice:
    """key: chooses it. label: in the list. text: makes what is copied, and its name in a notice; a reason with an empty
    name if there is nothing to copy."""

    key: str
    label: str
    text: Callable[[ScoreScreen], tuple[str, str]]


def choices(screen: ScoreScreen) -> list[Choice]:
    panel = panels.BY_ID.get(screen.view.panel or "")
    code = [Choice("p", panel.title, _panel)] if panel is not None and panel.copy_text is not None else []
    return [
        *code,
        Choice("n", "number", lambda screen: number(*_seen(screen))),
        Choice("r", "row as TSV", lambda screen: row(*_seen(screen))),
        Choice("c", "command line", _command),
    ]


def prompt(screen: ScoreScreen) -> str:
    return "copy: " + "  ".join(f"{choice.key} {choice.label}" for choice in choices(screen)) + "  esc nothing"


def copy(screen: ScoreScreen, key: str) -> bool:
    """Copy what a key chooses; whether it chose anything."""
    for choice in choices(screen):
        if choice.key == key:
            text, name = choice.text(screen)
            if not name:
                screen.say(text)
            elif len(text.encode()) > MOST:
                screen.warn(f"{name}: {len(text.encode()):,} bytes are too many to copy; at most {MOST:,}.")
            else:
                screen.app.copy_to_clipboard(text)
                screen.say(f"Copied {name}; {IN_TMUX if os.environ.get('TMUX') else ELSEWHERE}.")
            return True
    return False


def _seen(screen: ScoreScreen) -> tuple[Frame, View]:
    assert screen.frame is not None
    return screen.frame, screen.view


def _panel(screen: ScoreScreen) -> tuple[str, str]:
    panel = panels.BY_ID[screen.view.panel or ""]
    assert panel.copy_text is not None
    text = panel.copy_text(*_seen(screen))
    return text, f"{counted(len(text.splitlines()), 'line')} of {panel.title}"


def _command(screen: ScoreScreen) -> tuple[str, str]:
    line, missing = screen.command_line()
    return f"{line}\n", "the command" + (f" without {missing}" if missing else f": {line}" if len(line) < 40 else "")


def _symbol(frame: Frame) -> str:
    k = frame.loss_step
    return symbol(None if k is None else frame.scene.time(k), has_loss=frame.scene.has_loss)


# -- numbers ----------------------------------------------------------------------------------------------


def number(frame: Frame, view: View) -> tuple[str, str]:
    """The figure under the cursor, in full: the selected unit's state, the loss, or how much gradient arrives."""
    t, scene = frame.cursor.t, frame.scene
    match frame.cursor.phase:
        case Phase.LOSS | Phase.UPDATE:
            if view.hides("loss") or scene.loss is None:
                return (f"The loss: {view.waits}." if scene.has_loss else "No loss is known here."), ""
            return repr(float(scene.loss)), f"the loss {float(scene.loss):.6g}"
        case Phase.BACKWARD:
            if view.hides("gradient") or frame.gradient.waits:
                return f"The gradient: {view.waits}.", ""
            value = float(frame.gradient.norms[t])
            return (
                repr(value),
                f"{_symbol(frame)} at t = {scene.time(t)}: {value:.6g}",
            )
    if view.hides_step("state", t):
        return f"The state: {view.waits}.", ""
    value = float(scene.trace.h[t, 0, frame.cursor.unit])
    return repr(value), f"h[{frame.cursor.unit}] at t = {scene.time(t)}: {value:.6g}"


def row(frame: Frame, view: View) -> tuple[str, str]:
    """What is known so far of the gradient, on the way back, or of the selected unit: a line for each time step."""
    scene = frame.scene
    if frame.reached is not None:
        if view.hides("gradient") or frame.gradient.waits:
            return f"The gradient: {view.waits}.", ""
        last = frame.loss_step or frame.T
        name = _symbol(frame)
        values = [(t, float(frame.gradient.norms[t])) for t in range(frame.reached, last + 1)]
    else:
        name = f"h[{frame.cursor.unit}]"
        values = [
            (t, float(scene.trace.h[t, 0, frame.cursor.unit]))
            for t in range(frame.read + 1)
            if not view.hides_step("state", t)
        ]
    lines = [f"t\t{name}", *(f"{scene.time(t)}\t{value!r}" for t, value in values)]
    return "\n".join(lines) + "\n", f"{name}, {counted(len(values), 'step')} as TSV"
