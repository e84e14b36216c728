"""The score: as in a sheet of music, everything that happens at time t is in one column.

    input     the signal, one mark a step
    gates     of an LSTM or GRU: how open each is for the chosen unit; where there is room, the mean of all units
    cell      the cell state of an LSTM, units x time, a heatmap
    hidden    the hidden state, units x time, a heatmap
    output    the network's output, and beside it the target
    attention  of a network whose readout looks back: the weight of each state in the sum that one output reads
    gradient  bars on a log scale, one for each step reached on the way back; for an LSTM or GRU a line beside
              them, the gradient on its highway
    time      the shared axis, with the present moment highlighted
    evidence  of a recording: how far its weight gradients are from the framework's own; without a loss: which norm the
              bars are
    reach     if the task names the input its answer depends on: how much of the gradient arrives there, and whether the
              answers show that the task is learnt

After a change the previous run stays behind the bars as a ghost: dots at their former heights.

Pure: a frame and a size in, a Sheet out. No number is computed here, only placed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.lessons.points import ROWS as IN_LESSONS
from rnnviz.lessons.points import SIDE
from rnnviz.scene.cursor import Phase
from rnnviz.sheet import Sheet
from rnnviz.tui.attention_row import draw_attention, write_attention
from rnnviz.tui.geometry import GUTTER, Columns, Rows, columns_of, rows
from rnnviz.tui.gradient_row import draw_gradient, is_blank, write_check, write_ghost, write_gradient
from rnnviz.tui.input_row import has_features, shows_gradient
from rnnviz.tui.marks import accent, stride
from rnnviz.tui.palette import Palette
from rnnviz.tui.sequence import draw_input, draw_output, draws_curves, reads_symbols, write_input, write_output
from rnnviz.tui.state_rows import (
    draw_cell,
    draw_gates,
    draw_hidden,
    gate_rows,
    write_cell,
    write_gates,
    write_hidden,
)
from rnnviz.tui.view import EVERYTHING, View

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

    Draw = Callable[[Sheet, Frame, Rows, Columns, Palette, View], None]
    Write = Callable[[Sheet, Frame, Rows, int, Palette, View], None]

REACH_FROM = 9  # rows from which a score has room for the reach
ATTENTION_FROM = 7  # and for the weights of attention


@dataclass(frozen=True)
class Row:
    """name: lessons point at it by this one (lessons/points.py says there when it is shown), and the layout knows its
    place by it; how many lines it gets is decided there, where they compete (geometry.py).
    label: its name at the left. about: one line for the help.
    draw: along time. write: its numbers of this moment, at its right, from a cell on."""

    name: str
    label: str
    about: str
    draw: Draw
    write: Write | None = None


def draw(
    frame: Frame, width: int, height: int, palette: Palette, view: View = EVERYTHING, point: str | None = None
) -> Sheet:
    """Rows that no lesson has introduced give their place to the others; what an open question asks is masked.
    point: the row or side a lesson points at, by name."""
    sheet = Sheet(width, height)
    place, cols = rows_of(frame, height, palette, view), columns_of(frame, width)
    left = cols.end + 2
    shown = [row for row in ROWS if place.where(row.name)]
    for row in shown:
        row.draw(sheet, frame, place, cols, palette, view)
    _moment(sheet, frame, place, left, palette)
    for row in shown:
        if row.write is not None:
            row.write(sheet, frame, place, left, palette, view)
    if view.knows("ghost") and not view.hides("gradient", "others"):
        write_ghost(sheet, frame, place, left, palette)
    write_check(sheet, frame, place, left, palette)
    if point is not None:
        _mark(sheet, place, left, point, palette)
    return sheet


def _mark(sheet: Sheet, place: Rows, side: int, point: str, palette: Palette) -> None:
    """Highlight what a lesson points at: the name of a row, with a pointer to it, or the numbers at the side."""
    if point == SIDE:
        for y in range(sheet.height):
            if not is_blank(sheet, y, side):
                sheet.put(y, side - 1, "▌", palette.accent)
        return
    for y, _ in place.where(point):
        name = "".join(sheet.at(y, x) for x in range(GUTTER)).rstrip()[: GUTTER - 1].rstrip("▀▄▸ ")
        sheet.put(y, 0, name, palette.accent + Style(reverse=True))
        if sheet.at(y, GUTTER - 1) == " " and point != "time":  # the selected unit keeps its own mark
            sheet.put(y, GUTTER - 1, "◂", palette.accent)


def rows_of(frame: Frame, height: int, palette: Palette, view: View = EVERYTHING) -> Rows:
    """The layout of this frame's rows, as far as they have been introduced."""

    def has(name: str) -> bool:
        row = IN_LESSONS[name]
        return (not row.introduced or view.knows(row.introduced)) and row.why_not(frame) is None

    is_curve = not reads_symbols(frame) or has_features(frame) or shows_gradient(frame, view)
    return rows(
        height, frame.scene.H, frame.cursor.unit, pair=palette.has_halves,
        gates=gate_rows(frame.scene.trace.spec.about_cell) if has("gates") else (), cell=has("cell"),
        curves=(is_curve, draws_curves(frame)), gradient=has("gradient"),
        attention=height >= ATTENTION_FROM and has("attention"),
        reach=height >= REACH_FROM and has("reach"), evidence=height >= REACH_FROM and has("evidence"),
        spaced=view.presenting,
    )  # fmt: skip


def rows_used(frame: Frame, height: int, palette: Palette, view: View = EVERYTHING) -> int:
    """How many of its rows a score of this height draws on."""
    place = rows_of(frame, height, palette, view)
    return 1 + max(y for y in (place.time, place.reach, place.evidence) if y is not None)


def units_at(frame: Frame, y: int, height: int, palette: Palette, view: View = EVERYTHING) -> list[int]:
    """The units in row y of a score of this height; empty for any other row."""
    place = rows_of(frame, height, palette, view)
    for where in (place.cell, place.hidden):
        if where is not None and where[0] <= y < where[0] + where[1]:
            first = place.first_unit + (y - where[0]) * place.units_per_row
            return list(range(first, min(first + place.units_per_row, frame.scene.H)))
    return []


def skeleton(width: int, height: int, palette: Palette) -> Sheet:
    """The names of the rows, before there is a frame."""
    sheet = Sheet(width, height)
    place = rows(height, 20, 0)
    for row in ROWS:
        for y, _ in place.where(row.name)[:1]:
            sheet.put(y, 0, row.label, palette.dim)
    return sheet


# -- time, reach and the moment ----------------------------------------------------------------------------


def _time(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    time_axis(sheet, place.time, frame, cols, palette)


def time_axis(sheet: Sheet, y: int, frame: Frame, cols: Columns, palette: Palette) -> None:
    """Draw the numbers of the steps in view, with the present one highlighted; if there are more, which of how many."""
    cursor, back = frame.cursor, frame.going_back
    sheet.put(y, 0, "time t", palette.dim)
    sheet.put(y, 7, "◀" if back != cols.mirrored else "▶", accent(frame, palette))
    every = stride(4 / cols.width)
    now = str(frame.scene.time(cursor.t))
    at = min(cols.x(cursor.t), cols.end - len(now))
    for t in cols.steps:
        time = frame.scene.time(t)
        text, x = str(time), cols.x(t)
        clear = x + len(text) < at or x > at + len(now)
        if time % every == 0 and clear and x + len(text) <= cols.end:
            sheet.put(y, x, text, palette.faint)
    sheet.put(y, at, now, accent(frame, palette) + Style(underline=True))
    more = (cols.first > 0, cols.first + cols.count <= frame.T)
    before, after = more[::-1] if cols.mirrored else more
    if before:
        sheet.put(y, cols.left - 1, "‹", palette.dim)
    if after:
        sheet.put(y, cols.end, "›", palette.dim)
    if cols.count <= frame.T:
        first, last = (frame.scene.time(cols.steps[end]) for end in (0, -1))
        sheet.put(y, cols.end + 2, f"{first}–{last} of {frame.T}", palette.dim)


def _reach(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    """Draw the reach; only the answers have a colour and a mark, because the gradient does not decide them."""
    from rnnviz.views.reach import of_frame
    from rnnviz.words.reach import line

    y, reach = place.reach, of_frame(frame)
    if y is None or reach is None:
        return
    sheet.put(y, 0, "reach", palette.dim)
    if view.hides("gradient", "accuracy"):
        sheet.put(y, GUTTER, view.waits, palette.dim)
        return
    measured, answers = line(reach, sheet.width - GUTTER)
    x = sheet.put(y, GUTTER, measured, palette.text)
    if answers:
        mark = "✓ " if reach.learnt else "○ " if reach.learnt is False else ""
        x = sheet.put(y, x, " · " if measured else "", palette.faint)
        sheet.put(y, x, mark + answers, palette.output if reach.learnt else palette.dim)


def _evidence(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    """Write whether a recorded gradient is the training's own, and which gradient the row above is; or, where no loss
    is known, which norm."""
    from rnnviz.glyphs import cut
    from rnnviz.views import own_step
    from rnnviz.words import row_name
    from rnnviz.words.evidence import line

    y, scene = place.evidence, frame.scene
    if y is None:
        return
    if not scene.has_loss:
        sheet.put(y, 0, "no loss", palette.dim)
        text = row_name.line(frame.loss_step or frame.T, frame.frobenius, sheet.width - GUTTER)
        sheet.put(y, GUTTER, text, palette.text)
        return
    if frame.cell.is_own:
        found = own_step.verdict(scene)
        is_right = found is None or found.is_right
        sheet.put(y, 0, "backward" if is_right else "WRONG", palette.dim if is_right else palette.warn)
        about = "checking the backward pass …" if found is None else found.about
        where = f" · {found.where(frame.T)}" if found is not None and found.wrong else ""
        about += where if len(about + where) <= sheet.width - GUTTER else ""
        sheet.put(y, GUTTER, cut(about, sheet.width - GUTTER), palette.text if is_right else palette.warn)
        return
    if view.hides("evidence"):
        sheet.put(y, 0, "evidence", palette.dim)
        sheet.put(y, GUTTER, view.waits, palette.dim)
        return
    is_fine = scene.evidence is None or not scene.evidence.is_warning
    sheet.put(y, 0, "evidence" if is_fine else "WARNING", palette.dim if is_fine else palette.warn)
    text = line(scene.evidence, frame.loss_step, sheet.width - GUTTER)
    sheet.put(y, GUTTER, text, palette.text if is_fine else palette.warn)


def _moment(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette) -> None:
    """Draw the time step and the direction above the numbers of the moment."""
    y, t = place.input[0], frame.scene.time(frame.cursor.t)
    direction = {Phase.FORWARD: "reading ▶", Phase.LOSS: "◀ turned", Phase.BACKWARD: "◀ going back"}
    if frame.scene.reads_back:  # its gradient goes forward in time
        direction = {Phase.FORWARD: "◀ reading", Phase.LOSS: "turned ▶", Phase.BACKWARD: "gradient ▶"}
    word = direction.get(frame.cursor.phase, "update")
    now = max(f"t = {t} ".ljust(9), f"t = {frame.T} ", key=len) if sheet.width - left >= 21 else f"t = {frame.T} "
    sheet.put(y, left, f"t = {t}", accent(frame, palette))
    if left + len(now) + len(word) > sheet.width:
        word = word.replace("going ", "").replace("reading", "read")
    sheet.put(y, left + len(now), word, accent(frame, palette))


#: From top to bottom.
ROWS = (
    Row("input", "input x", "what the network reads, one mark per step; several numbers: drawn like h", draw_input,
        write_input),
    Row(
        "gates", "gates",
        "how open each gate of the selected unit is, from 0 (closed) to 1 (open); ø is the mean of all units",
        draw_gates, write_gates,
    ),
    Row("cell", "cell c", "the cell state of an LSTM, drawn like h", draw_cell, write_cell),
    Row(
        "hidden", "hidden h",
        "the memory: one row per unit, one column per step; blue below 0, orange above, grey near 0",
        draw_hidden, write_hidden,
    ),
    Row("output", "output ŷ", "the network's prediction, and with it the target: the right answer", draw_output,
        write_output),
    Row(
        "attention", "weight α",
        "of a readout with attention: the weight of each state in the sum that the output reads", draw_attention,
        write_attention,
    ),
    Row(
        "gradient", "‖∂L/∂h‖",
        "how much the loss depends on the memory at that step, on a log scale; 10^ is the power of ten; "
        "with weights alone ‖∂h_T/∂h‖: how much the last state does",
        draw_gradient, write_gradient,
    ),
    Row("time", "time t", "the time axis that all rows share; ▶ reading, ◀ going back in time", _time),
    Row(
        "reach", "reach",
        "how much of the gradient arrives at the input that the answer depends on, if the task names one", _reach,
    ),
    Row(
        "evidence", "evidence",
        "of a recording: how far the weight gradients that follow from it are from the framework's own; "
        "of weights alone: which norm the bars are; of your own cell: what its backward pass gives", _evidence,
    ),
)  # fmt: skip
