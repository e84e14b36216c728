"""The cells whose kernels these tests compile: that takes some fifteen seconds a cell, so the default suite has one."""

import os

import pytest

from rnnviz.nn import CELLS as EVERY
from rnnviz.nn.cell_table import CELLS as CELLS_BY_NAME

#: RNNVIZ_TEST_CELLS: "all", as in .ci/run, or names between commas; without a compiler nothing takes long.
_NAMES = "all" if os.environ.get("NUMBA_DISABLE_JIT") else os.environ.get("RNNVIZ_TEST_CELLS", "rnn")
CELLS = tuple(cell for cell in EVERY if _NAMES == "all" or cell in _NAMES.split(","))


def slow_but_one(*cells):
    """Parameters: the first cell's kernels are compiled in the default suite, those of the others with `-m slow`."""
    return [cells[0], *(pytest.param(cell, marks=pytest.mark.slow) for cell in cells[1:])]


def on_either_engine(*cells):
    """Parameters (cell, engine), the compiled ones likewise."""
    compiled = [pytest.param(cell, "numba", marks=pytest.mark.slow) for cell in cells[1:]]
    return [*((cell, "numpy") for cell in cells), (cells[0], "numba"), *compiled]


def fitting(cell: str, hidden: int) -> int:
    """The next number of units that a cell can have, from this one on: an LRU pairs its units."""
    paired = CELLS_BY_NAME[cell].diagonal
    return hidden if paired is None else -(-hidden // paired.units) * paired.units
