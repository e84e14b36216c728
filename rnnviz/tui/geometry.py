"""Where things go in the score: how many rows each quantity gets, and which columns are in view.

Pure arithmetic, no terminal: rows of text, cells across.
"""

from __future__ import annotations

from dataclasses import dataclass

GUTTER = 10  # cells for the names of the rows
SIDE = 20  # the least cells for the numbers of this moment
WIDEST = 8  # cells a column may get


@dataclass(frozen=True)
class Rows:
    """First row and number of rows of each quantity; `exponent` and `time` are single rows."""

    input: tuple[int, int]
    hidden: tuple[int, int]
    output: tuple[int, int]
    gradient: tuple[int, int]
    exponent: int
    time: int
    units_per_row: int  # 2: half blocks
    first_unit: int
    units: int  # how many units are in view


@dataclass(frozen=True)
class Columns:
    """Columns for t = first .. first + count - 1, each `width` cells, from cell `left` on."""

    left: int
    width: int
    first: int
    count: int

    @property
    def end(self) -> int:
        return self.left + self.width * self.count

    def x(self, t: int) -> int:
        return self.left + (t - self.first) * self.width

    def __contains__(self, t: int) -> bool:
        return self.first <= t < self.first + self.count

    @property
    def steps(self) -> range:
        return range(self.first, self.first + self.count)

    @property
    def bar(self) -> int:
        """Cells of a column that are drawn on: one is left free between columns that can spare it."""
        return self.width - 1 if self.width >= 3 else self.width


def columns(width: int, T: int, t: int) -> Columns:
    """T steps make T + 1 columns (t = 0 is the state before the first input). When they do not all fit,
    those around t are in view, moving on by half a view at a time so that the picture stands still."""
    room = max(1, width - GUTTER - SIDE)
    n = T + 1
    if n <= room:
        return Columns(GUTTER, min(WIDEST, room // n), 0, n)
    half = max(1, room // 2)
    first = min(max(0, (t // half - 1) * half) if t >= room else 0, n - room)
    if not first <= t < first + room:
        first = min(max(0, t - half), n - room)
    return Columns(GUTTER, 1, first, room)


def rows(height: int, H: int, unit: int, *, pair: bool = True) -> Rows:
    """Share out the height. Small quantities first get what they need, the hidden state the rest, and what
    it does not need goes to the gradient and the curves. `pair`: two units a row where one does not fit."""
    curve, gradient = (2, 4) if height >= 19 else (1, 3)
    least = 2 * curve + gradient + 2
    hidden = max(1, height - least)
    per_row = 2 if pair and hidden < H else 1
    need = -(-H // per_row)
    spare = max(0, hidden - need)
    hidden = min(hidden, need)
    while spare > 0:
        gradient, spare = gradient + 1, spare - 1
        if spare >= 2 and gradient % 3 == 0:
            curve, spare = curve + 1, spare - 2
    units = min(H, hidden * per_row)
    first_unit = 0
    if units < H:
        page = max(per_row, units // 2 // per_row * per_row)
        first_unit = min(max(0, (unit - units + page) // page * page), H - units)
    y = 0
    places = []
    for n in (curve, hidden, curve, gradient):
        places.append((y, n))
        y += n
    return Rows(places[0], places[1], places[2], places[3], y, y + 1, per_row, first_unit, units)
