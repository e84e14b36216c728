"""Networks that are built to have a fault, and ones that are not; each with the evidence about it."""

from __future__ import annotations

import numpy as np

from rnnviz.diagnosis.diagnose import Diagnosis, diagnose
from rnnviz.diagnosis.evidence import Evidence
from rnnviz.diagnosis.from_experiment import examine
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run
from rnnviz.nn import Snapshot

ADAM = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 32}


def evidence_of(weights: dict[str, object] | None = None, **settings: object) -> Evidence:
    """The evidence of an experiment; `weights` replace those of the untrained network."""
    run = Run(Experiment(**settings))  # type: ignore[arg-type]
    if weights:
        start = run.training.snapshot()
        params = {name: np.array(w) for name, w in start.params.items()}
        for name, value in weights.items():
            params[name][...] = value
        run.training.restore(Snapshot(params, start.state, 0, 0, 0.0, start.record))
    return examine(run)


def of(weights: dict[str, object] | None = None, **settings: object) -> Diagnosis:
    return diagnose(evidence_of(weights, **settings))


def rules(diagnosis: Diagnosis) -> list[str]:
    return [found.rule for found in diagnosis.findings]
