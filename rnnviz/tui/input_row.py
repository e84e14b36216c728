"""Inputs of many numbers as a heatmap, with one number written out; and, in the same place, ∂L/∂x as bars.

input x    ▀▄▀▀▄▄▀▀▀▄         x[4] +0.512
x[4–9]     ▀▀▄▀▄▀▀▄▄▀
of 12 {}   ▄▄▀▀▀▄▀▀▄▀

‖∂L₄₀/∂x‖       ▂▃▅█▃          3.1e-02
                               x[4] +2.9e-02
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.glyphs import cut, visible
from rnnviz.numbers import fixed, scientific, subscript
from rnnviz.sheet import Sheet
from rnnviz.tasks.catalog import PAD
from rnnviz.tui.geometry import GUTTER, Columns, Rows
from rnnviz.tui.gradient_row import bar, gradient_axis, power_labels
from rnnviz.tui.marks import accent, ternary
from rnnviz.tui.palette import Palette
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.scene import Scene


def has_features(frame: Frame) -> bool:
    """Whether a step's input is several numbers, none of which stands for the others."""
    scene = frame.scene
    return scene.task.has_features and scene.trace.I > 1


def shows_gradient(frame: Frame, view: View) -> bool:
    """Whether ∂L/∂x stands in place of the input."""
    return view.input_gradient and view.knows("gradient") and "inputs" not in frame.cannot


def draw_features(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    first, n = place.input
    many, per_row = frame.scene.trace.I, 2 if palette.has_halves else 1
    feature = min(view.feature, many - 1)
    shown = min(n * per_row, many)
    start = min(
        max(0, feature // per_row * per_row - (shown - per_row) // 2 // per_row * per_row), max(0, many - shown)
    )
    heat, unread, reach = _heatmap(frame.scene, start, per_row, n, cols, palette)
    begin, end = cols.upto(frame.read)
    sheet.paste(first, cols.left, unread, 0, cols.end - cols.left)
    sheet.paste(first, begin, heat, begin - cols.left, end - cols.left)
    for t in cols.steps:
        if 1 <= t <= frame.read and frame.scene.is_blank(t):
            for row in range(n):
                sheet.put(first + row, cols.x(t), PAD.ljust(cols.bar), palette.faint)
    names = ["input x", f"{start}–{start + shown - 1}" if shown < many else f"{many} a step", f"of {many} {{}}"]
    if shown == many:
        names[2] = f"±{reach:.3g}"
    for y, name in enumerate(names[:n]):
        sheet.put(first + y, 0, name[: GUTTER - 1], palette.faint if y else palette.dim)
    sheet.put(
        first + (feature - start) // per_row, GUTTER - 1, "▸", palette.accent if palette.has_color else palette.text
    )


@lru_cache(maxsize=4)
def _heatmap(
    scene: Scene, start: int, per_row: int, n: int, cols: Columns, palette: Palette
) -> tuple[Sheet, Sheet, float]:
    """Sheets with all inputs in view read, and none read; and what the strongest colour stands for."""
    x = scene.trace.x[:, 0]
    finite = [abs(v) for v in x.ravel().tolist() if math.isfinite(v)]
    reach = max(finite, default=1.0) or 1.0
    heat, unread = Sheet(cols.end - cols.left, n), Sheet(cols.end - cols.left, n)
    for row in range(n):
        numbers = [i for i in range(start + row * per_row, start + (row + 1) * per_row) if i < x.shape[1]]
        for t in cols.steps if numbers else ():
            if t == 0:
                continue
            at = cols.x(t) - cols.left
            unread.put(row, at, "·", palette.faint)
            values = [float(x[t - 1, i]) / reach for i in numbers]
            if per_row == 1:
                style = palette.heat_text(values[0]) if palette.has_color else palette.text
                heat.put(row, at, ternary(values[0]).ljust(cols.bar), style)
            elif len(values) == 2:
                heat.put(row, at, "▀" * cols.width, palette.heat(*values))
            else:
                heat.put(row, at, "▀" * cols.width, Style(color=palette.heat(values[0], 0.0).color))
    return heat, unread, reach


def write_features(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette, view: View) -> None:
    y, n = place.input
    t, scene = frame.cursor.t, frame.scene
    if n < 2:
        return
    feature = min(view.feature, scene.trace.I - 1)
    value = fixed(float(scene.trace.x[t - 1, 0, feature])) if 1 <= t <= frame.read else "–"
    sheet.put(y + 1, left, f"{name_of(frame, feature, sheet.width - left - 8)} {value}", palette.input)
    if n > 2 and 1 <= t <= frame.read and not scene.task.has_targets:  # rows of an embedding have numbers
        token = scene.task.tokens(scene.sample)[t - 1]
        sheet.put(y + 2, left, f"row {visible(token)}" if token else "", palette.dim)


def name_of(frame: Frame, feature: int, room: int = 12) -> str:
    """`x[3]`, or the name of its column where that is known."""
    names = frame.scene.task.features
    own = f"x[{feature}]"
    return cut(f"{own} {visible(names[feature])}", max(room, len(own))) if feature < len(names) else own


# -- what the loss makes of them ---------------------------------------------------------------------------


def draw_input_gradient(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    from rnnviz.views import inputs

    first, n = place.input
    k, found = frame.loss_step, inputs.known(frame.scene, frame.loss_step)
    which = "" if k is None else subscript(frame.scene.time(k))
    sheet.put(first, 0, f"‖∂L{which}/∂x‖", palette.gradient)
    said = "appears on the way back" if frame.reached is None else "working it out …" if found is None else ""
    if view.hides("gradient"):
        said = view.waits
    if said or found is None or frame.reached is None:
        sheet.put(first + n // 2, cols.left, said, palette.faint)
        return
    norms = [0.0, *(float(v) for v in found.norms)]
    axis = gradient_axis(norms, n)
    power_labels(sheet, place.input, axis, palette, before="10^")
    for t in cols.steps:
        if t >= max(1, frame.reached) and (k is None or t <= k or frame.scene.trace.whole is not None):
            here = t == frame.cursor.t
            bar(
                sheet,
                first,
                n,
                cols.x(t),
                cols.bar,
                norms[t],
                *axis,
                palette.back if here else palette.gradient,
                palette,
            )


def write_input_gradient(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette, view: View) -> None:
    """The gradient on this step's input, on its chosen number, and where the largest is."""
    from rnnviz.views import inputs

    y, n = place.input
    t, found = frame.cursor.t, inputs.known(frame.scene, frame.loss_step)
    if found is None or frame.reached is None or n < 2 or view.hides("gradient"):
        return
    room = sheet.width - left
    lines = []
    if t >= 1:
        size = scientific(float(found.norms[t - 1]))
        feature = min(view.feature, found.values.shape[1] - 1)
        single = found.values.shape[1] == 1 or not has_features(frame)
        own = f"x[{feature}] {scientific(float(found.values[t - 1, feature]))}"
        lines.append(f"∂x {size}" if single else own)
    if found.most is not None:
        step, number = found.most
        which = f" {name_of(frame, number, 6)}" if has_features(frame) else _symbol(frame, step)
        lines.append(cut(f"most: t = {frame.scene.time(step)}{which}", room))
    for row, text in enumerate(lines[: n - 1], start=1):
        sheet.put(y + row, left, text, accent(frame, palette) if row == 1 else palette.text)


def _symbol(frame: Frame, step: int) -> str:
    task = frame.scene.task
    return f" {visible(task.tokens(frame.scene.sample)[step - 1])}" if task.vocab else ""
