"""Windows that continue one another, in rows of equal length: the data of a training that carries state.

    8 windows to train on, 2 rows  ->  row 0: 0 1 2 3   row 1: 4 5 6 7     batch 1: 0 4   batch 2: 1 5 …

As the streams of PyTorch's word language model and of Keras' stateful layers. Windows that do not fill a row are left
out; those to validate with are one row of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.carry import ZEROS
from rnnviz.numbers import counted

if TYPE_CHECKING:
    from rnnviz.tasks.base import Array


@dataclass(frozen=True)
class Rows:
    """starts (N,): the first point of each window, those to train on first; previous (N,): the window that each one
    continues, or -1; notes: what is left out."""

    starts: Array
    n_train: int
    previous: Array
    notes: tuple[str, ...]


def in_rows(starts: Array, T: int, n_train: int, rows: int) -> Rows:
    """`starts` of windows of T points, end to end in the order of time, of which n_train are to train on, in so many
    rows. Raises InputError, with a remedy, if no row has two windows."""
    length = n_train // rows
    if length < 2:
        smaller = f"batch size {n_train // 2} or less, " if n_train > 1 else ""
        raise InputError(
            f"carry: {counted(rows, 'row')} need {2 * rows} training sequences, not {n_train}; "
            f"use {smaller}shorter sequences or more data"
        )
    used = rows * length
    kept = np.concatenate([np.arange(used), np.arange(n_train, len(starts))])
    starts = starts[kept]
    follows = np.zeros(len(starts), bool)
    follows[1:] = starts[1:] == starts[:-1] + T
    follows[:used:length] = False  # a row begins
    follows[used : used + 1] = False
    previous = np.where(follows, np.arange(len(starts)) - 1, ZEROS)
    left = n_train - used
    one = "1 training sequence is" if left == 1 else f"{left} training sequences are"
    notes = (f"{one} left out, so that {rows} rows are equally long: {length} sequences each.",) if left else ()
    return Rows(starts, used, previous, notes)
