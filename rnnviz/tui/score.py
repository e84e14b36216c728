"""The score: as in a sheet of music, everything that happens at time t stands in one column.

    input     the signal, one mark a step
    gates     of an LSTM or GRU: how open each is for the chosen unit; where there is room, the mean of all units
    cell      the cell state of an LSTM, units x time, a heatmap
    hidden    the hidden state, likewise
    output    what the network says, and beside it what it should have said
    gradient  bars on a log scale, one for each step the walk back has reached; of an LSTM or GRU a line beside
              them, the gradient on its highway
    time      the shared axis; the present moment stands out
    verdict   where the task's lag is known: whether the gradient reaches that far

After a change the run before stays behind the bars as a ghost: dots where they stood.

Pure: a frame and a size in, a Sheet out. No number is computed here, only placed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.player.cursor import Phase
from rnnviz.player.ghost import behind
from rnnviz.player.numbers import exponent, factor, fixed, portion, scientific, short, steps, subscript
from rnnviz.tui.canvas import Sheet
from rnnviz.tui.geometry import GUTTER, Columns, Rows, columns, rows
from rnnviz.tui.palette import Palette

if TYPE_CHECKING:
    from rnnviz.player.frame import Array, Frame, Gradient

BARS = " ▁▂▃▄▅▆▇█"
DASHES = "⠉⠒⠤⣀"  # one level each, from the top of a cell down
DOTS = "⠁⠂⠄⡀"

# Most telling first: what a low window gives up is at the end.
GATES = {"f": "forget f", "i": "input i", "g": "new g", "o": "output o",
         "z": "keep z", "r": "reset r", "n": "new n"}  # fmt: skip
VERDICT_FROM = 9  # rows of a score that has room for the verdict
SIGNED = ("g", "n")  # -1 to 1; the others 0 to 1


def draw(frame: Frame, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    verdict = frame.verdict if height >= VERDICT_FROM else None
    place = rows_of(frame, height - (verdict is not None), palette)
    cols = columns(width, frame.T, frame.cursor.t)
    for part in (_input, _gates, _states, _output, _gradient, _time, _side):
        part(sheet, frame, place, cols, palette)
    if verdict is not None:
        sheet.put(height - 1, 0, "verdict", palette.dim)
        sheet.put(height - 1, GUTTER, verdict.text, palette.output if verdict.can_learn else palette.warn)
    return sheet


def rows_of(frame: Frame, height: int, palette: Palette) -> Rows:
    """Where the rows of this frame's network stand."""
    trace = frame.scene.trace
    return rows(
        height, frame.scene.H, frame.cursor.unit, pair=palette.has_color,
        gates=tuple(gate for gate in GATES if gate in trace.gates), cell=trace.c is not None,
    )  # fmt: skip


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


# -- gates and states --------------------------------------------------------------------------------


def _gates(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette) -> None:
    """One row a gate for the chosen unit, and where there are two the mean over the units below it."""
    for name, (first, n) in place.gates.items():
        sheet.put(first, 0, GATES[name], palette.dim)
        kinds = [frame.scene.trace.gates[name][:, 0, frame.cursor.unit]]
        if n > 1:
            sheet.put(first + 1, 0, "  mean", palette.faint)
            kinds.append(frame.scene.gate_means[name])
        for y, kind in enumerate(kinds, start=first):
            for t in cols.steps:
                if t > frame.read:
                    sheet.put(y, cols.x(t), "·", palette.faint)
                elif t:
                    draw_gate = _signed if name in SIGNED else _open
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


def _states(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette) -> None:
    trace, H = frame.scene.trace, frame.scene.H
    span = f"{H} units"
    if place.units < H:
        last = place.first_unit + place.units - 1
        span = f"{place.first_unit}–{last}"
    if place.cell is not None and trace.c is not None:
        size = frame.scene.reach_c
        _heat(sheet, frame, place, place.cell, trace.c[:, 0], size, cols, palette)
        _names(sheet, place.cell, ["cell c", *([f"±{size:.3g}"] if size > 1 else [])], palette)
    size = frame.scene.reach_h
    _heat(sheet, frame, place, place.hidden, trace.h[:, 0], size, cols, palette)
    notes = [span] if place.units == H else [span, f"of {H} ↑↓"] if place.hidden[1] > 2 else [f"{span}/{H}"]
    _names(sheet, place.hidden, ["hidden h", *notes, *([f"±{size:.3g}"] if size > 1 else [])], palette)


def _names(sheet: Sheet, place: tuple[int, int], names: list[str], palette: Palette) -> None:
    for row, name in enumerate(names[: place[1]]):
        sheet.put(place[0] + row, 0, name[: GUTTER - 1], palette.faint if row else palette.dim)


def _heat(
    sheet: Sheet, frame: Frame, place: Rows, where: tuple[int, int], states: Array, reach: float, cols: Columns,
    palette: Palette,
) -> None:  # fmt: skip
    """states (T+1, H): units x time, two units to a row where they do not fit one by one. `reach` is what the
    strongest colour stands for."""
    first, n = where
    H = frame.scene.H
    for row in range(n):
        unit = place.first_unit + row * place.units_per_row
        if unit >= H:
            continue
        upper = states[:, unit].tolist()
        lower = states[:, unit + 1].tolist() if place.units_per_row == 2 and unit + 1 < H else None
        for t in cols.steps:
            x = cols.x(t)
            if t > frame.read:
                sheet.put(first + row, x, "·", palette.faint)
            elif place.units_per_row == 1:
                _one_unit(sheet, first + row, x, cols, upper[t], palette, reach)
            elif lower is not None:
                sheet.put(first + row, x, "▀" * cols.width, palette.heat(upper[t] / reach, lower[t] / reach))
            else:
                style = Style(color=palette.heat(upper[t] / reach, 0.0).color)
                sheet.put(first + row, x, "▀" * cols.width, style)


def _one_unit(
    sheet: Sheet, y: int, x: int, cols: Columns, value: float, palette: Palette, reach: float = 1.0
) -> None:
    """A unit with a row to itself: its value where it fits, and without colours at least its sign."""
    if cols.width >= 5:
        text = short(value).center(cols.width)
    elif palette.has_color:
        text = " " * cols.width
    else:
        text = short(value)[:2] + short(value)[2:3] if cols.width == 4 else ternary(value)
        text = text.ljust(cols.width)
    sheet.put(y, x, text, palette.heat_text(value / reach) if palette.has_color else palette.text)


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
    gradient, lane = frame.gradient, frame.gradient.highway
    k = frame.loss_step
    sheet.put(first, 0, f"‖∂L{subscript(k) if k is not None else ''}/∂h‖", palette.gradient)
    if frame.reached is None:
        sheet.put(first + 1, cols.left, "appears on the way back"[: cols.end - cols.left], palette.faint)
        return
    norms = [float(v) for v in gradient.norms]
    along = [] if lane is None else [float(v) for v in lane.norms]
    before = behind(frame)
    ghost = [] if before is None else [float(v) for v in before]
    axis = gradient_axis([*norms, *along, *ghost], n)
    if lane is not None:
        sheet.put(first + 1, 0, f"{DASHES[1] * 2} {lane.along}", palette.highway)
    power_labels(sheet, place.gradient, axis, palette)
    for t in cols.steps:
        if t >= frame.reached and (k is None or t <= k):
            here = t == frame.cursor.t and frame.cursor.phase is Phase.BACKWARD
            style = palette.back if here else palette.gradient
            two_paths(sheet, place.gradient, cols, t, norms, along, axis, style, palette)
        if ghost:
            _ghost(sheet, place.gradient, cols.x(t), cols.bar, ghost[t], axis, palette)
    _exponents(sheet, frame, place, cols, norms, palette)


def power_labels(sheet: Sheet, where: tuple[int, int], axis: tuple[int, int], palette: Palette) -> None:
    """The powers of ten at the upper edge of every row where one lies, in the gutter."""
    (first, n), (top, bottom) = where, axis
    for row in range(1, n):
        below = row * (top - bottom)
        if below % n == 0:
            label = power_label(top - below // n)
            sheet.put(first + row, GUTTER - 1 - len(label), label, palette.faint)


def two_paths(
    sheet: Sheet, where: tuple[int, int], cols: Columns, t: int, norms: list[float], along: list[float],
    axis: tuple[int, int], style: Style, palette: Palette,
) -> None:  # fmt: skip
    """One column of a gradient row: the bar, and the line of the highway beside it, or across it where narrow."""
    (first, n), x = where, cols.x(t)
    beside = max(1, cols.bar // 3) if along and cols.bar >= 3 else 0
    _bar(sheet, first, n, x, cols.bar - beside, norms[t], *axis, style, palette)
    if along:
        width = beside or cols.bar
        _line(sheet, where, x + cols.bar - width, width, along[t], axis, palette)


def _line(
    sheet: Sheet, where: tuple[int, int], x: int, width: int, value: float, axis: tuple[int, int], palette: Palette
) -> None:
    """A dash at the height of a value on the log axis; across a bar it is cut out of it."""
    (first, n), (top, bottom) = where, axis
    if value == 0 or not math.isfinite(value):
        y = first + n - 1 if value == 0 else first
        sheet.put(y, x, ("0" if value == 0 else "∞" if math.isinf(value) else "?") * width, palette.highway)
        return
    at = level(math.log10(value), bottom, top, 4 * n)
    y, glyph = first + at // 4, DASHES[at % 4]
    for cell in range(x, x + width):
        behind = sheet.at(y, cell)
        if behind == " ":
            sheet.put(y, cell, glyph, palette.highway)
        elif behind == BARS[-1]:
            sheet.put(y, cell, glyph, palette.highway_on_bar)
        else:  # the top of a bar: it keeps its height, and the line shows behind it
            sheet.put(y, cell, behind, palette.highway_behind)


def _ghost(
    sheet: Sheet, where: tuple[int, int], x: int, width: int, value: float, axis: tuple[int, int], palette: Palette
) -> None:
    """Dots at the height of the ghost's bar. The top of a present bar is left to be seen where it is one cell wide."""
    if value == 0 or not math.isfinite(value):
        return
    (first, n), (top, bottom) = where, axis
    at = level(math.log10(value), bottom, top, 4 * n)
    y, glyph = first + at // 4, DOTS[at % 4]
    for cell in range(x, x + width):
        in_front = sheet.at(y, cell)
        if in_front == BARS[-1]:
            sheet.put(y, cell, glyph, palette.highway_on_bar)
        elif in_front == " " or (width > 1 and cell == x + width - 1):
            sheet.put(y, cell, glyph, palette.dim)


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
    _side_gates(sheet, frame, place, left, palette)
    _side_states(sheet, frame, place, left, palette)
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
    _side_ghost(sheet, frame, place, left, palette)


def _value_of_x(frame: Frame, t: int) -> str:
    if t == 0 or t > frame.read:
        return "–"
    if frame.scene.task.input_size == 1:
        return fixed(float(frame.scene.trace.x[t - 1, 0, 0]))
    return frame.scene.task.tokens(frame.scene.sample)[t - 1]


def _side_gates(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette) -> None:
    """The gate of the chosen unit, and the mean of all units."""
    t, unit, scene = frame.cursor.t, frame.cursor.unit, frame.scene
    if not 1 <= t <= frame.read:
        return
    for name, (y, _) in place.gates.items():
        own, mean = float(scene.trace.gates[name][t - 1, 0, unit]), float(scene.gate_means[name][t - 1])
        x = sheet.put(y, left, f"{name}{subscript(unit)}".ljust(4), palette.faint)
        plus = "+" if name in SIGNED else " "
        x = sheet.put(y, x, fixed(own, 2).replace("+", plus).ljust(6), accent(frame, palette))
        sheet.put(y, x, f"ø{fixed(mean, 2).replace('+', plus)}", palette.dim)


def _side_states(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette) -> None:
    trace, t = frame.scene.trace, frame.cursor.t
    for name, where, states in (("c", place.cell, trace.c), ("h", place.hidden, trace.h)):
        if where is None or states is None:
            continue
        for row in range(where[1]):
            unit = place.first_unit + row * place.units_per_row
            x = sheet.put(where[0] + row, left, f"{name}{subscript(unit)}".ljust(4), palette.faint)
            for u in range(unit, min(unit + place.units_per_row, frame.scene.H)):
                style = accent(frame, palette) if u == frame.cursor.unit else palette.dim
                x = sheet.put(where[0] + row, x, fixed(float(states[t, 0, u]), 2).ljust(6), style)


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
        lines = _faded(gradient, t, last) if gradient.highway is None else _faded_twice(gradient, t, last)
    for i, text in enumerate(lines[: n + 1]):
        sheet.put(y + i, left, text, palette.back if i == 0 else palette.text)


def _side_ghost(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette) -> None:
    """How far the ghost's gradient reached, and what was different about it; in two rows where they are free."""
    ghost = frame.ghost
    if ghost is None:
        return
    reached = f"{DOTS[1] * 2} ghost {steps(ghost.horizon, ghost.scene.last_loss_step)}".replace("> ", ">")
    room = sheet.width - left - 1
    if len(reached) + 1 + len(ghost.name) > room and place.gradient[1] > 3:
        sheet.put(place.exponent, left, reached, palette.dim)
        reached, name = "", ghost.name
    else:
        name = f" {ghost.name}"
    text = reached + name
    sheet.put(place.time, left, text if len(text) <= room else text[: room - 1] + "…", palette.dim)


def _faded(gradient: Gradient, t: int, last: int) -> list[str]:
    lines = [
        scientific(float(gradient.norms[t])),
        f"× {factor(float(gradient.factors[t]))} this step" if t < last else "here the walk starts",
    ]
    if math.isfinite(gradient.norms[last]):
        lines += [f"half-life {steps(gradient.half_life, last)}", f"1 % horizon {steps(gradient.horizon, last)}"]
    return lines


def _faded_twice(gradient: Gradient, t: int, last: int) -> list[str]:
    """Both paths: the state itself, and the highway."""
    lane = gradient.highway
    assert lane is not None
    lines = []
    for path in (gradient, lane):
        kept = f" × {factor(float(path.factors[t]))}" if t < last else ""
        lines.append(f"{path.along} {scientific(float(path.norms[t]))}{kept}")
    if math.isfinite(gradient.norms[last]):
        for name, a, b in (
            ("half", gradient.half_life, lane.half_life),
            ("1 % ", gradient.horizon, lane.horizon),
        ):
            lines.append(f"{name} h {steps(a, last)} {lane.along} {steps(b, last)}".replace("> ", ">"))
    return lines
