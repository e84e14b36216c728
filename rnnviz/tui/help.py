"""The help screen: what the rows of the score show, the panels, and every key, from the one registry."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from rnnviz.tui import panels
from rnnviz.tui.keymap import faces_of
from rnnviz.tui.keys import ACTIONS, about
from rnnviz.tui.modal import Modal
from rnnviz.tui.score import ROWS
from rnnviz.tui.voice import KEYS, VOICE

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

MARKS = (
    ("L₁₀", "the loss of step 10 alone; [gradient] switches between one step's loss and the total"),
    ("half-life", "steps after which half of the gradient is gone, if it fades evenly; 1 % horizon: until 1 % is left"),
    ("all 10", "more than 1 % is left after all 10 steps; –: the gradient grows instead of shrinking"),
    ("⠒⠒ c, z", "the line beside the bars: the gradient on the cell state c, or the part carried by the gate z alone"),
    ("▲╌╌╌▶", "from the input that the answer depends on to the answer: how long it must be remembered"),
    ("⠁⠂⠄⡀ dots", "the ghost: how high those bars were in the run before you changed a knob"),
    ("▸", "the selected unit; [unit_up] [unit_down] select another"),
    ("● ○", "the engine, at the top right: ● compiled by numba, ○ NumPy; both compute the same numbers"),
)


def sections(frame: Frame | None = None) -> list[tuple[str, list[tuple[str, str]]]]:
    """(heading, [(name or keys, description)]); of a frame's run: what it cannot do says why."""
    tab = KEYS["panel"]

    def described(name: str, otherwise: str) -> str:
        reason = frame.cannot.get(name) if frame is not None else None
        text = otherwise if name in panels.BY_ID else about(name, otherwise, frame)
        return VOICE.say(text if reason is None else f"({text}) {reason}")

    return [
        (
            "The score",
            [*((name, VOICE.say(text)) for name, text in (*((row.label, row.about) for row in ROWS), *MARKS))],
        ),
        (
            "Panels",
            [
                (KEYS.get(panel.id, tab), described(panel.id, f"{panel.title}: {about(panel.id, panel.about, frame)}"))
                for panel in panels.ALL
            ],
        ),
        *(
            (group, [(faces_of(action.id), described(action.id, action.help)) for action in actions])
            for group, actions in groupby(ACTIONS, key=lambda action: action.group)
        ),
    ]


def help_text(frame: Frame | None = None) -> Group:
    """A column of names and keys, equally wide in all sections, and a column of descriptions that wraps."""
    wide = 2 + max(len(name) for _, entries in sections(frame) for name, _ in entries)
    parts: list[Text | Table] = []
    for heading, entries in sections(frame):
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=wide, no_wrap=True)
        table.add_column(ratio=1)
        for name, text in entries:
            table.add_row(Text(f"  {name}"), Text(text))
        parts += [Text(heading, style="bold"), table, Text()]
    return Group(*parts[:-1])


class HelpScreen(Modal):
    """The rows, marks and panels, and all keys. esc, ? or q close it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "dismiss", "close", show=False),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen Vertical { width: 100%; max-width: 116; height: 100%; max-height: 46; background: $background; }
    HelpScreen VerticalScroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    HelpScreen Static { height: auto; }
    HelpScreen #close { height: 1; padding: 0 1; text-style: dim; }
    """

    def __init__(self, frame: Frame | None = None) -> None:
        super().__init__()
        self._frame = frame

    def compose(self) -> ComposeResult:
        with Vertical():
            with VerticalScroll():
                yield Static(help_text(self._frame), id="help")
            yield Static("↑↓ PgUp PgDn scroll · esc closes", id="close")

    def on_click(self, event: events.Click) -> None:
        if event.widget is not None and event.widget.id == "close":
            self.dismiss()

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)
