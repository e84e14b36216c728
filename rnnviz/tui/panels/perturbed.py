"""Perturbation: the state of this moment moved part of the way to another sequence's, and how the move develops.

 1 %   ▁·······················   0 %  A     how far off each later state is, in parts of the whole way
75 %   ▆▆▇▇████████████████████ 100 %  B
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.sheet import Sheet
from rnnviz.tui.geometry import columns
from rnnviz.tui.marks import BARS, accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words.no_panel import no_perturbation
from rnnviz.words.perturbation import foot, head

if TYPE_CHECKING:
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    from rnnviz.views import perturbation

    sheet = Sheet(width, height)
    found = perturbation.known(frame.scene, frame.cursor.t)
    if found is None:
        sheet.put(0, 1, "Running the moved state to the end …", palette.dim)
        return sheet
    cols = columns(width, frame.T, frame.cursor.t)
    shown = found.parts[-max(1, height - 2) :] if height < len(found.parts) + 2 else found.parts
    sheet.put(0, 0, head(frame, found, width), palette.dim)
    for y, part in enumerate(shown, start=1):
        sheet.put(y, 0, f"{part:3} %", palette.dim)
        p = found.at(part)
        for t in cols.steps:
            if t >= found.t:
                glyph = _bar(float(found.way[p, t]))
                style = accent(frame, palette) if t == found.t else palette.highway
                sheet.put(y, cols.x(t), glyph * cols.bar, palette.faint if glyph == "·" else style)
        end, answer = float(found.way[p, found.last]), found.answers[p]
        far = f"{100 * end:3.0f} %" if math.isfinite(end) else "  ?  "
        x = sheet.put(y, cols.end + 2, f"{far} ", palette.text)
        changed = answer != found.answer
        sheet.put(y, x, f"{'≠' if changed else '='} {answer}", palette.back if changed else palette.dim)
    if height > len(shown) + 1:
        sheet.put(len(shown) + 1, 0, foot(found, width), palette.text)
    return sheet


def _bar(way: float) -> str:
    if not math.isfinite(way):
        return "?" if math.isnan(way) else "∞"
    return BARS[min(8, round(8 * way))] if way >= 1 / 16 else "·"


def _needs(frame: Frame) -> Command | None:
    from rnnviz.views import perturbation

    return perturbation.needs(frame.scene, frame.cursor.t)


PANEL = Panel(
    "perturbed", "perturbed", "a small and a large move of the state",
    _draw, key="X", why_not=no_perturbation, needs=_needs, height=9,
    depends_on=lambda frame, view: (frame.scene, frame.cursor, _needs(frame)), shows=frozenset(("perturbed",)),
)  # fmt: skip
