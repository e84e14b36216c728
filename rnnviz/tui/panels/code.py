"""The code: the lines of the engine behind this moment, and the same model in PyTorch and in Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnnviz.export.pages import PAGES, text
from rnnviz.glyphs import cells, cut
from rnnviz.sheet import Sheet
from rnnviz.tui.keys import ACTION_KEYS
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words.voice import Voice

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    what, lines, start = text(frame, view.page)
    x = 1
    for number, name in enumerate(PAGES):
        here = number == view.page
        x = sheet.put(0, x, f"▸{name}" if here else f" {name}", palette.accent if here else palette.faint) + 1
    sheet.put(0, x + 1, cut(Voice(width, ACTION_KEYS).say(what), width - x - 2), palette.dim)
    room = height - 1
    first = min(max(0, start + view.row), max(0, len(lines) - room))
    shown = lines[first : first + room]
    indent = min((len(line) - len(line.lstrip()) for line in shown if line.strip()), default=0)
    above, below = first, len(lines) - first - room
    marks = {1: f" ↑{above} " if above > 0 else "", height - 1: f" ↓{below} " if below > 0 else ""}
    for y, line in enumerate((line[indent:] for line in shown), start=1):
        end = width - len(marks.get(y, ""))
        code, hash_sign, comment = line.partition("#")
        x = sheet.put(y, 1, code, palette.text)
        sheet.put(y, x, hash_sign + comment, palette.output)
        if cells(line) > end - 1:
            sheet.put(y, end - 1, "…", palette.faint)
    for y, mark in marks.items():
        sheet.right(y, mark, palette.faint)
    return sheet


def _scroll(by: int) -> Any:
    def scroll(frame: Frame, view: View) -> dict[str, Any]:
        _, lines, start = text(frame, view.page)
        return {"row": min(max(view.row + by, -start), len(lines) - start - 1)}

    return scroll


def _turn(frame: Frame, view: View) -> dict[str, Any]:
    return {"page": (view.page + 1) % len(PAGES), "row": 0}


PANEL = Panel(
    "code", "the code", "behind this moment; in PyTorch and Keras", _draw, key="s",
    actions={"next": _turn, "unit_up": _scroll(-1), "unit_down": _scroll(1)},
    key_labels={"next": "PyTorch, Keras", "unit_down": "scroll"},
    copy_text=lambda frame, view: "\n".join(text(frame, view.page)[1]) + "\n",
)  # fmt: skip
