"""The content of a person's data in the two forms that the tasks learn: one or more series, or sequences with an
answer each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.types import Array, ReadOnly, frozen
from rnnviz.tasks.own.arrays import Arrays
from rnnviz.tasks.own.cells import LARGEST
from rnnviz.tasks.own.examples import CLASSES, Examples
from rnnviz.tasks.own.table import Table

WINDOW, LONGEST = 20, 100  # steps of a window of a series, and most steps of a text, unless others are asked for
SHARE = 4  # a window takes at most this part of a short series


@dataclass(frozen=True, eq=False)
class SeriesContent(ReadOnly):
    """values  (R, C) float64, nan where a value is missing; the rows of one group follow one another in time
    inputs  columns that the network reads; targets: columns whose next value it predicts
    names   (C,)
    starts  first row of each group; the rows of a group are together
    """

    values: Array
    inputs: tuple[int, ...]
    targets: tuple[int, ...]
    names: tuple[str, ...]
    starts: tuple[int, ...]

    def __post_init__(self) -> None:
        frozen(self.values)

    @property
    def input_size(self) -> int:
        return len(self.inputs)

    @property
    def output_size(self) -> int:
        return len(self.targets)

    @property
    def ends(self) -> tuple[int, ...]:
        return (*self.starts[1:], len(self.values))

    def steps(self) -> int:
        """The window, unless another is asked for."""
        longest = max(end - start for start, end in zip(self.starts, self.ends, strict=True))
        return min(WINDOW, max(1, longest // SHARE))

    def windows(self, T: int) -> int:
        """The number of windows of T steps and the value after them, also of those that have a gap."""
        return sum(max(0, end - start - T) for start, end in zip(self.starts, self.ends, strict=True))


@dataclass(frozen=True, eq=False)
class SequencesContent(ReadOnly):
    """texts    sequences of characters; or () and
    x        (N, L, I) numbers, nan where a value is missing, with `lengths` (N,)
    y        classes (N,) or (N, L), or numbers (N, O) or (N, L, O)
    classes  names; () where y holds numbers
    names    of the inputs
    sequences  names of the sequences, or ()
    """

    texts: tuple[str, ...]
    x: Array | None
    lengths: Array
    y: Array
    classes: tuple[str, ...]
    names: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()

    @property
    def input_size(self) -> int:
        return len(set("".join(self.texts))) if self.x is None else int(self.x.shape[2])

    @property
    def output_size(self) -> int:
        return len(self.classes) or int(self.y.shape[-1])

    def steps(self) -> int:
        longest = int(self.lengths.max())
        return longest if self.x is not None else min(longest, LONGEST)

    def windows(self, T: int) -> int:
        return len(self.lengths)


Content = SeriesContent | SequencesContent


def of_examples(found: Examples) -> SequencesContent:
    lengths = np.array([len(text) for text in found.texts])
    return SequencesContent(found.texts, None, lengths, np.array(found.labels), found.classes)


def of_table(table: Table) -> Content:
    """A series (of each group); with labels the rows of each group, or each row, as one sequence."""
    if table.labels is None:
        return _series(table)
    classes = _classes(table.labels)
    at = {name: k for k, name in enumerate(classes)}
    if table.groups is None:
        x = table.values[:, table.columns, None]  # one value a step
        y = np.array([at[label] for label in table.labels])
        return SequencesContent((), x, np.full(len(x), x.shape[1]), y, classes, ("value",))
    order = np.argsort(table.groups, kind="stable")
    counts = np.bincount(table.groups)
    ends = np.cumsum(counts)
    x = np.full((len(counts), counts.max(), len(table.columns)), np.nan)
    y = np.zeros(len(counts), int)
    for k, (end, count) in enumerate(zip(ends.tolist(), counts.tolist(), strict=True)):
        rows = order[end - count : end]
        x[k, :count] = table.values[rows][:, table.columns]
        labels = {table.labels[row] for row in rows}
        if len(labels) > 1:
            some = " and ".join(sorted(map(short_repr, labels))[:2])
            raise InputError(
                f"label: the group {short_repr(table.group_names[k])} has the labels {some}; "
                "all rows of a group need the same"
            )
        y[k] = at[labels.pop()]
    return SequencesContent((), x, counts, y, classes, _names(table), table.group_names)


def _names(table: Table) -> tuple[str, ...]:
    return tuple(table.names[c] for c in table.columns)


def _series(table: Table) -> SeriesContent:
    values, starts = table.values, (0,)
    if table.groups is not None:
        order = np.argsort(table.groups, kind="stable")
        values = values[order]
        starts = (0, *np.cumsum(np.bincount(table.groups))[:-1].tolist())
    return SeriesContent(values, table.columns, table.targets, table.names, starts)


def of_arrays(found: Arrays) -> Content:
    x, y = found.x, found.y
    if x.ndim == 2:
        return SeriesContent(x.copy(), *_every(x.shape[1]), (0,))
    N, T, inputs = x.shape
    lengths = np.full(N, T) if found.lengths is None else found.lengths
    if y is None:
        values = np.concatenate([one[:n] for one, n in zip(x, lengths, strict=True)])
        return SeriesContent(values, *_every(inputs), (0, *np.cumsum(lengths)[:-1].tolist()))
    names = tuple(str(k) for k in range(1, inputs + 1))
    if y.dtype.kind in "US" or (y.dtype.kind in "iub" and y.ndim < 3):
        texts: list[str] = [_text(value) for value in y.ravel().tolist()]
        classes = _classes(texts)
        at = {name: k for k, name in enumerate(classes)}
        numbers: Array = np.array([at[text] for text in texts]).reshape(y.shape)
        if y.ndim == 2 and y.shape[1] != T:
            if y.shape[1] != 1:
                raise InputError(f"data: y has shape {y.shape}; classes need ({N},) or ({N}, {T})")
            numbers = numbers[:, 0]
        return SequencesContent((), x, lengths, numbers, classes, names)
    y = y.astype(np.float64)
    if y.ndim == 1:
        y = y[:, None]
    with np.errstate(invalid="ignore"):
        is_fit = (np.abs(y) < LARGEST).all()
    if not is_fit:
        raise InputError("data: y has values that are missing, infinite or too large; leave these sequences out")
    return SequencesContent((), x, lengths, y, (), names)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _every(columns: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
    every = tuple(range(columns))
    return every, every, tuple(str(c + 1) for c in every)


def _classes(labels: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    found = set(labels)
    if len(found) > CLASSES:
        raise InputError(f"label: {len(found):,} different values; at most {CLASSES:,} are classes")
    if len(found) < 2:
        raise InputError("label: all rows have the same label; to tell classes apart, give two or more")
    is_numeric = all(label.lstrip("-").isdecimal() and len(label) < 18 for label in found)
    return tuple(sorted(found, key=int if is_numeric else str))
