"""Train an Experiment and return its results.

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
from rnnviz.experiment.build import build_model, build_task, build_training, resolved, task_in_view, trace_of
from rnnviz.experiment.evaluate import answers, evaluation_slice, self_fed
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import Model, Trace, Training
from rnnviz.nn.types import ReadOnly
from rnnviz.tasks import Task

Report = Callable[[Training], bool | None]


@dataclass(frozen=True, eq=False, repr=False)
class Result(ReadOnly):
    """The result of a training run.

    experiment           the experiment with the task's own settings filled in (seq_len, lag, samples, loss_at)
    task                 the sequences: x (N, T, I), targets, loss_mask; the first n_train are the training data
    model                the trained network; `Run(experiment).training.model` is the untrained one
    history              "loss" and "val_loss", one number per epoch; no val_loss without validation data
    prediction, targets  a series that reads what it predicts: the self-fed prediction and the series at the same points
                         (the sine: points[seq_len:]; your own: from the first validation target). Other tasks:
                         predictions and targets (classes by their labels) at the steps that carry loss, a list
                         for each validation sequence (for each training sequence if there are none)
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
        """The number of trained parameters."""
        return self.model.parameter_count


def train(experiment: Experiment, on_epoch: Report | None = None) -> Result:
    """Train for `experiment.epochs` epochs, and return the Result: history, model, prediction, targets.

    The same experiment always gives the same numbers. `on_epoch(training)` is called after each epoch and may
    return False to stop there. inf and nan in the history mean that the training exploded; it continues nevertheless.
    NumPy computes unless rnnviz.nn.load_numba() was called before (the command line does so for a run that is long
    enough). Raises InputError, before any training, for settings that conflict or need too much memory.
    """
    return Run(experiment).train(on_epoch)


class Run:
    """An experiment that is built and ready to train. Raises InputError if it cannot be built.

    task  the sequences, if another cell's experiment has built them already
    """

    def __init__(self, experiment: Experiment, task: Task | None = None) -> None:
        if not isinstance(experiment, Experiment):
            raise InputError(f"experiment: {short_repr(experiment)} is not one; use rnnviz.Experiment(task=...)")
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
    """The result of a training run so far."""
    model = training.model
    prediction: Any
    targets: Any
    fed = None if task.series is None else self_fed(model, task)
    if fed is not None and task.series is not None and task.ends is not None:
        first = int(task.ends[task.fed_from])
        prediction, targets = fed, task.series[first : first + len(fed)]
    else:
        prediction, targets = answers(model, task, evaluation_slice(task))
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
    """Run one forward and one backward pass over sequence `sample`, after `after_epochs` epochs of training.

    task  the experiment's sequences, if they have been built already

    Raises InputError for a sample that the task does not have.
    """
    experiment = resolved(experiment)
    cost.fit(experiment, trains=bool(after_epochs))
    task = build_task(experiment) if task is None else task
    model = build_model(experiment, task)
    if after_epochs:
        model = Run(experiment.with_(epochs=after_epochs), task).train(on_epoch).model
    return trace_of(model, task_in_view(experiment, task), sample)
