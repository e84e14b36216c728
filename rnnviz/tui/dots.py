"""Points and lines in a plane, 2 × 4 dots of braille to a cell, with marks over them.

dots = Dots(30, 12, xs=(-1, 1), ys=(-1, 1), equal=True)
dots.line(-1, 0, 1, 0, palette.faint)
dots.mark(0.5, 0.5, "●", palette.accent)
dots.paste(sheet, 1, 0)
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from rich.style import Style

from rnnviz.sheet import Sheet

_BLANK = 0x2800
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a cell's dots, by row and column
#: How much higher a cell is than wide; two dots across and four down make a dot square.
_ASPECT = 2.0

Range = tuple[float, float]


class Dots:
    """`width` × `height` cells that show the numbers in `xs` from left to right and those in `ys` from the bottom up.

    equal  one unit is as long across as up: the ranges are widened to fit, about their middles
    dot    the glyph of a cell with dots, for a terminal without braille; "": its braille
    What lies outside, and what is not finite, is left out. Where two styles meet in a cell the later one colours it.
    """

    def __init__(self, width: int, height: int, xs: Range, ys: Range, *, equal: bool = False, dot: str = "") -> None:
        self.width, self.height = max(1, width), max(1, height)
        xs, ys = _proper(xs), _proper(ys)
        if equal:
            unit = max((xs[1] - xs[0]) / self.width, (ys[1] - ys[0]) / (self.height * _ASPECT))
            xs, ys = _widened(xs, unit * self.width), _widened(ys, unit * self.height * _ASPECT)
        self.xs, self.ys, self._glyph = xs, ys, dot
        self._dots: dict[tuple[int, int], tuple[int, Style | None]] = {}
        self._marks: dict[tuple[int, int], tuple[str, Style | None]] = {}

    def cell(self, x: float, y: float) -> tuple[int, int] | None:
        """The row and column of the cell that shows (x, y); None outside."""
        at = self._place(x, y)
        return None if at is None else (at[0] // 4, at[1] // 2)

    def dot(self, x: float, y: float, style: Style | None = None) -> None:
        at = self._place(x, y)
        if at is not None:
            self._set(*at, style)

    def line(self, x0: float, y0: float, x1: float, y1: float, style: Style | None = None) -> None:
        """A line with a dot in each row or each column that it passes."""
        if not all(map(math.isfinite, (x0, y0, x1, y1))):
            return
        across, up = self._exact(x1, y1)[1] - self._exact(x0, y0)[1], self._exact(x1, y1)[0] - self._exact(x0, y0)[0]
        n = min(max(1, math.ceil(abs(across)), math.ceil(abs(up))), 8 * (self.width + self.height))
        for k in range(n + 1):
            self.dot(x0 + (x1 - x0) * k / n, y0 + (y1 - y0) * k / n, style)

    def path(self, points: Iterable[tuple[float, float]], style: Style | None = None) -> None:
        """Lines from each point to the next."""
        before: tuple[float, float] | None = None
        for point in points:
            if before is not None:
                self.line(*before, *point, style)
            before = point

    def mark(self, x: float, y: float, glyph: str, style: Style | None = None) -> bool:
        """A glyph in place of the cell's dots. Returns whether it lies inside."""
        at = self.cell(x, y)
        if at is not None:
            self._marks[at] = glyph, style
        return at is not None

    def mark_near(self, x: float, y: float, glyph: str, style: Style | None = None) -> bool:
        """A glyph in the cell, or if that has a mark in the one on its right or left. Returns whether it is drawn."""
        at = self.cell(x, y)
        for by in (0, 1, -1):
            if at is not None and (at[0], at[1] + by) not in self._marks and 0 <= at[1] + by < self.width:
                self._marks[at[0], at[1] + by] = glyph, style
                return True
        return False

    def paste(self, sheet: Sheet, y: int, x: int) -> None:
        """Put the cells that have dots or a mark at row y and column x of a sheet."""
        for (row, column), (bits, style) in self._dots.items():
            sheet.put(y + row, x + column, self._glyph or chr(_BLANK + bits), style)
        for (row, column), (glyph, style) in self._marks.items():
            sheet.put(y + row, x + column, glyph, style)

    def _exact(self, x: float, y: float) -> tuple[float, float]:
        """The place in rows and columns of dots."""
        return (
            (self.ys[1] - y) / (self.ys[1] - self.ys[0]) * (4 * self.height - 1),
            (x - self.xs[0]) / (self.xs[1] - self.xs[0]) * (2 * self.width - 1),
        )

    def _place(self, x: float, y: float) -> tuple[int, int] | None:
        if not (math.isfinite(x) and math.isfinite(y)):
            return None
        row, column = map(round, self._exact(x, y))
        inside = 0 <= row < 4 * self.height and 0 <= column < 2 * self.width
        return (row, column) if inside else None

    def _set(self, row: int, column: int, style: Style | None) -> None:
        at = row // 4, column // 2
        bits = self._dots.get(at, (0, None))[0] | _BITS[row % 4][column % 2]
        self._dots[at] = bits, style


def around(values: Iterable[float], room: float = 0.05) -> Range:
    """The range of the finite values with some room on both sides; (-1, 1) if there are none."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return -1.0, 1.0
    low, high = min(finite), max(finite)
    more = room * (high - low) or 0.5 * abs(high) or 1.0
    return low - more, high + more


def _proper(ends: Range) -> Range:
    low, high = ends
    if not (math.isfinite(low) and math.isfinite(high)) or high - low <= 0 or not math.isfinite(high - low):
        middle = low if math.isfinite(low) else 0.0
        return middle - 1.0, middle + 1.0
    return low, high


def _widened(ends: Range, length: float) -> Range:
    middle = (ends[0] + ends[1]) / 2
    return middle - length / 2, middle + length / 2
