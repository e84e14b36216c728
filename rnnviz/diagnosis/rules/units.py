"""Units: saturated, where the slope of the activation is near 0, and dead, where the state never changes."""

from __future__ import annotations

import numpy as np

from rnnviz import numbers
from rnnviz.diagnosis.evidence import Evidence, Layer
from rnnviz.diagnosis.finding import Finding, Remedy, Rule
from rnnviz.nn.cells.activations import slope
from rnnviz.nn.types import Array
from rnnviz.numbers import percent

#: A unit is saturated if its mean slope is below this part of the largest; a finding from this part of the units on.
FLAT, MANY = 0.05, 0.5
#: A unit is dead if its states all lie within this of each other.
MOVES = 1e-6
#: States from which a unit is judged at least.
ENOUGH = 20
#: The largest slope of each activation; relu and identity do not saturate.
STEEPEST = {"tanh": 1.0, "sigmoid": 0.25}


def _dead_units(layer: Layer) -> Array:
    """(H,) bool"""
    dead: Array = np.ptp(layer.h, axis=0) <= MOVES
    return dead


def _saturated(evidence: Evidence) -> Finding | None:
    worst: tuple[float, Layer, float] | None = None
    for layer in _judged(evidence):
        if layer.gates or layer.activation not in STEEPEST:
            continue
        slopes = slope(layer.activation, layer.h).mean(axis=0)
        share = float((slopes < FLAT * STEEPEST[layer.activation]).mean())
        if share >= MANY and (worst is None or share > worst[0]):
            worst = share, layer, float(slopes.mean())
    if worst is None:
        return None
    share, layer, mean = worst
    sizes = {
        name: float(np.abs(layer.params[name]).mean()) for name in ("weight_ih", "weight_hh") if name in layer.params
    }
    return Finding(
        f"{numbers.percent(share, 0)} of the units are saturated: the mean slope of {layer.activation} is "
        f"{numbers.factor(mean)}, so each step keeps that part of a gradient, before the weights.",
        {"share": share, "mean_slope": mean, "mean_size_of_weights": sizes},
        "The weights or the inputs are large, so that the sums lie where the activation is flat.",
        Remedy(
            "Scale the inputs to mean 0 and deviation 1, and start from smaller recurrent weights.",
            {"spectral_radius": 0.9},
            f"torch.nn.init.orthogonal_({layer.in_torch('weight_hh')}, gain=0.9)",
            "keras.layers.SimpleRNN(…, recurrent_initializer=keras.initializers.Orthogonal(gain=0.9))",
        ),
        layer.name,
    )  # fmt: skip


def _dead(evidence: Evidence) -> Finding | None:
    worst: tuple[float, Layer] | None = None
    for layer in _judged(evidence):
        share = float(_dead_units(layer).mean())
        if share >= MANY and (worst is None or share > worst[0]):
            worst = share, layer
    if worst is None:
        return None
    share, layer = worst
    zero = float((np.abs(layer.h) <= MOVES).all(axis=0).mean())
    where = f"{numbers.percent(share, 0)} of the units never change, over {len(layer.h):,} steps"
    relu = layer.activation == "relu" and not layer.gates
    cause = (
        "Their sums are negative at every step, where the slope of relu is 0, so their weights no longer change."
        if relu
        else "Their sums do not depend on the input: weights of 0, or inputs that do not vary."
    )
    remedy = (
        Remedy(
            "Use tanh, or start from the identity with a smaller learning rate.", {"activation": "tanh"},
            f"nn.RNN({layer.params['weight_ih'].shape[1]}, {layer.H}, nonlinearity='tanh')",
            f"keras.layers.SimpleRNN({layer.H}, activation='tanh')",
        )
        if relu
        else Remedy(
            "Look at what the layer reads: x must vary from step to step.", {},
            "print(x.std(dim=(0, 1)))", "print(x.std(axis=(0, 1)))",
        )
    )  # fmt: skip
    return Finding(
        f"{where}.", {"share": share, "share_at_zero": zero, "states": len(layer.h)}, cause, remedy, layer.name
    )


def _judged(evidence: Evidence) -> list[Layer]:
    return [layer for layer in evidence.now.layers if len(layer.h) >= ENOUGH] if evidence.now else []


def _too_few(evidence: Evidence) -> str:
    return "" if _judged(evidence) else f"fewer than {ENOUGH} states were read"


def _cannot_saturate(evidence: Evidence) -> str:
    missing = _too_few(evidence)
    if missing or any(not layer.gates and layer.activation in STEEPEST for layer in _judged(evidence)):
        return missing
    return "the cell has gates, or its activation does not saturate"


RULES = (
    Rule(
        "saturated-units",
        "saturated units",
        f"In {percent(MANY, 0)} of the units of a simple RNN or more, the mean slope of the activation is below "
        f"{percent(FLAT, 0)} of its largest (of tanh: |h| above 0.97 nearly everywhere).",
        "Such a unit takes 95 % or more of a gradient at each step. A network that remembers latches some of its "
        "units this way, so fewer than half are not reported.",
        "why-gradients-vanish",
        _saturated,
        _cannot_saturate,
    ),
    Rule(
        "dead-units",
        "dead units",
        f"The states of {percent(MANY, 0)} of the units or more lie within {MOVES:g} of each other at all steps of "
        f"all sequences read ({ENOUGH} states or more).",
        "A unit that never changes carries nothing. Some relu units are off in every network; half of them is more "
        "than a start with mean 0 leaves.",
        "the-hidden-state",
        _dead,
        _too_few,
    ),
)
