"""The noisy sine: 50 points of sin over -2π..2π, cut into windows; predict the next point at every step.

    s = [s0 s1 s2 s3], T = 2  ->  x = [s0 s1], [s1 s2]   targets = [s1 s2], [s2 s3]

The usual first example in Keras: `SimpleRNN(20, return_sequences=True)`, `Dense(1)`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rnnviz.errors import InputError
from rnnviz.tasks.base import Array, LossAt, Task, common_fields, constant_mse, fit_memory, rng_of, split
from rnnviz.tasks.rows import in_rows


class Sine(Task):
    has_words = False

    def describe(self, i: int, y: Array | None = None) -> str:
        assert self.series is not None
        assert self.ends is not None
        (first, last), end = self.span(i), int(self.ends[i])
        text = f"points {end - (last - first)} to {end} of {len(self.series)}"
        text += f"; the next is {self.targets[i, -1, 0]:+.3f}"
        return text if y is None else f"{text}; prediction: {y[self.answer_at(i), 0]:+.3f}"

    def constant_loss(self, targets: Array, loss_mask: Array) -> float | None:
        return constant_mse(targets, loss_mask)


def build(
    *,
    seq_len: int,
    points: int,
    noise: float,
    seed: int,
    validation_split: float,
    loss_at: LossAt = "auto",
    rows: int | None = None,
) -> Sine:
    """N = points - seq_len windows, in order: the last of them are for validation. With `rows`, for carried state, they
    are end to end, in so many rows (rows.py)."""
    if points < 2:
        raise InputError(f"points: {points} is too few; use at least 2")
    if seq_len >= points:
        raise InputError(
            f"seq_len: a window of {seq_len} steps and the point after it need more than {points} points; "
            f"use at most {points - 1} steps, or more points"
        )
    if not (math.isfinite(noise) and noise >= 0):
        raise InputError(f"noise: {noise} must be a number of at least 0")
    starts = np.arange(0, points - seq_len, 1 if rows is None else seq_len)
    n_train = split(len(starts), validation_split, "use more points, fewer steps or a smaller validation split")
    fit_memory(len(starts), seq_len, 2)
    facts: dict[str, Any] = {}
    if rows is not None:
        found = in_rows(starts, seq_len, n_train, rows)
        starts, n_train = found.starts, found.n_train
        facts = {"previous": found.previous}

    clean = np.sin(np.linspace(-2 * np.pi, 2 * np.pi, points))
    series = clean + noise * rng_of("sine", seed).standard_normal(points)
    windows = sliding_window_view(series, seq_len)  # (points - seq_len + 1, seq_len)
    targets = windows[starts + 1][:, :, None]
    lengths = np.full(len(starts), seq_len)
    facts |= common_fields("sine", lengths, seq_len, loss_at)
    return Sine(
        **facts,
        x=windows[starts][:, :, None],
        targets=targets,
        n_train=n_train,
        baseline=constant_mse(targets, facts["loss_mask"]),
        series=series,
        clean=clean,
        ends=starts + seq_len,
        fed=points,
    )
