"""A forecast beside two answers that need no network: the last value again, and the value one season before.

>>> compare(model, task)                     # mean squared errors on the validation windows, in the network's scale
Baselines(error=0.153, last_value=0.103, seasonal=0.051, season=12, echo=2.1)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.experiment.evaluate import evaluation_slice, outputs
from rnnviz.nn import Model
from rnnviz.tasks import Task
from rnnviz.tasks.base import Array

#: A network repeats the last value if its answers differ from it by at most this part of what the next value does (mean
#: squares), and its error is at least NEAR of that of the last value.
ECHO, NEAR = 0.25, 0.9
#: A season is a peak of the autocorrelation of at least HALF, from where on the value one season before is a better
#: answer than the mean, and RISE above the lowest value before it.
HALF, RISE = 0.5, 0.2
#: The training part is at least this many seasons long; and no more than so many of its newest points are used.
SEASONS, POINTS = 3, 20_000


@dataclass(frozen=True)
class Baselines:
    """error       mean squared error of the network on the validation windows
    last_value  that of the last value again
    seasonal    that of the value one season before (of the last value, where that is missing); None without a season
    season      steps of one season; None if the training part has none
    echo        mean squared difference of the answers from the last value, as a part of last_value; None if that is 0
    """

    error: float
    last_value: float
    seasonal: float | None
    season: int | None
    echo: float | None

    @property
    def repeats(self) -> bool:
        """Whether the network only repeats the last value."""
        return self.echo is not None and self.echo <= ECHO and self.error >= NEAR * self.last_value


def as_json(found: Baselines | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "error": found.error,
        "last_value": found.last_value,
        "seasonal": found.seasonal,
        "season": found.season,
        "echo": found.echo,
        "repeats_last_value": found.repeats,
    }


def compare(model: Model, task: Task) -> Baselines | None:
    """The errors on the validation windows (all windows, if there are none); None for a task without a series."""
    which = evaluation_slice(task)
    last = task.past(which, 1)
    if last is None:
        return None
    mask, targets = task.loss_mask[which], task.targets[which]
    y = outputs(model, task, which)
    found, seasonal = season(task), None
    if found is not None:
        before = task.past(which, found)
        assert before is not None
        seasonal = _error(np.where(np.isfinite(before), before, last), targets, mask)
    moves = _error(last, targets, mask)
    with np.errstate(all="ignore"):
        echo = _error(y, last, mask) / moves if moves else None
    return Baselines(_error(y, targets, mask), moves, seasonal, found, echo)


def last_value_loss(task: Task, which: slice) -> float | None:
    """The mean squared error of the answer "the last value again"; None for a task without a series."""
    last = task.past(which, 1)
    return None if last is None else _error(last, task.targets[which], task.loss_mask[which])


def echo(model: Model, task: Task, which: slice) -> float | None:
    """Mean squared difference between the answers and the last values, as a part of that of the targets."""
    moves, last = last_value_loss(task, which), task.past(which, 1)
    if not moves or last is None:
        return None
    return _error(outputs(model, task, which), last, task.loss_mask[which]) / moves


def _error(answers: Array, targets: Array, mask: Array) -> float:
    with np.errstate(all="ignore"):
        return float(((answers - targets)[mask] ** 2).mean())


def season(task: Task) -> int | None:
    """The steps of one season: the first clear peak of the autocorrelation of the training part, without its line of
    best fit; None without one. Of several groups the longest counts."""
    if task.series is None or task.ends is None:
        return None
    end = int(task.ends[task.n_train - 1]) + 1
    points = task.series[:end]
    if task.groups is not None:
        counts = np.bincount(task.groups[:end])
        points = points[task.groups[:end] == counts.argmax()]
    points = points[-POINTS:]
    known = np.isfinite(points)
    most = len(points) // SEASONS
    if most < 2 or known.sum() < 2 * SEASONS:
        return None
    t = np.arange(len(points))
    z = np.where(known, points - np.polyval(np.polyfit(t[known], points[known], 1), t), 0.0)
    r = _autocorrelation(z, known)[: most + 2]
    lowest = np.minimum.accumulate(r)
    peaks = [
        lag for lag in range(2, most + 1)
        if r[lag] >= HALF and r[lag] - lowest[lag] >= RISE and r[lag] >= r[lag - 1] and r[lag] >= r[lag + 1]
    ]  # fmt: skip
    highest = max((r[lag] for lag in peaks), default=0.0)
    return next((lag for lag in peaks if r[lag] >= NEAR * highest), None)


def _autocorrelation(z: Array, known: Array) -> Array:
    """(n,): the mean product of values so many steps apart, as a part of the mean square; of pairs that are known."""
    size = 2 * len(z)
    products, pairs = (
        np.fft.irfft(np.abs(np.fft.rfft(one, size)) ** 2, size)[: len(z)] for one in (z, known.astype(float))
    )
    if not products[0] > 1e-12 * len(z):
        return np.zeros(len(z))
    means: Array = np.where(pairs > 0.5, products / np.maximum(pairs, 1.0), 0.0)
    return np.asarray(means / means[0])
