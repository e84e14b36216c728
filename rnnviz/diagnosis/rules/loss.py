"""The loss: flat at what an answer costs that ignores the input, or that repeats the last value."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz import numbers
from rnnviz.diagnosis.evidence import Evidence
from rnnviz.diagnosis.finding import Finding, Remedy, Rule
from rnnviz.experiment.forecast import ECHO
from rnnviz.nn.types import Array
from rnnviz.numbers import percent

#: The losses of the last part of the training lie within NEAR of the trivial answer's loss, and the second half of that
#: part differs from the first by less than STILL of it.
NEAR, STILL, LAST, LEAST = 0.05, 0.02, 0.25, 6
#: A loss this many times that of a constant answer (or, where that is not known, its first value) has diverged.
DIVERGED = 10.0


def _tail(evidence: Evidence) -> Array:
    """The losses of the last part; none if there are too few."""
    n = len(evidence.losses)
    return evidence.losses[n - max(LEAST, round(LAST * n)) :] if n >= LEAST else np.zeros(0)


def _is_flat_at(tail: Array, loss: float | None) -> bool:
    if not loss or not len(tail) or not np.isfinite(tail).all():
        return False
    middle = len(tail) // 2
    moved = abs(float(tail[:middle].mean() - tail[middle:].mean()))
    return float(np.abs(tail / loss - 1).max()) <= NEAR and moved <= STILL * loss


def _flat_at_constant(evidence: Evidence) -> Finding | None:
    tail, loss = _tail(evidence), evidence.constant
    if loss is None or not _is_flat_at(tail, loss):
        return None
    what, figures = _flat(tail, loss, "a constant answer", evidence.loss_unit)
    return Finding(
        what,
        figures,
        "The answers do not use the input: too few updates, a small learning rate, or too little gradient from the "
        "steps that matter.",
        Remedy(
            "Train with Adam at a learning rate of 0.01, for more epochs.",
            {"optimizer": "adam", "momentum": 0.0, "learning_rate": 0.01, "epochs": max(20, 2 * len(evidence.losses))},
            "optimizer = torch.optim.Adam(model.parameters(), lr=0.01)",
            "model.compile(keras.optimizers.Adam(learning_rate=0.01), loss)",
        ),
    )


def _flat_at_last_value(evidence: Evidence) -> Finding | None:
    tail, loss, echo = _tail(evidence), evidence.last_value, evidence.echo
    if loss is None or echo is None or echo > ECHO or not _is_flat_at(tail, loss):
        return None
    what, figures = _flat(tail, loss, "the last value again", evidence.loss_unit)
    return Finding(
        what,
        figures | {"echo": echo},
        "The network repeats its last input, which is a good answer for a series that changes slowly.",
        Remedy(
            "Predict the difference to the last value instead of the value.", {},
            "target = series[1:] - series[:-1]", "target = series[1:] - series[:-1]",
        ),
    )  # fmt: skip


def _flat(tail: Array, loss: float, answer: str, unit: str) -> tuple[str, dict[str, Any]]:
    here = float(np.median(tail))
    what = (
        f"Over the last {numbers.counted(len(tail), unit)} the loss stays at {numbers.loss(here)}; {answer} costs "
        f"{numbers.loss(loss)}."
    )
    return what, {"loss": here, "answer": answer, "answer_loss": loss, "over": len(tail), "unit": unit}


def _diverged(evidence: Evidence) -> Finding | None:
    finite = evidence.losses[np.isfinite(evidence.losses)]
    if len(finite) < 2 or evidence.not_finite is not None:
        return None
    first, last = float(finite[0]), float(finite[-1])
    limit = DIVERGED * (first if evidence.constant is None else evidence.constant)
    if last <= limit or last <= first or limit <= 0:
        return None
    times = "its first value" if evidence.constant is None else "what a constant answer costs"
    return Finding(
        f"The loss has grown to {numbers.loss(last)}, {last / limit * DIVERGED:.2g} times {times}.",
        {"loss": last, "first_loss": first, "constant": evidence.constant},
        "The steps are too long: each update overshoots, and the next one more so.",
        shorter_steps(evidence),
    )


def shorter_steps(evidence: Evidence) -> Remedy:
    """Limit the gradient's norm to 1, and take a tenth of the learning rate."""
    rate = 0.001 if evidence.learning_rate is None else min(0.01, float(f"{evidence.learning_rate / 10:.1g}"))
    return Remedy(
        "Use a learning rate ten times smaller, and limit the norm of the gradient.",
        {"learning_rate": rate, "clip_norm": 1.0},
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)",
        f"keras.optimizers.Adam(learning_rate={rate:g}, global_clipnorm=1.0)",
    )


def _no_constant(evidence: Evidence) -> str:
    return "the targets are not known" if evidence.constant is None else _too_short(evidence)


def _no_last_value(evidence: Evidence) -> str:
    if evidence.last_value is None or evidence.echo is None:
        return "the targets are not known, or they do not continue the inputs"
    return _too_short(evidence)


def _too_short(evidence: Evidence) -> str:
    return "" if len(_tail(evidence)) else f"fewer than {LEAST} losses are known"


def _no_loss(evidence: Evidence) -> str:
    return "" if len(evidence.losses) > 1 else "fewer than 2 losses are known"


_END = f"In the last {percent(LAST, 0)} of the training ({LEAST} losses or more)"
_TAIL = f"{_END}, every loss lies within {percent(NEAR, 0)} of"
_FLAT = f"and the mean of its second half differs from that of its first by less than {percent(STILL, 0)} of it"

RULES = (
    Rule(
        "diverged",
        "the loss diverged",
        f"The last finite loss is more than {DIVERGED:g} times that of the best constant answer (where the targets "
        f"are not known: its own first value), and more than the first loss. Where a nan or inf was found, that is "
        f"the finding.",
        "No network starts there with usual weights, and a training that works never returns there.",
        "the-first-bad-step",
        _diverged,
        _no_loss,
    ),
    Rule(
        "flat-at-constant",
        "the loss is flat at a constant answer's",
        f"{_TAIL} the loss of the best constant answer, {_FLAT}.",
        "An answer that ignores the input costs that much. 5 % is more than an epoch's loss varies on such a plateau, "
        "and 2 % less than the first thing learnt saves.",
        "loss-curve-and-horizon",
        _flat_at_constant,
        _no_constant,
    ),
    Rule(
        "flat-at-last-value",
        "the loss is flat at the last value's",
        f"{_TAIL} the loss of the answer “the last value again”, {_FLAT}; and the answers differ from the last value "
        f"by less than {percent(ECHO, 0)} of what the next value does (mean squares).",
        "A loss may be near that value by chance, or pass it on its way; the answers themselves show whether they "
        "repeat the input.",
        "training-the-sine",
        _flat_at_last_value,
        _no_last_value,
    ),
)
