"""The score's layout: how many rows each quantity gets, and which columns are in view.

Pure arithmetic, no terminal: rows of text, cells across.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from rnnviz.glyphs import glyphs

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

GUTTER = 10  # cells for the row names
SIDE = 20  # minimum cells for the numbers of this moment
WHOLE_SIDE = 28  # cells in which nothing of them is shortened
GRID = 8  # a score beside other things grows by so many cells, not with each step more
WIDEST = 8  # cells a column may get
ONE_BY_ONE = 4  # up to this many units get a row each; more share rows
SPACIOUS = 26  # rows from which a presenter's score has empty rows between the quantities
LEAST = 6  # rows of a score: one each of input, hidden, output, gradient, exponents, time
TALL = 19  # rows from which a score shows everything

Place = tuple[int, int]  # first row, number of rows


@dataclass(frozen=True)
class Rows:
    """First row and number of rows of each quantity, from top to bottom; `attention`, `exponent`, `time`, `reach` and
    `evidence` are single rows.

    gradient, exponent  None where the gradient is not shown
    gates  name -> place, for the gates that fit (a simple RNN has none)
    cell   place of the cell state, or None
    units, first_unit, units_per_row  which units are in view, in `hidden` and `cell` alike
    """

    input: Place
    gates: dict[str, Place]
    cell: Place | None
    hidden: Place
    output: Place
    attention: int | None
    gradient: Place | None
    exponent: int | None
    time: int
    reach: int | None
    evidence: int | None
    units_per_row: int  # 2: half blocks
    first_unit: int
    units: int

    def where(self, name: str) -> tuple[Place, ...]:
        """The places of a row by its name (see score.py), from top to bottom; empty if it is not shown."""
        places: dict[str, list[Place | None]] = {
            "input": [self.input],
            "gates": [*self.gates.values()],
            "cell": [self.cell],
            "hidden": [self.hidden],
            "output": [self.output],
            "attention": [_line(self.attention)],
            "gradient": [self.gradient],
            "time": [_line(self.time)],
            "reach": [_line(self.reach)],
            "evidence": [_line(self.evidence)],
        }
        return tuple(place for place in places[name] if place is not None)


def _line(y: int | None) -> Place | None:
    return None if y is None else (y, 1)


@dataclass(frozen=True)
class Columns:
    """Columns for t = first .. first + count - 1, each `width` cells, from cell `left` on. mirrored: from right to
    left, so that the steps of a direction that reads from the end stand in the order of time."""

    left: int
    width: int
    first: int
    count: int
    mirrored: bool = False

    @property
    def end(self) -> int:
        return self.left + self.width * self.count

    def x(self, t: int) -> int:
        place = t - self.first
        return self.left + (self.count - 1 - place if self.mirrored else place) * self.width

    def step_at(self, x: int) -> int:
        """The step whose column holds cell x, if it is one of these."""
        place = (x - self.left) // self.width
        return self.first + (self.count - 1 - place if self.mirrored else place)

    def upto(self, t: int) -> tuple[int, int]:
        """(first cell, end) of the columns of the steps up to t."""
        edge = self.x(t) if self.mirrored else self.x(t + 1)
        edge = min(max(edge, self.left), self.end)
        return (edge, self.end) if self.mirrored else (self.left, edge)

    def __contains__(self, t: int) -> bool:
        return self.first <= t < self.first + self.count

    @property
    def steps(self) -> range:
        """From left to right."""
        steps = range(self.first, self.first + self.count)
        return steps[::-1] if self.mirrored else steps

    @property
    def bar(self) -> int:
        """Drawn cells of a column: wide columns leave one free."""
        return self.width - 1 if self.width >= 3 else self.width


def columns_of(frame: Frame, width: int) -> Columns:
    """The columns of a frame, at least two cells wide if a symbol needs two."""
    task = frame.scene.task
    cols = columns(width, frame.T, frame.cursor.t, least=_symbol(task.vocab + task.labels))
    return replace(cols, mirrored=True) if frame.scene.reads_back else cols


def cells_used(frame: Frame, most: int) -> int:
    """The cells that a frame's score can use, of `most`: its columns as wide as they get, and the numbers of the moment
    in full."""
    cols = columns_of(frame, most)
    if cols.count <= frame.T:
        return most
    return min(most, -(-(cols.end + WHOLE_SIDE) // GRID) * GRID)


@lru_cache(maxsize=16)
def _symbol(symbols: tuple[str, ...]) -> int:
    """The cells of the widest character in them."""
    return max((cells for symbol in symbols for _, cells in glyphs(symbol)), default=1)


def columns(width: int, T: int, t: int, least: int = 1) -> Columns:
    """T steps make T + 1 columns (t = 0 is the state before the first input) of `least` cells and more. When they
    do not all fit, those around t are in view, scrolled by half a view at a time so that the picture does not move."""
    room = max(1, (width - GUTTER - SIDE) // least)
    n = T + 1
    if n <= room:
        return Columns(GUTTER, min(WIDEST, (width - GUTTER - SIDE) // n), 0, n)
    half = max(1, room // 2)
    first = min(max(0, (t // half - 1) * half) if t >= room else 0, n - room)
    if not first <= t < first + room:
        first = min(max(0, t - room // 2), n - room)
    return Columns(GUTTER, least, first, room)


def rows(
    height: int, H: int, unit: int, *, pair: bool = True, gates: tuple[str, ...] = (), cell: bool = False,
    curves: tuple[bool, bool] = (True, True), gradient: bool = True, reach: bool = False,
    attention: bool = False, evidence: bool = False, spaced: bool = False,
) -> Rows:  # fmt: skip
    """Divide the height among the rows, from LEAST rows up.

    `pair`: two units share a row if one each does not fit. `gates`: in order of importance; a low window drops the
    last first. `curves`: whether input and output are curves, which need three rows, or symbols. Without
    `gradient` its rows, and that of its exponents, go to the others. `reach` and `evidence` are rows of their own, at
    the end, and `attention` is one below the output. `spaced`: where there is room for it, an empty row follows each
    quantity.
    """
    height -= reach + evidence
    whole_height = height
    height -= attention
    gap = int(spaced and height >= SPACIOUS)
    height -= gap * (3 + bool(gates) + cell)
    room = height - LEAST + 2 * (not gradient)  # after one row each
    cell = cell and room >= (1 if height < TALL else 3)
    gates = gates[: max(0, min((room - 2 * gradient + 1) // 2, room - 2 * gradient - cell))]
    room -= cell + len(gates)
    kinds = {"state": 1 + cell, "gradient": int(gradient)}  # some have two, or none
    found = {"input": 1, "output": 1, "state": 1, "gradient": 1}
    whole = H if not pair or H <= ONE_BY_ONE else -(-H // 2)  # rows that show all units

    def give(name: str, upto: int) -> None:
        nonlocal room
        cost = kinds.get(name, 1)
        while cost and found[name] < upto and room >= cost:
            found[name], room = found[name] + 1, room - cost

    for name, upto in _wants(whole, curves):
        give(name, upto)
    of_gate = 1
    if gates and len(gates) <= room and height >= TALL:
        of_gate, room = 2, room - len(gates)
    if pair and (H - found["state"]) * kinds["state"] <= room:
        give("state", H)
    for upto in range(4, height):
        for name in ("output", "input", "gradient"):
            give(name, upto if name == "gradient" or curves[name == "output"] else 2)
    state = found["state"]
    per_row = 2 if pair and state < H else 1
    units = min(H, state * per_row)
    y = 0

    def take(n: int, space: int = gap) -> Place:
        nonlocal y
        y += n + space
        return y - n - space, n

    upper = take(found["input"])
    places = {name: take(of_gate, gap * (name == gates[-1])) for name in gates}
    return Rows(
        input=upper,
        gates=places,
        cell=take(state) if cell else None,
        hidden=take(state),
        output=take(found["output"], gap * (not attention)),
        attention=take(1)[0] if attention else None,
        gradient=take(found["gradient"], 0) if gradient else None,
        exponent=take(1, 0)[0] if gradient else None,
        time=take(1, 0)[0],
        reach=whole_height if reach else None,
        evidence=whole_height + reach if evidence else None,
        units_per_row=per_row,
        first_unit=_first_unit(unit, units, H, per_row),
        units=units,
    )


def _wants(whole: int, curves: tuple[bool, bool]) -> list[tuple[str, int]]:
    """The rows each quantity wants, the most needed first; `whole` rows show all units."""
    of_input, of_output = curves
    return [
        ("gradient", 3), ("output", 2), ("state", min(2, whole)), ("input", 2 if of_input else 1),
        ("state", min(4, whole)), ("input", 2), ("output", 3 if of_output else 2),
        ("gradient", 3 if of_output else 4), ("state", whole), ("input", 3 if of_input else 2),
    ]  # fmt: skip


def _first_unit(unit: int, units: int, H: int, per_row: int) -> int:
    """The first of `units` units in view, scrolled by half a view at a time."""
    if units >= H:
        return 0
    page = max(per_row, units // 2 // per_row * per_row)
    return min(max(0, (unit - units + page) // page * page), H - units)
