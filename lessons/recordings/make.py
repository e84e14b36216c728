"""Makes the recordings that the lessons show: small trainings of rnnviz's own, written as a watch writes them.

    python lessons/recordings/make.py [FOLDER]

`remembers`: an LSTM learns to remember a letter. `forgets`: the same one begins with nearly shut forget gates, and does
not learn it. Both train in float32, so that their weight gradients differ from those computed anew by rounding errors,
as a framework's do. `remembers.safetensors` has the weights that the first one ends with.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import rnnviz
from rnnviz.experiment.build import build_model, build_task, build_training, resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import Model
from rnnviz.recordings import passes
from rnnviz.tasks import Task

REMEMBERS = Experiment(
    task="recall", lag=20, seq_len=30, samples=200, cell="lstm", hidden_size=8, dtype="float32", seed=5,
    optimizer="adam", learning_rate=0.01, batch_size=16, epochs=9,
)  # fmt: skip
FORGETS = replace(REMEMBERS, forget_bias=-3.5, learning_rate=0.003)
RECORDINGS = {"remembers": REMEMBERS, "forgets": FORGETS}
RECORDS = 1 + REMEMBERS.epochs  # the untrained network, and one after each epoch
BATCH, KEPT = 32, 2  # sequences of the batch that is recorded; those that are kept


def layer(model: Model, task: Task) -> tuple[rnnviz.LayerRecord, float]:
    """What a watch records of a batch: the agreement is measured on all of it, then some sequences are kept."""
    x, loss_at = task.x[:BATCH].swapaxes(0, 1), task.loss_mask[:BATCH].T
    trace = model.trace(x, task.targets[:BATCH].swapaxes(0, 1), loss=task.loss, loss_at=loss_at)
    names = [name for name in trace.params if name.startswith("rnn.")]
    direct = trace.grad_y @ trace.params["readout.weight"]
    whole = rnnviz.LayerRecord(
        cell=trace.spec.cell,
        weights={name.removeprefix("rnn."): trace.params[name].astype(np.float32) for name in names},
        grads={name.removeprefix("rnn."): trace.grads[name].astype(np.float32) for name in names},
        x=x.astype(np.float32),
        direct=direct.astype(np.float32),
    )
    kept = replace(
        whole, x=whole.x[:, :KEPT], direct=whole.direct[:, :KEPT], total=BATCH, agreement=passes.agreement(whole)
    )
    return kept, float(trace.loss)


def make(folder: Path) -> None:
    for name, experiment in RECORDINGS.items():
        shutil.rmtree(folder / name, ignore_errors=True)
        experiment = resolved(experiment)
        task = build_task(experiment)
        training = build_training(experiment, build_model(experiment, task), task)
        with rnnviz.Recorder(folder / name, about={"framework": "rnnviz"}) as recorder:
            for record in range(RECORDS):
                if record:
                    training.run_batches(training.batches_per_epoch)
                kept, loss = layer(training.model, task)
                step = training.epoch * training.batches_per_epoch
                recorder.add(
                    step=step, loss=loss, layers={"lstm": kept}, extra={"learning_rate": experiment.learning_rate}
                )
        if experiment == resolved(REMEMBERS):
            training.model.save(folder / f"{name}.safetensors")
        for file in (folder / name).glob("*.safetensors"):  # always the same names, to replace the files in place
            file.rename(file.with_name(f"{file.name.partition('-')[0]}-lesson.safetensors"))


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
