"""Series: read a window of a person's own series; predict its next value.

    s = [s0 s1 s2 s3], T = 2  ->  x = [s0 s1], [s1 s2]   targets = [. s2], [. s3]

The loss is that of the last step alone, unless another is asked for: so each value is predicted once, and no value
that is predicted for validation was a target of the training. Windows are in the order of time, those of one group
after those of the other, and never reach from one group into the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rnnviz.errors import InputError
from rnnviz.numbers import counted
from rnnviz.tasks.base import Array, LossAt, Task, common_fields, constant_mse, fit_memory, rng_of, split
from rnnviz.tasks.own import Decisions, read
from rnnviz.tasks.own.content import SequencesContent, SeriesContent
from rnnviz.tasks.own.scale import Scale, fill, gap_note, padded, scale_note, scale_of, scaled
from rnnviz.tasks.own.understood import Understood
from rnnviz.tasks.rows import in_rows

#: Steps of a self-fed prediction, at most.
FED = 200


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Series(Task):
    """names   of the columns that are predicted; read: of those that are read
    scales  of the targets, one for each
    starts  (N,) row of each window's first step, from 0
    """

    has_own_data: ClassVar[bool] = True

    names: tuple[str, ...]
    read: tuple[str, ...]
    scales: tuple[Scale, ...]
    starts: Array

    @property
    def has_marker(self) -> bool:
        return False

    @property
    def features(self) -> tuple[str, ...]:
        return self.read

    @property
    def _rows(self) -> int:
        return 0 if self.series is None else len(self.series)

    def describe(self, i: int, y: Array | None = None) -> str:
        first, end = self.span(i)
        last = int(self.starts[i]) + self.seq_len
        first = last - (end - first)
        name, scale = self.names[0], self.scales[0]
        text = f"rows {first:,} to {last:,} of {self._rows:,}; the next {name}: "
        text += f"{scale.back(self.targets[i, -1, 0]):.5g}"
        return text if y is None else f"{text}; prediction: {scale.back(y[self.answer_at(i), 0]):.5g}"

    def constant_loss(self, targets: Array, loss_mask: Array) -> float | None:
        return constant_mse(targets, loss_mask)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Regression(Task):
    """Sequences of a person's own with numbers as their answers. scales: of the answers, one for each."""

    has_own_data: ClassVar[bool] = True
    is_shuffled = True

    scales: tuple[Scale, ...]

    @property
    def has_marker(self) -> bool:
        return False

    def describe(self, i: int, y: Array | None = None) -> str:
        k = int(np.flatnonzero(self.loss_mask[i])[-1])
        scale = self.scales[0]
        text = f"sequence {i + 1:,} of {len(self):,}: {scale.back(self.targets[i, k, 0]):.5g}"
        return text if y is None else f"{text}; prediction: {scale.back(y[k, 0]):.5g}"


def build(
    *,
    data: str,
    decisions: Decisions,
    seq_len: int | None,
    samples: int | None,
    seed: int,
    validation_split: float,
    loss_at: LossAt = "auto",
    rows: int | None = None,
) -> Task:
    """The windows of a table's or an array's series, or sequences with numbers as answers. With `rows`,
    for carried state, windows are end to end, in so many rows (rows.py), and each step carries loss by default.

    Raises InputError where no window is left to train on.
    """
    understood = read(data, decisions)
    content = understood.content
    if isinstance(content, SequencesContent) and understood.task == "series":
        if rows is not None:
            raise InputError(f"carry: the sequences of {understood.name} do not continue one another; leave it out")
        return _regression(understood, content, seq_len, seed, validation_split, loss_at)
    if not isinstance(content, SeriesContent):
        raise InputError(f"task: {understood.name} is for the task {understood.task!r}, not 'series'; leave --task out")
    return _windows(understood, content, seq_len, validation_split, loss_at, rows)


def _windows(
    understood: Understood,
    content: SeriesContent,
    seq_len: int | None,
    validation_split: float,
    loss_at: LossAt,
    rows: int | None,
) -> Series:
    T = content.steps() if seq_len is None else seq_len
    R, used = len(content.values), sorted({*content.inputs, *content.targets})
    every = _starts(content, T, 1 if rows is None else T)
    if not len(every):
        raise _too_short(understood, content, T)
    values, filled = fill(content.values, content.starts, understood.decisions.missing)
    bad = np.concatenate([[0], np.cumsum(~np.isfinite(values[:, used]).all(axis=1))])
    starts = every[bad[every + T + 1] == bad[every]]
    gaps = len(every) - len(starts)
    if len(starts) < 2:
        raise InputError(
            f"seq_len: {counted(len(starts), 'window')} of {len(every):,} without a missing value, of {T} steps of "
            f"{understood.name}; use fewer steps or other columns, or choose --missing interpolate"
        )
    n_train = split(len(starts), validation_split, "use more rows, fewer steps or a smaller validation split")
    fit_memory(len(starts), T, content.input_size + content.output_size)
    in_row = None if rows is None else in_rows(starts, T, n_train, rows)
    if in_row is not None:
        starts, n_train = in_row.starts, in_row.n_train
        loss_at = "every" if loss_at == "auto" else loss_at
    in_training = np.zeros(R + 1, int)
    np.add.at(in_training, starts[:n_train], 1)
    np.add.at(in_training, starts[:n_train] + T + 1, -1)
    training = values[np.cumsum(in_training)[:-1] > 0]
    scales = [scale_of(training[:, c], content.names[c], understood.standardizes) for c in range(values.shape[1])]
    columns = scaled(values, scales)
    windows = sliding_window_view(columns, T, axis=0).transpose(0, 2, 1)  # (R - T + 1, T, C)
    targets = windows[starts + 1][:, :, content.targets].copy()
    lengths = np.full(len(starts), T)
    facts = common_fields("series", lengths, T, loss_at)
    notes = [*understood.notes, *gap_note(filled, understood.decisions.missing), *(in_row.notes if in_row else ())]
    if gaps:
        notes.append(
            f"{gaps:,} of {len(every):,} windows hold a missing value and are left out; --missing interpolate fills it."
        )
    if understood.standardizes:
        notes.append(scale_note([scales[c] for c in used]))
    if T > 1 and rows is None and facts["loss_mask"][:, :-1].any():
        notes.append("With a loss before the last step, the first validation windows predict values of the training.")
    groups = np.zeros(R, int)
    groups[list(content.starts[1:])] = 1
    inputs = list(content.inputs)
    return Series(
        **facts | {"title": f"forecast of {understood.name}"},
        x=windows[starts][:, :, inputs].copy(),
        targets=targets,
        n_train=n_train,
        baseline=constant_mse(targets, facts["loss_mask"]),
        notes=tuple(notes),
        series=columns[:, content.targets[0]].copy(),
        ends=starts + T,
        fed_from=n_train % len(starts),
        fed=0 if content.inputs != content.targets else FED,
        names=tuple(content.names[c] for c in content.targets),
        read=tuple(content.names[c] for c in inputs),
        scales=tuple(scales[c] for c in content.targets),
        starts=starts,
        groups=np.cumsum(groups),
        previous=None if in_row is None else in_row.previous,
        history=columns[:, content.targets].copy(),
    )


def _too_short(understood: Understood, content: SeriesContent, T: int) -> InputError:
    longest = max(end - start for start, end in zip(content.starts, content.ends, strict=True))
    if longest < 2:
        return InputError(f"data: {understood.name} has no two rows that follow one another; a series needs more")
    where = " in its longest group" if len(content.starts) > 1 else ""
    return InputError(
        f"seq_len: {understood.name} has {longest:,} rows{where}; a window of {T:,} steps and the value after it need "
        f"{T + 1:,}; use at most {longest - 1:,} steps"
    )


def _starts(content: SeriesContent, T: int, stride: int) -> Array:
    """The first row of each window of T rows that has a row after it in the same group, every stride-th of them."""
    parts = [
        np.arange(start, max(start, end - T), stride) for start, end in zip(content.starts, content.ends, strict=True)
    ]
    return np.concatenate(parts)


def _regression(
    understood: Understood,
    content: SequencesContent,
    seq_len: int | None,
    seed: int,
    validation_split: float,
    loss_at: LossAt,
) -> Regression:
    found = padded(content, seq_len, understood.decisions.missing)
    n, T = found.x.shape[:2]
    order = rng_of("series", seed).permutation(n)
    n_train = split(n, validation_split, "use more sequences or a smaller validation split")
    x, lengths, y = found.x[order], found.lengths[order], content.y[found.kept][order]
    if y.ndim == 3:
        targets, auto = y[:, :T], "every"
    else:
        targets, auto = np.repeat(y[:, None], T, axis=1), "last"
    x, scales = found.scaled(x, lengths, n_train, content.names, understood.standardizes)
    facts = common_fields("series", lengths, T, auto if loss_at == "auto" else loss_at)
    plain = [Scale(f"y{k}") for k in range(1, targets.shape[2] + 1)]
    if understood.standardizes:
        in_training = targets[:n_train][facts["loss_mask"][:n_train]]
        plain = [scale_of(in_training[:, k], one.name, True) for k, one in enumerate(plain)]
        targets = scaled(targets, plain)
    notes: Sequence[str] = [*understood.notes, *found.notes]
    if understood.standardizes:
        notes = [*notes, scale_note([*scales, *plain])]
    return Regression(
        **facts | {"title": f"numbers of {understood.name}"},
        x=x,
        targets=np.ascontiguousarray(targets),
        n_train=n_train,
        baseline=constant_mse(targets, facts["loss_mask"]),
        notes=tuple(notes),
        scales=tuple(plain),
    )
