"""The highway: where a gated cell carries the gradient back from step to step without passing it through a weight.

    LSTM  c_t = f_t ⊙ c_{t-1} + …    ∂L_k/∂c_t, the whole gradient of the cell state: along f, and by all other ways
                                     from c_t on, through h and W_hh too. So a step may keep more than f
    GRU   h_t = z_t ⊙ h_{t-1} + …    ∂L_k/∂h_t as far as it came along z alone

A simple RNN has none: every step goes through W_hh and the slope of the activation.
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.metrics import norm
from rnnviz.nn.types import Array


def highway(trace: Trace, k: int | None) -> tuple[str, Array] | None:
    """(name, norms (T+1,)) of the gradient of loss step k (None: the total) on the top layer's highway.

    "c": ‖∂L_k/∂c_t‖, every path from c_t on counted. "z": the part of ∂L_k/∂h_t that went back from step to step
    through z_t ⊙ alone, δ_{t-1} = z_t ⊙ δ_t, from where the readout let it in. None for a cell without W_hh, too: all
    of its gradient on h goes that way.
    """
    name = trace.spec.about_cell.highway
    if name is None:
        return None
    item = trace.item(k)
    return name, norm(along_gate(trace, k) if item.grad_c is None else item.grad_c, axis=(1, 2))


def along_gate(trace: Trace, k: int | None) -> Array:
    """(T+1, B, H): the part of ∂L_k/∂h_t (None: of the total) that came back through the gate that carries h alone."""
    carry = trace.spec.about_cell.carry
    assert carry is not None
    kept = carry.share(trace.gates[carry.gate])
    along = np.zeros_like(trace.h)
    with np.errstate(all="ignore"):
        entering = trace.grad_y @ trace.params["readout.weight"]  # (T, B, H)
        for t in range(trace.T if k is None else k, 0, -1):
            if k is None or t == k:
                along[t] += entering[t - 1]
            along[t - 1] = kept[t - 1] * along[t]
    return along
