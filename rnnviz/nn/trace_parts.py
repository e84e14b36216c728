"""The parts of a Trace: one layer, the gradient of one loss step, and norms over its batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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


def alone(errors: Array, k: int, upto: int) -> Array:
    """The errors of the steps 1 .. upto, 0 but for those of step k."""
    out = np.zeros_like(errors[:upto])
    out[k - 1] = errors[k - 1]
    return out
