"""The plots: loss per epoch, the sine with the network's fit, and the sine it makes when fed by itself.

    print(loss_curve([0.5, 0.2, 0.1], [0.6, 0.3, 0.2], epoch_cursor=2, width=60, height=10))

Each function is pure: numbers in, text of exactly `width` × `height` cells out. plotext draws the curves, and
this is the only module that knows it. What it does not do well is done here: nan and inf become gaps and are
told in words (a nan would end the process, an inf raises), a logarithm is taken before, with ticks of its
own, and its figure, which is global, is cleared for each curve. So: call from one thread only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rnnviz.tui import plotext_private

RGB = tuple[int, int, int]
BLUE: RGB = (0x4C, 0x9B, 0xE8)
ORANGE: RGB = (0xE8, 0x95, 0x4C)
GREY: RGB = (0x8A, 0x8A, 0x8A)

Numbers = Sequence[float]

_BRAILLE = 0x2800
_plotext: Any = None


def loss_curve(
    loss: Numbers,
    val_loss: Numbers = (),
    epoch_cursor: int | None = None,
    width: int = 60,
    height: int = 12,
    color: bool = True,
    *,
    baseline: float | None = None,
    upto: int = 0,
    ascii: bool = False,
    primary: RGB = ORANGE,
    secondary: RGB = BLUE,
    quiet: RGB = GREY,
) -> str:
    """Training and validation loss per epoch on a logarithmic scale; loss[0] belongs to epoch 1.

    `epoch_cursor` marks an epoch (0, before any training, is the left edge). `baseline` is drawn as a dotted
    line: what a guess would score. `upto` is the epoch at which a training under way will end: the axis has room
    for it, so that the curve grows and the axis stays. A loss of 0, which no logarithm has, is left out like nan
    and inf.
    """
    signs = _signs(ascii)
    epochs = max(len(loss), len(val_loss))
    last = max(epochs, upto, 2)
    curves = [
        Curve("training", _log10(loss), 1, primary, signs.line),
        Curve("validation", _log10(val_loss), 1, secondary, signs.dot),
    ]
    newest = [_newest(loss), _newest(val_loss)]
    levels = [y for c in curves for y in c.y if math.isfinite(y)]
    if baseline is not None and baseline > 0 and math.isfinite(baseline) and levels:
        level = math.log10(baseline)
        curves.append(Curve("guess", [level] * (last if upto else epochs), 1, quiet, signs.dotted))
        newest.append(f"{baseline:.3g}")
        levels.append(level)
    plot = Page(width, height, signs, quiet)
    low, high = _room(levels, 0.05, 0.1)
    ticks = _log_ticks(low, high, height) if levels else []
    plot.frame((1, last), (low, high), ticks, "epoch", last=upto or epochs)
    for curve in (*curves[2:], curves[0], plot.thinned(curves[1])):  # where both are alike neither hides the other
        plot.curve(curve)
    if epoch_cursor is not None and epochs:
        plot.mark(max(epoch_cursor, 1), f"{epoch_cursor}", on_axis=True)
    plot.legend("loss", [(c, f"{c.name} {value}", value) for c, value in zip(curves, newest, strict=True) if c.y])
    if not epochs:
        plot.note("no epoch yet")
    else:
        plot.note(_not_finite("loss", loss, "epoch", 1) or _not_finite("validation", val_loss, "epoch", 1))
    return plot.text(color)


def sine_fit(
    series: Numbers,
    fit: Numbers = (),
    width: int = 60,
    height: int = 12,
    color: bool = True,
    *,
    start: int = 0,
    clean: Numbers = (),
    ascii: bool = False,
    primary: RGB = ORANGE,
    secondary: RGB = BLUE,
    quiet: RGB = GREY,
) -> str:
    """The noisy series as points, the sine without its noise as a dotted line, and the one-step-ahead fit.

    fit[j] is what the network said series[start + j] would be.
    """
    signs = _signs(ascii)
    curves = [
        Curve("fit", list(fit), start, primary, signs.line),
        Curve("data", list(series), 0, quiet, signs.dot),
        Curve("sine", list(clean), 0, secondary, signs.dotted),
    ]
    plot = _over_points(series, curves, width, height, signs, quiet)
    plot.note(_not_finite("fit", fit, "point", start + 1) or _not_finite("data", series, "point", 1))
    return plot.text(color)


def self_fed(
    series: Numbers,
    prediction: Numbers = (),
    start: int = 0,
    width: int = 60,
    height: int = 12,
    color: bool = True,
    *,
    ascii: bool = False,
    primary: RGB = ORANGE,
    secondary: RGB = BLUE,
    quiet: RGB = GREY,
) -> str:
    """The series as points, and the network going on alone: prediction[j] stands for series[start + j].

    The mark stands at series[start], the first value that is the network's own and that it then reads.
    """
    signs = _signs(ascii)
    curves = [
        Curve("fed by itself", list(prediction), start, primary, signs.line),
        Curve("data", list(series), 0, quiet, signs.dot),
    ]
    plot = _over_points(series, curves, width, height, signs, quiet)
    if len(prediction):
        plot.mark(start, "from here it feeds on itself")
    plot.note(_not_finite("prediction", prediction, "point", start + 1))
    return plot.text(color)


def _over_points(series: Numbers, curves: list[Curve], width: int, height: int, signs: Signs, quiet: RGB) -> Page:
    """A page over the points of the series. Its scale is the data's: a curve that runs away leaves it."""
    own = [float(y) for y in series if math.isfinite(y)]
    others = [float(y) for c in curves for y in c.y if math.isfinite(y)]
    low, high = _room(own, 0.1, 0.1)
    span = high - low
    low = max(low - span, min([low, *others]))
    high = min(high + span, max([high, *others]))
    points = max([len(series)] + [c.start + len(c.y) for c in curves])
    page = Page(width, height, signs, quiet)
    page.frame((0, max(points - 1, 1)), (low, high), _ticks(low, high, height), "point", first=1)
    for curve in reversed(curves):
        page.curve(curve)
    page.legend("", [(c, c.name, c.name) for c in curves if c.y])
    if not points:
        page.note("no points")
    return page


@dataclass(frozen=True)
class Signs:
    """The characters a plot is made of: braille and lines, or plain ASCII."""

    line: str  # legend sign of a drawn line
    dot: str
    dotted: str
    tick: str
    mark: str
    up: str
    marker: str  # what plotext draws a line with


_UNICODE = Signs(line="━", dot="•", dotted="·", tick="╶", mark="│", up="▲", marker="braille")
_ASCII = Signs(line="*", dot="o", dotted=".", tick="-", mark="|", up="^", marker="*")


def _signs(ascii: bool) -> Signs:
    return _ASCII if ascii else _UNICODE


@dataclass(frozen=True)
class Curve:
    """y[j] stands at x = start + j. Its sign says how it is drawn: a line, single dots, or a dotted line."""

    name: str
    y: list[float]
    start: int
    color: RGB
    sign: str

    def runs(self) -> list[tuple[list[float], list[float]]]:
        """The finite stretches as (x, y) lists: a gap wherever a value is not finite."""
        runs: list[tuple[list[float], list[float]]] = []
        inside = False
        for j, y in enumerate(self.y):
            if math.isfinite(y):
                if not inside:
                    runs.append(([], []))
                runs[-1][0].append(float(self.start + j))
                runs[-1][1].append(float(y))
            inside = math.isfinite(y)
        return runs


@dataclass
class Page:
    """width × height cells, each a character and a colour; curves, ticks, marks and notes are laid into it.

    The first row is the legend, the last the x axis, the columns on the left the y axis; on a page too small
    for them they are left out, the curves stay.
    """

    width: int
    height: int
    signs: Signs
    quiet: RGB
    cells: dict[tuple[int, int], tuple[str, RGB | None]] = field(default_factory=dict)
    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)
    left: int = 0  # columns of the y axis
    top: int = 0
    bottom: int = 0
    _name: tuple[int, int] = (0, 0)  # where the x axis' name stands, and its length

    def put(self, row: int, column: int, text: str, color: RGB | None) -> None:
        for k, character in enumerate(text):
            if 0 <= row < self.height and 0 <= column + k < self.width:
                self.cells[row, column + k] = character, color

    def blank(self, row: int, column: int, n: int = 1) -> bool:
        return not any((row, k) in self.cells for k in range(column, column + n))

    @property
    def columns(self) -> int:
        return self.width - self.left

    @property
    def rows(self) -> int:
        return self.height - self.top - self.bottom

    def column(self, x: float) -> int:
        low, high = self.x
        return self.left + round((x - low) / (high - low) * (self.columns - 1))

    def row(self, y: float) -> int:
        low, high = self.y
        return self.top + round((high - y) / (high - low) * (self.rows - 1))

    def frame(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        y_ticks: list[tuple[float, str]],
        x_name: str,
        first: int = 0,
        last: float = math.inf,
    ) -> None:
        """Set the scales and write the axes. The x axis counts from `first` where the data count from 0, and up to
        `last`: what lies beyond has no number."""
        self.x, self.y = (float(x[0]), float(x[1])), y
        self.top, self.bottom = int(self.height >= 4), int(self.height >= 3)
        longest = max((len(label) for _, label in y_ticks), default=0)
        self.left = longest + 2 if self.width >= longest + 2 + 12 else 0
        if self.left:
            for value, label in y_ticks:
                row = self.row(value)
                if self.blank(row, 0):
                    self.put(row, 0, label.rjust(longest) + self.signs.tick, self.quiet)
        if self.bottom and y_ticks:
            self._x_axis(x_name, first, last)

    def _x_axis(self, name: str, first: int, last: float) -> None:
        """Numbers under their columns; the name of the axis where there is room, first to the right end."""
        row, (low, high) = self.height - 1, self.x
        for value in _whole_ticks(low + first, high + first, self.columns // 9):
            if value > last:
                continue
            label = str(value)
            column = min(self.column(value - first) - len(label) // 2, self.width - len(label))
            column = max(column, self.left)
            if self.blank(row, column - 1, len(label) + 2):
                self.put(row, column, label, self.quiet)
        for column in range(self.width - len(name) - 1, self.left, -1):
            if self.blank(row, column - 1, len(name) + 2):
                self.put(row, column, name, self.quiet)
                self._name = (column, len(name))
                return

    def curve(self, curve: Curve) -> None:
        """Lay a curve over what is there; braille dots of two curves in one cell are joined."""
        if self.rows < 1 or self.columns < 1:
            return
        line = curve.sign == self.signs.line
        runs = curve.runs()
        if curve.sign == self.signs.dot:  # dots have no gaps
            runs = [([x for xs, _ in runs for x in xs], [y for _, ys in runs for y in ys])] if runs else []
        for xs, ys in runs:
            if curve.sign == self.signs.dotted:
                xs, ys = self._every_other_column(xs, ys)
            joined = line and len(xs) > 1
            marker = self.signs.marker if joined else curve.sign
            drawn = _draw(xs, ys, self.columns, self.rows, self.x, self.y, marker, lines=joined)
            for r, text in enumerate(drawn):
                for c, character in enumerate(text):
                    if character != " ":
                        self._merge(self.top + r, self.left + c, character, curve.color)

    def thinned(self, dots: Curve) -> Curve:
        """Dots that leave a line below them to be seen: every third column has one at most, the last point always."""
        step = max(1, math.ceil(3 * len(dots.y) / max(1, self.columns)))
        last = len(dots.y) - 1
        return replace(dots, y=[y if (last - j) % step == 0 else math.nan for j, y in enumerate(dots.y)])

    def _every_other_column(self, xs: list[float], ys: list[float]) -> tuple[list[float], list[float]]:
        """The values between the given points, one for every second column: a dotted line."""
        low, high = self.x
        wide = (high - low) / max(1, self.columns - 1)
        at = [low + c * wide for c in range(0, self.columns, 2)]
        inside = [x for x in at if xs[0] <= x <= xs[-1]]
        values = []
        for x in inside:
            j = min(int(x - xs[0]), max(0, len(xs) - 2))  # the points stand 1 apart
            share = x - xs[j]
            values.append(ys[j] + share * (ys[min(j + 1, len(ys) - 1)] - ys[j]))
        return inside, values

    def _merge(self, row: int, column: int, character: str, color: RGB) -> None:
        before, _ = self.cells.get((row, column), (" ", None))
        if _is_braille(before) and _is_braille(character):
            character = chr(_BRAILLE | (ord(before) - _BRAILLE) | (ord(character) - _BRAILLE))
        self.put(row, column, character, color)

    def mark(self, x: float, label: str, on_axis: bool = False) -> None:
        """A vertical line at x through the empty cells, with its label on the side that has room, or under it."""
        if self.rows < 1 or not self.x[0] <= x <= self.x[1]:
            return
        column = self.column(x)
        for row in range(self.top, self.top + self.rows):
            if self.blank(row, column):
                self.put(row, column, self.signs.mark, self.quiet)
        if on_axis:
            if self.bottom:
                text = f"{self.signs.up}{label}"
                start = min(column, self.width - len(text))
                at, length = self._name
                if at < start + len(text) + 1 and start - 1 < at + length:  # the mark says more than the name
                    self.put(self.height - 1, at, " " * length, None)
                self.put(self.height - 1, start - 1, f" {text} ", None)
            return
        text = f" {label} "
        start = column + 1
        if start + len(text) > self.width:  # no room on the right: before the line
            start = max(0, column - len(text))
            text = text[: column - start]
        rows = range(self.top, self.top + self.rows)
        self.put(next((row for row in rows if self.blank(row, start, len(text))), self.top), start, text, None)

    def legend(self, title: str, entries: list[tuple[Curve, str, str]]) -> None:
        """The title, then (curve, words, fewer words) with its sign, in the first row: as much as fits."""
        if not self.top:
            return
        start = self.left + (len(title) + 3 if title else 0)
        self.put(0, self.left, title, None)
        words = [full for _, full, _ in entries]
        if start + sum(len(word) + 6 for word in words) - 3 > self.width:
            words = [fewer for _, _, fewer in entries]
        column = start
        for (curve, _, _), word in zip(entries, words, strict=True):
            if column + 3 + len(word) > self.width:
                return
            self.put(0, column, curve.sign * 2, curve.color)
            self.put(0, column + 3, word, None)
            column += 3 + len(word) + 3

    def note(self, text: str | None) -> None:
        """Words on the plot itself, in its first free row from the bottom."""
        if not text or self.rows < 1:
            return
        text = text[: self.columns]
        rows = range(self.top + self.rows - 1, self.top - 1, -1)
        free = [row for row in rows if self.blank(row, self.left, len(text))]
        self.put(free[0] if free else rows[0], self.left, text, None)

    def text(self, color: bool) -> str:
        """The page row by row; with `color`, in 24-bit ANSI colours, each row ending in a reset."""
        return "\n".join(self._row_text(row, color) for row in range(self.height))

    def _row_text(self, row: int, color: bool) -> str:
        parts: list[str] = []
        now: RGB | None = None
        for column in range(self.width):
            character, wanted = self.cells.get((row, column), (" ", now))
            if color and wanted != now:
                parts.append("\x1b[0m" if wanted is None else "\x1b[38;2;{};{};{}m".format(*wanted))
                now = wanted
            parts.append(character)
        if now is not None:
            parts.append("\x1b[0m")
        return "".join(parts)


# -- numbers ---------------------------------------------------------------------------------------------


def _log10(values: Numbers) -> list[float]:
    return [math.log10(v) if math.isfinite(v) and v > 0 else math.nan for v in values]


def _newest(values: Numbers) -> str:
    """The newest value in words, as it is: nan and inf too."""
    return f"{values[-1]:.3g}" if len(values) else ""


def _not_finite(name: str, values: Numbers, unit: str, first: int) -> str | None:
    for j, value in enumerate(values):
        if not math.isfinite(value):
            return f"{name} not finite from {unit} {first + j}"
    return None


def _room(values: list[float], share: float, least: float) -> tuple[float, float]:
    """The range of the values with some air around it; never empty, never beyond what a float can hold."""
    limit = 1e300
    if not values:
        return -1.0, 1.0
    low, high = max(min(values), -limit), min(max(values), limit)
    air = max((high - low) * share, least, abs(high) * 1e-9, abs(low) * 1e-9)
    return low - air, high + air


def _ticks(low: float, high: float, height: int) -> list[tuple[float, str]]:
    """Round numbers between low and high, about one for every three rows, all with the same decimals."""
    step = _round_step((high - low) / max(1, min(height // 3, 5)))
    first = math.ceil(low / step)
    n = math.floor(high / step) - first + 1
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    plain = step < 1e5 and decimals <= 4 and max(abs(low), abs(high)) < 1e6
    values = [(first + k) * step + 0.0 for k in range(n)]
    return [(value, f"{value:.{decimals}f}" if plain else f"{value:.0e}") for value in values]


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * (1 - 1e-9))


def _log_ticks(low: float, high: float, height: int) -> list[tuple[float, str]]:
    """Ticks of a log10 axis, labelled with the value itself: 1, 2, 5 in a few decades, then powers of 10."""
    most = max(2, height // 2)
    for multiples in ((1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5), (1, 3), (1,)):
        ticks = [
            (math.log10(m) + e, _plain(m, e))
            for e in range(math.floor(low), math.ceil(high) + 1)
            for m in multiples
            if low <= math.log10(m) + e <= high
        ]
        if len(ticks) <= most:
            return ticks
    return ticks[:: math.ceil(len(ticks) / most)]


def _plain(multiple: float, exponent: int) -> str:
    if -4 <= exponent <= 4:
        return f"{multiple * 10.0**exponent:.10g}"
    return f"{multiple:g}e{exponent:+03d}"


def _whole_ticks(low: float, high: float, most: int) -> list[int]:
    """The ends and round whole numbers between them."""
    first, last = math.ceil(low), math.floor(high)
    step = max(1, math.ceil(_round_step(max(1e-9, (last - first) / max(1, most)))))
    return [first, last, *range((first // step + 1) * step, last, step)] if last > first else [first]


# -- plotext ---------------------------------------------------------------------------------------------


def _draw(
    xs: list[float],
    ys: list[float],
    width: int,
    height: int,
    x: tuple[float, float],
    y: tuple[float, float],
    marker: str,
    *,
    lines: bool,
) -> list[str]:
    """One finite curve on an empty canvas of width × height cells, without axes, as rows of characters.

    Values far off the canvas are brought nearer: plotext aborts where a position does not fit an integer.
    """
    far = 8 * (y[1] - y[0])
    ys = [min(max(value, y[0] - far), y[1] + far) for value in ys]
    figure = _load().figure
    figure.clear()
    figure.plot_size(width, height)
    figure.axes(False)
    for axis, limits in (("x", x), ("y", y)):
        figure.ruler(axis).lim(*limits)
        figure.ruler(axis).ticks([], [])
    signal = figure.signal(xs, ys, marker=marker)
    if lines:
        signal.lines()
    figure.draw(signal)
    rows: list[str] = figure.build().string(colorless=True).split("\n")
    return rows[:height]


def _load() -> Any:
    """plotext, imported at the first plot."""
    global _plotext
    if _plotext is None:
        _plotext = plotext_private.load()
        _plotext.terminal.limit(False, False)
    return _plotext


def _is_braille(character: str) -> bool:
    return _BRAILLE <= ord(character) <= _BRAILLE + 0xFF
