"""A map as it is drawn: a plane for each cell, a tile for each place of the grid, and the line where horizon = lag.

>>> Tile(4, done=4, learnt=3).share
0.75
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

#: What a tile can show, by the names of its fields.
VALUES = {
    "share": "share of seeds that learnt",
    "loss": "training loss",
    "horizon_before": "horizon before training",
    "horizon_after": "horizon after training",
}


@dataclass(frozen=True)
class Tile:
    """One place of the map: what its seeds came to.

    seeds     how many it is to have; done: how many are known, failed ones too; failed: those with an error
    learnt    how many have learnt the task
    loss, horizon_before, horizon_after, epoch
              the median over the seeds: the last loss, the horizon before and after training (inf: more than 1 % is
              always left), and the epoch at which the task was learnt, of those that did; None where no seed has one
    """

    seeds: int
    done: int = 0
    failed: int = 0
    learnt: int = 0
    loss: float | None = None
    horizon_before: float | None = None
    horizon_after: float | None = None
    epoch: float | None = None

    @property
    def share(self) -> float | None:
        """The share of the seeds known so far that have learnt; None while none is, or where all have failed."""
        counted = self.done - self.failed
        return self.learnt / counted if counted else None


@dataclass(frozen=True)
class Ruler:
    """An axis: the setting's label, and its values in order, as numbers where they are, and as text."""

    label: str
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Plane:
    """The tiles of one cell: tiles[y][x]. border: for each column (where `Chart.lag_is_y`) or row, the position on the
    axis of the lag, in tiles from the first, up to which the horizon before training is at least the lag: -1 if it
    nowhere is, None if that is not known."""

    title: str
    tiles: tuple[tuple[Tile, ...], ...]
    border: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A map. lag_is_y: which axis is the lag; None: neither is, and there is no line."""

    x: Ruler
    y: Ruler
    planes: tuple[Plane, ...]
    lag_is_y: bool | None = None

    @property
    def seeds(self) -> int:
        """How many repeats a place has."""
        return self.planes[0].tiles[0][0].seeds

    @property
    def has_line(self) -> bool:
        """Whether the line crosses a plane."""
        top = len(self.y if self.lag_is_y else self.x) - 1
        return any(end is not None and end < top for plane in self.planes for end in plane.border)

    def span(self, value: str) -> tuple[float, float] | None:
        """The smallest and the largest finite number of this kind on the map, to scale colours by; None without any."""
        found = [
            number
            for plane in self.planes for row in plane.tiles for tile in row
            if (number := getattr(tile, value)) is not None and math.isfinite(number)
        ]  # fmt: skip
        return (min(found), max(found)) if found else None


def border_of(horizons: Sequence[float | None], lags: Sequence[float]) -> int | None:
    """The last tile at which the horizon is at least the lag, on a line of tiles with growing lags; between two that
    are known it is interpolated. -1: at none. None: too little is known.

    >>> border_of([9.0, None, 4.0, 3.0], [2, 4, 8, 16])
    1
    """
    known = [(n, h - lag) for n, (h, lag) in enumerate(zip(horizons, lags, strict=True)) if h is not None]
    if not known:
        return None
    if known[0][1] < 0:
        return -1 if known[0][0] == 0 else None
    for (n, more), (m, less) in pairwise(known):
        if less < 0:
            if not math.isfinite(more):
                return n
            at = lags[n] + (lags[m] - lags[n]) * more / (more - less)  # where horizon = lag
            return max(k for k in range(n, m) if lags[k] <= at)
    return len(lags) - 1 if known[-1][0] == len(lags) - 1 else None
