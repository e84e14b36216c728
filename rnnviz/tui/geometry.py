"""Where things go in the score: how many rows each quantity gets, and which columns are in view.

Pure arithmetic, no terminal: rows of text, cells across.
"""

from __future__ import annotations

from dataclasses import dataclass

GUTTER = 10  # cells for the names of the rows
SIDE = 20  # the least cells for the numbers of this moment
WIDEST = 8  # cells a column may get

Place = tuple[int, int]  # first row, number of rows


@dataclass(frozen=True)
class Rows:
    """First row and number of rows of each quantity, from top to bottom; `exponent` and `time` are single rows.

    gates  name -> place, those for which there is room (a simple RNN has none)
    cell   place of the cell state, or None
    units, first_unit, units_per_row  which units are in view, in `hidden` and `cell` alike
    """

    input: Place
    gates: dict[str, Place]
    cell: Place | None
    hidden: Place
    output: Place
    gradient: Place
    exponent: int
    time: int
    units_per_row: int  # 2: half blocks
    first_unit: int
    units: int


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
        first = min(max(0, t - room // 2), n - room)
    return Columns(GUTTER, 1, first, room)


def rows(
    height: int, H: int, unit: int, *, pair: bool = True, gates: tuple[str, ...] = (), cell: bool = False
) -> Rows:
    """Share out the height, from 6 rows on. Small quantities first get what they need, the states of the units
    the rest, and what those do not need goes to the gates (a second row each), the gradient and the curves.

    `pair`: two units a row where one does not fit. `gates`: in the order in which they are given up when it is
    too low for all, the last first.
    """
    curve, gradient = (2, 4) if height >= 19 else (1, min(3, max(1, height - 5)))
    room = max(1, height - 2 * curve - gradient - 2)
    cell = cell and room >= 2
    states = 2 if cell else 1  # the hidden state, and below the gates the cell state
    gates = gates[: max(0, min(room // 2, room - states))]
    room -= len(gates)
    per_row = 2 if pair and room // states < H else 1
    state = min(max(1, room // states), -(-H // per_row))
    spare = max(0, room - states * state)
    of_gate = 1
    if gates and len(gates) <= spare and height >= 19:
        of_gate, spare = 2, spare - len(gates)
    while spare > 0:
        gradient, spare = gradient + 1, spare - 1
        if spare >= 2 and gradient % 3 == 0:
            curve, spare = curve + 1, spare - 2
    units = min(H, state * per_row)
    y = 0

    def take(n: int) -> Place:
        nonlocal y
        y += n
        return y - n, n

    return Rows(
        input=take(curve),
        gates={name: take(of_gate) for name in gates},
        cell=take(state) if cell else None,
        hidden=take(state),
        output=take(curve),
        gradient=take(gradient),
        exponent=take(1)[0],
        time=take(1)[0],
        units_per_row=per_row,
        first_unit=_first_unit(unit, units, H, per_row),
        units=units,
    )


def _first_unit(unit: int, units: int, H: int, per_row: int) -> int:
    """The first of `units` units in view, moving on by half a view at a time."""
    if units >= H:
        return 0
    page = max(per_row, units // 2 // per_row * per_row)
    return min(max(0, (unit - units + page) // page * page), H - units)
