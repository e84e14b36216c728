"""A map in lines of text, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rich import box
from rich.table import Table

from rnnviz.cli.output import Output, paragraph
from rnnviz.experiment.experiment import in_labels
from rnnviz.maps.point import STATUSES
from rnnviz.maps.result import MapResult
from rnnviz.numbers import counted
from rnnviz.words import map as words

MOST_ERRORS = 3  # reasons that are printed; --json has all


def report(out: Output, found: MapResult, print_picture: Callable[[], None]) -> None:
    spec = found.spec
    for line in paragraph(words.title(spec), out.width):
        out.print(line)
    if not found.is_whole:
        out.print(f"{len(found.points):,} of {counted(len(spec), 'point')} are done")
    out.print()
    _print_counts(out, found)
    out.print()
    print_picture()
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
