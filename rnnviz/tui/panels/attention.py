"""Attention: the weight of each state in a sum over all of them, under the score's own columns; the network's own where
its readout has attention, else those that it would have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.glyphs import cut
from rnnviz.numbers import subscript
from rnnviz.sheet import Sheet
from rnnviz.tui.geometry import GUTTER, columns
from rnnviz.tui.marks import BARS, accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    from rnnviz.views.attention import step_in_view
    from rnnviz.views.attention import weights as weights_of
    from rnnviz.words.attention import meaning

    sheet = Sheet(width, height)
    k, t = step_in_view(frame), frame.cursor.t
    if not k:
        sheet.put(0, 1, "No output looks back yet.", palette.dim)
        return sheet
    weights = weights_of(frame.scene, k).tolist()
    cols = columns(width, frame.T, t)
    sheet.put(0, 1, cut(meaning(frame, k), width - 2), palette.text)
    n = height - 2
    most = max((weight for weight in weights if math.isfinite(weight)), default=0.0)
    for row, value in ((1, most), (n, 0.0)):  # a linear axis, from 0 to the largest weight
        label = f"{value:.2g}"
        sheet.put(row, GUTTER - 1 - len(label), label, palette.faint)
    for step in cols.steps:
        if 1 <= step <= k:
            ink = accent(frame, palette) if step == t else palette.highway
            _bar(sheet, n, cols.x(step), cols.bar, weights[step - 1], most, ink, palette)
    if 1 <= t <= k:
        sheet.put(1, cols.end + 2, f"α{subscript(t)} {weights[t - 1]:.3g}", accent(frame, palette))
    sheet.put(n, cols.end + 2, "they add up to 1", palette.dim)
    return sheet


def _bar(sheet: Sheet, n: int, x: int, width: int, value: float, most: float, ink: Style, palette: Palette) -> None:
    """Upwards from row n, `most` being n rows high."""
    if not math.isfinite(value):
        sheet.put(1, x, "?" * width, palette.warn)
        return
    eighths = round(8 * n * value / most) if most else 0
    for row in range(n):
        fill = min(8, eighths - 8 * row)
        if fill > 0:
            sheet.put(n - row, x, BARS[fill] * width, ink)


PANEL = Panel(
    "attention", "attention", "the weight of each state in a sum over all states", _draw,
    shows=frozenset(("attention",)), rows=lambda frame: 14,
)  # fmt: skip
