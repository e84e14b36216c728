"""The score: as in a sheet of music, everything that happens at time t stands in one column.

    input     the signal, one mark a step
    hidden    units x time, a heatmap
    output    what the network says, and beside it what it should have said
    gradient  bars on a log scale, one for each step the walk back has reached
    time      the shared axis; the present moment stands out

Pure: a frame and a size in, a Sheet out. No number is computed here, only placed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.player.cursor import Phase
from rnnviz.player.numbers import exponent, factor, fixed, scientific, short, steps, subscript
from rnnviz.tui.canvas import Sheet
from rnnviz.tui.geometry import GUTTER, Columns, Rows, columns, rows
from rnnviz.tui.palette import Palette

if TYPE_CHECKING:
    from rnnviz.player.frame import Frame

BARS = " ▁▂▃▄▅▆▇█"
DASHES = "⠉⠒⠤⣀"  # one level each, from the top of a cell down
DOTS = "⠁⠂⠄⡀"


def draw(frame: Frame, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    place = rows(height, frame.scene.H, frame.cursor.unit, pair=palette.has_color)
    cols = columns(width, frame.T, frame.cursor.t)
    for part in (_input, _hidden, _output, _gradient, _time):
        part(sheet, frame, place, cols, palette)
    _side(sheet, frame, place, cols, palette)
    return sheet


def skeleton(width: int, height: int, palette: Palette) -> Sheet:
    """The names of the rows, before there is a frame."""
    sheet = Sheet(width, height)
    place = rows(height, 20, 0)
    names = {place.input[0]: "input x", place.hidden[0]: "hidden h", place.output[0]: "output ŷ",
             place.gradient[0]: "‖∂L/∂h‖", place.time: "time t"}  # fmt: skip
    for y, name in names.items():
        sheet.put(y, 0, name, palette.dim)
    return sheet


def accent(frame: Frame, palette: Palette) -> Style:
    return palette.back if frame.going_back else palette.accent


# -- curves ------------------------------------------------------------------------------------------


def level(value: float, low: float, high: float, levels: int) -> int:
    """Which of `levels` steps, 0 at the top, a value in low..high stands on; the nearest end beyond."""
    if math.isnan(value):
        return levels - 1
    share = (high - min(max(value, low), high)) / (high - low) if high > low else 0.5
    return min(levels - 1, int(share * levels))


def _mark(sheet: Sheet, place: tuple[int, int], x: int, n: int, at: int, glyphs: str, style: Style) -> None:
    """A dash of n cells on dot row `at` of a curve."""
    sheet.put(place[0] + at // 4, x, glyphs[at % 4] * n, style)


def bounds(*arrays: object) -> tuple[float, float]:
    """A range that holds all finite values, -1..1 at least, so that the picture does not jump in training."""
    values = [v for a in arrays for v in a.ravel().tolist() if math.isfinite(v)]  # type: ignore[attr-defined]
    return min([-1.0, *values]), max([1.0, *values])


def _input(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette) -> None:
    first, n = place.input
    sheet.put(first, 0, "input x", palette.dim)
    task, scene = frame.scene.task, frame.scene
    if task.input_size == 1:
        x = scene.trace.x[:, 0, 0]
        low, high = bounds(scene.trace.x, *([scene.trace.targets] if task.loss == "mse" else []))
        for t in cols.steps:
            if 1 <= t <= frame.read:
                at = level(float(x[t - 1]), low, high, 4 * n)
                _mark(sheet, place.input, cols.x(t), cols.bar, at, DASHES, palette.input)
        return
    words = task.tokens(scene.sample)
    for t in cols.steps:
        if 1 <= t <= frame.read:
            sheet.put(first, cols.x(t), words[t - 1][: cols.bar], palette.input)


def _output(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette) -> None:
    first, n = place.output
    sheet.put(first, 0, "output ŷ", palette.output)
    if n > 1:
        sheet.put(first + 1, 0, "· target", palette.target)
    scene = frame.scene
    y, target = scene.trace.y[:, 0], scene.target_values
    if scene.task.loss == "cross_entropy":
        answers = scene.task.answers(y)
        for t in cols.steps:
            if 1 <= t <= frame.read:
                sheet.put(first, cols.x(t), answers[t - 1][: cols.bar], palette.output)
                if n > 1 and t in scene.loss_steps:
                    right = scene.task.labels[int(target[t - 1].argmax())]
                    sheet.put(first + 1, cols.x(t), right[: cols.bar], palette.target)
        return
    low, high = bounds(scene.trace.x, scene.trace.targets)
    split = cols.bar >= 3  # room for the target beside the output
    for t in cols.steps:
        if not 1 <= t <= frame.read:
            continue
        if t in scene.loss_steps:
            at = level(float(target[t - 1, 0]), low, high, 4 * n)
            _mark(sheet, place.output, cols.x(t) + (cols.bar - 1 if split else 0), 1, at, DOTS, palette.target)
        value = float(y[t - 1, 0])
        if math.isfinite(value):
            at = level(value, low, high, 4 * n)
            _mark(sheet, place.output, cols.x(t), cols.bar - split, at, DASHES, palette.output)
        else:
            sheet.put(first, cols.x(t), fixed(value)[: cols.bar], palette.warn)


# -- hidden state ------------------------------------------------------------------------------------


def _hidden(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette) -> None:
    first, n = place.hidden
    H, h = frame.scene.H, frame.scene.trace.h[:, 0]
    sheet.put(first, 0, "hidden h", palette.dim)
    if n > 1:
        all_in_view = place.units == H
        span = f"{H} units" if all_in_view else f"{place.first_unit}–{place.first_unit + place.units - 1}"
        sheet.put(first + 1, 0, span, palette.faint)
        if not all_in_view and n > 2:
            sheet.put(first + 2, 0, f"of {H} ↑↓", palette.faint)
    for row in range(n):
        unit = place.first_unit + row * place.units_per_row
        for t in cols.steps:
            x = cols.x(t)
            if t > frame.read:
                sheet.put(first + row, x, "·", palette.faint)
            elif place.units_per_row == 2:
                upper = float(h[t, unit])
                if unit + 1 < H:
                    sheet.put(first + row, x, "▀" * cols.width, palette.heat(upper, float(h[t, unit + 1])))
                else:
                    style = Style(color=palette.heat(upper, upper).color)
                    sheet.put(first + row, x, "▀" * cols.width, style)
            elif unit < H:
                _one_unit(sheet, first + row, x, cols, float(h[t, unit]), palette)


def _one_unit(sheet: Sheet, y: int, x: int, cols: Columns, value: float, palette: Palette) -> None:
    """A unit with a row to itself: its value where it fits, and without colours at least its sign."""
    if cols.width >= 5:
        text = short(value).center(cols.width)
    elif palette.has_color:
        text = " " * cols.width
    else:
        text = short(value)[:2] + short(value)[2:3] if cols.width == 4 else ternary(value)
        text = text.ljust(cols.width)
    sheet.put(y, x, text, palette.heat_text(value) if palette.has_color else palette.text)


def ternary(value: float) -> str:
    """Sign and size in one cell: ▲ △ · ▽ ▼."""
    if math.isnan(value):
        return "?"
    size = abs(value)
    return "·" if size < 0.1 else ("▲" if size >= 0.5 else "△") if value > 0 else ("▼" if size >= 0.5 else "▽")


# -- gradient ----------------------------------------------------------------------------------------


def gradient_axis(norms: list[float], n: int) -> tuple[int, int]:
    """(top, bottom): the powers of ten that hold the whole gradient row, on n rows of text.

    It looks at all steps, reached or not, so that it stands still during the walk. A row is a part of a power
    of ten, or whole ones.
    """
    powers = [p for p in map(exponent, norms) if p is not None]
    top, bottom = (max(powers) + 1, min(powers)) if powers else (0, -1)
    return top, (bottom if top - bottom < n else top - n * -(-(top - bottom) // n))


def _gradient(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette) -> None:
    first, n = place.gradient
    gradient = frame.gradient
    k = frame.loss_step
    norms = [float(v) for v in gradient.norms]
    sheet.put(first, 0, f"‖∂L{subscript(k) if k is not None else ''}/∂h‖", palette.gradient)
    if frame.reached is None:
        sheet.put(first + 1, cols.left, "appears on the way back"[: cols.end - cols.left], palette.faint)
        return
    top, bottom = gradient_axis(norms, n)
    for row in range(1, n):
        below = row * (top - bottom)
        if below % n == 0:  # the upper edge of this row is a whole power of ten
            label = power_label(top - below // n)
            sheet.put(first + row, GUTTER - 1 - len(label), label, palette.faint)
    for t in cols.steps:
        if t < frame.reached or (k is not None and t > k):
            continue
        here = t == frame.cursor.t and frame.cursor.phase is Phase.BACKWARD
        style = palette.back if here else palette.gradient
        _bar(sheet, first, n, cols.x(t), cols.bar, norms[t], top, bottom, style, palette)
    _exponents(sheet, frame, place, cols, norms, palette)


def _exponents(
    sheet: Sheet, frame: Frame, place: Rows, cols: Columns, norms: list[float], palette: Palette
) -> None:
    """The power of ten of each bar; where columns are narrow, only where it changes and there is room."""
    sheet.put(place.exponent, GUTTER - 4, "10^", palette.faint)
    free, told = cols.left, ""
    for t in cols.steps:
        if t < (frame.reached or 0) or (frame.loss_step is not None and t > frame.loss_step):
            continue
        label = power_label(exponent(norms[t]), norms[t])
        x = cols.x(t)
        if cols.bar >= 3 or (label != told and x >= free and x + len(label) <= cols.end):
            here = t == frame.cursor.t and frame.cursor.phase is Phase.BACKWARD
            sheet.put(place.exponent, x, label[: max(cols.bar, 4)], palette.back if here else palette.gradient)
            free, told = x + len(label) + 1, label


def power_label(power: int | None, value: float = 0.0) -> str:
    """`-4` of a number around 1e-4; a true 0, inf and nan say so."""
    if power is None:
        return scientific(value)
    return f"{power}"


def _bar(
    sheet: Sheet, first: int, n: int, x: int, width: int, value: float, top: int, bottom: int,
    style: Style, palette: Palette,
) -> None:  # fmt: skip
    if value == 0:
        sheet.put(first + n - 1, x, "0", style)
        return
    if not math.isfinite(value):
        sheet.put(first, x, ("∞" if math.isinf(value) else "?") * width, palette.warn)
        return
    share = (math.log10(value) - bottom) / (top - bottom)
    eighths = max(1, min(8 * n, round(share * 8 * n)))
    for row in range(n):
        fill = min(8, eighths - 8 * (n - 1 - row))
        if fill > 0:
            sheet.put(first + row, x, BARS[fill] * width, style)


# -- time, and the numbers of this moment --------------------------------------------------------------


def _time(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette) -> None:
    y, cursor = place.time, frame.cursor
    back = frame.going_back
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


def _side(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette) -> None:
    """The column of the present moment, written out."""
    left = cols.end + 2
    scene, t = frame.scene, frame.cursor.t
    direction = {Phase.FORWARD: "reading ▶", Phase.LOSS: "◀ turned", Phase.BACKWARD: "◀ going back"}
    word = direction.get(frame.cursor.phase, "update")
    y = place.input[0]
    sheet.put(y, left, f"t = {t}", accent(frame, palette))
    sheet.put(y, left + 9, word, accent(frame, palette))
    if place.input[1] > 1:
        value = _value_of_x(frame, t)
        sheet.put(y + 1, left, f"x   {value}", palette.input)
    _side_hidden(sheet, frame, place, left, palette)
    y = place.output[0]
    if 1 <= t <= frame.read:
        if scene.task.loss == "mse":
            sheet.put(y, left, f"ŷ   {fixed(float(scene.trace.y[t - 1, 0, 0]))}", palette.output)
            if t in scene.loss_steps:
                text = f"target {fixed(float(scene.target_values[t - 1, 0]))}"
                if place.output[1] > 1:
                    sheet.put(y + 1, left, text.replace("target", "tgt"), palette.target)
                else:
                    sheet.put(y, left + 11, text.replace("target", "tgt"), palette.target)
        else:
            _side_answer(sheet, frame, place, left, palette)
    _side_gradient(sheet, frame, place, left, palette)


def _value_of_x(frame: Frame, t: int) -> str:
    if t == 0 or t > frame.read:
        return "–"
    if frame.scene.task.input_size == 1:
        return fixed(float(frame.scene.trace.x[t - 1, 0, 0]))
    return frame.scene.task.tokens(frame.scene.sample)[t - 1]


def _side_hidden(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette) -> None:
    h = frame.scene.trace.h[frame.cursor.t, 0]
    first, n = place.hidden
    for row in range(n):
        unit = place.first_unit + row * place.units_per_row
        x = sheet.put(first + row, left, f"h{subscript(unit)}".ljust(4), palette.faint)
        for u in range(unit, min(unit + place.units_per_row, frame.scene.H)):
            x = sheet.put(first + row, x, fixed(float(h[u]), 2).ljust(6), palette.dim)


def _side_answer(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette) -> None:
    scene, t = frame.scene, frame.cursor.t
    answer = scene.task.answers(scene.trace.y[t - 1 : t, 0])[0]
    sheet.put(place.output[0], left, f"ŷ   {answer}", palette.output)
    if t in scene.loss_steps and place.output[1] > 1:
        right = scene.task.labels[int(scene.target_values[t - 1].argmax())]
        sheet.put(place.output[0] + 1, left, f"tgt {right}", palette.target)


def _side_gradient(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette) -> None:
    y, n = place.gradient
    gradient, t = frame.gradient, frame.cursor.t
    if frame.reached is None:
        if frame.cursor.phase is Phase.LOSS:
            sheet.put(y, left, f"loss {scientific(frame.scene.trace.loss, 3)}", palette.back)
        return
    if frame.loss_step is not None and t > frame.loss_step:
        lines = ["not reached by", f"the loss of step {frame.loss_step}"]
    else:
        last = frame.T if frame.loss_step is None else frame.loss_step
        kept = gradient.factors[t]
        lines = [
            scientific(float(gradient.norms[t])),
            f"× {factor(float(kept))} this step" if t < last else "here the walk starts",
        ]
        if math.isfinite(gradient.norms[last]):
            lines += [
                f"half-life {steps(gradient.half_life, last)}",
                f"1 % horizon {steps(gradient.horizon, last)}",
            ]
    for i, text in enumerate(lines[: n + 1]):
        sheet.put(y + i, left, text, palette.back if i == 0 else palette.text)
