"""A recurrence without an activation, computed in log₂ T rounds instead of T steps.

    h_t = a_t ⊙ h_{t-1} + b_t         T = 4:  (a₁ b₁)  (a₂ b₂)  (a₃ b₃)  (a₄ b₄)
                                      round 1: each with the one before;  round 2: each with the one two before

Two steps make one of the same kind: h → a₂ (a₁ h + b₁) + b₂ is a₂ a₁ ⊙ h + (a₂ b₁ + b₂). This product of steps is
associative, so it may be bracketed in any order. In round k each step is joined with what ends 2^(k-1) steps before it,
all of them at the same time; after ⌈log₂ T⌉ rounds each contains all steps before it. A simple RNN has no such product:
φ(W φ(W h + b₁) + b₂) is no φ(W' h + b').

Hillis & Steele 1986 (10.1145/7902.7903); Blelloch 1990 (CMU-CS-90-190), who needs fewer operations in twice as many
rounds; for recurrent networks Martin & Cundy 2018 (arXiv:1709.04057). On one processor it is no faster: T log₂ T
operations stand against T. It is here to be compared with the steps, which the engines take.
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cell import Cell
from rnnviz.nn.equations import linear
from rnnviz.nn.metrics import norm
from rnnviz.nn.records import LayerForward, LayerWeights, layer_weights
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, ParamsLike


def rounds(T: int) -> int:
    """How many rounds T steps take: ⌈log₂ T⌉."""
    return (T - 1).bit_length()


def scan(a: Array, b: Array, h0: Array) -> Array:
    """h_t = a_t ⊙ h_{t-1} + b_t for t = 1..T: a and b (T, …), real or complex, h0 (…) -> (T+1, …), h0 first."""
    a, b = a.copy(), b.copy()
    apart = 1
    while apart < len(a):
        # the step that ends at t, after the one that ends at t - apart; the right sides are made before a and b change
        b[apart:] = a[apart:] * b[:-apart] + b[apart:]
        a[apart:] = a[apart:] * a[:-apart]
        apart *= 2
    return np.concatenate([h0[None], a * h0 + b])


def states(cell: Cell, w: LayerWeights, layer: LayerForward) -> Array:
    """(T+1, B, H): the states of a layer of a cell with a linear recurrence (Cell.is_linear), by a scan."""
    a, b = linear(cell).terms(w, layer.x)
    if layer.mask is not None:  # a masked step is the step that changes nothing
        a, b = np.where(layer.mask[..., None], a, 1.0), np.where(layer.mask[..., None], b, 0.0)
    h0 = layer.h[0]
    if not np.iscomplexobj(b):
        return scan(a, b, h0)
    real, imaginary = np.split(h0, 2, axis=-1)
    h = scan(a, b, real + 1j * imaginary)
    return np.concatenate([h.real, h.imag], axis=-1)


@np.errstate(all="ignore")
def difference(spec: ModelSpec, params: ParamsLike, layers: tuple[LayerForward, ...]) -> float | None:
    """How far a scan's states are from those that were computed step by step: the norm of the difference in a layer,
    divided by that of its states; the largest of all layers. None for a cell whose recurrence is not linear."""
    cell = spec.about_cell
    if not cell.is_linear:
        return None
    found = []
    for index, layer in enumerate(layers):
        apart = states(cell, layer_weights(spec, params, index), layer) - layer.h
        found.append(float(norm(apart) / (norm(layer.h) or 1.0)))
    return max(found)
