"""The help screen: every key, from the one registry, and what the rows of the score show."""

from __future__ import annotations

from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from rnnviz.tui import panels
from rnnviz.tui.keys import ACTIONS, face

ROWS = """\
input x    what the network reads, one mark a step
hidden h   its memory: one row a unit, one column a step; blue below 0, orange above, grey around 0
gates      of an LSTM or GRU, 0 shut to 1 open, for the chosen unit; ø is the mean of all units
cell c     the LSTM's own memory, drawn like h
output ŷ   what it says, and beside it the target: what it should have said
‖∂L/∂h‖    how much the loss still depends on that step's memory; each bar is a power of ten, 10^ says which
⠒⠒ c, z    the line beside the bars: the gradient on the cell state c, or carried along by the gate z alone
▲╌╌╌▶      from the input an answer hangs on to the answer: so far it has to be remembered
⠁⠂⠄⡀ dots  the ghost: where those bars stood in the run before a change of a knob
time t     the axis they share; ▶ reading, ◀ walking back in time"""


def help_text() -> str:
    lines = []
    for group, actions in groupby(ACTIONS, key=lambda action: action.group):
        lines.append(f"[bold]{group}[/bold]")
        for action in actions:
            names = "  ".join(face(key) for key in action.keys)
            lines.append(f"  {names.replace('[', chr(92) + '[').ljust(16)}{action.help}")
    lines.append("[bold]Panels[/bold]")
    lines += [f"  {panel.key.ljust(16)}{panel.title}: {panel.about}" for panel in panels.ALL]
    return "\n".join([*lines, "", "[bold]The score[/bold]", *(f"  {row}" for row in ROWS.splitlines())])


class HelpScreen(ModalScreen[None]):
    """All keys. esc, ? or q close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "dismiss", "close", show=False),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen VerticalScroll {
        width: 100%; max-width: 116; height: 100%; max-height: 46; padding: 0 2;
        background: $background; scrollbar-size-vertical: 1;
    }
    HelpScreen Static { height: auto; }
    """

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(help_text() + "\n\n[dim]↑↓ scroll, esc closes[/dim]")

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)
