"""The first value that was nan or inf in a training: the updates around it run again, and each quantity is looked at in
the order in which it is computed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnnviz.diagnosis.evidence import NotFinite
from rnnviz.nn import Snapshot, Training, losses, numpy_engine
from rnnviz.nn.types import Array, Params

#: Updates that are looked at, from the one before the first loss that is not finite.
LOOKED_AT = 3


def is_finite(params: Mapping[str, Array]) -> bool:
    return all(np.isfinite(w).all() for w in params.values())


def first_not_finite(training: Training, before: Snapshot, values: Array) -> NotFinite | None:
    """The first quantity that is not finite, in the updates after `before`, whose losses were `values`. The training is
    afterwards where it was."""
    here = training.snapshot()
    training.restore(before)
    bad = np.flatnonzero(~np.isfinite(values))
    first = int(bad[0]) if len(bad) else len(values) - 1
    if first > 1:
        training.run_batches(first - 1)
    found = None
    for _ in range(LOOKED_AT):
        found = _in_update(training)
        if found is not None:
            break
        training.run_batch()
    training.restore(here)
    return found


def gradients(training: Training) -> Params:
    """The gradients of the next batch, before clipping."""
    model = training.model
    x, targets, mask = _batch(training)
    forward = numpy_engine.forward(training.spec, model.params, x, *training.start_of_batch())
    with np.errstate(all="ignore"):
        grad_y = losses.evaluate(training.train.loss, forward.y, targets, mask).grad_y
    if training.truncate is None:
        return numpy_engine.backward(training.spec, model.params, forward, grad_y).grads
    return numpy_engine.truncated_backward(training.spec, model.params, forward, grad_y, *training.truncate)


def _batch(training: Training) -> tuple[Array, Array, Array]:
    return training.train.time_major(training.batch_indices(training.epoch, training.batch))


def _in_update(training: Training) -> NotFinite | None:
    """Of the next update, which is not made."""
    spec, params = training.spec, training.model.params
    number = training.epoch * training.batches_per_epoch + training.batch + 1
    where = f"in update {number:,} (epoch {training.epoch + 1})"

    def found(quantity: str, values: Array, *before: str) -> NotFinite:
        fine = " and ".join(filter(None, [", ".join(before[:-1]), before[-1] if before else ""]))
        return NotFinite(where, number, quantity, "nan" if np.isnan(values).any() else "inf", fine)

    for name, w in params.items():
        if not np.isfinite(w).all():
            return found(f"the weights {name.removeprefix('rnn.')}", w)
    x, targets, mask = _batch(training)
    if not np.isfinite(x).all():
        return found("the input x", x, "the weights")
    forward = numpy_engine.forward(spec, params, x, *training.start_of_batch())
    for level, layer in enumerate(forward.layers):
        of = f" of layer {level + 1}" if spec.num_layers > 1 else ""
        for symbol, states in (("c", layer.c), ("h", layer.h)):
            if states is not None and (t := _first_step(states)) is not None:
                return found(f"the state {symbol}{of} at t = {t}", states[t], "the weights", "the input")
    if (t := _first_step(forward.y)) is not None:
        return found(f"the output at step {t + 1}", forward.y[t], "the weights", "the states")
    with np.errstate(all="ignore"):
        value = losses.evaluate(training.train.loss, forward.y, targets, mask)
    if not np.isfinite(value.loss):
        return found("the loss", np.array(value.loss), "the weights", "the states", "the outputs")
    fine = ("the weights", "the states", "the loss")
    if training.truncate is None:
        back = numpy_engine.backward(spec, params, forward, value.grad_y)
        for level in reversed(range(spec.num_layers)):
            of = f" of layer {level + 1}" if spec.num_layers > 1 else ""
            grad = back.layers[level].grad_h
            bad = np.flatnonzero(~np.isfinite(grad).all(axis=(1, 2)))
            if len(bad):
                return found(f"the gradient ∂L/∂h{of} at t = {bad[-1]}", grad[bad[-1]], *fine)
    for name, g in gradients(training).items():
        if not np.isfinite(g).all():
            return found(f"the gradient of {name.removeprefix('rnn.')}", g, *fine)
    here = training.snapshot()
    training.run_batch()
    after = training.model.params
    training.restore(here)
    for name, w in after.items():
        if not np.isfinite(w).all():
            return found(f"the update of {name.removeprefix('rnn.')}", w, *fine, "the gradient")
    return None


def _first_step(states: Array) -> int | None:
    bad = np.flatnonzero(~np.isfinite(states).all(axis=(1, 2)))
    return int(bad[0]) if len(bad) else None
