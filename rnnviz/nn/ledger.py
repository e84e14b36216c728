"""Ledger: for each time step, the factors by which the gradient shrinks or grows on its way back.

    one tanh unit, W_hh = 0.5, h_t = 0.6:  slope 1 - 0.36 = 0.64, weight 0.5, factor 0.64 · 0.5 = 0.32

For the simple RNN g_{t-1} = W_hhᵀ (φ'(a_t) ⊙ g_t), so each step's factor ‖g_{t-1}‖/‖g_t‖ is the product of the
activation's factor (slope_share) and the weights' factor (weight_share). The gain is the largest factor for any
vector: the largest singular value of the state's Jacobian.

Bengio, Simard & Frasconi 1994 (10.1109/72.279181); Pascanu, Mikolov & Bengio 2013 (arXiv:1211.5063, 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.nn.cells.activations import slope as activation_slope
from rnnviz.nn.equations import in_full
from rnnviz.nn.metrics import norm
from rnnviz.nn.records import Forward, layer_weights
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, ParamsLike, ReadOnly, frozen


@dataclass(frozen=True, eq=False)
class Ledger(ReadOnly):
    """Arrays (T,), entry t-1 for the step between h_{t-1} and h_t; nan after the loss step. Top layer.

    gain            largest singular value of ∂s_t/∂s_{t-1}; s is the full state (all layers, h and c);
                    the largest of the batch. It is an upper bound of the factor in this step
    slope           mean over units of φ'(a_t); for a gated cell that of its content, 1 - g² or 1 - n²
    slope_share     ‖φ'(a_t) ⊙ g_t‖ / ‖g_t‖, g the gradient on h (simple RNN; nan for gated cells, and without a loss)
    weight_share    ‖W_hhᵀ (φ' ⊙ g_t)‖ / ‖φ' ⊙ g_t‖ (simple RNN; nan for gated cells, and without a loss)
    factor          ‖g_{t-1}‖ / ‖g_t‖. For one loss step and the simple RNN it is slope_share · weight_share;
                    for the total it includes the contribution of step t-1's own loss, and with attention what the
                    loss sends straight to h_{t-1}, so that it may exceed the gain.
                    At a masked step it is 1, and so are slope and both shares
    product         (T+1,): the running product of the factors from the loss step, 1 there: ‖g_t‖ / ‖g_k‖
    bound           (T+1,): the running product of the gains from the loss step, 1 there: ‖∂s_k/∂s_t‖ ≤ bound
    forget_highway  lstm: mean over units of f_t = ∂c_t/∂c_{t-1} along the cell alone; None without a cell state
    """

    gain: Array
    slope: Array
    slope_share: Array
    weight_share: Array
    factor: Array
    product: Array
    bound: Array
    forget_highway: Array | None


@np.errstate(all="ignore")
def make_ledger(
    spec: ModelSpec,
    params: ParamsLike,
    forward: Forward,
    gain: Array,
    *,
    grad_h: Array | None,
    norms: Array,
    start: int,
) -> Ledger:
    """grad_h (T+1, B, H) and its norms (T+1,) of the loss step `start` (or of the total up to there). Without a loss
    grad_h is None, and the norms are ‖∂h_start/∂h_t‖: then no one vector goes back, and there are no shares of its."""
    T = len(gain)
    top, w = forward.layers[-1], layer_weights(spec, params, spec.num_layers - 1)
    H = spec.hidden_size

    slope_share = np.full(T, np.nan)
    weight_share = np.full(T, np.nan)
    forget = None
    content = spec.about_cell.content
    slopes = activation_slope(spec.activation, top.gates[..., content * H : (content + 1) * H])
    if spec.about_cell.is_own:
        slopes = np.full_like(slopes, np.nan)  # nobody but its file knows
    copies = None if top.mask is None else ~top.mask.any(axis=1)  # steps that pass the gradient on as it is
    if copies is not None:
        slopes[copies] = 1.0
    if spec.about_cell.splits and grad_h is not None:
        through_slope = slopes * grad_h[1:]
        after_slope = norm(through_slope, axis=(1, 2))
        slope_share = after_slope / norms[1:]
        weight_share = norm(through_slope @ in_full(spec.about_cell, w).W_hh, axis=(1, 2)) / after_slope
        if copies is not None:
            weight_share[copies] = 1.0
    carry = spec.about_cell.carry
    if carry is not None and carry.state == "c":
        at = spec.gates.index(carry.gate)
        forget = _until(start, carry.share(top.gates[..., at * H : (at + 1) * H]).mean(axis=(1, 2)))

    bound = np.full(T + 1, np.nan)
    bound[: start + 1] = np.append(np.cumprod(gain[:start][::-1])[::-1], 1.0)
    product = norms / norms[start]
    product[start + 1 :] = np.nan
    return Ledger(
        gain=_until(start, gain),
        slope=_until(start, slopes.mean(axis=(1, 2))),
        slope_share=_until(start, slope_share),
        weight_share=_until(start, weight_share),
        factor=_until(start, norms[:-1] / norms[1:]),
        product=product,
        bound=bound,
        forget_highway=forget,
    )


def _until(start: int, values: Array) -> Array:
    """A copy with nan in the entries of the steps after `start`."""
    out = np.array(values, np.float64)
    out[start:] = np.nan
    return frozen(out)
