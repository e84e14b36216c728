"""Networks that are built to have a fault, and ones that are not; each with the evidence about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnnviz.diagnosis.diagnose import Diagnosis, diagnose
from rnnviz.diagnosis.evidence import Evidence
from rnnviz.diagnosis.from_experiment import examine
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run
from rnnviz.nn import Snapshot, losses, numpy_engine
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.recordings.recorder import Recorder
from rnnviz.recordings.recording import Recording

ADAM = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 32}


def evidence_of(weights: dict[str, object] | None = None, **settings: object) -> Evidence:
    """The evidence of an experiment; `weights` replace those of the untrained network."""
    return examine(run_of(weights, **settings))


def run_of(weights: dict[str, object] | None = None, **settings: object) -> Run:
    run = Run(Experiment(**settings))  # type: ignore[arg-type]
    if weights:
        start = run.training.snapshot()
        params = {name: np.array(w) for name, w in start.params.items()}
        for name, value in weights.items():
            params[name][...] = value
        run.training.restore(Snapshot(params, start.state, 0, 0, 0.0, start.record))
    return run


def of(weights: dict[str, object] | None = None, **settings: object) -> Diagnosis:
    return diagnose(evidence_of(weights, **settings))


def rules(diagnosis: Diagnosis) -> list[str]:
    return [found.rule for found in diagnosis.findings]


def record_of(run: Run, sequences: int = 8, batch: slice | None = None) -> LayerRecord:
    """What a watcher would record of this network: of its one recurrent layer, on some of the training sequences."""
    data = run.training.train
    x, targets, mask = data.time_major(slice(sequences) if batch is None else batch)
    model = run.training.model.in_float64
    forward = numpy_engine.forward(model.spec, model.params, x)
    value = losses.evaluate(data.loss, forward.y, targets, mask)
    with np.errstate(all="ignore"):
        grads = numpy_engine.backward(model.spec, model.params, forward, value.grad_y).grads
        direct = value.grad_y @ model.params["readout.weight"]

    def own(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name.removeprefix("rnn."): a for name, a in arrays.items() if name.startswith("rnn.")}

    return LayerRecord(
        cell=model.spec.cell, activation=model.spec.activation, weights=own(model.params), x=x, direct=direct,
        grads=own(grads),
    )  # fmt: skip


def recording_of(
    path: Path, records: int = 3, weights: dict[str, object] | None = None, **settings: object
) -> Recording:
    """A recording of an experiment: before its training, and then after each of some epochs."""
    run = run_of(weights, **settings)
    with Recorder(path) as recorder:
        for _ in range(records):
            record = record_of(run)
            step = run.training.epoch * run.training.batches_per_epoch
            loss = run.training.history["loss"][-1] if run.training.epoch else None
            recorder.add(step=step, loss=loss, layers={"rnn": record})
            run.training.run_epoch()
    return Recording.open(path)
