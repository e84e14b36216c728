"""A map in lines of text, and as JSON."""

from __future__ import annotations

import math
from typing import Any

from rich import box
from rich.table import Table

from rnnviz.cli.output import Output, paragraph
from rnnviz.experiment.experiment import in_labels
from rnnviz.maps.axis import Axis
from rnnviz.maps.point import STATUSES
from rnnviz.maps.result import MapResult
from rnnviz.numbers import counted
from rnnviz.tasks.catalog import info

MOST_ERRORS = 3  # reasons that are printed; --json has all


def report(out: Output, found: MapResult) -> None:
    spec = found.spec
    axes = " × ".join(f"{axis.label} {_range(axis)}" for axis in spec.axes)
    head = f"{info(spec.base.task).title}: {axes}, {counted(spec.seeds, 'seed')}"
    for line in paragraph(head, out.width):
        out.print(line)
    if not found.is_whole:
        out.print(f"{len(found.points):,} of {counted(len(spec), 'point')} are done")
    out.print()
    _print_counts(out, found)
    for number, cell in enumerate(found.cells):
        out.print()
        _print_shares(out, found, number, cell)
    for error, count in list(found.errors.items())[:MOST_ERRORS]:
        out.print()
        for line in paragraph(f"{counted(count, 'point')} failed: {in_labels(error)}", out.width):
            out.print(line)


def _print_counts(out: Output, found: MapResult) -> None:
    table = Table(box=box.ASCII if out.ascii else box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("cell")
    for title in ("points", "learnt", "not learnt", "diverged", "failed"):
        table.add_column(title, justify="right", no_wrap=True)
    for cell in found.cells:
        of_cell = [point.status for site, point in found.points.items() if site.cell == cell]
        table.add_row(cell, f"{len(of_cell):,}", *(f"{of_cell.count(status):,}" for status in STATUSES))
    out.console.print(table)


def _print_shares(out: Output, found: MapResult, number: int, cell: str) -> None:
    """One digit for each point, the largest y first."""
    spec = found.spec
    up = "" if spec.y is None else f"; {spec.y.label} upwards"
    text = f"{cell}: tenths of the seeds that learnt (#: all, ·: unknown); {spec.x.label} to the right{up}"
    for line in paragraph(text, out.width):
        out.print(line)
    names = ["" if spec.y is None else spec.y.show(y) for y in spec.ys]
    widest = max(map(len, names))
    step = 2 if widest + 2 + 2 * len(spec.xs) <= out.width else 1
    for name, shares in reversed(list(zip(names, found.share[number], strict=True))):
        digits = (" " * (step - 1)).join(map(digit, shares))
        out.print(f"{name:>{widest}}  {digits}")
    left, right = spec.x.show(spec.xs[0]), spec.x.show(spec.xs[-1])
    room = step * (len(spec.xs) - 1) + 1
    out.print(f"{'':{widest}}  {left}{right:>{max(room - len(left), len(right) + 1)}}")


def digit(share: float) -> str:
    """A share as one character: 0 none, 9 almost all, # all."""
    if math.isnan(share):
        return "·"
    return "#" if share == 1 else str(max(int(share * 10), 1 if share > 0 else 0))


def _range(axis: Axis) -> str:
    if len(axis) == 1:
        return axis.show(axis.values[0])
    return f"{axis.show(axis.values[0])} to {axis.show(axis.values[-1])} ({len(axis)})"


def as_json(found: MapResult) -> dict[str, Any]:
    """The map as the object that --json prints."""
    spec = found.spec
    axes = {
        name: None if axis is None else {"setting": axis.setting, "scale": axis.scale, "values": list(axis.values)}
        for name, axis in (("x", spec.x), ("y", spec.y))
    }
    return {
        **axes,
        "cells": list(spec.cells),
        "seeds": list(spec.seed_numbers),
        "experiment": spec.base.changes(),
        "counts": found.counts,
        "errors": found.errors,
        "share": found.share.tolist(),
        "points": [
            {name: "inf" if value == math.inf else value for name, value in row.items()} for row in found.rows()
        ],
    }


def _plain(value: Any) -> Any:
    return "inf" if value == math.inf else value
