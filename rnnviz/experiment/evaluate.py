"""Evaluate a network on a task: outputs, predictions, accuracy, error, and its continuation of a sine or a text."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz.experiment.build import start_of
from rnnviz.nn import Model, carry, engine
from rnnviz.tasks import Task
from rnnviz.tasks.base import Array

#: Sequences in one forward pass, and the most numbers that it may record: they limit memory for any data set.
_AT_ONCE, _NUMBERS_AT_ONCE = 512, 2**25


def outputs(model: Model, task: Task, which: slice = slice(None)) -> Array:
    """y (n, T, O): the network's outputs for some of the sequences."""
    if task.previous is not None:
        return _in_order(model, task, which, task.previous)
    x, read = task.x[which], task.read_steps(which)
    if read is None and model.spec.bidirectional:  # what reads from the end must know where that is
        read = np.arange(1, task.seq_len + 1) <= task.lengths[which][:, None]
    at_once = max(1, min(_AT_ONCE, _NUMBERS_AT_ONCE // (task.seq_len * model.spec.forward_width)))
    parts = []
    for start in range(0, len(x), at_once):
        some = slice(start, start + at_once)
        mask = None if read is None else read[some].T
        parts.append(model.forward(x[some].swapaxes(0, 1), mask=mask).swapaxes(0, 1))
    return np.concatenate(parts).astype(np.float64)


def _in_order(model: Model, task: Task, which: slice, previous: Array) -> Array:
    """The same with carried state: the sequences that those of `which` continue are read before them."""
    read = carry.chain(previous, which)
    x = task.x[read].astype(model.spec.dtype)
    y = np.empty((len(read), task.seq_len, task.output_size))
    links = carry.of_part(previous, read)
    for some, run in carry.in_order(model.spec, model.params, x, links, engine.current(), _AT_ONCE):
        y[some] = run.y.swapaxes(0, 1)
    return y[np.isin(read, np.arange(len(task))[which])]


def fit(model: Model, task: Task) -> Array:
    """The series one step ahead, from the first point that a window predicts last: the last output of each true window,
    with carried state each output that is judged; nan for a point without one."""
    assert task.series is not None
    assert task.ends is not None
    first = int(task.ends[0])
    ahead = np.full(len(task.series) - first, np.nan)
    points, places = task.predictions
    ahead[points - first] = outputs(model, task)[*places.T, 0]
    return ahead


def self_fed(model: Model, task: Task) -> Array | None:
    """The self-fed prediction of the series, from the last target of sequence `task.fed_from`; None where the network
    does not read what it predicts.

    The network reads one true window and predicts the next point; the window moves on by one point and ends in this
    prediction, and so on. Each window starts from the zero state, as in Keras' model.predict on windows. With carried
    state it reads the true window from the state before it, and then its own predictions, one a step. After a value
    that is not finite the rest is nan.
    """
    assert task.series is not None
    assert task.ends is not None
    if not task.fed or model.spec.bidirectional:  # it reads the whole window before it predicts
        return None
    first, last = task.span(task.fed_from)
    T, n = last - first + 1, min(task.fed, len(task.series) - int(task.ends[task.fed_from]))
    if task.previous is not None:
        return _fed_onward(model, task, n)
    points = np.concatenate([task.x[task.fed_from, first - 1 : last], np.full((n, task.input_size), np.nan)])
    for k in range(n):
        points[T + k] = model.forward(points[k : k + T, None])[-1, 0]
        if not np.isfinite(points[T + k]).all():
            break
    return points[T:, 0]


def _fed_onward(model: Model, task: Task, n: int) -> Array:
    exact, state = model.in_float64, start_of(model, task, task.fed_from)
    x, points = task.x[task.fed_from, :, None], np.full(n, np.nan)
    for k in range(n):
        h, c = (None, None) if state is None else (state.h, state.c)
        run = engine.current().forward(exact.spec, exact.params, np.ascontiguousarray(x, "float64"), h, c)
        x, state = run.y[-1:], carry.Carried.after(run)
        points[k] = x[0, 0, 0]
        if not np.isfinite(x).all():
            break
    return points


def continue_text(model: Model, task: Task, sample: int, length: int = 120) -> str:
    """The network's continuation of the text after sequence `sample`: each character is drawn from the predicted
    distribution and read next. The same network always draws the same text; it ends at outputs that are not finite.
    With carried state the sequence is read from the state before it; with attention all is read again for each
    character, since it looks back at every state."""
    model = model.in_float64
    start = start_of(model, task, sample)
    h, c = (None, None) if start is None else (start.h, start.c)
    first, last = task.span(sample)
    x, text = task.x[sample, first - 1 : last, None], ""
    rng = np.random.default_rng(sample)
    for _ in range(length):
        run = engine.current().forward(model.spec, model.params, np.ascontiguousarray(x, "float64"), h, c)
        y = run.y[-1, 0]
        if not np.isfinite(y).all():
            break
        p = np.exp(y - y.max())
        chosen = int(rng.choice(len(p), p=p / p.sum()))
        text += task.labels[chosen]
        following = np.eye(len(p))[None, None, chosen]
        if model.spec.readout != "linear":
            x = np.concatenate([x, following])
            continue
        x = following
        start = carry.Carried.after(run)
        h, c = start.h, start.c
    return text


def evaluation_count(task: Task) -> int:
    """How many sequences a network is judged by: those to validate with; all of them, if there are none."""
    return len(task) - task.n_train or len(task)


def evaluation_slice(task: Task) -> slice:
    """The validation sequences; all sequences if there are none."""
    return slice(task.n_train, None) if task.n_train < len(task) else slice(None)


def accuracy(model: Model, task: Task) -> float | None:
    """Share of right answers on the sequences of evaluation_slice; None for a task whose answers are neither right nor
    wrong."""
    if not task.has_right_answers:
        return None
    which = evaluation_slice(task)
    judged = task.loss_mask[which]
    right = task.right(outputs(model, task, which)[judged], task.targets[which][judged])
    return float(right.mean()) if right.size else None


def error(model: Model, task: Task) -> float | None:
    """Mean squared error on the sequences of evaluation_slice; None for a task whose answers are classes."""
    if task.loss != "mse":
        return None
    which = evaluation_slice(task)
    with np.errstate(all="ignore"):
        errors = (outputs(model, task, which) - task.targets[which])[task.loss_mask[which]]
        return float((errors * errors).mean())


def answers(model: Model, task: Task, which: slice) -> tuple[list[list[Any]], list[list[Any]]]:
    """(predictions, targets) at the steps that carry loss: one list per sequence."""
    y, targets, mask = outputs(model, task, which), task.targets[which], task.loss_mask[which]
    predicted: list[list[Any]] = []
    true: list[list[Any]] = []
    for sequence, target, has_loss in zip(y, targets, mask, strict=True):
        if task.loss == "mse":
            predicted.append(sequence[has_loss, 0].tolist())
            true.append(target[has_loss, 0].tolist())
        else:
            predicted.append(list(task.answers(sequence[has_loss])))
            true.append([task.labels[k] for k in target[has_loss]])
    return predicted, true
