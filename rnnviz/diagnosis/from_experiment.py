"""Evidence from an experiment: train it, look at a few moments, measure some updates, and find the first nan or inf.

>>> run = Run(Experiment(task="recall", lag=60))
>>> evidence = examine(run)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnviz.diagnosis.evidence import Evidence, Layer, Moment, NotFinite, Updates, layer_of, repetition
from rnnviz.diagnosis.first_not_finite import first_not_finite, gradients, is_finite
from rnnviz.experiment.build import trace_of
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.forecast import echo, last_value_loss
from rnnviz.experiment.run import Run
from rnnviz.nn import Model, Training, engine, optimizer
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.types import frozen
from rnnviz.numbers import counted
from rnnviz.scene.commands import Measure
from rnnviz.tasks import Task
from rnnviz.tasks.catalog import info
from rnnviz.views.prepare import prepare, read
from rnnviz.views.reach import answers, first_used

#: (updates done, of how many, the newest loss); may raise an exception to stop.
Report = Callable[[int, int, float], None]

#: Sequences that are traced at a moment, updates that are measured, and moments besides the first and the last.
SEQUENCES, MEASURED, BETWEEN = 8, 40, 3
#: Numbers that the traces of one moment may hold; beyond, fewer sequences are traced.
NUMBERS = 2**24


def examine(run: Run, report: Report = lambda done, total, loss: None) -> Evidence:
    """Train `run` for all its epochs and return the evidence."""
    training, task, experiment = run.training, run.task, run.experiment
    per_epoch = training.batches_per_epoch
    total = experiment.epochs * per_epoch
    measured = {int(k) for k in np.linspace(0, total - 1, min(total, MEASURED)).round()} if total else set()
    pictures = {int(e) for e in np.linspace(0, experiment.epochs, BETWEEN + 2).round()}
    moments = [moment_of(training.model, task, experiment, "untrained", 0)]
    found: NotFinite | None = None
    rows: list[tuple[int, float, dict[str, float], float, bool]] = []
    while training.epoch < experiment.epochs:
        done = training.epoch * per_epoch + training.batch
        given, before = training.engine, training.snapshot()
        training.engine = engine.computing(training.spec) if given is None else given  # a replay gives the same numbers
        if done in measured:
            rows.append((done + 1, *_measure(training, experiment)))
            values = np.array(rows[-1][1:2])
        else:
            later = min((k for k in measured if k > done), default=total)
            values = training.run_batches(min(later - done, per_epoch - training.batch))
        if found is None and not (np.isfinite(values).all() and is_finite(training.model.params)):
            found = first_not_finite(training, before, values)
        training.engine = given
        done = training.epoch * per_epoch + training.batch
        report(done, total, float(values[-1]))
        if training.batch == 0 and training.epoch in pictures:
            loss = training.history["loss"][-1]
            moments.append(moment_of(training.model, task, experiment, f"epoch {training.epoch}", done, loss))
    updates = _updates([(step, ratio, norm, changed) for step, _, ratio, norm, changed in rows], experiment)
    return gather(experiment, task, training.model, moments, training.history["loss"], updates, found)


def gather(
    experiment: Experiment,
    task: Task,
    model: Model,
    moments: list[Moment],
    history: list[float],
    updates: Updates | None,
    not_finite: NotFinite | None,
) -> Evidence:
    """The evidence from what was measured."""
    cell = CELLS[experiment.cell].described(experiment.activation)
    layers = f" × {counted(experiment.num_layers, 'layer')}" if experiment.num_layers > 1 else ""
    size = f"{counted(experiment.hidden_size, 'unit')}{layers}"
    return Evidence(
        kind="experiment",
        title=f"{cell}, {size}, {info(experiment.task).title}, {counted(task.seq_len, 'step')}, {moments[-1].place}",
        moments=tuple(moments),
        losses=frozen(np.array(history, np.float64)),
        constant=task.baseline,
        last_value=last_value_loss(task, slice(task.n_train)),
        echo=echo(model, task, slice(task.n_train)),
        lag=task.lag,
        repeats=None if task.series is None else repetition([task.series[:, None]]),
        is_learnt=_is_learnt(model, task),
        updates=updates,
        not_finite=not_finite,
        learning_rate=experiment.learning_rate,
        notes=task.notes,
    )


def moment_of(
    model: Model, task: Task, experiment: Experiment, place: str, step: int, loss: float | None = None
) -> Moment:
    """The network on some of the sequences that it is trained on."""
    width = model.spec.forward_width * 4
    count = max(1, min(SEQUENCES, task.n_train, NUMBERS // max(1, width * task.seq_len)))
    picked = [int(n) for n in np.linspace(0, task.n_train - 1, count).round()]
    with np.errstate(all="ignore"):
        traces = [trace_of(model, task, n) for n in picked]
    lags = [_lag(task, n, trace.loss_steps[-1]) for n, trace in zip(picked, traces, strict=True)]
    used = first_used(traces[0].loss_steps[-1], experiment.truncation(), task.seq_len)
    layers = [_named(model, level, traces, lags, used) for level in range(model.spec.num_layers)]
    return Moment(place, step, tuple(layers), loss)


def _named(model: Model, level: int, traces: list[Any], lags: list[int | None], used: int) -> Layer:
    name = "" if model.spec.num_layers == 1 else f"layer {level + 1}"
    return layer_of(name, traces, level, lags=lags, first_used=used)


def _lag(task: Task, sample: int, k: int) -> int | None:
    needed = task.needs(sample, k) if task.lag is not None else ()
    return k - min(needed) if needed else None


def _is_learnt(model: Model, task: Task) -> bool | None:
    scene = prepare(read(task, 0, model), Measure("outcome"))
    found = answers(scene)
    return None if found is None else found.learnt


# -- updates -------------------------------------------------------------------------------------------


def _measure(training: Training, experiment: Experiment) -> tuple[float, dict[str, float], float, bool]:
    """Run one update. Returns its loss, ‖change‖ / ‖weights before‖ by parameter, the norm of the gradient before
    clipping, and whether clipping changed it. What is not finite is nan."""
    before = training.model.params
    grads = gradients(training) if _limit(experiment) else {}
    loss = training.run_batch()
    after = training.model.params
    with np.errstate(all="ignore"):
        ratio = {
            name.removeprefix("rnn."): float(np.linalg.norm(after[name] - w) / np.linalg.norm(w))
            for name, w in before.items()
        }
        clipped = optimizer.clip(training.optimizer, grads) if grads else {}
        norm = float(np.sqrt(sum(float((g * g).sum()) for g in grads.values()))) if grads else float("nan")
        changed = any(not np.array_equal(grads[name], g) for name, g in clipped.items())
    return loss, ratio, norm, changed


def _limit(experiment: Experiment) -> str:
    limits = ((name, getattr(experiment, name)) for name in ("clip_norm", "clip_value", "clip_each"))
    return ", ".join(f"{name} {value:g}" for name, value in limits if value is not None)


def _updates(rows: list[tuple[int, dict[str, float], float, bool]], experiment: Experiment) -> Updates | None:
    if not rows:
        return None
    limit = _limit(experiment)
    return Updates(
        step=frozen(np.array([row[0] for row in rows])),
        ratio={name: frozen(np.array([row[1][name] for row in rows])) for name in rows[0][1]},
        norm=frozen(np.array([row[2] for row in rows])) if limit else None,
        is_clipped=frozen(np.array([row[3] for row in rows])) if limit else None,
        left_over=frozen(np.zeros(len(rows))),  # each of our own updates begins with a gradient of 0
        limit=limit,
    )
