"""Gates and states in the score: how open each gate of the selected unit is, the states of all units as a heatmap, and
beside them the numbers of this moment.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.numbers import fixed, portion, short
from rnnviz.sheet import Sheet
from rnnviz.tasks.catalog import PAD
from rnnviz.tui.geometry import GUTTER, Columns, Place, Rows
from rnnviz.tui.marks import BARS, accent, ternary
from rnnviz.tui.palette import Palette
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.nn.cell import Cell
    from rnnviz.nn.types import Array
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.scene import Scene


OF_CHOSEN = len("+0.000")  # cells of the selected unit's number, which has a decimal more than the others


def gate_rows(cell: Cell) -> tuple[str, ...]:
    """The gates, the one that carries the old state first; a low window drops the last."""
    rows = [block.name for block in cell.blocks if block.row]
    return tuple(sorted(rows, key=lambda name: cell.carry is None or name != cell.carry.gate))


def draw_gates(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    """Draw one row per gate for the selected unit, and, with two rows, the mean over the units below it."""
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
                elif frame.scene.copies(t):  # no gate acts: the state is copied
                    sheet.put(y, cols.x(t), PAD, palette.faint)
                elif t:
                    draw_gate = _signed if blocks[name].is_signed else _open
                    draw_gate(sheet, y, cols.x(t), cols, float(kind[t - 1]), palette)


def _signed(sheet: Sheet, y: int, x: int, cols: Columns, value: float, palette: Palette) -> None:
    """Draw a candidate value, -1..1: the number if it fits, else its sign and size."""
    text = short(value) if cols.width >= 5 else ternary(value)
    sheet.put(y, x, text.center(cols.bar), palette.heat_text(value) if palette.has_color else palette.text)


def _open(sheet: Sheet, y: int, x: int, cols: Columns, value: float, palette: Palette) -> None:
    """Draw how open a gate is, 0..1: the number if it fits, else a bar of that height."""
    if math.isnan(value):
        sheet.put(y, x, "?" * cols.bar, palette.warn)
    elif cols.bar >= 3:
        sheet.put(y, x, portion(value).center(cols.bar), palette.shade(value))
    else:
        sheet.put(y, x, BARS[min(8, 1 + int(value * 8))] * cols.bar, palette.target)


def draw_cell(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    if place.cell is not None:
        _heat(sheet, frame, place, place.cell, "c", cols, palette, view)
        _names(sheet, place.cell, ["cell c", *_reach_of(frame.scene.reach_c)], palette)


def draw_hidden(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    H = frame.scene.H
    span = f"{H} units"
    if place.units < H:
        last = place.first_unit + place.units - 1
        span = f"{place.first_unit}–{last}"
    _heat(sheet, frame, place, place.hidden, "h", cols, palette, view)
    notes = [span] if place.units == H else [span, f"of {H} ↑↓"] if place.hidden[1] > 2 else [f"{span}/{H}"]
    _names(sheet, place.hidden, ["hidden h", *notes, *_reach_of(frame.scene.reach_h)], palette)


def _reach_of(size: float) -> list[str]:
    """The largest size of the states, if it exceeds 1."""
    return [f"±{size:.3g}"] if size > 1 else []


def _names(sheet: Sheet, place: Place, names: list[str], palette: Palette) -> None:
    for row, name in enumerate(names[: place[1]]):
        sheet.put(place[0] + row, 0, name[: GUTTER - 1], palette.faint if row else palette.dim)


def _heat(
    sheet: Sheet, frame: Frame, place: Rows, where: Place, kind: str, cols: Columns, palette: Palette,
    view: View,
) -> None:  # fmt: skip
    """Draw the states `kind`, h or c, read so far: units x time, two units to a row if one each does not fit."""
    first, n = where
    upto = min(frame.read, view.masked_from - 1) if view.hides("state") else frame.read
    heatmap, unread = _heatmap(frame.scene, kind, place.first_unit, place.units_per_row, n, cols, palette)
    start, end = cols.upto(upto)
    sheet.paste(first, cols.left, unread, 0, cols.end - cols.left)
    sheet.paste(first, start, heatmap, start - cols.left, end - cols.left)
    chosen = (frame.cursor.unit - place.first_unit) // place.units_per_row
    if 0 <= chosen < n:
        sheet.put(first + chosen, GUTTER - 1, "▸", palette.accent if palette.has_color else palette.text)


@lru_cache(maxsize=4)
def _heatmap(
    scene: Scene, kind: str, first_unit: int, units_per_row: int, n: int, cols: Columns, palette: Palette
) -> tuple[Sheet, Sheet]:
    """Sheets with all states in view read, and none read; they are the same at every cursor, so they are cached."""
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
    """Draw a unit that has its own row: the number if it fits, and without colours at least its sign."""
    if cols.width >= 5:
        text = short(value).center(cols.width)
    elif palette.has_halves:
        sheet.put(y, x, " " * cols.width, palette.heat(value / reach, value / reach))
        return
    else:
        text = short(value)[:2] + short(value)[2:3] if cols.width == 4 else ternary(value)
        text = text.ljust(cols.width)
    sheet.put(y, x, text, palette.heat_text(value / reach) if palette.has_color else palette.text)


def write_gates(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette, view: View) -> None:
    """Write the gates of the selected unit, and the mean of all units."""
    t, unit, scene = frame.cursor.t, frame.cursor.unit, frame.scene
    if not 1 <= t <= frame.read or view.hides("gates"):
        return
    blocks = {block.name: block for block in scene.trace.spec.about_cell.blocks}
    for name, (y, _) in place.gates.items():
        own, mean = float(scene.trace.gates[name][t - 1, 0, unit]), float(scene.gate_means[name][t - 1])
        x = sheet.put(y, left, name.ljust(4), palette.faint)
        if scene.copies(t):
            sheet.put(y, x, f"{PAD} no gate", palette.faint)
            continue
        plus = "+" if blocks[name].is_signed else " "
        x = sheet.put(y, x, fixed(own, 2).replace("+", plus).ljust(6), accent(frame, palette))
        sheet.put(y, x, f"ø{fixed(mean, 2).replace('+', plus)}", palette.dim)


def write_cell(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette, view: View) -> None:
    states, is_hidden = frame.scene.trace.c, view.hides_step("state", frame.cursor.t)
    if place.cell is not None and states is not None and view.knows("units") and not is_hidden:
        _write_units(sheet, frame, place, place.cell, states, left, palette)


def write_hidden(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette, view: View) -> None:
    """Write all units; before the lessons introduce them, the selected one."""
    states, t, unit = frame.scene.trace.h, frame.cursor.t, frame.cursor.unit
    if view.hides_step("state", t):
        sheet.put(place.hidden[0], left, view.waits, palette.dim)
    elif view.knows("units"):
        _write_units(sheet, frame, place, place.hidden, states, left, palette)
    else:
        y = place.hidden[0] + (unit - place.first_unit) // place.units_per_row
        x = sheet.put(y, left, f"unit {unit} ", palette.faint)
        sheet.put(y, x, fixed(float(states[t, 0, unit]), 3), accent(frame, palette))


def _write_units(
    sheet: Sheet, frame: Frame, place: Rows, where: Place, states: Array, left: int, palette: Palette
) -> None:
    """Write the units' numbers, as many per row as the heatmap beside it."""
    t, H, per_row = frame.cursor.t, frame.scene.H, place.units_per_row
    labels = {unit: unit_label(unit, min(unit + per_row, H) - 1) for unit in range(place.first_unit, H, per_row)}
    wide = max(map(len, labels.values())) + 1
    units = range(place.first_unit, min(place.first_unit + where[1] * per_row, H))
    chosen = frame.cursor.unit
    numbers = {unit: fixed(float(states[t, 0, unit]), 3 if unit == chosen else 2) for unit in units}
    column = max([OF_CHOSEN, *(len(numbers[unit]) for unit in units[::per_row])])
    if left + wide + column + 1 + OF_CHOSEN > sheet.width:
        column = 0  # no room for the second numbers to begin below each other
    for unit in units:
        row, second = divmod(unit - place.first_unit, per_row)
        if not second:
            x = sheet.put(where[0] + row, left, labels[unit].ljust(wide), palette.faint)
        style = accent(frame, palette) if unit == chosen else palette.dim
        x = sheet.put(where[0] + row, x, numbers[unit].ljust(column), style) + 1


def unit_label(first: int, last: int) -> str:
    """The units of a row: `unit 3`, `18–19`, or `128–` if that is too long."""
    if first == last:
        return f"unit {first}"
    return f"{first}–{last}" if last < 100 else f"{first}–"
