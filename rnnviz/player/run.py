"""From an Experiment to its numbers: task, model, training, and what came of it.

>>> result = train(Experiment())
>>> result.parameters, len(result.history["loss"])
(461, 20)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz import tasks
from rnnviz.errors import InputError, shown
from rnnviz.nn import Data, Model, Optimizer, Trace, Training, engine
from rnnviz.nn.types import ReadOnly
from rnnviz.player import size
from rnnviz.player.experiment import Experiment
from rnnviz.player.loop import without_loop
from rnnviz.tasks import Task, catalog
from rnnviz.tasks.base import Array

Report = Callable[[Training], bool | None]

#: Sequences run through the network together, and the numbers they may leave behind: little memory whatever the data.
_AT_ONCE, _NUMBERS_AT_ONCE = 512, 2**25


@dataclass(frozen=True, eq=False, repr=False)
class Result(ReadOnly):
    """What `train` returns.

    experiment           what was run, with everything the task decides filled in (seq_len, lag, samples, loss_at)
    task                 the sequences: x (N, T, I), targets, loss_mask; the first n_train were trained on
    model                the trained network; `Run(experiment).training.model` is the one it began as
    history              "loss" and "val_loss", a number per epoch done; no val_loss without validation data
    prediction, targets  the sine: what the network says when it is fed by itself, and the series, both for
                         points[seq_len:]. Other tasks: the outputs (classes by their labels) at the steps
                         that carry loss, a list per sequence to validate with (to train on, if none)
    completed            False if it was stopped before the last epoch
    """

    experiment: Experiment
    task: Task
    model: Model
    history: dict[str, list[float]]
    prediction: Any
    targets: Any
    completed: bool

    def __repr__(self) -> str:
        last = "".join(f", {name} {values[-1]:.4g}" for name, values in self.history.items() if values)
        epochs = len(self.history["loss"])
        return f"<Result: {self.experiment.task} with {self.experiment.cell}, {epochs} epochs{last}>"

    @property
    def parameters(self) -> int:
        """How many numbers were trained."""
        return self.model.parameter_count


def resolved(experiment: Experiment) -> Experiment:
    """The experiment with what it leaves to its task filled in: seq_len, lag, samples and loss_at."""
    info = catalog.info(experiment.task)
    for setting in ("samples", "source"):
        catalog.accepts(experiment.task, setting, getattr(experiment, setting))
    seq_len, lag = catalog.dimensions(experiment.task, experiment.seq_len, experiment.lag)
    return experiment.with_(
        seq_len=seq_len,
        lag=lag if "lag" in info.uses else None,
        samples=info.samples if experiment.samples is None else experiment.samples,
        loss_at=info.loss_at if experiment.loss_at is None else experiment.loss_at,
    )


def build_task(experiment: Experiment) -> Task:
    """The sequences. Raises InputError, with what to do, for settings that do not fit together, or into memory with
    their network: then nothing is made."""
    size.fit(experiment, trains=False)
    return tasks.build(
        experiment.task,
        seq_len=experiment.seq_len,
        points=experiment.points,
        noise=experiment.noise,
        lag=experiment.lag,
        samples=experiment.samples,
        seed=experiment.seed,
        validation_split=experiment.validation_split,
        source=experiment.source,
        loss_at=experiment.loss_steps() or "auto",
    )


def build_model(experiment: Experiment, task: Task) -> Model:
    """The network at its start, with the task's input and output sizes."""
    model = Model.create(
        cell=experiment.cell,
        input_size=task.input_size,
        hidden_size=experiment.hidden_size,
        output_size=task.output_size,
        num_layers=experiment.num_layers,
        activation=experiment.activation,
        init=experiment.init,
        gain=experiment.gain,
        spectral_radius=experiment.spectral_radius,
        forget_bias=experiment.forget_bias,
        max_lag=max(2, task.lag or task.seq_len),
        biases=experiment.biases,
        dtype=experiment.dtype,
        seed=experiment.seed,
    )
    return model if experiment.loop else without_loop(model)


def build_training(experiment: Experiment, model: Model, task: Task) -> Training:
    """The first `task.n_train` sequences to train on, the rest to validate with."""
    data = Data(task.x, task.targets, task.loss_mask, task.loss)
    optimizer = Optimizer(
        name=experiment.optimizer,
        learning_rate=experiment.learning_rate,
        momentum=experiment.momentum,
        clip_norm=experiment.clip_norm,
        clip_each=experiment.clip_each,
        clip_value=experiment.clip_value,
        convention=experiment.convention,
        epsilon=experiment.epsilon,
    )
    validation = data.select(slice(task.n_train, None)) if task.n_train < len(task) else None
    return Training(
        model,
        data.select(slice(task.n_train)),
        validation,
        optimizer,
        batch_size=experiment.batch_size,
        shuffle=experiment.shuffle,
        seed=experiment.seed,
        truncate=experiment.truncation(),
        loop=experiment.loop,
    )


def train(experiment: Experiment, on_epoch: Report | None = None) -> Result:
    """Train for `experiment.epochs` epochs, and return the Result: history, model, prediction, targets.

    The same experiment always gives the same numbers. `on_epoch(training)` is called after each epoch and may
    return False to stop there. inf and nan in the history mean that the training exploded; it goes on all the same.
    It computes in NumPy unless rnnviz.nn.load_numba() was called before (the command line does so by itself where
    a training is long enough to pay for it).
    Raises InputError, before anything is trained, for settings that do not fit together or into memory.
    """
    return Run(experiment).train(on_epoch)


class Run:
    """An experiment with everything built, about to be trained. Raises InputError if it cannot be.

    task  the sequences, where those of another cell's experiment are at hand
    """

    def __init__(self, experiment: Experiment, task: Task | None = None) -> None:
        if not isinstance(experiment, Experiment):
            raise InputError(f"experiment: {shown(experiment)} is not one; make it by rnnviz.Experiment(task=...)")
        self.experiment = resolved(experiment)
        size.fit(self.experiment)
        self.task = build_task(self.experiment) if task is None else task
        self.training = build_training(self.experiment, build_model(self.experiment, self.task), self.task)

    def train(self, on_epoch: Report | None = None) -> Result:
        while self.training.epoch < self.experiment.epochs:
            self.training.run_epoch()
            if on_epoch is not None and on_epoch(self.training) is False:
                break
        return outcome(self.experiment, self.task, self.training)


def outcome(experiment: Experiment, task: Task, training: Training) -> Result:
    """The result of a training, as far as it has come."""
    model = training.model
    prediction: Any
    targets: Any
    if task.series is not None:
        prediction, targets = self_fed(model, task), task.series[task.seq_len :]
    else:
        prediction, targets = answers(model, task, judged(task))
    return Result(
        experiment=experiment,
        task=task,
        model=model,
        history={name: list(values) for name, values in training.history.items()},
        prediction=prediction,
        targets=targets,
        completed=training.epoch >= experiment.epochs,
    )


def gradients(
    experiment: Experiment,
    sample: int = 0,
    after_epochs: int = 0,
    on_epoch: Report | None = None,
    task: Task | None = None,
) -> Trace:
    """One forward and one backward pass over sequence `sample` (of the experiment's own task, if it is at hand), after
    so many epochs of training.

    Raises InputError for a sample the task does not have.
    """
    experiment = resolved(experiment)
    size.fit(experiment, trains=bool(after_epochs))
    task = build_task(experiment) if task is None else task
    model = build_model(experiment, task)
    if after_epochs:
        model = Run(experiment.with_(epochs=after_epochs), task).train(on_epoch).model
    return trace_of(model, task, sample)


def trace_of(model: Model, task: Task, sample: int = 0) -> Trace:
    """The trace of one sequence, without the padding after its end."""
    if not 0 <= sample < len(task):
        raise InputError(f"sample: {sample} is not one of the {len(task)} sequences; use 0 to {len(task) - 1}")
    steps = int(task.lengths[sample])
    return model.trace(
        task.x[sample, :steps, None],
        task.targets[sample, :steps, None],
        loss=task.loss,
        loss_at=task.loss_mask[sample, :steps, None],
    )


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
