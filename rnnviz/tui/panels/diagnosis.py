"""The diagnosis: what is measured to be wrong with this network now, a likely cause, and one thing to try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnviz.glyphs import wrap
from rnnviz.scene.commands import Command
from rnnviz.sheet import Sheet
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


def lines(frame: Frame, width: int) -> list[tuple[str, str]]:
    """(line, kind): the paragraphs in lines; [] while it is not known."""
    from rnnviz.diagnosis.paragraphs import paragraphs

    return [
        (" " * indent + line, kind)
        for text, kind in paragraphs(frame)
        for indent in (3 if kind in ("text", "cause") else 0,)
        for line in wrap(text, width - indent)
    ]


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    found = lines(frame, width - 6)
    if not found:
        sheet.put(0, 1, "Diagnosing …", palette.dim)
        return sheet
    styles = {"head": palette.accent, "text": palette.text, "cause": palette.dim, "note": palette.dim}
    first = min(view.row, max(0, len(found) - height))
    for y, (line, kind) in enumerate(found[first : first + height]):
        sheet.put(y, 1, line, styles[kind])
    if first > 0:
        sheet.right(0, f" ↑{first} ", palette.faint)
    below = len(found) - first - height
    if below > 0:
        sheet.right(height - 1, f" ↓{below} ", palette.faint)
    return sheet


def _needs(frame: Frame) -> Command | None:
    from rnnviz.diagnosis import of_scene

    wanted = of_scene.wanted(frame)
    return None if wanted in frame.scene.known else wanted


def _scroll(by: int) -> Any:
    return lambda frame, view: {"row": min(max(view.row + by, 0), max(0, len(lines(frame, 60)) - 1))}


PANEL = Panel(
    "diagnosis", "diagnosis", "what is measured to be wrong, and one thing to try", _draw, key="D",
    actions={"unit_up": _scroll(-1), "unit_down": _scroll(1)}, key_labels={"unit_down": "scroll"}, needs=_needs,
    shows=frozenset(("gradient", "others", "ledger", "loss", "history", "gates", "state", "weights")),
    opens_beside=lambda frame: False,
)  # fmt: skip
