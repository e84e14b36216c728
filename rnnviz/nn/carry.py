"""State that is carried from one batch to the next, and sequences that are read in the order in which they continue.

    batch 1   row 0: a₁ a₂   row 1: b₁ b₂      final h and c of each row
    batch 2   row 0: a₃ a₄   row 1: b₃ b₄      are the h0 and c0 of the same row here

As Keras' stateful=True, and as PyTorch's loops with h = h.detach(): numbers are passed on, and no gradient comes back.
So each update is truncated back-propagation through time with k1 = k2 = T (Williams & Peng 1990,
10.1162/neco.1990.2.4.490).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.records import Forward
from rnnviz.nn.runner import Runner
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, ParamsLike

#: Stands in `previous` for a sequence that begins from zeros.
ZEROS = -1
#: Sequences read at once, and the numbers they may leave behind: enough for speed, little enough for memory.
AT_ONCE, NUMBERS_AT_ONCE = 256, 2**25


@dataclass
class Carried:
    """The states at the end of a batch: h (L, B, H), and c of a cell that has one. Written in place."""

    h: Array
    c: Array | None

    @classmethod
    def zeros(cls, spec: ModelSpec, B: int) -> Carried:
        shape = (spec.num_layers, B, spec.hidden_size)
        return cls(np.zeros(shape, spec.dtype), np.zeros(shape, spec.dtype) if spec.has_cell_state else None)

    @classmethod
    def after(cls, run: Forward) -> Carried:
        """The last states of a forward pass, copied: no gradient goes back into it."""
        cells = [layer.c[-1] for layer in run.layers if layer.c is not None]
        return cls(np.stack([layer.h[-1] for layer in run.layers]), np.stack(cells) if cells else None)

    def copy(self) -> Carried:
        return Carried(self.h.copy(), None if self.c is None else self.c.copy())

    def rows(self, which: Array) -> Carried:
        """The states of some rows, copied."""
        return Carried(self.h[:, which], None if self.c is None else self.c[:, which])

    def restart(self, rows: Array) -> None:
        """Zeros for these rows, (B,) bool. An assignment, because 0 · nan is nan."""
        for states in (self.h, self.c):
            if states is not None:
                states[:, rows] = 0

    def keep(self, run: Forward, rows: Array | slice = slice(None)) -> None:
        """Replace the states of these rows by the last ones of a forward pass."""
        last = Carried.after(run)
        self.h[:, rows] = last.h
        if self.c is not None:
            self.c[:, rows] = last.c


def checked(previous: Array, N: int) -> Array:
    """`previous` (N,) as int64: for each sequence the earlier one that it continues, or ZEROS. Raises InputError."""
    if previous.shape != (N,):
        raise InputError(f"previous: shape {previous.shape} does not fit the {N} sequences")
    bad = np.flatnonzero((previous < ZEROS) | (previous >= np.arange(N)))
    if len(bad):
        raise InputError(f"previous: sequence {bad[0]} cannot continue {previous[bad[0]]}; only an earlier one, or -1")
    return previous.astype(np.int64)


def of_part(previous: Array, which: Array | slice) -> Array:
    """`previous` of some of the sequences alone; one that continues a sequence left out begins from zeros."""
    kept = np.arange(len(previous))[which]
    place = np.full(len(previous) + 1, ZEROS)  # the last one is that of ZEROS
    place[kept] = np.arange(len(kept))
    return place[previous[kept]]


def row_order(previous: Array, B: int) -> Array:
    """(N,): the sequences of an epoch in the order of its batches of B rows. Row j of a batch has the sequence after
    row j's of the batch before. Raises InputError if they do not continue each other so."""
    N = len(previous)
    batches, rest = divmod(N, B)
    if rest:
        raise InputError(f"batch_size: {N} sequences do not fill batches of {B} rows, whose states are carried on")
    at = np.arange(N)
    bad = np.flatnonzero((previous != ZEROS) & ((previous != at - 1) | (at % batches == 0)))
    if len(bad):
        raise InputError(f"previous: sequence {bad[0]} does not continue the one before it in its row of {batches}")
    return at.reshape(B, batches).T.ravel()


def in_order(
    spec: ModelSpec,
    params: ParamsLike,
    x: Array,
    previous: Array | None,
    engine: Runner,
    at_once: int = AT_ONCE,
    read: Array | None = None,
) -> Iterator[tuple[Array, Forward]]:
    """Read sequences x (N, T, I), those that continue others after them and from their last states: pairs of which
    sequences, and their forward pass. None: all from zeros. read (N, T) bool: the steps that are read; None: all."""
    N, T = x.shape[:2]
    at_once = max(1, min(at_once, NUMBERS_AT_ONCE // (T * spec.forward_width)))
    known = None if previous is None or (previous == ZEROS).all() else Carried.zeros(spec, N)
    for wave in _waves(N, None if known is None else previous):
        for begin in range(0, len(wave), at_once):
            which = wave[begin : begin + at_once]
            start = None  # of the first group
            if known is not None and previous is not None and previous[which[0]] != ZEROS:
                start = known.rows(previous[which])
            time_major = np.ascontiguousarray(x[which].swapaxes(0, 1))
            h0, c0 = (None, None) if start is None else (start.h, start.c)
            mask = None if read is None else np.ascontiguousarray(read[which].T)
            run = engine.forward(spec, params, time_major, h0, c0, mask)
            if known is not None:
                known.keep(run, which)
            yield which, run


def _waves(N: int, previous: Array | None) -> list[Array]:
    """The sequences in groups: those that begin from zeros, those that continue them, and so on."""
    if previous is None:
        return [np.arange(N)]
    depth: list[int] = []
    for before in previous.tolist():
        depth.append(depth[before] + 1 if before >= 0 else 0)
    order = np.argsort(depth, kind="stable")
    return np.split(order, np.cumsum(np.bincount(depth))[:-1])


def chain(previous: Array, which: Array | slice | int) -> Array:
    """The sequences that are read before some others and with them, in order."""
    needed = np.zeros(len(previous), bool)
    needed[which] = True
    for i in range(len(previous) - 1, -1, -1):
        if needed[i] and previous[i] >= 0:
            needed[previous[i]] = True
    return np.flatnonzero(needed)
