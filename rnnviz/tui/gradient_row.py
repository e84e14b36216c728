"""The gradient's part of the score: bars on a log axis, the line of the highway, the ghost, and their numbers.

‖∂L₄₀/∂h‖            ▂▄▆█      h 1.7e-04 × 0.83
⠒⠒ c   -3      ⠤⠒▁▃▅████      c 5.6e-04 × 0.84
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.glyphs import cells, lines_at_most
from rnnviz.numbers import exponent, factor, loss, scientific, steps, subscript
from rnnviz.scene.cursor import Phase
from rnnviz.sheet import Sheet
from rnnviz.tui.geometry import GUTTER, Columns, Rows
from rnnviz.tui.marks import BARS, DASHES, DOTS, SOLID, level, solid
from rnnviz.tui.palette import Palette
from rnnviz.tui.view import View
from rnnviz.words.row_name import symbol
from rnnviz.words.zero_gradients import short as short_reason

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.ghost import Ghost
    from rnnviz.scene.gradient import Gradient
    from rnnviz.views.zero_gradients import Zero


def gradient_axis(norms: list[float], n: int) -> tuple[int, int]:
    """(top, bottom): the powers of ten that hold the whole gradient row, on n rows of text.

    It covers all steps, reached or not, so that it does not move on the way back. A row is a part of a power
    of ten, or whole ones.
    """
    sizes = [v for v in norms if 0 < v < math.inf]
    highest, lowest = (exponent(max(sizes)), exponent(min(sizes))) if sizes else (None, None)
    top, bottom = (0, -1) if highest is None or lowest is None else (highest + 1, lowest)
    return top, (bottom if top - bottom < n else top - n * -(-(top - bottom) // n))


def draw_gradient(sheet: Sheet, frame: Frame, place: Rows, cols: Columns, palette: Palette, view: View) -> None:
    if place.gradient is None:
        return
    first, n = place.gradient
    gradient, lane = frame.gradient, frame.gradient.lane
    k = frame.loss_step
    time = None if k is None else frame.scene.time(k)
    sheet.put(first, 0, symbol(time, has_loss=frame.scene.has_loss), palette.gradient)
    if frame.reached is None:
        sheet.put(first + 1, cols.left, "appears on the way back", palette.faint)
        return
    if view.hides("gradient"):
        sheet.put(first + 1, cols.left, view.waits, palette.dim)
        return
    if gradient.waits:
        sheet.put(first + 1, cols.left, "not worked out yet", palette.faint)
        return
    norms = [float(v) for v in gradient.norms]
    along = [] if lane is None else [float(v) for v in lane.norms]
    from rnnviz.views.ghost import behind

    before = behind(frame) if view.knows("ghost") and not view.hides("others") else None
    ghost = [] if before is None else [float(v) for v in before]
    axis = gradient_axis([*norms, *along, *ghost], n)
    if not view.knows("gates"):
        along = []
    elif lane is not None:
        sheet.put(
            first + 1,
            0,
            DASHES[1] * 2 + f" {lane.along}" if len(lane.along) < 3 else DASHES[1] + lane.along,
            palette.highway,
        )
    power_labels(sheet, place.gradient, axis, palette)
    for t in cols.steps:
        if t >= frame.reached and (k is None or t <= k):
            here = t == frame.cursor.t and frame.cursor.phase is Phase.BACKWARD
            style = palette.back if here else palette.gradient if t >= first_used(frame) else palette.dim
            two_paths(sheet, place.gradient, cols, t, norms, along, axis, style, palette)
        if ghost:
            _ghost(sheet, place.gradient, cols.x(t), cols.bar, ghost[t], axis, palette)
    _exponents(sheet, frame, place.exponent or first + n, cols, norms, palette)


def power_labels(
    sheet: Sheet, where: tuple[int, int], axis: tuple[int, int], palette: Palette, before: str = ""
) -> None:
    """The powers of ten at the upper edge of every row where one lies, in the gutter; with `before` where no axis
    says that they are powers."""
    (first, n), (top, bottom) = where, axis
    for row in range(1, n):
        below = row * (top - bottom)
        if below % n == 0:
            label = before + power_label(top - below // n)
            sheet.put(first + row, GUTTER - 1 - len(label), label, palette.faint)


def two_paths(
    sheet: Sheet, where: tuple[int, int], cols: Columns, t: int, norms: list[float], along: list[float],
    axis: tuple[int, int], style: Style, palette: Palette,
) -> None:  # fmt: skip
    """One column of a gradient row: the bar, and the line of the highway beside it, or across it where narrow."""
    (first, n), x = where, cols.x(t)
    beside = max(1, cols.bar // 3) if along and cols.bar >= 3 else 0
    bar(sheet, first, n, x, cols.bar - beside, norms[t], *axis, style, palette)
    if along:
        width = beside or cols.bar
        _line(sheet, where, x + cols.bar - width, width, along[t], axis, palette)


def _line(
    sheet: Sheet, where: tuple[int, int], x: int, width: int, value: float, axis: tuple[int, int], palette: Palette
) -> None:
    """A dash at the height of a value on the log axis; across a bar it is cut out of it. Below the axis: none."""
    (first, n), (top, bottom) = where, axis
    if value == 0 or not math.isfinite(value):
        y = first + n - 1 if value == 0 else first
        sheet.put(y, x, ("0" if value == 0 else "∞" if math.isinf(value) else "?") * width, palette.highway)
        return
    if math.log10(value) < bottom:
        return
    at = level(math.log10(value), bottom, top, 4 * n)
    y, glyph = first + at // 4, DASHES[at % 4]
    for cell in range(x, x + width):
        behind = sheet.at(y, cell)
        if behind == " ":
            sheet.put(y, cell, glyph, palette.highway)
        elif behind in SOLID:
            sheet.put(y, cell, glyph, palette.highway_on_bar)
        else:  # the top of a bar keeps its height, in the colour of the line that runs there
            sheet.put(y, cell, behind, palette.highway)


def _ghost(
    sheet: Sheet, where: tuple[int, int], x: int, width: int, value: float, axis: tuple[int, int], palette: Palette
) -> None:
    """Dots at the height of the ghost's bar. They do not cover the top of a present bar that is one cell wide."""
    if value == 0 or not math.isfinite(value):
        return
    (first, n), (top, bottom) = where, axis
    at = level(math.log10(value), bottom, top, 4 * n)
    y, glyph = first + at // 4, DOTS[at % 4]
    for cell in range(x, x + width):
        in_front = sheet.at(y, cell)
        if in_front in SOLID:
            sheet.put(y, cell, glyph, palette.highway_on_bar)
        elif in_front == " " or (width > 1 and cell == x + width - 1):
            sheet.put(y, cell, glyph, palette.dim)


def _exponents(sheet: Sheet, frame: Frame, y: int, cols: Columns, norms: list[float], palette: Palette) -> None:
    """The power of ten of each bar; where columns are narrow, only where it changes and there is room."""
    sheet.put(y, GUTTER - 4, "10^", palette.faint)
    free, last_label = cols.left, ""
    for t in cols.steps:
        if t < (frame.reached or 0) or (frame.loss_step is not None and t > frame.loss_step):
            continue
        label = power_label(exponent(norms[t]), norms[t])
        x = cols.x(t)
        if cols.bar >= 3 or (label != last_label and x >= free and x + len(label) <= cols.end):
            here = t == frame.cursor.t and frame.cursor.phase is Phase.BACKWARD
            sheet.put(y, x, label[: max(cols.bar, 4)], palette.back if here else palette.gradient)
            free, last_label = x + len(label) + 1, label


def power_label(power: int | None, value: float = 0.0) -> str:
    """`-4` of a number around 1e-4; a true 0, inf and nan say so."""
    if power is None:
        return scientific(value)
    return f"{power}"


def bar(
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
            sheet.put(first + row, x, *solid(BARS[fill] * width, style))


def write_gradient(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette, view: View) -> None:
    if place.gradient is None:
        return
    y, n = place.gradient
    gradient, t = frame.gradient, frame.cursor.t
    if frame.reached is None:
        if frame.cursor.phase is Phase.LOSS and not frame.scene.has_loss:
            sheet.put(y, left, "no loss", palette.back)
        elif frame.cursor.phase is Phase.LOSS:
            value = "?" if view.hides("loss") else loss(frame.scene.loss)
            sheet.put(y, left, f"loss {value}", palette.back)
        return
    if view.hides("gradient"):
        sheet.put(y, left, view.waits, palette.dim)
        return
    if frame.loss_step is not None and t > frame.loss_step:
        k = frame.scene.time(frame.loss_step)
        whose = f"the loss of step {k}" if frame.scene.has_loss else f"h{subscript(k)}"
        lines = ["not reached by", whose]
    elif gradient.waits:
        lines = ["not known yet"]
    else:
        last = frame.T if frame.loss_step is None else frame.loss_step
        one = gradient.lane is None or not view.knows("gates")
        room = sheet.width - left
        lines = _faded(frame, gradient, t, last) if one else _faded_twice(frame, gradient, t, last, room)
        if t < first_used(frame):
            lines.insert(2, f"not used: t < {first_used(frame)}")
    for i, text in enumerate(lines[: n + 1]):
        sheet.put(y + i, left, text, palette.back if i == 0 else palette.text)


def write_ghost(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette) -> None:
    """The ghost's horizon and its different settings, in the free rows."""
    ghost = frame.ghost
    if ghost is None or place.gradient is None or place.exponent is None or not ghost.is_like(frame.experiment):
        return
    free = [y for y in (place.exponent, place.time) if is_blank(sheet, y, left)]
    first, reached = (free or [place.time])[0], its_horizon(ghost)
    dots, whole = DOTS[1] * 2, f"{DOTS[1] * 2} ghost: {ghost.name}, 1 % horizon {reached}"
    room = sheet.width - left - 1
    if not free:  # after the steps in view, without how many there are: "0–49" of 61
        in_view = sheet.plain()[first][left:].partition(" of ")[0].rstrip()
        sheet.put(first, left, " " * (sheet.width - left))
        left = sheet.put(first, left, in_view, palette.dim) + 2
        room = sheet.width - left
    if cells(whole) <= room:
        sheet.put(first, left, whole, palette.dim)
        return
    one, _, more = ghost.name.partition(" · ")
    rest = " …" if more else ""
    value = one.rpartition(" ")[2]
    least = f"{dots} {value}{rest}" if value.isalpha() else f"{dots} {one}"  # a number alone says nothing
    forms = (f"{dots} ghost: {ghost.name}", f"{dots} {ghost.name}", f"{dots} {one}{rest}", least)
    named = fitting(room, *forms)
    sheet.put(first, left, f"{dots} ghost" if named == f"{dots}…" else named, palette.dim)
    if len(free) > 1:
        far = (f"its 1 % horizon {reached}", f"its horizon {reached}", reached)
        sheet.put(free[1], left, fitting(room, *far), palette.dim)


def first_used(frame: Frame) -> int:
    """The first step whose gradient a truncated update uses; 0 if it uses all, and for the total, to which each loss
    step adds its own stretch."""
    from rnnviz.views import reach as reaching

    truncation, k = frame.truncation, frame.loss_step
    first = 1 if k is None else reaching.first_used(k, truncation, frame.scene.task.seq_len)
    return first if first > 1 else 0


def its_horizon(ghost: Ghost) -> str:
    last = ghost.scene.last_loss_step
    return steps(ghost.horizon, last, ghost.scene.gradient(last).fades)


def is_blank(sheet: Sheet, y: int, left: int) -> bool:
    """Whether row y is empty from this column on."""
    return all(sheet.at(y, x) == " " for x in range(left, sheet.width))


def fitting(room: int, *forms: str) -> str:
    """The first form that fits; if none does, the last, cut between words."""
    return next((form for form in forms if cells(form) <= room), "".join(lines_at_most(forms[-1], room, 1)))


def write_check(sheet: Sheet, frame: Frame, place: Rows, left: int, palette: Palette) -> None:
    """The result of a gradient check that has run: below the numbers of the gradient if there is room, else beside."""
    from rnnviz.views import analysis

    figure = analysis.checked(frame.scene)
    if figure is None or place.gradient is None or place.exponent is None:
        return
    mark, style = ("✓", palette.output) if analysis.agrees(figure) else ("✗", palette.warn)
    whole, short_form = f"{mark} checked {scientific(figure, 0)}", f"{mark} {scientific(figure, 0)}"
    for y in (place.exponent, place.time):
        if is_blank(sheet, y, left):
            sheet.put(y, left, whole, style)
            return
    y = place.gradient[0]
    end = max((x + 1 for x in range(left, sheet.width) if sheet.at(y, x) != " "), default=left)
    sheet.put(y, end + 1, short_form if end + 1 + len(short_form) <= sheet.width else mark, style)


def _faded(frame: Frame, gradient: Gradient, t: int, last: int) -> list[str]:
    zero = _zero_at(frame, t)
    start = "here the walk starts" if t == last else f"{times(gradient, t)} this step"
    lines = [scientific(float(gradient.norms[t])), short_reason(zero) if zero else start]
    if gradient.grows:
        lines.append("it grows backwards")
    elif last and gradient.norms[last - 1] == 0 < gradient.norms[last]:
        lines.append("gone in one step")
    elif gradient.fades:
        lines += [f"half-life {steps(gradient.half_life, last)}"] if gradient.half_life is not None else []
        lines.append(f"1 % horizon {steps(gradient.horizon, last)}")
    return lines


def _zero_at(frame: Frame, t: int, along: str = "h") -> Zero | None:
    from rnnviz.views.zero_gradients import zero_at

    return zero_at(frame.scene, frame.loss_step, t, along)


def times(path: Gradient, t: int) -> str:
    """`× 0.83`: the factor of the step from t+1 back to t; empty if the gradient was 0 before."""
    return "" if path.norms[t] == 0 and math.isnan(path.factors[t]) else f"× {factor(float(path.factors[t]))}"


def horizons(last: int, room: int, *paths: Gradient | None) -> str:
    """`h 2.9 c all 40`: the horizon along each path, of `last` steps; `h c all 40` if they are equal; `h 2.9 c all` if
    that would not fit; `–` where the gradient grows."""
    known = [path for path in paths if path is not None]
    lags = [steps(path.horizon, last, fades=path.fades and not path.grows) for path in known]
    if len(set(lags)) == 1:
        return " ".join([*(path.along for path in known), lags[0]])
    text = " ".join(f"{path.along} {lag}" for path, lag in zip(known, lags, strict=True))
    return text if len(text) <= room else text.replace(f"all {last}", "all")


def half_lives(room: int, *paths: Gradient | None) -> str:
    """`half-life c 2.8` for the paths that have one, `half h 1.0 c 2.8` if that would not fit; empty if none has."""
    found = " ".join(
        f"{path.along} {steps(path.half_life, 0)}" for path in paths if path and path.half_life is not None
    )
    return f"half{'-life' * (len('half-life ') + len(found) <= room)} {found}" if found else ""


def _faded_twice(frame: Frame, gradient: Gradient, t: int, last: int, room: int) -> list[str]:
    """Both paths: the state itself, and the highway."""
    lane = gradient.lane
    assert lane is not None
    lines = []
    for path in (gradient, lane):
        kept = times(path, t) if t < last else ""
        zero = _zero_at(frame, t, path.along)
        figure = (
            f"0: {short_reason(zero).partition(' at ')[0]}" if zero else f"{scientific(float(path.norms[t]))} {kept}"
        )
        lines.append(f"{path.along} {figure}".rstrip())
    if gradient.fades or lane.fades:
        lines += filter(None, [half_lives(room, gradient, lane)])
        lines.append(f"1 %  {horizons(last, room - 5, gradient, lane)}")
    return lines
