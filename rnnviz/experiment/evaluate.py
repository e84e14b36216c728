"""What a network makes of a task's sequences: outputs, answers, the share of right ones, the sine it continues."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz.nn import Model, engine
from rnnviz.tasks import Task
from rnnviz.tasks.base import Array

#: Sequences run through the network together, and the numbers they may leave behind: little memory whatever the data.
_AT_ONCE, _NUMBERS_AT_ONCE = 512, 2**25


def outputs(model: Model, task: Task, which: slice = slice(None)) -> Array:
    """y (n, T, O): what the network says about some of the sequences."""
    x = task.x[which]
    at_once = max(1, min(_AT_ONCE, _NUMBERS_AT_ONCE // (task.seq_len * model.spec.forward_width)))
    parts = [
        model.forward(x[start : start + at_once].swapaxes(0, 1)).swapaxes(0, 1) for start in range(0, len(x), at_once)
    ]
    return np.concatenate(parts).astype(np.float64)


def fit(model: Model, task: Task) -> Array:
    """The sine one step ahead, for points[seq_len:]: the last output of each true window."""
    return outputs(model, task)[:, -1, 0]


def self_fed(model: Model, task: Task) -> Array:
    """The sine going on alone, for points[seq_len:].

    It reads the first true window and says the next point; that is put at the window's end, its first point
    dropped, and so on. Each window starts from the zero state, as in Keras' model.predict on windows. Once a
    value is not finite nothing can follow it: the rest is nan.
    """
    assert task.series is not None
    T, n = task.seq_len, len(task)
    points = np.concatenate([task.series[:T], np.full(n, np.nan)])
    for k in range(n):
        points[T + k] = model.forward(points[k : k + T, None, None])[-1, 0, 0]
        if not np.isfinite(points[T + k]):
            break
    return points[T:]


def continued(model: Model, task: Task, sample: int, length: int = 120) -> str:
    """What a network that reads characters goes on with after sequence `sample`: each is drawn from what it
    expects, and read next. The same network always draws the same; where nothing can be drawn it ends."""
    model = model.in_float64
    h: Array | None = None
    c: Array | None = None
    x, text = task.x[sample, : task.lengths[sample], None], ""
    rng = np.random.default_rng(sample)
    for _ in range(length):
        run = engine.current().forward(model.spec, model.params, np.ascontiguousarray(x, "float64"), h, c)
        y = run.y[-1, 0]
        if not np.isfinite(y).all():
            break
        p = np.exp(y - y.max())
        chosen = int(rng.choice(len(p), p=p / p.sum()))
        text += task.labels[chosen]
        x = np.eye(len(p))[None, None, chosen]
        h = np.stack([layer.h[-1] for layer in run.layers])
        cells = [layer.c[-1] for layer in run.layers if layer.c is not None]
        c = np.stack(cells) if cells else None
    return text


def judged(task: Task) -> slice:
    """The sequences to validate with; all of them, if none are kept for that."""
    return slice(task.n_train, None) if task.n_train < len(task) else slice(None)


def accuracy(model: Model, task: Task) -> float | None:
    """Share of right answers over the judged sequences; None for a task whose answers are no classes."""
    if task.loss != "cross_entropy":
        return None
    said, true = answers(model, task, judged(task))
    pairs = [(a, b) for one, two in zip(said, true, strict=True) for a, b in zip(one, two, strict=True)]
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else None


def error(model: Model, task: Task) -> float | None:
    """Mean squared error over the judged sequences; None for a task whose answers are classes."""
    if task.loss != "mse":
        return None
    which = judged(task)
    with np.errstate(all="ignore"):
        off = (outputs(model, task, which) - task.targets[which])[task.loss_mask[which]]
        return float((off * off).mean())


def answers(model: Model, task: Task, which: slice) -> tuple[list[list[Any]], list[list[Any]]]:
    """What the network says, and what it should say, at the steps that carry loss: a list per sequence."""
    y, targets, mask = outputs(model, task, which), task.targets[which], task.loss_mask[which]
    said: list[list[Any]] = []
    true: list[list[Any]] = []
    for sequence, target, judged in zip(y, targets, mask, strict=True):
        if task.loss == "mse":
            said.append(sequence[judged, 0].tolist())
            true.append(target[judged, 0].tolist())
        else:
            said.append(list(task.answers(sequence[judged])))
            true.append([task.labels[k] for k in target[judged]])
    return said, true
