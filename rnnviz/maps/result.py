"""MapResult: a map as arrays, as rows, as CSV.

>>> result.share.shape                        # cells, y, x
(2, 6, 8)
>>> result["horizon_before"].shape            # cells, y, x, seeds
(2, 6, 8, 4)
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.glyphs import one_line
from rnnviz.maps.grid import GridSpec, Site
from rnnviz.maps.point import DIVERGED, FAILED, LEARNT, NOT, STATUSES, Point
from rnnviz.maps.store import Store
from rnnviz.nn.types import Array, ReadOnly, frozen

#: The numbers of a point that make an array each.
NUMBERS = ("epoch", "loss", "right", "horizon_before", "horizon_after", "factor_before", "factor_after", "seconds")


@dataclass(frozen=True, eq=False, repr=False)
class MapResult(ReadOnly):
    """What is known of a map. Arrays are (cells, y, x, seeds), or (cells, y, x) over the seeds; without a y axis its
    length is 1.

    spec    the axes, cells and seeds
    points  by site; a site that is not done is missing
    """

    spec: GridSpec
    points: dict[Site, Point]

    @classmethod
    def of(cls, store: Store) -> MapResult:
        found = ((site, store.at(site)) for site in store.spec.sites())
        return cls(store.spec, {site: point for site, point in found if point is not None})

    def __repr__(self) -> str:
        axes = " × ".join(f"{axis.setting} ({len(axis)})" for axis in self.spec.axes)
        counts = ", ".join(f"{n} {status}" for status, n in self.counts.items() if n)
        of = f"{len(self.points)} of {len(self.spec)} points"
        return f"<MapResult: {axes}, {', '.join(self.spec.cells)}: {of}: {counts or 'none'}>"

    def __getitem__(self, name: str) -> Array:
        """One number of every point, by its name: loss, horizon_before, …; nan where it is not known."""
        if name not in NUMBERS:
            raise InputError(f"{short_repr(name)} is no number of a point; choose from {', '.join(NUMBERS)}")
        return self._array(lambda point: math.nan if (value := getattr(point, name)) is None else float(value))

    @property
    def x(self) -> tuple[Any, ...]:
        return self.spec.xs

    @property
    def y(self) -> tuple[Any, ...]:
        return self.spec.ys

    @property
    def cells(self) -> tuple[str, ...]:
        return self.spec.cells

    @property
    def is_whole(self) -> bool:
        """Whether every point is done."""
        return len(self.points) == len(self.spec)

    @cached_property
    def learnt(self) -> Array:
        """1 where it has learnt, 0 where not; nan where the point is not done, or failed."""
        return self._array(lambda point: math.nan if point.status == FAILED else float(point.learnt))

    @cached_property
    def share(self) -> Array:
        """(cells, y, x): the share of the seeds that learnt, of those that could be run; nan where none could."""
        known = np.isfinite(self.learnt)
        with np.errstate(all="ignore"):
            share: Array = np.where(known, self.learnt, 0.0).sum(axis=-1) / known.sum(axis=-1)
        return frozen(share)

    @property
    def counts(self) -> dict[str, int]:
        """How many points have each status."""
        found = Counter(point.status for point in self.points.values())
        return {status: found[status] for status in STATUSES}

    @property
    def errors(self) -> dict[str, int]:
        """Why points failed, and how many for each reason."""
        return dict(Counter(point.error or "" for point in self.points.values() if point.status == FAILED))

    def rows(self) -> Iterator[dict[str, Any]]:
        """The points in the order of the map, as plain values, the axes by the names of their settings."""
        axes = dict(zip("xy", self.spec.axes, strict=False))
        for point in self.points.values():
            row: dict[str, Any] = {"cell": point.cell, "seed": point.seed}
            row |= {axis.setting: getattr(point, name) for name, axis in axes.items()}
            row |= {name: getattr(point, name) for name in ("status", *NUMBERS, "error")}
            yield row

    def to_csv(self) -> str:
        """One line for each point, below a line of names. An unknown number is an empty cell, an infinite one `inf`."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for number, row in enumerate(self.rows()):
            if not number:
                writer.writerow(row)
            row["error"] = row["error"] and one_line(row["error"])  # of a file, which may hold anything
            writer.writerow("" if _is_unknown(value) else value for value in row.values())
        return text.getvalue()

    def _array(self, number: Any) -> Array:
        spec = self.spec
        found = [math.nan if (p := self.points.get(site)) is None else number(p) for site in spec.sites()]
        shape = (spec.seeds, len(spec.cells), len(spec.ys), len(spec.xs))
        return frozen(np.moveaxis(np.array(found).reshape(shape), 0, -1).copy())


def _is_unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


__all__ = ["DIVERGED", "FAILED", "LEARNT", "NOT", "NUMBERS", "MapResult"]
