"""Time travel: the training as a strip to scrub along, and below it what is left of the gradient, by lag and epoch.

loss    one bar an epoch, on a log scale; the present epoch stands out
lag     one row a lag (or every 2nd, 5th … where they do not all fit), one column an epoch: how many per cent of
        the gradient are left there, or the power of ten where it is less than one; in narrow columns the tens
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.numbers import exponent, loss, steps
from rnnviz.scene.commands import Back, Survey, Train
from rnnviz.sheet import Sheet
from rnnviz.tui.geometry import GUTTER, SIDE
from rnnviz.tui.marks import BARS, solid, stride
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.horizon_history import Profile


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    last = frame.learning.places - 1
    room = max(1, width - GUTTER - SIDE)
    count = min(last + 1, room)
    cell = min(4, room // count)
    first = min(max(0, frame.cursor.epoch - count // 2), last + 1 - count)
    epochs = range(first, first + count)
    columns = {epoch: GUTTER + (epoch - first) * cell for epoch in epochs}
    _strip(sheet, frame, columns, cell, palette)
    _axis(sheet, frame, columns, palette)
    _history(sheet, frame, columns, cell, height, palette)
    _side(sheet, frame, GUTTER + count * cell + 2, cell >= 3, palette)
    return sheet


def _strip(sheet: Sheet, frame: Frame, columns: dict[int, int], cell: int, palette: Palette) -> None:
    sheet.put(0, 0, "loss", palette.output)
    levels = [math.log10(v) for v in frame.learning.loss if 0 < v < math.inf]
    low, high = min(levels, default=0.0), max(levels, default=0.0)
    for epoch, x in columns.items():
        style = palette.accent if epoch == frame.cursor.epoch else palette.output
        value = frame.learning.loss_at(epoch)
        if value is None:
            sheet.put(0, x, "·", style)
            continue
        if not 0 < value < math.inf:
            sheet.put(0, x, "0" if value == 0 else "∞" if value == math.inf else "?", palette.warn)
            continue
        share = (math.log10(value) - low) / (high - low) if high > low else 0.5
        sheet.put(0, x, *solid(BARS[1 + round(share * 7)] * max(1, cell - 1), style))


def _axis(sheet: Sheet, frame: Frame, columns: dict[int, int], palette: Palette) -> None:
    learning = frame.learning
    sheet.put(1, 0, learning.unit, palette.dim)
    now = learning.mark(frame.cursor.epoch)
    at = columns.get(frame.cursor.epoch, GUTTER)
    free = GUTTER
    for epoch, x in columns.items():
        text = learning.mark(epoch)
        clear = x + len(text) < at or x > at + len(now)
        if x >= free and clear and int(text) % 5 == 0:
            sheet.put(1, x, text, palette.faint)
            free = x + len(text) + 1
    sheet.put(1, at, now, palette.accent + Style(underline=True))


def _history(sheet: Sheet, frame: Frame, columns: dict[int, int], cell: int, height: int, palette: Palette) -> None:
    horizons = frame.horizons
    room = height - 2
    if horizons is None or room < 1:
        return
    every = stride(horizons.lags // (room + 1) + 1)
    sheet.put(2, 0, "lag", palette.gradient)
    for row, lag in enumerate(range(every, horizons.lags + 1, every)):
        sheet.put(2 + row, GUTTER - 1 - len(str(lag)), str(lag), palette.faint)
        for epoch, x in columns.items():
            profile = horizons.profiles.get(epoch)
            if profile is None or lag >= len(profile.kept):
                continue
            text, style = _cell(profile, lag, cell, palette)
            if epoch == frame.cursor.epoch:
                style = style + Style(bold=True, underline=True)
            sheet.put(2 + row, x, text, style)


def _cell(profile: Profile, lag: int, cell: int, palette: Palette) -> tuple[str, Style]:
    """`41` per cent left, `-3`: 10^-3 of it, `<9`: less than 10^-9, `0`: nothing, `++`: all of it or more.
    In one cell `4`: 40 per cent and more, `·` less than one."""
    kept = float(profile.kept[lag])
    if not math.isfinite(kept):
        return "∞" if kept == math.inf else "?", palette.warn
    if kept == 0:
        return "0" if cell >= 3 else "·", palette.faint
    style = palette.gradient if profile.horizon is None or lag <= profile.horizon else palette.faint
    power = exponent(kept) or 0
    if cell < 3:
        return ("+" if kept >= 0.995 else "·" if kept < 0.01 else f"{10 * kept:.3f}"[0]), style
    if kept >= 0.995:
        return "++", style
    return (f"{100 * kept:2.0f}" if kept >= 0.01 else f"{power}" if power >= -9 else "<9"), style


def _side(sheet: Sheet, frame: Frame, x: int, wide: bool, palette: Palette) -> None:
    """The figures of the present epoch and of the untrained network."""
    learning, epoch = frame.learning, frame.cursor.epoch
    sheet.put(0, x, f"loss {loss(learning.loss_at(epoch))}", palette.output)
    if frame.horizons is None:
        return
    lags = frame.horizons.lags
    for y, (name, at) in enumerate((("now", epoch), (f"{learning.unit} {learning.mark(0)}", 0))):
        profile = frame.horizons.profiles.get(at)
        if profile is not None:
            text = f"horizon {steps(profile.horizon, lags, profile.fades)}"
            sheet.put(2 + y, x, f"{text.ljust(13)} {name}", palette.gradient if y == 0 else palette.dim)
    if sheet.height > 6:
        words = ("% of it left at a lag", "-3: 10^-3 of it left") if wide else ("4: 40 % and more", "0: <10 %, ·: <1 %")
        for y, text in enumerate(words):
            sheet.put(4 + y, x, text, palette.faint)


def _needs(frame: Frame) -> Command | None:
    horizons, known = frame.horizons, frame.learning.places
    if horizons is not None and horizons.sample == frame.scene.sample and len(horizons.profiles) == known:
        return None
    return Survey()


TRAVEL = Panel(
    "travel",
    "time travel",
    "how far back the gradient reached, by epoch",
    _draw,
    key="m",
    actions={
        "left": lambda frame, view: Back("epoch"),
        "right": lambda frame, view: Train("epoch"),
        "unit_up": lambda frame, view: Back("batch"),
        "unit_down": lambda frame, view: Train("batch"),
    },
    key_labels={"left": "{unit} back", "right": "on", "unit_down": "batch"},
    needs=_needs,
    shows=frozenset(("history", "gradient")),
)
