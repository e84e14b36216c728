"""GridSpec: which runs a map is made of.

    spec = GridSpec(Experiment(task="recall", epochs=50), Axis.parse("gain=0.25:2:8"), Axis.parse("lag=5:40:6"),
                    cells=("rnn", "lstm"), seeds=4)
    len(spec), spec.sites()[0]        # 384, Site(cell='rnn', seed=0, x=0.25, y=5)

Does not import numpy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.experiment import cost
from rnnviz.experiment.build import resolved
from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.maps.axis import Axis
from rnnviz.nn.cell_table import CELLS

MOST_POINTS = 1_000_000
MOST_SEEDS = 10_000
#: Sequences that tell whether a task is learnt (views/reach.py ENOUGH).
_ENOUGH = 10


@dataclass(frozen=True)
class Site:
    """One place of the map and one repeat."""

    cell: str
    seed: int
    x: Any
    y: Any = None


@dataclass(frozen=True)
class Job:
    """One run, with the first of the sites that it stands for.

    unseeded  its experiment, with any seed: one of a million jobs is small, and quickly made
    """

    key: str
    unseeded: Experiment
    site: Site

    @property
    def experiment(self) -> Experiment:
        return self.unseeded.with_(seed=self.site.seed)


@dataclass(frozen=True)
class GridSpec:
    """base   all other settings; its seed is that of the first repeat
    x, y   the axes; y may be left out
    cells  side by side; none: the base's own
    seeds  how many repeats: base.seed, base.seed + 1, …

    Raises InputError for axes that are the same, that the base sets too, or that make too many points.
    """

    base: Experiment
    x: Axis
    y: Axis | None = None
    cells: tuple[str, ...] = ()
    seeds: int = 1

    def __post_init__(self) -> None:
        cells = tuple(dict.fromkeys(SETTINGS["cell"].checked(cell) for cell in self.cells or (self.base.cell,)))
        for cell in cells:
            if CELLS[cell].is_own:
                raise InputError("cell: a map has the cells that come with rnnviz; leave your own out")
        if self.y is not None and self.y.setting == self.x.setting:
            raise InputError(f"{self.x.setting}: is on both axes; choose another setting for one of them")
        for axis in self.axes:
            if getattr(self.base, axis.setting) != axis.about.default:
                raise InputError(f"{axis.setting}: is an axis; leave its other value out")
        if not isinstance(self.seeds, int) or isinstance(self.seeds, bool) or not 1 <= self.seeds <= MOST_SEEDS:
            raise InputError(f"seeds: {short_repr(self.seeds)} is not how many repeats; use 1 to {MOST_SEEDS:,}")
        SETTINGS["seed"].checked(self.base.seed + self.seeds - 1)
        object.__setattr__(self, "base", self.base.with_(cell=cells[0]))
        object.__setattr__(self, "cells", cells)
        if len(self) > MOST_POINTS:
            raise InputError(f"the map has {len(self):,} points; at most {MOST_POINTS:,} are possible")

    @property
    def axes(self) -> tuple[Axis, ...]:
        return (self.x,) if self.y is None else (self.x, self.y)

    @property
    def xs(self) -> tuple[Any, ...]:
        return self.x.values

    @property
    def ys(self) -> tuple[Any, ...]:
        """The values of y; (None,) without that axis."""
        return (None,) if self.y is None else self.y.values

    @property
    def seed_numbers(self) -> range:
        return range(self.base.seed, self.base.seed + self.seeds)

    def __len__(self) -> int:
        """How many sites there are, repeats counted."""
        return len(self.x) * len(self.ys) * len(self.cells) * self.seeds

    def sites(self) -> Iterator[Site]:
        """Every site in the canonical order: the first seed everywhere, then the next; cells; y; x."""
        for seed in self.seed_numbers:
            for cell in self.cells:
                for y in self.ys:
                    for x in self.xs:
                        yield Site(cell, seed, x, y)

    def experiment(self, site: Site) -> Experiment:
        """What runs there, as a person would ask for it. Raises InputError if the settings conflict."""
        values = {self.x.setting: site.x}
        if self.y is not None:
            values[self.y.setting] = site.y
        return self.base.with_(cell=site.cell, seed=site.seed, **values)

    def key(self, site: Site) -> str:
        """The key of what runs there: two sites have the same where no axis between them has an effect."""
        return self._first_seed[site.cell, site.x, site.y].key_with(site.seed)

    def jobs(self) -> Iterator[Job]:
        """What has to be run, each once, in the order of the sites."""
        seen: set[str] = set()
        for site in self.sites():
            one = self._first_seed[site.cell, site.x, site.y]
            key = one.key_with(site.seed)
            if key not in seen:
                seen.add(key)
                yield Job(key, one.experiment, site)

    @cached_property
    def _first_seed(self) -> dict[tuple[str, Any, Any], _Canonical]:
        return {
            (cell, x, y): _Canonical(canonical(self.experiment(Site(cell, self.base.seed, x, y))))
            for cell in self.cells for y in self.ys for x in self.xs
        }  # fmt: skip

    # -- sense ---------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises InputError for a map that would tell nothing: no corner can be run, an axis has no effect for any
        cell, or there are too few sequences everywhere to judge by."""
        corners, errors = [], []
        for cell in self.cells:
            for y in dict.fromkeys((self.ys[0], self.ys[-1])):
                for x in dict.fromkeys((self.xs[0], self.xs[-1])):
                    try:
                        corners.append(resolved(self.experiment(Site(cell, self.base.seed, x, y))))
                    except InputError as error:
                        errors.append(error)
        if not corners:
            raise errors[0]
        for axis in self.axes:
            reasons = [axis.about.why_not(corner) for corner in corners]
            if all(reasons):
                raise InputError(f"{axis.setting}: has no effect here: {reasons[0]}")
        judged = max(_judged_by(corner) for corner in corners)
        if judged < _ENOUGH:
            few = f"{judged} sequence{'s' if judged != 1 else ''} to judge by"
            raise InputError(
                f"validation_split: leaves {few}, too few to tell whether the task is learnt; at least {_ENOUGH} are "
                "needed: a larger share, or more sequences"
            )

    def not_extending(self, before: GridSpec) -> str | None:
        """Why this spec does not continue a map of the spec `before`, in a few words; None if it does: the same base
        and axes, with as many values, cells and seeds, or more."""
        for ours, theirs, name in zip((self.x, self.y), (before.x, before.y), "xy", strict=True):
            if (ours and ours.setting) != (theirs and theirs.setting):
                return f"its {name} axis is {theirs.setting if theirs else 'not there'}"
            if ours and theirs and len(ours) < len(theirs):
                return f"its axis {ours.setting} has {len(theirs)} values, and this one {len(ours)}"
        different = self.base.with_(cell=before.base.cell).differences(before.base)
        if different:
            return f"its {different[0].label} is {different[0].show(getattr(before.base, different[0].name))}"
        if missing := [cell for cell in before.cells if cell not in self.cells]:
            return f"it has the cell {missing[0]}, too"
        if self.seeds < before.seeds:
            return f"it has {before.seeds} seeds, and this one {self.seeds}"
        return None


@dataclass(frozen=True)
class _Canonical:
    experiment: Experiment

    @cached_property
    def _text(self) -> str:
        values = {name: value for name, value in self.experiment.changes().items() if name != "seed"}
        return json.dumps(values, sort_keys=True)

    def key_with(self, seed: int) -> str:
        return hashlib.sha256(f"{self._text} seed {seed}".encode()).hexdigest()[:20]


def canonical(experiment: Experiment) -> Experiment:
    """The experiment with its open settings filled in, and those without an effect at their defaults: two that are
    equal have the same numbers. One that cannot be run stays as it is."""
    try:
        whole = resolved(experiment)
        idle = {name: one.default for name, one in SETTINGS.items() if one.why_not(whole) is not None}
        return replace(whole, **idle)
    except InputError:
        return experiment


def key_of(experiment: Experiment) -> str:
    """A short text that is the same for experiments with the same numbers."""
    return _Canonical(canonical(experiment)).key_with(experiment.seed)


def _judged_by(experiment: Experiment) -> int:
    size = cost.size_of(experiment)
    return size.sequences - size.trained or size.sequences
