"""A diagnosis as the object that `--json` prints, and as paragraphs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rnnviz import numbers
from rnnviz.diagnosis.diagnose import Diagnosis
from rnnviz.diagnosis.evidence import Evidence, Layer
from rnnviz.diagnosis.finding import Finding
from rnnviz.diagnosis.rules import RULES
from rnnviz.nn.metrics import fades, horizon, lasting_horizon

#: settings -> the command that tries them
Command = Callable[[Mapping[str, Any]], str]
TITLES = {rule.slug: rule.title for rule in RULES}


def as_json(diagnosis: Diagnosis, command: Command | None = None) -> dict[str, Any]:
    """What `--json` prints; the keys are stable."""
    return {
        "kind": diagnosis.evidence.kind,
        "title": diagnosis.evidence.title,
        "measured": measured(diagnosis.evidence),
        "findings": [
            {
                "rule": found.rule,
                "layer": found.layer or None,
                "what": found.what,
                "evidence": dict(found.evidence),
                "cause": found.cause,
                "try": found.remedy.about,
                "command": None if command is None or not found.remedy.settings else command(found.remedy.settings),
                "pytorch": found.remedy.pytorch or None,
                "keras": found.remedy.keras or None,
                "lesson": found.lesson,
            }
            for found in diagnosis.findings
        ],
        "not_judged": dict(diagnosis.not_judged),
        "notes": list(diagnosis.evidence.notes),
    }


def measured(evidence: Evidence) -> dict[str, Any]:
    """Figures without a judgement: the horizon at each moment, the lag, the loss, the updates."""
    updates = evidence.updates
    return {
        "moments": [
            {
                "place": moment.place,
                "step": moment.step,
                "loss": moment.loss,
                "layers": [
                    {"layer": layer.name or None, "horizon": horizon_of(layer), "steps": _steps(layer)}
                    for layer in moment.layers
                ],
            }
            for moment in evidence.moments
        ],
        "lag": evidence.lag,
        "repeats": None
        if evidence.repeats is None
        else {"lag": evidence.repeats[0], "autocorrelation": evidence.repeats[1]},
        "loss": float(evidence.losses[-1]) if len(evidence.losses) else None,
        "constant_loss": evidence.constant,
        "last_value_loss": evidence.last_value,
        "is_learnt": evidence.is_learnt,
        "clipped": None if updates is None or updates.is_clipped is None else float(updates.is_clipped.mean()),
        "update_ratio": None
        if updates is None
        else {name: _median(ratio) for name, ratio in updates.ratio.items() if "weight" in name},
    }


def lines(evidence: Evidence) -> list[str]:
    """The measured figures that a person wants first, one sentence each."""
    out = []
    now, what = evidence.now, evidence.goes_back
    for layer in now.layers if now is not None else ():
        if layer.ways and now is not None:
            of = f"{layer.name}: " if layer.name else ""
            lag, steps = horizon_of(layer), numbers.counted(_steps(layer), "step")
            if not all(fades(way.norms) for way in layer.ways):
                text = f"{what[:1].upper()}{what[1:]} is 0, inf or nan on its way back in some sequence"
            elif lag is not None:
                text = f"1 % of {what} is left after {numbers.steps(lag, 0)} of {steps} (horizon)"
            else:
                text = f"More than 1 % of {what} is left after all {steps}"
            out.append(f"{of}{text}, {now.place}.")
    if evidence.lag is not None:
        out.append(f"The answer depends on an input {numbers.counted(evidence.lag, 'step')} back.")
    elif evidence.repeats is not None:
        lag, value = evidence.repeats
        out.append(
            f"The input repeats after {lag} steps (autocorrelation {value:.2f}); the answer need not depend on that."
        )
    if len(evidence.losses):
        trivial = "" if evidence.constant is None else f"; a constant answer costs {numbers.loss(evidence.constant)}"
        out.append(f"The last loss is {numbers.loss(float(evidence.losses[-1]))}{trivial}.")
    return out


def titles(found: Finding) -> str:
    """`the gradient vanishes, layer 2`"""
    return TITLES.get(found.rule, found.rule) + (f", {found.layer}" if found.layer else "")


def horizon_of(layer: Layer) -> float | None:
    """The median horizon of the sequences, the longer of those along h and along c; None: beyond the steps there are,
    or without a meaning."""
    found = []
    for way in layer.ways:
        far = lasting_horizon if way.is_attended else horizon
        both = [far(norms) for norms in (way.norms, way.cell_norms) if norms is not None]
        found.append(math.inf if None in both else max(h for h in both if h is not None))
    middle = float(np.median(found)) if found else math.inf
    return middle if math.isfinite(middle) else None


def _steps(layer: Layer) -> int:
    return max((way.loss_step for way in layer.ways), default=0)


def _median(ratio: Any) -> float | None:
    finite = np.asarray(ratio)[np.isfinite(ratio)]
    return float(np.median(finite)) if len(finite) else None
