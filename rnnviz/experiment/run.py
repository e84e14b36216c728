"""An Experiment, trained: its numbers and what came of them.

>>> result = train(Experiment())
>>> result.parameters, len(result.history["loss"])
(461, 20)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.experiment import cost
from rnnviz.experiment.build import build_model, build_task, build_training, resolved, trace_of
from rnnviz.experiment.evaluate import answers, judged, self_fed
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import Model, Trace, Training
from rnnviz.nn.types import ReadOnly
from rnnviz.tasks import Task

Report = Callable[[Training], bool | None]


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
            raise InputError(f"experiment: {short_repr(experiment)} is not one; make it by rnnviz.Experiment(task=...)")
        self.experiment = resolved(experiment)
        cost.fit(self.experiment)
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
    cost.fit(experiment, trains=bool(after_epochs))
    task = build_task(experiment) if task is None else task
    model = build_model(experiment, task)
    if after_epochs:
        model = Run(experiment.with_(epochs=after_epochs), task).train(on_epoch).model
    return trace_of(model, task, sample)
