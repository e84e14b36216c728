"""The record of a panel, and its drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rnnviz.glyphs import lines_at_most
from rnnviz.sheet import Sheet
from rnnviz.tui.palette import Palette
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame

    Draw = Callable[[Frame, View, int, int, Palette], Sheet]
    Handler = Callable[[Frame, View], Command | dict[str, Any] | None]


def always(frame: Frame) -> str | None:
    return None


def by_default(frame: Frame) -> bool:
    return True


@dataclass(frozen=True)
class Panel:
    """id: also its name in commands. title: on its tab. about: one line for the command palette and the help.

    draw          (frame, view, width, height, palette) -> Sheet of exactly that size. Pure.
    why_not       (frame) -> one line that says why there is nothing to show here, or None
    actions       action id -> (frame, view) -> the result of that action while this panel is open: a player command,
                  changes to the view such as {"row": 3}, or None for nothing
    submit        (frame, view, text) -> the result of a text typed into this panel; typing begins with the view
                  change {"typing": ""}
    find          (frame, view, text) -> changes to the view for a search text; a search begins with the view change
                  {"typing": "", "finding": True}
    click         (frame, view, x, y, width, height) -> the result of a click there
    keeps_row     whether it opens again at its last row
    key_labels    action id -> the label in the key bar for one of its actions; {unit} is an epoch or a record
    key           opens it directly ("" for none)
    height        rows it needs under the score on a small screen
    depends_on    (frame, view) -> what its drawing depends on; it is drawn again only when that changes (default:
                  at any frame)
    needs         (frame) -> a command that computes results it cannot show yet, or None; sent once for each scene
    on_close      (frame) -> a command to send when it closes, or None
    copy_text     (frame, view) -> the text for the copy key
    shows         names of the figures it draws (see lessons/masking.py): while a question hides one, it stays closed
    opens_beside  (frame) -> whether it may open beside the score by itself
    rows          (frame) -> the most rows it can use; default: any number
    """

    id: str
    title: str
    about: str
    draw: Draw
    key: str = ""
    why_not: Callable[[Frame], str | None] = always
    actions: Mapping[str, Handler] = field(default_factory=dict)
    key_labels: Mapping[str, str] = field(default_factory=dict)
    height: int = 9
    submit: Callable[[Frame, View, str], Command | dict[str, Any] | None] | None = None
    find: Callable[[Frame, View, str], dict[str, Any]] | None = None
    click: Callable[[Frame, View, int, int, int, int], Command | dict[str, Any] | None] | None = None
    keeps_row: bool = False
    depends_on: Callable[[Frame, View], object] | None = None
    needs: Callable[[Frame], Command | None] | None = None
    on_close: Callable[[Frame], Command | None] | None = None
    copy_text: Callable[[Frame, View], str] | None = None
    shows: frozenset[str] = frozenset()
    opens_beside: Callable[[Frame], bool] = by_default
    rows: Callable[[Frame], int] | None = None


def why_not(panel: Panel, frame: Frame) -> str | None:
    """Why a panel has nothing to show: this kind of run has nothing like it, or it has nothing yet."""
    return frame.cannot.get(panel.id) or panel.why_not(frame)


def sheet_for(panel: Panel, frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    """The panel's drawing, or the reason why it has none."""
    hidden = view.hides(*panel.shows)
    reason = f"{view.waits.capitalize()}: this panel shows it." if hidden else why_not(panel, frame)
    if reason is None and width >= 20 and height >= 3:
        return panel.draw(frame, view, width, height, palette)
    sheet = Sheet(width, height)
    for y, line in enumerate(lines_at_most(reason or "This window has no room for the panel.", width - 2, height)):
        sheet.put(y, 1, line, palette.dim)
    return sheet
