"""The parts of a Trace: one layer, the gradient of one loss step, and norms over its batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.nn import metrics
from rnnviz.nn.types import Array, ReadOnly


@dataclass(frozen=True, eq=False)
class LayerTrace(ReadOnly):
    """One layer of a Trace. The gradients are those of the total loss."""

    x: Array  # (T, B, I): the layer's input
    h: Array  # (T+1, B, H)
    c: Array | None  # (T+1, B, H), lstm only
    pre: Array  # (T, B, G*H): pre-activations
    gates: Mapping[str, Array]  # name -> (T, B, H): {i f g o}, {r z n}, …; {} for a simple RNN
    grad_h: Array  # (T+1, B, H): dL/dh_t with c_t constant
    grad_c: Array | None  # (T+1, B, H): dL/dc_t, including its effect through h_t (but not through h_0)


@dataclass(frozen=True, eq=False)
class Item(ReadOnly):
    """The gradient of one loss step alone, or of the total, on the states of the top layer."""

    grad_h: Array  # (T+1, B, H): ∂L_k/∂h_t
    grad_c: Array | None  # (T+1, B, H): ∂L_k/∂c_t, lstm only


def outer_norms(grad: Array, read: Array) -> Array:
    """(T,): ‖Σ_b grad_b ⊗ read_b‖ at every step."""
    if grad.shape[1] == 1:  # the norm of a single outer product is that of its factors, multiplied
        return np.asarray(metrics.norm(grad, axis=(1, 2)) * metrics.norm(read, axis=(1, 2)))
    return np.array([metrics.norm(g.T @ r) for g, r in zip(grad, read, strict=True)])


def summed_norms(grad: Array) -> Array:
    """(T,): ‖Σ_b grad_b‖ at every step."""
    return metrics.norm(grad.sum(axis=1), axis=1)


def alone(errors: Array, k: int, upto: int) -> Array:
    """The errors of the steps 1 .. upto, 0 but for those of step k."""
    out = np.zeros_like(errors[:upto])
    out[k - 1] = errors[k - 1]
    return out
