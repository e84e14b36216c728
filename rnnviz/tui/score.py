"""The score: as in a sheet of music, everything that happens at time t stands in one column.

    input     the signal, one mark a step
    gates     of an LSTM or GRU: how open each is for the chosen unit; where there is room, the mean of all units
    cell      the cell state of an LSTM, units x time, a heatmap
    hidden    the hidden state, likewise
    output    what the network says, and beside it what it should have said
    gradient  bars on a log scale, one for each step the walk back has reached; of an LSTM or GRU a line beside
              them, the gradient on its highway
    time      the shared axis; the present moment stands out
    reach     where the task says what its answer hangs on: how much of the gradient arrives there, and whether the
              task is learnt, by its answers

After a change the run before stays behind the bars as a ghost: dots where they stood.

Pure: a frame and a size in, a Sheet out. No number is computed here, only placed.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.scene.cursor import Phase
from rnnviz.sheet import Sheet
from rnnviz.tui.geometry import GUTTER, Columns, Rows, columns_of, rows
from rnnviz.tui.gradient_row import draw_gradient, write_check, write_ghost, write_gradient
from rnnviz.tui.marks import BARS, accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.sequence import draw_input, draw_output, draws_curves, reads_symbols, write_input, write_output
from rnnviz.tui.view import EVERYTHING, View
from rnnviz.words.numbers import fixed, portion, short

if TYPE_CHECKING:
    from rnnviz.nn.cells.cell import Cell
    from rnnviz.scene.frame import Frame, Scene
    from rnnviz.views.reach import Reach

REACH_FROM = 9  # rows of a score that has room for the reach


def draw(frame: Frame, width: int, height: int, palette: Palette, view: View = EVERYTHING) -> Sheet:
    """Rows that no lesson has introduced give their place to the others; what an open question asks is masked."""
    sheet = Sheet(width, height)
    reach = frame.reach if height >= REACH_FROM and view.knows("reach") else None
    place = rows_of(frame, height - (reach is not None), palette, view)
    cols = columns_of(frame, width)
    for part in (draw_input, _gates, _states, draw_output, draw_gradient, _time, _side):
        part(sheet, frame, place, cols, palette, view)
    if reach is not None and view.hides("gradient", "accuracy"):
        sheet.put(height - 1, 0, "reach", palette.dim)
        sheet.put(height - 1, GUTTER, view.waits, palette.dim)
    elif reach is not None:
        _reach(sheet, height - 1, reach, palette)
    return sheet


def _reach(sheet: Sheet, y: int, reach: Reach, palette: Palette) -> None:
    """Only the answers have a colour and a mark: what the gradient reaches tells nothing about them."""
    measured, answers = reach.line(sheet.width - GUTTER)
    sheet.put(y, 0, "reach", palette.dim)
    x = sheet.put(y, GUTTER, measured, palette.text)
    if answers:
        mark = "✓ " if reach.learnt else "○ " if reach.learnt is False else ""
        x = sheet.put(y, x, " · " if measured else "", palette.faint)
        sheet.put(y, x, mark + answers, palette.output if reach.learnt else palette.dim)


def rows_of(frame: Frame, height: int, palette: Palette, view: View = EVERYTHING) -> Rows:
    """Where the rows of this frame's network stand."""
    trace, gated = frame.scene.trace, view.knows("gates")
    return rows(
        height, frame.scene.H, frame.cursor.unit, pair=palette.has_halves,
        gates=gate_rows(trace.spec.about_cell) if gated else (), cell=gated and trace.c is not None,
        curves=(not reads_symbols(frame), draws_curves(frame)), gradient=view.knows("gradient"),
    )  # fmt: skip


def gate_rows(cell: Cell) -> tuple[str, ...]:
    """Most telling first, what carries the old state: a low window gives up the last."""
    rows = [block.name for block in cell.blocks if block.row]
    return tuple(sorted(rows, key=lambda name: cell.carry is None or name != cell.carry.gate))


def units_at(frame: Frame, y: int, height: int, palette: Palette, view: View = EVERYTHING) -> list[int]:
    """The units in row y of a score of this height; none where it is another row."""
    has_reach = height >= REACH_FROM and view.knows("reach") and frame.reach is not None
    place = rows_of(frame, height - has_reach, palette, view)
    for where in (place.cell, place.hidden):
        if where is not None and where[0] <= y < where[0] + where[1]:
            first = place.first_unit + (y - where[0]) * place.units_per_row
            return list(range(first, min(first + place.units_per_row, frame.scene.H)))
    return []


def skeleton(width: int, height: int, palette: Palette) -> Sheet:
    """The names of the rows, before there is a frame."""
    sheet = Sheet(width, height)
    place = rows(height, 20, 0)
    names = {place.input[0]: "input x", place.hidden[0]: "hidden h", place.output[0]: "output ŷ",
             place.time: "time t"}  # fmt: skip
    if place.gradient is not None:
        names[place.gradient[0]] = "‖∂L/∂h‖"
    for y, name in names.items():
        sheet.put(y, 0, name, palette.dim)
    return sheet


# -- gates and states --------------------------------------------------------------------------------


def _gates(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    """One row a gate for the chosen unit, and where there are two the mean over the units below it."""
    blocks = {block.name: block for block in frame.scene.trace.spec.about_cell.blocks}
    for name, (first, n) in place.gates.items():
        sheet.put(first, 0, blocks[name].row, palette.dim)
        if view.hides("gates"):
            sheet.put(first, cols.left, view.waits[: cols.end - cols.left], palette.faint)
            continue
        kinds = [frame.scene.trace.gates[name][:, 0, frame.cursor.unit]]
        if n > 1:
            sheet.put(first + 1, 0, "  mean", palette.faint)
            kinds.append(frame.scene.gate_means[name])
        for y, kind in enumerate(kinds, start=first):
            for t in cols.steps:
                if t > frame.read:
                    sheet.put(y, cols.x(t), "·", palette.faint)
                elif t:
                    draw_gate = _signed if blocks[name].is_signed else _open
                    draw_gate(sheet, y, cols.x(t), cols, float(kind[t - 1]), palette)


def _signed(sheet: Sheet, y: int, x: int, cols: Columns, value: float, palette: Palette) -> None:
    """What would be written, -1..1: its value where it fits, else its sign and size."""
    text = short(value) if cols.width >= 5 else ternary(value)
    sheet.put(y, x, text.center(cols.bar), palette.heat_text(value) if palette.has_color else palette.text)


def _open(sheet: Sheet, y: int, x: int, cols: Columns, value: float, palette: Palette) -> None:
    """How open a gate is, 0..1: its value where it fits, else a bar as high."""
    if math.isnan(value):
        sheet.put(y, x, "?" * cols.bar, palette.warn)
    elif cols.bar >= 3:
        sheet.put(y, x, portion(value).center(cols.bar), palette.shade(value))
    else:
        sheet.put(y, x, BARS[min(8, 1 + int(value * 8))] * cols.bar, palette.target)


def _states(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    trace, H = frame.scene.trace, frame.scene.H
    read = min(frame.read, view.masked_from - 1) if view.hides("state") else frame.read
    span = f"{H} units"
    if place.units < H:
        last = place.first_unit + place.units - 1
        span = f"{place.first_unit}–{last}"
    if place.cell is not None and trace.c is not None:
        size = frame.scene.reach_c
        _heat(sheet, frame, place, place.cell, "c", read, cols, palette)
        _names(sheet, place.cell, ["cell c", *([f"±{size:.3g}"] if size > 1 else [])], palette)
    size = frame.scene.reach_h
    _heat(sheet, frame, place, place.hidden, "h", read, cols, palette)
    notes = [span] if place.units == H else [span, f"of {H} ↑↓"] if place.hidden[1] > 2 else [f"{span}/{H}"]
    _names(sheet, place.hidden, ["hidden h", *notes, *([f"±{size:.3g}"] if size > 1 else [])], palette)


def _names(sheet: Sheet, place: tuple[int, int], names: list[str], palette: Palette) -> None:
    for row, name in enumerate(names[: place[1]]):
        sheet.put(place[0] + row, 0, name[: GUTTER - 1], palette.faint if row else palette.dim)


def _heat(
    sheet: Sheet, frame: Frame, place: Rows, where: tuple[int, int], kind: str, upto: int, cols: Columns,
    palette: Palette,
) -> None:  # fmt: skip
    """The states `kind`, h or c, as far as step `upto`: units x time, two units to a row where they do not fit one by
    one."""
    first, n = where
    heatmap, unread = _heatmap(frame.scene, kind, place.first_unit, place.units_per_row, n, cols, palette)
    read = min(max(cols.x(upto + 1), cols.left), cols.end)
    sheet.paste(first, cols.left, heatmap, 0, read - cols.left)
    sheet.paste(first, read, unread, read - cols.left, cols.end - cols.left)
    chosen = (frame.cursor.unit - place.first_unit) // place.units_per_row
    if 0 <= chosen < n:
        sheet.put(first + chosen, GUTTER - 1, "▸", palette.accent if palette.has_color else palette.text)


@lru_cache(maxsize=4)
def _heatmap(
    scene: Scene, kind: str, first_unit: int, units_per_row: int, n: int, cols: Columns, palette: Palette
) -> tuple[Sheet, Sheet]:
    """All of the states in view, and all as not yet read: the same all along the walk, so they are kept."""
    states, reach = (scene.trace.c, scene.reach_c) if kind == "c" else (scene.trace.h, scene.reach_h)
    assert states is not None
    heatmap, unread = Sheet(cols.end - cols.left, n), Sheet(cols.end - cols.left, n)
    for row, unit in enumerate(range(first_unit, min(first_unit + n * units_per_row, scene.H), units_per_row)):
        upper = states[:, 0, unit].tolist()
        lower = states[:, 0, unit + 1].tolist() if units_per_row == 2 and unit + 1 < scene.H else None
        for t in cols.steps:
            x = cols.x(t) - cols.left
            unread.put(row, x, "·", palette.faint)
            if units_per_row == 1:
                _one_unit(heatmap, row, x, cols, upper[t], palette, reach)
            elif lower is not None:
                heatmap.put(row, x, "▀" * cols.width, palette.heat(upper[t] / reach, lower[t] / reach))
            else:
                style = Style(color=palette.heat(upper[t] / reach, 0.0).color)
                heatmap.put(row, x, "▀" * cols.width, style)
    return heatmap, unread


def _one_unit(sheet: Sheet, y: int, x: int, cols: Columns, value: float, palette: Palette, reach: float = 1.0) -> None:
    """A unit with a row to itself: its value where it fits, and without colours at least its sign."""
    if cols.width >= 5:
        text = short(value).center(cols.width)
    elif palette.has_halves:
        sheet.put(y, x, " " * cols.width, palette.heat(value / reach, value / reach))
        return
    else:
        text = short(value)[:2] + short(value)[2:3] if cols.width == 4 else ternary(value)
        text = text.ljust(cols.width)
    sheet.put(y, x, text, palette.heat_text(value / reach) if palette.has_color else palette.text)


def ternary(value: float) -> str:
    """Sign and size in one cell: ▲ △ + 0 - ▽ ▼."""
    if math.isnan(value):
        return "?"
    size = abs(value)
    if size < 0.1:
        return "+" if value > 0 else "-" if value < 0 else "0"
    return ("▲" if size >= 0.5 else "△") if value > 0 else ("▼" if size >= 0.5 else "▽")


# -- time, and the numbers of this moment --------------------------------------------------------------


def _time(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    time_axis(sheet, place.time, frame, cols, palette)


def time_axis(sheet: Sheet, y: int, frame: Frame, cols: Columns, palette: Palette) -> None:
    """The steps in view by number, the present one set off; which of how many, where there are more."""
    cursor, back = frame.cursor, frame.going_back
    sheet.put(y, 0, "time t", palette.dim)
    sheet.put(y, 7, "◀" if back else "▶", accent(frame, palette))
    stride = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9) if s * cols.width >= 4)
    now = str(cursor.t)
    at = min(cols.x(cursor.t), cols.end - len(now))
    for t in cols.steps:
        text, x = str(t), cols.x(t)
        clear = x + len(text) < at or x > at + len(now)
        if t % stride == 0 and clear and x + len(text) <= cols.end:
            sheet.put(y, x, text, palette.faint)
    sheet.put(y, at, now, accent(frame, palette) + Style(underline=True))
    if cols.first > 0:
        sheet.put(y, cols.left - 1, "‹", palette.dim)
    if cols.first + cols.count <= frame.T:
        sheet.put(y, cols.end, "›", palette.dim)
    if cols.count <= frame.T:
        sheet.put(y, cols.end + 2, f"{cols.first}–{cols.first + cols.count - 1} of {frame.T}", palette.dim)


def _side(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    """The column of the present moment, written out."""
    left = cols.end + 2
    y, t = place.input[0], frame.cursor.t
    direction = {Phase.FORWARD: "reading ▶", Phase.LOSS: "◀ turned", Phase.BACKWARD: "◀ going back"}
    word = direction.get(frame.cursor.phase, "update")
    now = max(f"t = {t} ".ljust(9), f"t = {frame.T} ", key=len) if sheet.width - left >= 21 else f"t = {frame.T} "
    sheet.put(y, left, f"t = {t}", accent(frame, palette))
    if left + len(now) + len(word) > sheet.width:
        word = word.replace("going ", "").replace("reading", "read")
    sheet.put(y, left + len(now), word, accent(frame, palette))
    write_input(sheet, frame, place, left, palette)
    if not view.hides("gates"):
        _side_gates(sheet, frame, place, left, palette)
    _side_states(sheet, frame, place, left, palette, view)
    write_output(sheet, frame, place, left, palette, view)
    write_gradient(sheet, frame, place, left, palette, view)
    if view.knows("ghost") and not view.hides("gradient", "others"):
        write_ghost(sheet, frame, place, left, palette)
    write_check(sheet, frame, place, left, palette)


def _side_gates(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette) -> None:
    """The gate of the chosen unit, and the mean of all units."""
    t, unit, scene = frame.cursor.t, frame.cursor.unit, frame.scene
    if not 1 <= t <= frame.read:
        return
    blocks = {block.name: block for block in scene.trace.spec.about_cell.blocks}
    for name, (y, _) in place.gates.items():
        own, mean = float(scene.trace.gates[name][t - 1, 0, unit]), float(scene.gate_means[name][t - 1])
        x = sheet.put(y, left, name.ljust(4), palette.faint)
        plus = "+" if blocks[name].is_signed else " "
        x = sheet.put(y, x, fixed(own, 2).replace("+", plus).ljust(6), accent(frame, palette))
        sheet.put(y, x, f"ø{fixed(mean, 2).replace('+', plus)}", palette.dim)


def _side_states(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette, view: View) -> None:
    """The units by their numbers (a subscript is a time), each row as many as the heatmap beside it; before there was
    talk of many units, the chosen one."""
    trace, t, H, per_row = frame.scene.trace, frame.cursor.t, frame.scene.H, place.units_per_row
    if view.hides_step("state", t):
        sheet.put(place.hidden[0], left, view.waits, palette.dim)
        return
    if not view.knows("units"):
        y = place.hidden[0] + (frame.cursor.unit - place.first_unit) // per_row
        x = sheet.put(y, left, f"unit {frame.cursor.unit} ", palette.faint)
        sheet.put(y, x, fixed(float(trace.h[t, 0, frame.cursor.unit]), 3), accent(frame, palette))
        return
    labels = {unit: unit_label(unit, min(unit + per_row, H) - 1) for unit in range(place.first_unit, H, per_row)}
    wide = max(map(len, labels.values())) + 1
    for where, states in ((place.cell, trace.c), (place.hidden, trace.h)):
        if where is None or states is None:
            continue
        for row in range(where[1]):
            unit = place.first_unit + row * per_row
            x = sheet.put(where[0] + row, left, labels.get(unit, "").ljust(wide), palette.faint)
            for u in range(unit, min(unit + per_row, H)):
                chosen = u == frame.cursor.unit
                style = accent(frame, palette) if chosen else palette.dim
                x = sheet.put(where[0] + row, x, fixed(float(states[t, 0, u]), 3 if chosen else 2), style) + 1


def unit_label(first: int, last: int) -> str:
    """The units of a row: `unit 3`, `18–19`, and where that takes too much room `128–`."""
    if first == last:
        return f"unit {first}"
    return f"{first}–{last}" if last < 100 else f"{first}–"
