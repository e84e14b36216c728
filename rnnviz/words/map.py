"""A map in words: the results at a place, those of each of its runs, and how far the work is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rnnviz import numbers
from rnnviz.experiment.experiment import Experiment
from rnnviz.maps.axis import Axis
from rnnviz.maps.chart import VALUES, Chart, Plane, Tile
from rnnviz.maps.grid import GridSpec, Site
from rnnviz.maps.point import DIVERGED, FAILED, LEARNT, NOT, Point
from rnnviz.maps.tally import name_of
from rnnviz.tasks.catalog import info


def where(spec: GridSpec, site: Site) -> str:
    """`LSTM, recurrent gain 0.75, lag 20`"""
    parts = [name_of(spec, site.cell), f"{spec.x.label} {spec.x.show(site.x)}"]
    if spec.y is not None:
        parts.append(f"{spec.y.label} {spec.y.show(site.y)}")
    return ", ".join(parts)


def of_place(points: Sequence[Point], seeds: int) -> str:
    """How many of a place's runs have learnt, of those that are done."""
    if not points:
        return "not computed yet"
    failed = sum(point.status == FAILED for point in points)
    ran = len(points) - failed
    parts = [f"{sum(point.learnt for point in points)} of {numbers.counted(ran, 'seed')} learnt"] if ran else []
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{seeds - len(points)} not computed yet"] if len(points) < seeds else []
    return ", ".join(parts)


def of_point(point: Point) -> str:
    """The result of one run, in a line."""
    if point.status == FAILED:
        return f"failed: {point.error}"
    epochs = numbers.counted(point.epoch, "epoch")
    what = {LEARNT: f"learnt after {epochs}", DIVERGED: f"diverged after {epochs}"}.get(
        point.status, f"not learnt in {epochs}"
    )
    before, after = (_steps(value, "all") for value in (point.horizon_before, point.horizon_after))
    return f"{what}, loss {numbers.loss(point.loss)}, horizon {before} → {after}"


def of_point_in_short(point: Point) -> str:
    """The same in 48 cells, for a narrow screen: an epoch only where the training ended there."""
    if point.status not in (LEARNT, DIVERGED, NOT):
        return of_point(point)
    what = "not learnt" if point.status == NOT else f"{point.status}, epoch {point.epoch}"
    before, after = (
        f"{value:.0f}" if 10 <= value < float("inf") else _steps(value, "all")
        for value in (point.horizon_before, point.horizon_after)
    )
    return f"{what}, loss {numbers.loss(point.loss)}, horizon {before} → {after}"


def _steps(horizon: float, beyond: str = "all steps") -> str:
    """A horizon as it is written in a line of numbers; beyond: where more than 1 % is left after all steps."""
    if horizon != horizon:
        return "unknown"
    return beyond if horizon == float("inf") else f"{horizon:.1f}"


def progress(done: int, total: int, *, is_on: bool, seconds_left: float | None, resumes: str) -> str:
    """How far a map is. resumes: what to do where it was stopped."""
    far = f"{done:,} of {numbers.counted(total, 'point')}"
    if done >= total:
        return f"all {numbers.counted(total, 'point')}"
    if not is_on:
        return f"{far}{resumes}"
    share = f"{far}, {100 * done // total} %"
    return share if seconds_left is None else f"{share}, {duration(seconds_left)} left"


def duration(seconds: float) -> str:
    """`8 s`, `3 min`, `2.5 h`"""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def around(experiment: Experiment) -> str:
    """The map around an experiment, in a line."""
    epochs = numbers.counted(experiment.epochs, "epoch")
    return f"A network for each tile, trained up to {epochs}; the upper right is this one."


def title(spec: GridSpec) -> str:
    """`recall: recurrent gain 0.25 to 2 (24) × lag 5 to 100 (20), 4 seeds`"""
    axes = " × ".join(f"{axis.label} {_range(axis)}" for axis in spec.axes)
    return f"{info(spec.base.task).title}: {axes}, {numbers.counted(spec.seeds, 'seed')}"


def title_in_short(spec: GridSpec) -> str:
    """`recall · recurrent gain × lag · 4 seeds`"""
    axes = " × ".join(axis.label for axis in spec.axes)
    return f"{info(spec.base.task).title} · {axes} · {numbers.counted(spec.seeds, 'seed')}"


def _range(axis: Axis) -> str:
    if len(axis) == 1:
        return axis.show(axis.values[0])
    return f"{axis.show(axis.values[0])} to {axis.show(axis.values[-1])} ({len(axis)})"


def in_lines(chart: Chart, value: str) -> list[str]:
    """A map in lines of text: for each cell a line for each row, from the smallest value of its axis on."""
    lines = []
    for plane in chart.planes:
        lines.append(f"{plane.title}, {VALUES[value]}. Columns: {chart.x.label} {', '.join(chart.x.texts)}.")
        for y, row in enumerate(plane.tiles):
            name = f"{chart.y.label} {chart.y.texts[y]}: " if chart.y.label else ""
            lines.append(name + ", ".join(of_tile(tile, value) for tile in row))
        lines += _border(chart, plane)
    return lines


def of_tile(tile: Tile, value: str) -> str:
    """What a tile says: `3 of 4`, a loss, a horizon; in words where nothing is known."""
    if tile.done == 0:
        return "not yet"
    if tile.failed == tile.done:
        return "failed"
    number = getattr(tile, value)
    if number is None:
        return "unknown"
    if value == "share" and tile.seeds == 1:
        return "learnt" if tile.learnt else "not learnt"
    if value == "share":
        return f"{tile.learnt} of {tile.done - tile.failed}"
    return numbers.loss(number) if value == "loss" else _steps(number)


def _border(chart: Chart, plane: Plane) -> list[str]:
    """Where the line horizon = lag is, in a sentence."""
    if chart.lag_is_y is None or all(end is None for end in plane.border):
        return []
    lag, other = (chart.y, chart.x) if chart.lag_is_y else (chart.x, chart.y)
    reached: list[str] = []
    nowhere: list[str] = []
    for end, run in groupby(range(len(plane.border)), key=lambda n: plane.border[n]):
        if end is not None:
            n = list(run)
            several = f" to {other.texts[n[-1]]}" if len(n) > 1 else ""
            at = f" at {other.label} {other.texts[n[0]]}{several}" if other.label else ""
            (nowhere if end < 0 else reached).append(f"{'' if end < 0 else f'lag {lag.texts[end]}'}{at}")
    above = f"at least the lag up to {', '.join(reached)}" if reached else ""
    below = f"less than every lag{','.join(nowhere)}" if nowhere else ""
    return [f"The horizon before training is {', and '.join(part for part in (above, below) if part)}."]
