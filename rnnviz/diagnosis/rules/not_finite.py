"""nan and inf: the first quantity that was not finite."""

from __future__ import annotations

from rnnviz.diagnosis.evidence import Evidence
from rnnviz.diagnosis.finding import Finding, Remedy, Rule
from rnnviz.diagnosis.rules.loss import shorter_steps


def _find(evidence: Evidence) -> Finding | None:
    first = evidence.not_finite
    if first is None:
        return None
    before = f": {first.before} before it are finite" if first.before else ""
    if first.quantity.startswith("the input"):
        cause = "The data holds values that are not numbers, and every sum with one of them is not a number either."
        remedy = Remedy(
            "Look for missing values in the data, and fill or drop them before training.",
            pytorch="assert torch.isfinite(x).all()",
            keras="assert np.isfinite(x).all()",
        )
    else:
        cause = (
            "Values grow from update to update until they overflow: the steps are too long, or the gradient explodes."
        )
        remedy = shorter_steps(evidence)
    are = "hold" if first.quantity.startswith("the weights") else "is" if first.quantity == "the loss" else "holds"
    subject = first.quantity[0].upper() + first.quantity[1:]
    return Finding(
        f"{subject} {are} {first.value} {first.where}, the first value that is not finite{before}.",
        {"where": first.where, "step": first.step, "quantity": first.quantity, "value": first.value},
        cause,
        remedy,
    )


RULES = (
    Rule(
        "not-finite",
        "nan or inf",
        "One value of the data, the weights, the states, the outputs, the loss, the gradient or the update is nan or "
        "inf.",
        "No training recovers from one: every later sum that it enters is nan or inf as well.",
        "the-first-bad-step",
        _find,
    ),
)
