"""How the planes of a map lie on a sheet: side by side or below each other, and how large their tiles are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rnnviz.maps.chart import Chart

GAP = 2  # cells between two planes, 1 where it is tight
WIDEST, TALLEST = 15, 6  # of a tile
LOW = 7  # the widest tile of one row; a higher one is at most three times as wide
WITH_TEXT = 5  # cells of a tile from which its number is written
HEAD, FOOT = 1, 1  # rows of a plane's title, and of its ticks
BELOW = 2  # rows below all planes: the names of the axes, and what the signs mean


class Place(NamedTuple):
    """A tile of a map: plane, column and row, from 0 on."""

    plane: int = 0
    x: int = 0
    y: int = 0


@dataclass(frozen=True)
class Arrangement:
    """planes, columns, rows: which are in view. wide, high: cells of a tile. beside: planes in one row of the sheet.
    margin: cells left of the first plane, for the ticks of the axis y."""

    planes: range
    columns: range
    rows: range
    wide: int
    high: int
    beside: int
    margin: int
    gap: int = GAP

    def corner(self, plane: int) -> tuple[int, int]:
        """Row and column of a plane's upper left tile."""
        n = plane - self.planes.start
        down, along = divmod(n, self.beside)
        return down * self._height + HEAD, self.margin + along * (len(self.columns) * self.wide + self.gap)

    @property
    def _height(self) -> int:
        return HEAD + len(self.rows) * self.high + FOOT

    @property
    def bottom(self) -> int:
        """The row below all planes."""
        return -(-len(self.planes) // self.beside) * self._height

    def where(self, place: Place) -> tuple[int, int] | None:
        """Row and column of a tile's upper left cell; None where it is not in view. Row 0 of the map is the lowest."""
        if place.plane not in self.planes or place.x not in self.columns or place.y not in self.rows:
            return None
        top, left = self.corner(place.plane)
        return top + (self.rows.stop - 1 - place.y) * self.high, left + (place.x - self.columns.start) * self.wide

    def at(self, y: int, x: int) -> Place | None:
        """The tile in this cell of the sheet."""
        for plane in self.planes:
            top, left = self.corner(plane)
            down, along = (y - top) // self.high, (x - left) // self.wide
            if 0 <= down < len(self.rows) and 0 <= along < len(self.columns):
                return Place(plane, self.columns.start + along, self.rows.stop - 1 - down)
        return None


def arrange(chart: Chart, width: int, height: int, at: Place) -> Arrangement:
    """The arrangement with the largest tiles that shows the whole map; where none does, a part of it around `at`."""
    many, columns, rows = len(chart.planes), len(chart.x), len(chart.y)
    margin = max(map(len, chart.y.texts), default=0) + 2
    room_x, room_y = width - margin - 1, height - BELOW
    least = 1 if chart.lag_is_y in (None, True) else 2  # a line beside a tile takes a cell of it

    def tile(beside: int) -> tuple[int, int]:
        """The largest tile, 0 where none fits."""
        down = -(-many // beside)
        wide = min(WIDEST, (room_x - (beside - 1) * GAP) // (beside * columns))
        high = min((room_y // down - HEAD - FOOT) // rows, TALLEST, max(1, wide // 2))
        return min(wide, max(LOW, 3 * high)), high

    ways = [(*tile(beside), beside) for beside in range(many, 0, -1)]
    fitting = [(wide, high, beside) for wide, high, beside in ways if wide >= least and high >= 1]
    if fitting:
        wide, high, beside = max(fitting, key=lambda way: (way[0] * way[1], way[2]))
        return Arrangement(range(many), range(columns), range(rows), wide, high, beside, margin)

    def room(shown: int) -> int:
        return (room_x - (shown - 1)) // shown

    # As many planes beside each other as there is room for whole rows of them, and as many rows as there is room for.
    shown = next((n for n in range(many, 0, -1) if room(n) >= columns * least), 1)
    wide = max(least, min(LOW, room(shown) // columns))
    return Arrangement(
        _window(at.plane, many, shown), _window(at.x, columns, max(1, min(columns, room(shown) // wide))),
        _window(at.y, rows, max(1, min(rows, room_y - HEAD - FOOT))), wide, 1, shown, margin, 1,
    )  # fmt: skip


def _window(at: int, of: int, room: int) -> range:
    """So many of a row around one of them, scrolled by half of them at a time."""
    if room >= of:
        return range(of)
    half = max(1, room // 2)
    start = min(max(0, (at - room + half) // half * half), of - room)
    return range(start, start + room)
