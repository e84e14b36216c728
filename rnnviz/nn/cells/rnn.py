"""The simple recurrent cell: a layer that also reads its own last output.

    one unit, W_ih = 1, W_hh = 0.5, no bias, x = 1, 0, 0
    h = 0 -> tanh(1) = 0.762 -> tanh(0.381) = 0.363 -> tanh(0.182) = 0.180     the input of t=1 fades
    dL/dh_3 = 1 -> 0.5 (1 - 0.180²) = 0.484 -> 0.484 · 0.5 (1 - 0.363²) = 0.210   and so does the blame

Each step backwards multiplies the gradient by W_hhᵀ diag(φ'(a_t)). When that factor stays below 1 the
gradient vanishes, above 1 it explodes: lstm.py is the answer to that.

Elman 1990 (10.1207/s15516709cog1402_1); torch.nn.RNN; Keras' SimpleRNN (with b_hh left out).
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cells.activations import activate, product, slope
from rnnviz.nn.records import LayerForward, LayerWeights, Paths, StepBack
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array


def forward(spec: ModelSpec, w: LayerWeights, x: Array, h0: Array, c0: Array | None) -> LayerForward:
    """x (T, B, I), h0 (B, H) -> states h (T+1, B, H). The input side of all steps is one product."""
    h = np.empty((len(x) + 1, *h0.shape), h0.dtype)
    h[0] = h0

    # a_t = W_ih x_t + b_ih + b_hh + W_hh h_{t-1}
    # h_t = φ(a_t)
    a = product(x, w.W_ih.T) + (w.b_ih if w.b_hh is None else w.b_ih + w.b_hh)
    for t in range(1, len(x) + 1):
        a[t - 1] += h[t - 1] @ w.W_hh.T
        h[t] = activate(spec.activation, a[t - 1])

    return LayerForward(x, h, None, pre=a, gates=h[1:], rec_n=None)


def slopes(spec: ModelSpec, layer: LayerForward) -> tuple[Array, ...]:
    """The local derivative of every step: (∂h_t/∂a_t,), (T, B, H)."""
    # ∂h_t/∂a_t = φ'(a_t)
    return (slope(spec.activation, layer.h[1:]),)


def backward_step(w: LayerWeights, at_t: tuple[Array, ...], grad_h: Array, grad_c: Array | None) -> StepBack:
    """`at_t` the slopes of step t, grad_h = dL/dh_t (..., B, H) -> the gradients one step earlier."""
    # dL/da_t = φ'(a_t) ⊙ dL/dh_t
    (phi_slope,) = at_t
    grad_a = phi_slope * grad_h

    # dL/dh_{t-1} = W_hhᵀ dL/da_t
    return StepBack(grad_a, grad_a, None, product(grad_a, w.W_hh), None)


def paths(at_t: tuple[Array, ...]) -> Paths:
    """Everything goes back through W_hh."""
    (phi_slope,) = at_t
    return Paths(phi_slope[..., None, :], None, None)


def tangent_step(
    w: LayerWeights, at_t: tuple[Array, ...], h: Array, c: Array | None, x: Array | None
) -> tuple[Array, Array | None]:
    """How h_t moves, to first order, when h_{t-1} moves by h (..., B, H) and x_t by x (None: it stays)."""
    # dh_t = φ'(a_t) ⊙ (W_hh dh_{t-1} + W_ih dx_t)
    (phi_slope,) = at_t
    a = product(h, w.W_hh.T)
    if x is not None:
        a += product(x, w.W_ih.T)
    return phi_slope * a, None


def jacobian(w: LayerWeights, at_t: tuple[Array, ...]) -> tuple[Array, Array]:
    """∂h_t/∂h_{t-1} (..., H, H) and ∂h_t/∂x_t (..., H, I); `at_t` may hold any steps and sequences."""
    # ∂h_t/∂h_{t-1} = diag(φ'(a_t)) W_hh
    (phi_slope,) = at_t
    return phi_slope[..., None] * w.W_hh, phi_slope[..., None] * w.W_ih
