"""The words of a comparison."""

from __future__ import annotations

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.numbers import subscript
from rnnviz.workshop.exercise import Quantity
from rnnviz.workshop.mistakes import EQUAL, same

MOST = 6  # numbers in a line
ROWS = 4


def name_of(quantity: Quantity, row: int | None) -> str:
    """`∂L/∂h₇`: the quantity at the time step of this row."""
    return (
        quantity.symbol if row is None or quantity.first is None else quantity.symbol + subscript(row + quantity.first)
    )


def difference(yours: Array, exact: Array, near: float = EQUAL) -> str:
    """`yours is 2.6 × too large`"""
    if not np.isfinite(yours).all():
        bad = "nan" if np.isnan(yours).any() else "inf"
        return f"yours is {bad}" if yours.ndim == 0 else f"yours has {bad} in it"
    if not yours.any():
        return "yours is 0"
    if same(-yours, exact, near):
        return "yours has the opposite sign"
    if np.vdot(exact, yours).real < 0:
        return "yours has other signs"
    ratio = float(np.linalg.norm(yours)) / max(float(np.linalg.norm(exact)), 5e-324)
    if not 0.95 < ratio < 1.05:
        return f"yours is {_times(ratio)} × too large" if ratio > 1 else f"yours is {_times(1 / ratio)} × too small"
    wrong = np.abs(yours - exact) > near * np.abs(exact).max(initial=0.0)
    if 0 < wrong.sum() < wrong.size:
        return f"{int(wrong.sum())} of its {wrong.size} numbers {'is' if wrong.sum() == 1 else 'are'} wrong"
    return "yours is about as large, but its numbers are others"


def _times(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 100 else f"{ratio:,.0f}" if ratio < 1e6 else f"{ratio:.0e}"


def beside(yours: Array, exact: Array) -> tuple[str, ...]:
    """The two arrays, the beginning of long ones, in columns."""
    lines = [("yours", line) for line in _lines(yours)] + [("exact", line) for line in _lines(exact)]
    return tuple(f"{label if n in (0, len(lines) // 2) else '':5}  {line}" for n, (label, line) in enumerate(lines))


def _lines(array: Array) -> list[str]:
    rows = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    lines = [
        "".join(f"{number:>+11.4g}" for number in row[:MOST]) + ("  …" if len(row) > MOST else "")
        for row in rows[:ROWS]
    ]
    return [*lines, "          …"] if len(rows) > ROWS else lines
