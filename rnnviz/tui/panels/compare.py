"""Compare: the gradient rows of several runs below one another, on one axis, under the score's own columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.player.commands import Alone, Compare, Pin
from rnnviz.player.cursor import Phase
from rnnviz.player.numbers import factor, loss, portion, scientific, steps
from rnnviz.tui.canvas import Sheet
from rnnviz.tui.geometry import GUTTER, columns
from rnnviz.tui.gradient_row import gradient_axis, power_labels, two_paths
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.player.compare import Row
    from rnnviz.player.frame import Frame

MOST_ROWS = 12  # of text for one gradient row


def draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    rows = frame.compared
    if not rows:
        sheet.put(0, 1, "The others are being trained as far as this one …", palette.dim)
        return sheet
    n = max(2, min(MOST_ROWS, height // len(rows)))
    # z alone is only a part of the way through h, and soon too small to share an axis with.
    paths = [path for row in rows for path in (row.gradient, row.gradient.highway) if path and path.along != "z"]
    axis = gradient_axis([float(v) for path in paths for v in path.norms], n)
    for number, row in enumerate(rows):
        _draw_row(sheet, (number * n, n), row, frame, axis, palette)
    if height >= len(rows) * n + len(rows) + 2:
        _table(sheet, len(rows) * n + 1, rows, palette)
    return sheet


def _draw_row(
    sheet: Sheet, where: tuple[int, int], row: Row, frame: Frame, axis: tuple[int, int], palette: Palette
) -> None:
    (y, n), gradient, lane = where, row.gradient, row.gradient.highway
    cols = columns(sheet.width, frame.T, frame.cursor.t)
    name = palette.accent if row.is_present else palette.text
    sheet.put(y, 0, ("▸" if row.is_present else " ") + row.name, name)
    power_labels(sheet, (y, n), axis, palette)
    # The loss stands where the axis has no power of its own.
    sheet.put(y + n - 1, 0, f"loss {_loss(row.loss)}".ljust(GUTTER), palette.dim)
    last = gradient.loss_step if gradient.loss_step is not None else len(gradient.norms) - 1
    if frame.reached is None:
        sheet.put(y, cols.left, "appears on the way back"[: cols.end - cols.left], palette.faint)
    sheet.put(y, cols.left, row.what[: cols.end - cols.left], palette.dim)
    norms = gradient.norms.tolist()
    along = [] if lane is None else lane.norms.tolist()
    t = frame.cursor.t
    for step in cols.steps:
        if frame.reached is None or not frame.reached <= step <= last:
            continue
        here = step == t and frame.cursor.phase is Phase.BACKWARD
        two_paths(sheet, (y, n), cols, step, norms, along, axis, palette.back if here else palette.gradient, palette)
    left = cols.end + 2
    for i, text in enumerate(_numbers(row, frame, last)[:n]):
        sheet.put(y + i, left, text, palette.back if i == 0 else palette.text)


def _numbers(row: Row, frame: Frame, last: int) -> list[str]:
    """The row's numbers at the cursor and as a whole, in lines of 18 cells."""
    gradient, lane, t = row.gradient, row.gradient.highway, frame.cursor.t
    lines = []
    if frame.reached is not None:
        for path in (gradient, lane):
            if path is not None and t <= last:
                kept = f" × {factor(float(path.factors[t]))}" if t < last else ""
                lines.append(f"{path.along} {scientific(float(path.norms[t]))}{kept}")
        if t > last:
            lines.append("not reached")
        if lane is None:
            lines.append(f"half h {steps(gradient.half_life, last)}".replace("> ", ">"))
        along = "" if lane is None else f" {lane.along} {steps(lane.horizon, last)}"
        lines.append(f"1 %  h {steps(gradient.horizon, last)}{along}".replace("> ", ">"))
    return lines


def _loss(value: float) -> str:
    return portion(value) if math.isfinite(value) and abs(value) < 99 else loss(value)[:4]


def _table(sheet: Sheet, y: int, rows: tuple[Row, ...], palette: Palette) -> None:
    """With room below: the runs in figures, along h and, where there is one, along the highway."""
    head = f" {'':{GUTTER}}{'loss':>8}{'half-life':>15}{'1 % horizon':>17}{'parameters':>13}"
    sheet.put(y, 0, head[: sheet.width], palette.dim)
    for number, row in enumerate(rows, start=1):
        last = row.gradient.loss_step or len(row.gradient.norms) - 1
        paths = [path for path in (row.gradient, row.gradient.highway) if path is not None]
        half = " ".join(f"{path.along} {steps(path.half_life, last)}" for path in paths)
        end = " ".join(f"{path.along} {steps(path.horizon, last)}" for path in paths)
        text = f" {row.name:<{GUTTER}}{loss(row.loss):>8}{half:>15}{end:>17}{row.parameters:>13,}".replace("> ", ">")
        sheet.put(y + number, 0, text[: sheet.width], palette.accent if row.is_present else palette.text)


def _needs(frame: Frame) -> Compare | None:
    return None if frame.compared else Compare()


COMPARE = Panel(
    "compare", "compare", "three cells in lock step, or a pinned run", draw, key="c", height=9,
    takes={"next": lambda frame, view: Pin()}, words={"next": "pin"}, needs=_needs, leaves=lambda frame: Alone(),
)  # fmt: skip
