"""The gradient rows of a trace, and beside them the highway: where a gated cell carries the gradient back from step to
step without passing it through a weight.

    LSTM  c_t = f_t ⊙ c_{t-1} + …    ∂L_k/∂c_t, the whole gradient of the cell state: along f, and by all other ways
                                     from c_t on, through h and W_hh too. So a step may keep more than f
    GRU   h_t = z_t ⊙ h_{t-1} + …    ∂L_k/∂h_t as far as it came along z alone

A simple RNN has none: every step goes through W_hh and the slope of the activation.
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.metrics import half_life, horizon, norm
from rnnviz.nn.types import Array, frozen
from rnnviz.scene.gradient import Gradient


def gradient_of(trace: Trace, k: int | None) -> Gradient:
    """The gradient of loss step k (None: the total) on the states of the top layer, and on its highway: ∂L_k/∂c_t,
    every path from c_t on counted; or the part of ∂L_k/∂h_t that went back through z alone. A cell without W_hh has no
    highway, either: all of its gradient on h goes that way.

    A backward pass for each k of several: slow.
    """
    item, along = trace.item(k), trace.spec.about_cell.highway
    lane = None
    if along is not None:
        states = along_gate(trace, k) if item.grad_c is None else item.grad_c
        lane = _row(trace, k, norm(states, axis=(1, 2)), states, along=along)
    return _row(trace, k, trace.grad_norm(k), item.grad_h, highway=lane)


def along_gate(trace: Trace, k: int | None) -> Array:
    """(T+1, B, H): the part of ∂L_k/∂h_t (None: of the total) that went back from step to step through the gate that
    carries h alone, of a GRU δ_{t-1} = z_t ⊙ δ_t, from where the readout let it in."""
    carry = trace.spec.about_cell.carry
    assert carry is not None
    kept = carry.share(trace.gates[carry.gate])
    along = np.zeros_like(trace.h)
    with np.errstate(all="ignore"):
        for t in range(trace.T if k is None else k, 0, -1):
            if k is None or t == k:
                along[t] += trace.direct[t - 1]
            along[t - 1] = kept[t - 1] * along[t]
    return along


def _row(
    trace: Trace, k: int | None, norms: Array, states: Array, along: str = "h", highway: Gradient | None = None
) -> Gradient:
    with np.errstate(all="ignore"):
        factors = np.append(norms[:-1] / norms[1:], np.nan)
    upto = norms[: (trace.T if k is None else k) + 1]
    for a in (norms, factors, states):
        frozen(a)
    return Gradient(k, norms, factors, half_life(upto), horizon(upto), states, along, highway)
