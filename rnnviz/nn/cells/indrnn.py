"""The independently recurrent network: a simple RNN in which each unit reads its own last state alone.

    one unit, W_ih = 1, u = 0.9, φ = relu, x = 1, 0, 0
    h = 0 -> 1 -> 0.9 -> 0.81                          the input of t=1 fades by u a step
    dL/dh_3 = 1 -> 0.9 · 1 -> 0.9 · 0.9                and so does the gradient: by u times the slope

The problem it solves: how much a step keeps of a gradient depends on all of W_hh, and is hard to see or to choose.
Here W_hh is a diagonal, so each unit has one factor of its own, u_i φ'(a_i). With relu, whose slope is 1 where it is
not 0, a unit with u = 1 keeps all of it. The price: the units of a layer do not read each other; the layer above does.

Li et al. 2018 (10.1109/CVPR.2018.00572, eq. 2 and 5). weight_hh is one row, u (1, H); one bias.
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cells.activations import activate, product, slope
from rnnviz.nn.records import LayerBackward, LayerForward, LayerWeights, Paths, StepBack
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array


def initial(rng: np.random.Generator, init: str, H: int) -> Array:
    """u (1, H): 1 by "identity", U(-1/√H, 1/√H) by "pytorch", else -1 or 1, which is an orthogonal diagonal."""
    if init == "identity":
        return np.ones((1, H))
    if init == "pytorch":
        return np.asarray(rng.uniform(-1.0, 1.0, (1, H)) / np.sqrt(H))
    return rng.choice((-1.0, 1.0), (1, H))


def in_full(w: LayerWeights) -> LayerWeights:
    """The weights of the simple RNN that it is: W_hh = diag(u)."""
    return w._replace(W_hh=np.diag(w.W_hh[0]))


def forward(spec: ModelSpec, w: LayerWeights, x: Array, h0: Array, c0: Array | None) -> LayerForward:
    """x (T, B, I), h0 (B, H) -> states h (T+1, B, H). The input side of all steps is one product."""
    h = np.empty((len(x) + 1, *h0.shape), h0.dtype)
    h[0] = h0

    # a_t = W_ih x_t + b + u ⊙ h_{t-1}
    # h_t = φ(a_t)
    a = product(x, w.W_ih.T) + w.b_ih
    for t in range(1, len(x) + 1):
        a[t - 1] += w.W_hh[0] * h[t - 1]
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

    # dL/dh_{t-1} = u ⊙ dL/da_t
    return StepBack(grad_a, grad_a, None, w.W_hh[0] * grad_a, None)


def shares(w: LayerWeights, run: LayerForward, back: LayerBackward) -> Array:
    """(T, 1, H): the part of each step in dL/du."""
    # dL/du = Σ_t dL/da_t ⊙ h_{t-1}
    return np.asarray((back.grad_pre * run.h[:-1]).sum(axis=1)[:, None])


def paths(at_t: tuple[Array, ...]) -> Paths:
    """Everything goes back through u."""
    (phi_slope,) = at_t
    return Paths(phi_slope[..., None, :], None, None)


def tangent_step(
    w: LayerWeights, at_t: tuple[Array, ...], h: Array, c: Array | None, x: Array | None
) -> tuple[Array, Array | None]:
    """How h_t moves, to first order, when h_{t-1} moves by h (..., B, H) and x_t by x (None: it stays)."""
    # dh_t = φ'(a_t) ⊙ (u ⊙ dh_{t-1} + W_ih dx_t)
    (phi_slope,) = at_t
    a = w.W_hh[0] * h
    if x is not None:
        a += product(x, w.W_ih.T)
    return phi_slope * a, None


def jacobian(w: LayerWeights, at_t: tuple[Array, ...]) -> tuple[Array, Array]:
    """∂h_t/∂h_{t-1} (..., H, H) and ∂h_t/∂x_t (..., H, I); `at_t` may hold any steps and sequences."""
    # ∂h_t/∂h_{t-1} = diag(φ'(a_t) ⊙ u)
    (phi_slope,) = at_t
    return phi_slope[..., None] * np.diag(w.W_hh[0]), phi_slope[..., None] * w.W_ih
