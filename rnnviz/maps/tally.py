"""The points of a map, place by place as they come, and the chart of those that are there.

tally = Tally(spec)
tally.add(point)
tally.chart()            # drawn by tui/maps/painter.py
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median
from typing import Any

from rnnviz.maps.axis import Axis
from rnnviz.maps.chart import Chart, Plane, Ruler, Tile, border_of
from rnnviz.maps.grid import GridSpec, Site
from rnnviz.maps.point import FAILED, Point
from rnnviz.nn.cell_table import CELLS

LAG = "lag"


class Tally:
    """done: at how many sites something is known."""

    def __init__(self, spec: GridSpec) -> None:
        self.spec = spec
        self._cells = {cell: n for n, cell in enumerate(spec.cells)}
        self._xs = {value: n for n, value in enumerate(spec.xs)}
        self._ys = {value: n for n, value in enumerate(spec.ys)}
        self._points: dict[tuple[int, int, int], dict[int, Point]] = {}
        self._tiles: dict[tuple[int, int, int], Tile] = {}
        self._empty = Tile(spec.seeds)
        self._x, self._y = _ruler(spec.x), _ruler(spec.y)
        self.lag_is_y = (
            True if spec.y is not None and spec.y.setting == LAG else False if spec.x.setting == LAG else None
        )
        self.done = 0
        self._sites: dict[str, list[Site]] = {}
        for site in spec.sites():
            self._sites.setdefault(spec.key(site), []).append(site)

    def add(self, point: Point) -> None:
        """Take a point, for every place that it stands for; one of another map is for none."""
        for site in self._sites.get(point.key, ()):
            place = self._cells[site.cell], self._xs[site.x], self._ys[site.y]
            here = self._points.setdefault(place, {})
            self.done += site.seed not in here
            here[site.seed] = point.placed(site.x, site.y)
            self._tiles[place] = tile(here.values(), self.spec.seeds)

    def points(self, plane: int, x: int, y: int) -> list[Point]:
        """Those of one place, by their seeds."""
        here = self._points.get((plane, x, y), {})
        return [here[seed] for seed in sorted(here)]

    def chart(self) -> Chart:
        planes = []
        for cell, n in self._cells.items():
            rows = tuple(
                tuple(self._tiles.get((n, x, y), self._empty) for x in range(len(self._x))) for y in range(len(self._y))
            )
            planes.append(Plane(name_of(self.spec, cell), rows, self._border(rows)))
        return Chart(self._x, self._y, tuple(planes), self.lag_is_y)

    def _border(self, rows: tuple[tuple[Tile, ...], ...]) -> tuple[int | None, ...]:
        if self.lag_is_y is None:
            return ()
        lines = zip(*rows, strict=True) if self.lag_is_y else rows
        lags = self.spec.ys if self.lag_is_y else self.spec.xs
        return tuple(border_of([tile.horizon_before for tile in line], lags) for line in lines)


def name_of(spec: GridSpec, cell: str) -> str:
    """A cell's name on a map: `tanh RNN`, or `RNN` where its activation is an axis."""
    is_axis = any(axis.setting == "activation" for axis in spec.axes)
    return CELLS[cell].title if is_axis else CELLS[cell].described(spec.base.activation)


def tile(points: Iterable[Point], seeds: int) -> Tile:
    """What these points of one place come to."""
    known = list(points)
    ran = [point for point in known if point.status != FAILED]
    learnt = [point for point in ran if point.learnt]
    return Tile(
        seeds, len(known), len(known) - len(ran), len(learnt),
        _median(point.loss for point in ran),
        _median(point.horizon_before for point in ran),
        _median(point.horizon_after for point in ran),
        _median(float(point.epoch) for point in learnt),
    )  # fmt: skip


def _median(values: Iterable[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return median(known) if known else None


def _ruler(axis: Axis | None) -> Ruler:
    if axis is None:
        return Ruler("", ("",))
    return Ruler(axis.label, tuple(_short(axis, value) for value in axis.values))


def _short(axis: Axis, value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else axis.show(value)
