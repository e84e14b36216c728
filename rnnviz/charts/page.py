"""The page of a chart: axes, curves, marks and notes on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.style import Style

from rnnviz.charts.plotext_line import draw
from rnnviz.charts.scale import whole_ticks
from rnnviz.sheet import Sheet

_BRAILLE = 0x2800


@dataclass(frozen=True)
class Signs:
    """The characters of a plot: braille and lines, or plain ASCII."""

    line: str  # legend sign of a drawn line
    dot: str
    dotted: str
    tick: str
    mark: str
    up: str
    marker: str  # plotext's marker for a line


UNICODE = Signs(line="━", dot="•", dotted="·", tick="╶", mark="│", up="▲", marker="braille")
ASCII = Signs(line="*", dot="o", dotted=".", tick="-", mark="|", up="^", marker="*")


def signs_of(ascii: bool) -> Signs:
    return ASCII if ascii else UNICODE


@dataclass(frozen=True)
class Curve:
    """A curve: y[j] is the value at x = start + j. Its sign selects a line, single dots, or a dotted line."""

    name: str
    y: list[float]
    start: int
    ink: Style | None
    sign: str

    def runs(self) -> list[tuple[list[float], list[float]]]:
        """The finite parts of the curve as (x, y) lists; values that are not finite leave a gap."""
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


class Page:
    """A sheet with axes, for curves, ticks, marks and notes.

    The first row is the legend, the last row the x axis, the columns on the left the y axis; a page that is too small
    for them shows the curves only.
    """

    def __init__(self, width: int, height: int, signs: Signs, quiet: Style | None) -> None:
        self.width, self.height, self.signs, self.quiet = width, height, signs, quiet
        self._sheet = Sheet(width, height)
        self._x, self._y = (0.0, 1.0), (0.0, 1.0)
        self._left, self._top, self._bottom = 0, 0, 0  # columns of the y axis, rows of legend and x axis
        self._name = (0, 0)  # column and length of the x axis' name

    @property
    def columns(self) -> int:
        return self.width - self._left

    @property
    def rows(self) -> int:
        return self.height - self._top - self._bottom

    def column(self, x: float) -> int:
        low, high = self._x
        return self._left + round((x - low) / (high - low) * (self.columns - 1))

    def row(self, y: float) -> int:
        low, high = self._y
        return self._top + round((high - y) / (high - low) * (self.rows - 1))

    def frame(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        y_ticks: list[tuple[float, str]],
        x_name: str,
        first: int = 0,
        last: float = math.inf,
    ) -> None:
        """Set the scales and write the axes. The number of x = 0 on the x axis is `first`; numbers beyond `last` are
        left out."""
        self._x, self._y = (float(x[0]), float(x[1])), y
        self._top, self._bottom = int(self.height >= 4), int(self.height >= 3)
        longest = max((len(label) for _, label in y_ticks), default=0)
        self._left = longest + 2 if self.width >= longest + 2 + 12 else 0
        if self._left:
            for value, label in y_ticks:
                row = self.row(value)
                if self._sheet.is_free(row, 0):
                    self._sheet.put(row, 0, label.rjust(longest) + self.signs.tick, self.quiet)
        if self._bottom and y_ticks:
            self._x_axis(x_name, first, last)

    def _x_axis(self, name: str, first: int, last: float) -> None:
        """Write the numbers under their columns, and the name of the axis in the rightmost free place."""
        row, (low, high) = self.height - 1, self._x
        for value in whole_ticks(low + first, high + first, self.columns // 9):
            if value > last:
                continue
            label = str(value)
            column = min(self.column(value - first) - len(label) // 2, self.width - len(label))
            column = max(column, self._left)
            if self._sheet.is_free(row, column - 1, len(label) + 2):
                self._sheet.put(row, column, label, self.quiet)
        for column in range(self.width - len(name) - 1, self._left, -1):
            if self._sheet.is_free(row, column - 1, len(name) + 2):
                self._sheet.put(row, column, name, self.quiet)
                self._name = (column, len(name))
                return

    def curve(self, curve: Curve) -> None:
        """Draw a curve over the existing content; braille dots of two curves in one cell are combined."""
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
            drawn = draw(xs, ys, self.columns, self.rows, self._x, self._y, marker, lines=joined)
            for r, text in enumerate(drawn):
                for c, character in enumerate(text):
                    if character != " ":
                        self._merge(self._top + r, self._left + c, character, curve.ink)

    def thinned(self, dots: Curve) -> Curve:
        """Fewer dots, so that a line below them stays visible: at most one in three columns, always the last point."""
        step = max(1, math.ceil(3 * len(dots.y) / max(1, self.columns)))
        last = len(dots.y) - 1
        return replace(dots, y=[y if (last - j) % step == 0 else math.nan for j, y in enumerate(dots.y)])

    def _every_other_column(self, xs: list[float], ys: list[float]) -> tuple[list[float], list[float]]:
        """Interpolated values for every second column: a dotted line."""
        low, high = self._x
        wide = (high - low) / max(1, self.columns - 1)
        at = [low + c * wide for c in range(0, self.columns, 2)]
        inside = [x for x in at if xs[0] <= x <= xs[-1]]
        values = []
        for x in inside:
            j = min(int(x - xs[0]), max(0, len(xs) - 2))  # the points are 1 apart
            share = x - xs[j]
            values.append(ys[j] + share * (ys[min(j + 1, len(ys) - 1)] - ys[j]))
        return inside, values

    def _merge(self, row: int, column: int, character: str, ink: Style | None) -> None:
        before = self._sheet.at(row, column)
        if _is_braille(before) and _is_braille(character):
            character = chr(_BRAILLE | (ord(before) - _BRAILLE) | (ord(character) - _BRAILLE))
        self._sheet.put(row, column, character, ink)

    def mark(self, x: float, label: str, on_axis: bool = False) -> None:
        """Draw a vertical line at x through the empty cells, with its label on the side that has room, or below."""
        if self.rows < 1 or not self._x[0] <= x <= self._x[1]:
            return
        column = self.column(x)
        for row in range(self._top, self._top + self.rows):
            if self._sheet.is_free(row, column):
                self._sheet.put(row, column, self.signs.mark, self.quiet)
        if on_axis:
            if self._bottom:
                text = f"{self.signs.up}{label}"
                start = min(column, self.width - len(text))
                at, length = self._name
                if at < start + len(text) + 1 and start - 1 < at + length:  # the mark matters more than the name
                    self._sheet.put(self.height - 1, at, " " * length)
                self._sheet.put(self.height - 1, start - 1, f" {text} ")
            return
        text = f" {label} "
        start = column + 1
        if start + len(text) > self.width:  # no room on the right: left of the line
            start = max(0, column - len(text))
            text = text[: column - start]
        rows = range(self._top, self._top + self.rows)
        self._sheet.put(
            next((row for row in rows if self._sheet.is_free(row, start, len(text))), self._top), start, text, None
        )

    def legend(self, title: str, entries: Sequence[tuple[Curve, tuple[str, ...]]]) -> None:
        """Write the title and the entries into the first row, as many as fit. Each entry has its words, the longest
        first, and all use the first form for which there is room; before the last one, without names, the title and
        the margin go."""
        if not self._top:
            return
        whole = self._left + (len(title) + 3 if title else 0)
        places = [(form, whole) for form in zip(*(forms for _, forms in entries), strict=True)]
        places[-1:-1] = [(form, start) for form, _ in places[-2:-1] for start in (self._left, 0)]
        words: Sequence[str] = ()
        column = whole
        for words, column in places:
            if column + sum(len(word) + 6 for word in words) - 3 <= self.width:
                break
        if column == whole:
            self._sheet.put(0, self._left, title)
        for (curve, _), word in zip(entries, words, strict=True):
            if column + 3 + len(word) > self.width:
                return
            self._sheet.put(0, column, curve.sign * 2, curve.ink)
            self._sheet.put(0, column + 3, word)
            column += 3 + len(word) + 3

    def note(self, text: str | None) -> None:
        """Write a note on the plot itself, in the lowest free row."""
        if not text or self.rows < 1:
            return
        text = text[: self.columns]
        rows = range(self._top + self.rows - 1, self._top - 1, -1)
        free = [row for row in rows if self._sheet.is_free(row, self._left, len(text))]
        self._sheet.put(free[0] if free else rows[0], self._left, text)

    def sheet(self) -> Sheet:
        """The finished sheet. Each free cell gets the ink of its left neighbour, so that fewer styles must be sent."""
        for y in range(self._sheet.height):
            ink: Style | None = None
            for x in range(self._sheet.width):
                if self._sheet.is_free(y, x):
                    self._sheet.put(y, x, " ", ink)
                ink = self._sheet.cells[y][x][1]
        return self._sheet


def _is_braille(character: str) -> bool:
    return _BRAILLE <= ord(character) <= _BRAILLE + 0xFF
