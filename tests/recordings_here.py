"""Recordings of our own trainings, so that every gradient in them is known from our own traces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.experiment.build import build_model, build_task, build_training, resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import Model, Trace
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.recordings.recorder import Recorder
from rnnviz.tasks import Task

EXPERIMENT = Experiment(task="recall", cell="lstm", hidden_size=8, seq_len=12, lag=8, samples=40, optimizer="adam")
SEQUENCES = 3


def layer_of(model: Model, task: Task, **changes: Any) -> tuple[LayerRecord, Trace]:
    """The network's layers as somebody would record them from its first SEQUENCES sequences, and our own trace."""
    x = task.x[:SEQUENCES].swapaxes(0, 1)
    trace = model.trace(
        x, task.targets[:SEQUENCES].swapaxes(0, 1), loss=task.loss, loss_at=task.loss_mask[:SEQUENCES].T
    )
    own = [name for name in trace.params if name.startswith("rnn.")]
    fields = {
        "cell": trace.spec.cell,
        "weights": {name.removeprefix("rnn."): trace.params[name] for name in own},
        "x": x,
        "direct": trace.grad_y @ trace.params["readout.weight"],
        "grads": {name.removeprefix("rnn."): trace.grads[name] for name in own},
        "activation": trace.spec.activation if trace.spec.cell == "rnn" else "tanh",
    }
    return LayerRecord(**{**fields, **changes}), trace


class Trainer:
    """A training of ours that is recorded, an epoch a record."""

    def __init__(self, path: Path, experiment: Experiment = EXPERIMENT, **changes: Any) -> None:
        self.experiment = resolved(experiment)
        self.task = build_task(self.experiment)
        self._training = build_training(self.experiment, build_model(self.experiment, self.task), self.task)
        self._recorder = Recorder(path, about={"framework": "PyTorch 2.13"}, append=True)
        self._changes = changes
        self.traces: list[Trace] = []

    def record(self, *, epochs: int = 1) -> None:
        for _ in range(epochs):
            layer, trace = layer_of(self._training.model, self.task, **self._changes)
            self.traces.append(trace)
            self._recorder.add(step=10 * self._training.epoch, loss=trace.loss, layers={"encoder.lstm": layer})
            self._training.run_batches(self._training.batches_per_epoch)


def made(path: Path, *, records: int = 3, experiment: Experiment = EXPERIMENT, **changes: Any) -> list[Trace]:
    """Write a recording; our own traces, one a record, of SEQUENCES sequences each."""
    trainer = Trainer(path, experiment, **changes)
    trainer.record(epochs=records)
    return trainer.traces


def alone(trace: Trace, sample: int) -> np.ndarray:
    """(T+1,): ‖dL/dh_t‖ of one of its sequences."""
    return np.asarray(np.sqrt((trace.grad_h[:, sample] ** 2).sum(axis=1)))
