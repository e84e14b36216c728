"""Columns made ready for a network: scaled by the training part's mean and deviation, and gaps left out or filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.types import Array
from rnnviz.numbers import counted
from rnnviz.tasks.own.cells import LARGEST
from rnnviz.tasks.own.content import SequencesContent

CONSTANT = 1e-12  # largest deviation of a constant column, as a part of its values: rounding
NAMED = 3  # columns whose scale is written in a note


@dataclass(frozen=True)
class Scale:
    """A column as the network sees it: (value - mean) / deviation."""

    name: str
    mean: float = 0.0
    deviation: float = 1.0

    def back(self, value: float) -> float:
        """The value in the column's own unit."""
        return float(value) * self.deviation + self.mean


def scale_of(training: Array, name: str, standardizes: bool) -> Scale:
    """The scale of a column, from its values in the training part; of a constant column the deviation stays 1."""
    if not standardizes:
        return Scale(name)
    known = training[np.isfinite(training)]
    if not len(known):
        return Scale(name)
    mean, deviation = float(known.mean()), float(known.std())
    is_constant = deviation <= CONSTANT * float(np.abs(known).max())
    return Scale(name, mean, 1.0 if is_constant else deviation)


def scaled(values: Array, scales: Sequence[Scale]) -> Array:
    """The values (…, C) in the scale of each column. Raises InputError for a value that is far outside its column's
    training part."""
    with np.errstate(all="ignore"):
        found: Array = (values - [s.mean for s in scales]) / [s.deviation for s in scales]
        far = (np.abs(found) >= LARGEST).any(axis=tuple(range(found.ndim - 1)))
    if far.any():
        name = short_repr(scales[int(far.argmax())].name)
        raise InputError(
            f"data: {name} has values too far from those of its training part; correct it, or leave it out"
        )
    return found


def scale_note(scales: Sequence[Scale]) -> str:
    some = ", ".join(f"{s.name} {s.mean:.4g} ± {s.deviation:.4g}" for s in scales[:NAMED])
    more = f" and {len(scales) - NAMED} more" if len(scales) > NAMED else ""
    return f"Standardized by the training part: {some}{more} (--no-standardize)."


def fill(values: Array, starts: Sequence[int], how: str | None) -> tuple[Array, int]:
    """(values (R, C) with their gaps filled as `how` says, the number of values filled). A gap before the first value
    of a group, and with "interpolate" one after its last, stays."""
    if how not in ("interpolate", "repeat"):
        return values, 0
    filled = values.copy()
    for start, end in zip(starts, (*starts[1:], len(values)), strict=True):
        for column in filled[start:end].T:
            known = np.flatnonzero(np.isfinite(column))
            if not len(known):
                continue
            rows = np.arange(known[0], known[-1] + 1 if how == "interpolate" else len(column))
            gaps = rows[~np.isfinite(column[rows])]
            if how == "interpolate":
                column[gaps] = np.interp(gaps, known, column[known])
            else:
                column[gaps] = column[known[np.searchsorted(known, gaps) - 1]]
    return filled, int(np.isfinite(filled).sum() - np.isfinite(values).sum())


def gap_note(filled: int, how: str | None) -> list[str]:
    if not filled:
        return []
    means = "by a line between the values beside them" if how == "interpolate" else "with the value before them"
    return [f"{counted(filled, 'missing value')} {'is' if filled == 1 else 'are'} filled {means} (--missing {how})."]


@dataclass(frozen=True, eq=False)
class Padded:
    """x (n, T, I), zeros after each sequence's end; lengths (n,); kept: which sequences they are; notes."""

    x: Array
    lengths: Array
    kept: Array
    notes: tuple[str, ...]

    def scaled(
        self, x: Array, lengths: Array, n_train: int, names: Sequence[str], standardizes: bool
    ) -> tuple[Array, list[Scale]]:
        """x in its new order, scaled by its first n_train sequences; and the scale of each input."""
        inside = np.arange(x.shape[1]) < lengths[:, None]
        training = x[:n_train][inside[:n_train]]
        scales = [scale_of(training[:, c], name, standardizes) for c, name in enumerate(names)]
        return np.where(inside[:, :, None], scaled(np.where(inside[:, :, None], x, 0.0), scales), 0.0), scales


def padded(content: SequencesContent, seq_len: int | None, how: str | None) -> Padded:
    """Sequences of numbers, cut to seq_len steps; those with a gap are left out, or it is filled. Raises InputError."""
    assert content.x is not None
    T = content.steps() if seq_len is None else seq_len
    x, lengths, notes = content.x, content.lengths, []
    N, L, inputs = x.shape
    inside = np.arange(L) < lengths[:, None]
    x = np.where(inside[:, :, None], x, np.nan)
    if how is not None:
        flat, filled = fill(x.reshape(N * L, inputs), range(0, N * L, L), how)
        x = flat.reshape(x.shape)
        notes += gap_note(filled, how)
    if lengths.max() > T:
        longer = int((lengths > T).sum())
        notes.append(f"{longer:,} of {N:,} sequences have more than {T} steps and are cut there (--steps).")
        x, inside, lengths = x[:, :T], inside[:, :T], np.minimum(lengths, T)
    whole = (np.isfinite(x).all(axis=2) | ~inside).all(axis=1)
    if not whole.all():
        gaps = N - int(whole.sum())
        notes.append(
            f"{gaps:,} of {N:,} sequences hold a missing value and are left out; --missing interpolate fills it."
        )
    kept = np.flatnonzero(whole)
    if len(kept) < 2:
        raise InputError(
            f"data: {counted(len(kept), 'sequence')} without a missing value; choose --missing interpolate"
        )
    x = np.where(inside[kept][:, :, None], x[kept], 0.0)
    if x.shape[1] < T:
        x = np.concatenate([x, np.zeros((len(x), T - x.shape[1], inputs))], axis=1)
    return Padded(x, lengths[kept], kept, tuple(notes))
