"""The diagnosis of a scene: one sequence, the weights of this moment. Worked out on a job's thread (views/prepare.py).

    >>> scene = prepare(scene, wanted(frame))
    >>> of_frame(frame).findings

What takes a whole training or several sequences is not judged here: `rnnviz diagnose` does.
"""

from __future__ import annotations

import numpy as np

from rnnviz.diagnosis.diagnose import Diagnosis, diagnose
from rnnviz.diagnosis.evidence import Evidence, Moment, NotFinite, layer_of
from rnnviz.diagnosis.rules import RULES, loss
from rnnviz.scene.commands import Measure
from rnnviz.scene.frame import Frame
from rnnviz.scene.scene import Scene
from rnnviz.views.analysis import OnPart
from rnnviz.views.prepare import PREPARATIONS, Preparation, prepare
from rnnviz.views.reach import answers, first_used

#: The rules that read the losses alone: quick, and judged with the newest losses when they are drawn.
_OF_LOSSES = frozenset(rule.slug for rule in loss.RULES)


def wanted(frame: Frame) -> Measure:
    return Measure("diagnosis", experiment=frame.experiment)


def of_frame(frame: Frame) -> Diagnosis | None:
    """None while it is not known."""
    found: Diagnosis | None = frame.scene.known.get(wanted(frame))
    if found is None:
        return None
    task, evidence = frame.scene.task, found.evidence
    losses = Evidence(
        kind=evidence.kind,
        title="",
        moments=(),
        losses=np.array(frame.learning.loss, np.float64),
        loss_unit=frame.learning.unit,
        constant=task.baseline,
        not_finite=evidence.not_finite,
        learning_rate=evidence.learning_rate,
    )
    more = diagnose(losses, loss.RULES)
    return Diagnosis(evidence, (*found.findings, *more.findings), found.not_judged | more.not_judged)


def _make(scene: Scene, of: Measure, on_part: OnPart) -> Diagnosis:
    trace, experiment, task = scene.trace, of.experiment, scene.task
    on_part(0, 2)
    is_learnt = None
    if experiment is not None:
        found = answers(prepare(scene, Measure("outcome")))
        is_learnt = None if found is None else found.learnt
    on_part(1, 2)
    k = scene.last_loss_step
    needed = scene.needs(k) if task.lag is not None else ()
    used = first_used(k, None if experiment is None else experiment.truncation(), task.seq_len)
    with np.errstate(all="ignore"):
        layers = tuple(
            layer_of(
                f"layer {level + 1}" if trace.L > 1 else "", [trace], level,
                lags=[k - min(needed) if needed else None], first_used=used,
            ) for level in range(trace.L)
        )  # fmt: skip
    evidence = Evidence(
        kind="recording" if experiment is None else "experiment",
        title="",
        moments=(Moment("this moment", 0, layers),),
        lag=task.lag,
        is_learnt=is_learnt,
        not_finite=_first(scene),
        learning_rate=None if experiment is None else experiment.learning_rate,
    )
    return diagnose(evidence, tuple(rule for rule in RULES if rule.slug not in _OF_LOSSES))


def _first(scene: Scene) -> NotFinite | None:
    """The first quantity of this sequence that is not finite, in the order in which they are computed."""
    trace = scene.trace
    quantities = [(f"the weights {name.removeprefix('rnn.')}", w) for name, w in scene.parameters.items()]
    quantities += [(f"the state h of layer {n}", layer.h) for n, layer in enumerate(trace.layers, start=1)]
    quantities += [("the output", trace.y)] if scene.task.has_readout else []
    quantities += [] if scene.loss is None else [("the loss", np.array(scene.loss))]
    quantities += [("the gradient ∂L/∂h", trace.grad_h)]
    for name, values in quantities:
        if not np.isfinite(values).all():
            return NotFinite("in this sequence", 0, name, "nan" if np.isnan(values).any() else "inf")
    return None


def _cost(scene: Scene, of: Measure) -> int:
    """Multiplications, roughly: one pass, and the answers to the whole task."""
    trace = scene.trace
    cost: int = PREPARATIONS["gradient"].cost(scene, of) + trace.T * trace.B * trace.H**2
    return cost if of.experiment is None else cost + PREPARATIONS["outcome"].cost(scene, of)


PREPARATIONS["diagnosis"] = Preparation(_make, _cost, "diagnosing")
