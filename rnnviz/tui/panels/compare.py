"""Compare: the gradient rows of several runs, one below the other, on one axis, under the score's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.glyphs import cut, cut_before
from rnnviz.numbers import brief, loss, scientific
from rnnviz.scene.commands import Alone, Compare, Pin
from rnnviz.scene.cursor import Phase
from rnnviz.sheet import Sheet
from rnnviz.tui.geometry import GUTTER, columns_of
from rnnviz.tui.gradient_row import gradient_axis, half_lives, horizons, power_labels, times, two_paths
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.score import time_axis
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.views.comparison import Row

MOST_ROWS = 12  # of text for one gradient row


def draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    from rnnviz.views.comparison import compared
    from rnnviz.words.comparison import gate_means

    sheet = Sheet(width, height)
    rows = compared(frame)
    if not rows:
        sheet.put(0, 1, "Training other cells to this epoch …", palette.dim)
        return sheet
    head = int(height >= 3 * len(rows) + 1 or (height - 1) // len(rows) == height // len(rows) >= 2)
    has_axis = height >= head + 4 * len(rows) + 1  # right below the score the score's axis is enough
    n = max(2, min(MOST_ROWS, (height - head - has_axis) // len(rows)))
    # z alone is only part of the way through h, and soon too small to share an axis.
    paths = [path for row in rows for path in (row.gradient, row.gradient.lane) if path and path.along != "z"]
    axis = gradient_axis([float(v) for path in paths for v in path.norms], n)
    if head:
        if any(row.loss is not None for row in rows):
            sheet.put(0, 0, "loss".rjust(GUTTER), palette.dim)
        alone = "Nothing else is here. Enter pins this one, to compare others with it."
        sheet.put(0, GUTTER + 1, cut(gate_means(frame) if len(rows) > 1 else alone, width - GUTTER - 1), palette.text)
    for number, row in enumerate(rows):
        _draw_row(sheet, (head + number * n, n), row, frame, axis, palette)
    if has_axis:
        time_axis(sheet, head + len(rows) * n, frame, columns_of(frame, width), palette)
    if height >= head + len(rows) * n + len(rows) + 2:
        _table(sheet, head + len(rows) * n + 1, rows, palette)
    return sheet


def _draw_row(
    sheet: Sheet, where: tuple[int, int], row: Row, frame: Frame, axis: tuple[int, int], palette: Palette
) -> None:
    (y, n), gradient, lane = where, row.gradient, row.gradient.lane
    cols = columns_of(frame, sheet.width)
    name = palette.accent if row.is_present else palette.text
    own = "" if row.loss is None else brief(row.loss)
    needed = len(row.name) + 1 + len(own)
    if row.is_present and needed + 1 > GUTTER:
        own = ""  # the heading has it
    end = GUTTER + (needed > GUTTER and not row.is_present)  # the cell beside the columns is free
    mark = "▸" if row.is_present else " " if needed < GUTTER else ""
    shorten = cut_before if row.what == row.name else cut  # the names of layers differ at their ends
    sheet.put(y, 0, mark + shorten(row.name, end - len(mark) - len(own) - bool(own)), name)
    sheet.put(y, end - len(own), own, palette.dim)
    power_labels(sheet, (y, n), axis, palette, before="10^")
    last = gradient.loss_step if gradient.loss_step is not None else len(gradient.norms) - 1
    begin, room = cols.left + 1, cols.end - cols.left - 1  # the loss ends where the columns begin
    if row.what:
        sheet.put(y, begin, shorten(row.what, room), palette.dim)
    elif frame.reached is None:
        sheet.put(y, begin, cut("appears on the way back", room), palette.faint)
    norms = gradient.norms.tolist()
    along = [] if lane is None else lane.norms.tolist()
    t = frame.cursor.t
    for step in cols.steps:
        if frame.reached is None or not frame.reached <= step <= last:
            continue
        here = step == t and frame.cursor.phase is Phase.BACKWARD
        two_paths(sheet, (y, n), cols, step, norms, along, axis, palette.back if here else palette.gradient, palette)
    left = cols.end + 2
    if row.doubt:
        sheet.put(y, left, f"! {row.doubt}", palette.warn)
    for i, text in enumerate(_numbers(row, frame, last, sheet.width - left)[: n - bool(row.doubt)]):
        sheet.put(y + bool(row.doubt) + i, left, text, palette.back if i == 0 else palette.text)


def _numbers(row: Row, frame: Frame, last: int, room: int) -> list[str]:
    """The row's numbers at the cursor and as a whole, in lines of 18 cells."""
    gradient, lane, t = row.gradient, row.gradient.lane, frame.cursor.t
    lines = []
    if frame.reached is not None:
        for path in (gradient, lane):
            if path is not None and t <= last:
                kept = times(path, t) if t < last else ""
                lines.append(f"{path.along} {scientific(float(path.norms[t]))} {kept}".rstrip())
        if t > last:
            lines.append("not reached")
        lines += filter(None, [half_lives(room, gradient, lane)])
        lines.append(f"1 %  {horizons(last, room - 5, gradient, lane)}")
    return lines


def _table(sheet: Sheet, y: int, rows: tuple[Row, ...], palette: Palette) -> None:
    """With room below: the runs in figures, along h and, where there is one, along the highway."""
    head = f" {'':{GUTTER}}{'loss':>8}{'half-life':>15}{'1 % horizon':>17}{'parameters':>13}"
    sheet.put(y, 0, cut(head, sheet.width), palette.dim)
    for number, row in enumerate(rows, start=1):
        last = row.gradient.loss_step or len(row.gradient.norms) - 1
        paths = [path for path in (row.gradient, row.gradient.lane) if path is not None]
        half = half_lives(sheet.width, *paths).removeprefix("half-life ") or "–"
        end = horizons(last, 16, *paths)
        text = f" {cut_before(row.name, GUTTER):<{GUTTER}}{loss(row.loss):>8}{half:>15} {end:>16}{row.parameters:>13,}"
        sheet.put(y + number, 0, cut(text, sheet.width), palette.accent if row.is_present else palette.text)


def _needs(frame: Frame) -> Compare | None:
    return None if frame.comparing and frame.beside is not None else Compare()


COMPARE = Panel(
    "compare", "compare", "other cells, or a pinned run, trained equally long", draw, key="c", height=10,
    actions={"next": lambda frame, view: Pin()}, key_labels={"next": "pin"}, needs=_needs,
    on_close=lambda frame: Alone(), shows=frozenset(("gradient", "loss", "parameters", "others")),
)  # fmt: skip
