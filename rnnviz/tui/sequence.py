"""What goes into the network and what comes out, in the score: curves for numbers, the task's own words for symbols.

input x   A x y y x … ?                                   1  2  3 … T
          ▲╌╌ 20 steps ╌╌▶      the input the answer depends on, and how long it must last
output ŷ  C C B C … A                                     faint where there is no loss
target                A         the right answer, where there is a loss
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.glyphs import cells, clip, cut, visible
from rnnviz.numbers import fixed, percent, portion
from rnnviz.sheet import Sheet
from rnnviz.tasks.catalog import PAD
from rnnviz.tui import input_row
from rnnviz.tui.geometry import Columns, Place, Rows
from rnnviz.tui.marks import DASHES, DOTS, level
from rnnviz.tui.palette import Palette
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.nn.types import Array
    from rnnviz.scene.frame import Frame

NEEDED = Style(bold=True, underline=True)  # the input an answer depends on


def reads_symbols(frame: Frame) -> bool:
    """Whether the input of a step is a symbol, or many numbers, and not a point of a curve."""
    return frame.scene.input_curve is None


def draws_curves(frame: Frame) -> bool:
    """Whether the output is a number, drawn as a curve with its target, rather than a symbol."""
    return frame.scene.task.loss != "cross_entropy"


def draw_input(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    first, n = place.input
    if input_row.shows_gradient(frame, view):
        input_row.draw_input_gradient(sheet, frame, place, cols, palette, view)
        return
    if input_row.has_features(frame):
        input_row.draw_features(sheet, frame, place, cols, palette, view)
        return
    task, scene = frame.scene.task, frame.scene
    is_norm = scene.input_curve is not None and task.input_size > 2
    sheet.put(first, 0, "input ‖x‖" if is_norm else "input x", palette.dim)
    needed = scene.needs(frame.loss_step)
    marks = n > 1 and task.series is None  # the last row marks the input the answer depends on
    read = [t for t in cols.steps if 1 <= t <= frame.read]
    if reads_symbols(frame):
        words = task.tokens(scene.sample)
        for t in read:
            style = palette.input + NEEDED if t in needed else palette.input
            if scene.is_padding(t):
                style = palette.faint
            sheet.put(first, cols.x(t), clip(visible(words[t - 1]), cols.bar), style)
    elif scene.input_curve is not None:
        x = scene.input_curve
        low, high = _input_bounds(frame)
        rows = n - marks
        for t in read:
            if scene.is_blank(t):
                sheet.put(first, cols.x(t), PAD, palette.faint)
                continue
            at = level(float(x[t - 1]), low, high, 4 * rows)
            style = palette.input + Style(bold=True) if t in needed else palette.input
            _mark(sheet, place.input, cols.x(t), cols.bar, at, DASHES, style)
    if marks:
        _lag(sheet, first + n - 1, frame, needed, cols, palette)


def _lag(sheet: Sheet, y: int, frame: Frame, needed: tuple[int, ...], cols: Columns, palette: Palette) -> None:
    """Draw a line from the input the answer depends on to the answer: as long as the memory has to last."""
    seen = [t for t in needed if t <= frame.read]
    if not seen:
        return
    k = frame.scene.last_loss_step if frame.loss_step is None else frame.loss_step
    last = max(cols.steps)
    start, end = min(max(seen[0], cols.first), last), min(k, last)
    if start >= end:
        return
    left, right = sorted((cols.x(start), cols.x(end)))
    sheet.put(y, left, "╌" * (right - left), palette.dim)
    if k in cols:
        sheet.put(y, cols.x(end), "◀" if cols.mirrored else "▶", palette.dim)
    if cols.mirrored:
        for t in seen:
            if t in cols:
                sheet.put(y, cols.x(t), "▲", palette.input)
        many = f" {k - seen[0]} step{'s' * (k - seen[0] > 1)} "
        if len(many) + 2 <= right - left - 1:
            sheet.put(y, left + 1 + (right - left - len(many)) // 2, many, palette.dim)
        return
    free = left
    for t in seen:
        if t in cols:
            text = "▲"
            amount = frame.scene.task.amount(frame.scene.sample, t)
            if amount is not None:
                text += portion(amount)
            if cols.x(t) >= free or t == seen[0]:
                free = sheet.put(y, cols.x(t), text[: max(1, right - cols.x(t))], palette.input)
    many = f" {k - seen[0]} step{'s' * (k - seen[0] > 1)} "
    if free + len(many) + 1 <= right:
        sheet.put(y, free + (right - free - len(many)) // 2, many, palette.dim)


def draw_output(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    first, n = place.output
    scene = frame.scene
    if not scene.task.has_readout:
        _draw_unit(sheet, frame, place, cols, palette, view)
        return
    curves = draws_curves(frame)  # both are drawn in the same rows: the names are their legend
    sheet.put(first, 0, "output ŷ" + (DASHES[1] if curves else ""), palette.output)
    if n > 1 and scene.has_loss:
        sheet.put(first + 1, 0, "target".ljust(8) + (DOTS[1] if curves else ""), palette.target)
    read = [t for t in cols.steps if 1 <= t <= frame.read and not view.hides_step("output", t)]
    marked = (
        () if view.hides("judged") or not scene.has_loss else scene.loss_steps
    )  # the steps that carry loss, unless a question asks for them
    y = scene.trace.y[:, 0]
    if not curves:
        answers = scene.task.answers(y)
        for t in read:
            judged = t in marked
            style = palette.output if judged else palette.faint
            sheet.put(first, cols.x(t), clip(visible(answers[t - 1]), cols.bar), style)
            if n > 1 and judged:
                sheet.put(first + 1, cols.x(t), clip(visible(scene.answer(t)), cols.bar), palette.target)
        return
    low, high = _output_bounds(frame)
    split = cols.bar >= 3  # room for the target beside the output
    for t in read:
        judged = t in marked
        if judged:
            at = level(float(scene.target_values[t - 1, 0]), low, high, 4 * n)
            _mark(sheet, place.output, cols.x(t) + (cols.bar - 1 if split else 0), 1, at, DOTS, palette.target)
        value = float(y[t - 1, 0])
        if math.isfinite(value):
            at = level(value, low, high, 4 * n)
            style = palette.output if judged or not scene.has_loss else palette.faint
            _mark(sheet, place.output, cols.x(t), cols.bar - split, at, DASHES, style)
        else:
            sheet.put(first, cols.x(t), fixed(value)[: cols.bar], palette.warn)


def _draw_unit(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    """In place of outputs, where the readout is not known: the state of the selected unit, bright where the loss sends
    something straight into a state."""
    unit = frame.cursor.unit
    sheet.put(place.output[0], 0, f"h[{unit}]", palette.output)
    h = frame.scene.trace.h[:, 0, unit]
    low, high = bounds(frame.scene.trace.h)
    for t in cols.steps:
        if 1 <= t <= frame.read and not view.hides_step("output", t):
            value, style = float(h[t]), palette.output if t in frame.scene.loss_steps else palette.faint
            if math.isfinite(value):
                _mark(
                    sheet,
                    place.output,
                    cols.x(t),
                    cols.bar,
                    level(value, low, high, 4 * place.output[1]),
                    DASHES,
                    style,
                )
            else:
                sheet.put(place.output[0], cols.x(t), fixed(value)[: cols.bar], palette.warn)


def write_input(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette, view: View) -> None:
    """Write the input of this moment."""
    if input_row.shows_gradient(frame, view):
        input_row.write_input_gradient(sheet, frame, place, left, palette, view)
        return
    if input_row.has_features(frame):
        input_row.write_features(sheet, frame, place, left, palette, view)
        return
    if place.input[1] > 1:
        sheet.put(place.input[0] + 1, left, f"x   {_value_of_x(frame)}", palette.input)


def write_output(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette, view: View) -> None:
    """Write the output of this moment, and the target where there is a loss."""
    scene, t, (y, n) = frame.scene, frame.cursor.t, place.output
    if not 1 <= t <= frame.read:
        return
    if view.hides_step("output", t):
        sheet.put(y, left, f"ŷ   {view.waits}", palette.dim)
        return
    if not scene.task.has_readout:
        sheet.put(y, left, f"h   {fixed(float(scene.trace.h[t, 0, frame.cursor.unit]))}", palette.output)
        if n > 1 and t in scene.loss_steps and scene.has_loss:
            sheet.put(y + 1, left, "direct gradient", palette.target)
        return
    if not scene.has_loss:
        _write_numbers(sheet, frame, (y, n), left, palette)
        return
    judged = t in scene.loss_steps and not view.hides("judged")
    beside = judged and n == 1 and scene.task.loss == "mse"  # both in one row
    if scene.task.loss == "mse":
        digits, name = (2, "ŷ") if beside and sheet.width - left < 21 else (3, "ŷ  ")
        x = sheet.put(y, left, f"{name} {fixed(float(scene.trace.y[t - 1, 0, 0]), digits)}", palette.output)
        target = fixed(float(scene.target_values[t - 1, 0]), digits)
    else:
        label, share = scene.guesses(t)[0]
        sheet.put(y, left, _with_share("ŷ   ", label, share, sheet.width - left), palette.output)
        right = scene.answer(t)
        if n > 1:
            target = _with_share("", right, dict(scene.guesses(t))[right], sheet.width - left - len("target "))
        else:
            target = cut(visible(right), 7)
    if judged and n > 1:
        sheet.put(y + 1, left, f"target {target}", palette.target)
    elif beside:
        sheet.put(y, x + 1, f"tgt {target}", palette.target)


def _write_numbers(sheet: Sheet, frame: Frame, place: Place, left: int, palette: Palette) -> None:
    """Outputs of which it is not known what they should be."""
    y = frame.scene.trace.y[frame.cursor.t - 1, 0]
    sheet.put(place[0], left, f"ŷ{'[0]' if len(y) > 1 else '  '} {fixed(float(y[0]))}", palette.output)
    if len(y) > 1 and place[1] > 1 and all(map(math.isfinite, y.tolist())):
        largest = int(y.argmax())
        sheet.put(place[0] + 1, left, f"max ŷ[{largest}] {fixed(float(y[largest]))}", palette.target)


def _with_share(before: str, label: str, share: float, room: int) -> str:
    """A class and its probability; a long name is cut, and may use the gap before it."""
    figure = f" {percent(share)}"
    gap = min(cells(before) - cells(before.rstrip()) - 1, cells(before + visible(label) + figure) - room)
    before = before[: len(before) - gap] if gap > 0 else before
    return f"{before}{cut(visible(label), room - cells(before) - len(figure))}{figure}"


def _value_of_x(frame: Frame) -> str:
    t, scene = frame.cursor.t, frame.scene
    if not 1 <= t <= frame.read:
        return "–"
    if scene.is_blank(t):
        return f"{PAD} padding"
    if reads_symbols(frame):
        return visible(scene.task.tokens(scene.sample)[t - 1])
    assert scene.input_curve is not None
    marked = scene.task.has_marker and bool(scene.trace.x[t - 1, 0, 1])
    return fixed(float(scene.input_curve[t - 1])) + (" marked" if marked else "")


def _input_bounds(frame: Frame) -> tuple[float, float]:
    """Of one number a step: the range it shares with the target; beside a marker: numbers 0 to 1."""
    if frame.scene.task.has_marker:
        return 0.0, 1.0
    if frame.scene.input_curve is not None and not frame.scene.task.has_targets:
        return bounds(frame.scene.input_curve)
    return _output_bounds(frame) if frame.scene.task.loss == "mse" else bounds(frame.scene.trace.x)


def _output_bounds(frame: Frame) -> tuple[float, float]:
    if not frame.scene.has_loss:
        return bounds(frame.scene.trace.y[..., 0])
    return bounds(frame.scene.trace.x, frame.scene.trace.targets)


def bounds(*arrays: Array) -> tuple[float, float]:
    """A range that holds all finite values, at least -1..1, so that the picture does not jump during training."""
    values = [v for a in arrays for v in a.ravel().tolist() if math.isfinite(v)]
    return min([-1.0, *values]), max([1.0, *values])


def _mark(sheet: Sheet, place: Place, x: int, n: int, at: int, glyphs: str, style: Style) -> None:
    """A dash of n cells on dot row `at` of a curve."""
    sheet.put(place[0] + at // 4, x, glyphs[at % 4] * n, style)
