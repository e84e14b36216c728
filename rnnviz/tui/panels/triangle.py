"""The triangle: how far back the error of each step reaches. One row per loss step, one column per time step.

A cell holds the power of ten of ‖∂L_k/∂h_t‖, and is shaded by it. In narrow columns a single character encodes
the power: 3 for 1e-3, a for 1e-10, ² for 1e+2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.glyphs import wrap
from rnnviz.numbers import scientific, subscript
from rnnviz.scene.commands import Command, Measure, Seek, ShowGradient
from rnnviz.sheet import Sheet
from rnnviz.tui import keys
from rnnviz.tui.geometry import Columns, columns_of
from rnnviz.tui.marks import accent, stride
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words.no_panel import no_triangle

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.views.analysis import Triangle

UNDERFLOW = "∅"
_SMALL = "0123456789abcdefghijklmnopqrstuvwxyz"
_LARGE = "0¹²³⁴⁵⁶⁷⁸⁹"


def sign(power: int | None, value: float = 0.0) -> str:
    """One cell for a power of ten: 3 for 1e-3, a for 1e-10, ² for 1e+2; ∅ for an underflow."""
    if power is None:
        return UNDERFLOW if value == 0 else "?" if math.isnan(value) else "∞"
    if power > 0:
        return _LARGE[power] if power < len(_LARGE) else "^"
    return _SMALL[-power] if -power < len(_SMALL) else "."


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    from rnnviz.views import analysis

    sheet = Sheet(width, height)
    triangle = analysis.triangle(frame.scene)
    if triangle is None:
        sheet.put(
            0, 1, "Backpropagating each loss …" if frame.scene.has_loss else "Going back from each state …", palette.dim
        )
        return sheet
    having, t = frame.scene.loss_steps, frame.cursor.t
    cols = columns_of(frame, width)
    chosen = having.index(frame.loss_step) if frame.loss_step in having else None
    top = 2 if height < 20 else 3
    room = height - top
    first = _first(len(having) - 1 if chosen is None else chosen, len(having), room)
    rows = having[first : first + room]
    for y, line in enumerate(wrap(_sentence(frame, triangle, cols, rows), width - 2)[: top - 1]):
        sheet.put(y, 1, line, palette.text)
    _axis(sheet, top - 1, frame, cols, palette)
    low, high = triangle.span
    spelled = _are_spelled(triangle, cols.width)
    width_of_shades = max(high - low, 1e-9)
    for y, k in enumerate(rows, start=top):
        here = k == frame.loss_step
        label = f"{'▸' if here else ' '} {'L' if frame.scene.has_loss else 'h'}{subscript(k)}"
        sheet.put(y, 1, label, accent(frame, palette) if here else palette.dim)
        values, tens = triangle.norms[k].tolist(), triangle.powers[k].tolist()
        for step in range(cols.first, min(k + 1, cols.first + cols.count)):
            value, power = values[step], tens[step] if tens[step] != analysis.NO_POWER else None
            style = palette.warn if power is None else palette.fade((math.log10(value) - low) / width_of_shades)
            if step == t and here:  # marked in every row, the cursor's column would take too many bytes a step
                style = style + (Style(bold=True, underline=True) if palette.has_color else Style(reverse=True))
            sheet.put(y, cols.x(step), _cell(power, value, cols.width, spelled), style)
        if t <= k:
            sheet.put(y, cols.end + 2, scientific(values[t]), accent(frame, palette) if here else palette.dim)
    return sheet


def _are_spelled(triangle: Triangle, width: int) -> bool:
    """Whether columns of this width can hold every power of ten as a number, with a cell between them."""
    return all(len(str(math.floor(power))) < width for power in triangle.span)


def _cell(power: int | None, value: float, width: int, spelled: bool) -> str:
    """As wide as a column."""
    if width == 1:
        return sign(power, value)
    return (str(power) if power is not None and spelled else sign(power, value)).center(width)


def _axis(sheet: Sheet, y: int, frame: Frame, cols: Columns, palette: Palette) -> None:
    now = str(frame.cursor.t)
    at = min(cols.x(frame.cursor.t), cols.end - len(now))
    every = stride(4 / cols.width)
    for t in cols.steps:
        text, x = str(t), cols.x(t)
        if t % every == 0 and (x + len(text) < at or x > at + len(now)) and x + len(text) <= cols.end:
            sheet.put(y, x, text, palette.faint)
    sheet.put(y, 3, "loss" if frame.scene.has_loss else "from", palette.dim)
    sheet.put(y, at, now, accent(frame, palette) + Style(underline=True))
    sheet.put(y, cols.end + 2, f"at t = {now}", palette.dim)


def _sentence(frame: Frame, triangle: Triangle, cols: Columns, rows: tuple[int, ...]) -> str:
    """How to read a cell, and which part of the triangle is in view."""
    T, having = frame.T, frame.scene.loss_steps
    spelled = _are_spelled(triangle, cols.width)
    what = "losses" if frame.scene.has_loss else "states"
    parts = ["each cell is a power of ten: -3 is 1e-3" if spelled else "power of ten, 3: 1e-3, a: 1e-10"]
    if frame.loss_step is None:
        parts.append(f"{keys.ACTION_KEYS['unit_up']} selects one loss")
    if len(having) == 1:
        parts.append(f"only step {having[0]} has a loss")
    elif len(rows) < len(having):
        parts.append(f"{what} {rows[0]}–{rows[-1]} of {having[-1]}")
    if cols.count < T + 1:
        parts.append(f"t {cols.first}–{cols.first + cols.count - 1} of {T}")
    return " · ".join(parts)


def _first(at: int, rows: int, room: int) -> int:
    """The first row in view, scrolled by half a view at a time so that the selected row is visible."""
    if rows <= room:
        return 0
    half = max(1, room // 2)
    return min(max(0, (at - room + half) // half * half), rows - room)


def _choose(action: str) -> Callable[[Frame, View], Command]:
    command = keys.BY_ID[action].command
    assert command is not None
    return lambda frame, view: command(frame)


def _click(frame: Frame, view: View, x: int, y: int, width: int, height: int) -> Command | None:
    """The label of a row shows the gradient of its loss, a column goes to its time step."""
    cols = columns_of(frame, width)
    t = cols.step_at(x)
    if x >= cols.left and t in cols:
        return Seek(t)
    drawn = _draw(frame, view, width, height, Palette()).plain()
    label = drawn[y][1 : cols.left].lstrip("▸ ").split(" ")[0] if 0 <= y < len(drawn) else ""
    sign = "L" if frame.scene.has_loss else "h"
    return next((ShowGradient(k) for k in frame.scene.loss_steps if label == f"{sign}{subscript(k)}"), None)


def _needs(frame: Frame) -> Command | None:
    from rnnviz.views import analysis

    return Measure("triangle") if no_triangle(frame) is None and analysis.triangle(frame.scene) is None else None


PANEL = Panel(
    "triangle", "triangle", "how far back the error of each step reaches", _draw, key="v",
    why_not=no_triangle, needs=_needs,
    actions={"unit_up": _choose("loss_before"), "unit_down": _choose("loss_after")}, click=_click,
    key_labels={"unit_up": "an earlier one", "unit_down": "a later one"},
    shows=frozenset(("gradient", "judged")),
)  # fmt: skip
