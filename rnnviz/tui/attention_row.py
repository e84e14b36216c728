"""Attention in the score: the weight of each state in the sum that the output of one step reads.

weight α  ▁▂█▁▁▁▁▁▁▁      α₃ 0.74 of y₁₀
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.numbers import portion, subscript
from rnnviz.sheet import Sheet
from rnnviz.tasks.catalog import PAD
from rnnviz.tui.geometry import Columns, Rows
from rnnviz.tui.marks import BARS, accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


def draw_attention(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    """The weight as a number where a column has room for one, else as a bar, as high as it is of the largest."""
    from rnnviz.views.attention import step_in_view, weights

    if place.attention is None:
        return
    y, k = place.attention, step_in_view(frame)
    sheet.put(y, 0, "weight α", palette.dim)
    if view.hides("attention"):
        sheet.put(y, cols.left, view.waits[: cols.end - cols.left], palette.dim)
        return
    values = weights(frame.scene, k).tolist() if k else []
    most = max((value for value in values if math.isfinite(value)), default=0.0)
    for t in cols.steps:
        if not 1 <= t <= k:
            sheet.put(y, cols.x(t), "·" if t > k else " ", palette.faint)
            continue
        value, here = values[t - 1], t == frame.cursor.t
        if frame.scene.copies(t):  # a step that is not read has no weight
            sheet.put(y, cols.x(t), PAD, palette.faint)
        elif not math.isfinite(value):
            sheet.put(y, cols.x(t), "?" * cols.bar, palette.warn)
        elif cols.bar >= 3:
            sheet.put(
                y, cols.x(t), portion(value).center(cols.bar), accent(frame, palette) if here else palette.shade(value)
            )
        else:
            glyph = BARS[max(1, round(8 * value / most))] if most and value else "·"
            sheet.put(y, cols.x(t), glyph * cols.bar, accent(frame, palette) if here else palette.highway)


def write_attention(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette, view: View) -> None:
    from rnnviz.views.attention import step_in_view, weights

    k, t = step_in_view(frame), frame.cursor.t
    if place.attention is None or view.hides("attention") or not 1 <= t <= k:
        return
    text = f"α{subscript(t)} {weights(frame.scene, k)[t - 1]:.3g} of y{subscript(k)}"
    sheet.put(place.attention, left, text, accent(frame, palette))
