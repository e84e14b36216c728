"""The minGRU: a GRU whose gate and content do not depend on the old state.

    one unit that remembers: z = 0, h = 0.762 -> 0.762 -> 0.762            (1 - z) h + z n = h
    dL/dh backwards: 1 -> (1 - z)·1 = 1 -> 1                                and so is the gradient

The problem it solves: gates that read h_{t-1} make every step wait for the one before. Here gate and content depend on
x_t alone, so one product computes all of them, and h_t is a running average that can be summed in parallel
(nn/scan.py). The price: without W_hh the units of a layer do not influence each other, and the gradient has only one
path back, through 1 - z. Note that a large z writes the new content here, while the GRU's z keeps the old state.

Feng et al. 2024 (arXiv:2410.01201, 3.1; h̃ there is n here). Row blocks of the weights: z, n; one bias, as nn.Linear.
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cells.activations import blocks, product, sigmoid
from rnnviz.nn.records import LayerForward, LayerWeights, Paths, StepBack
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array


def forward(spec: ModelSpec, w: LayerWeights, x: Array, h0: Array, c0: Array | None) -> LayerForward:
    """x (T, B, I), h0 (B, H) -> states h (T+1, B, H)."""
    h = np.empty((len(x) + 1, *h0.shape), h0.dtype)
    h[0] = h0

    # z_t = σ(W_iz x_t + b_iz);  n_t = W_in x_t + b_in                    two blocks, for all steps at once
    # h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ n_t
    a = product(x, w.W_ih.T) + w.b_ih
    gates = a.copy()
    z, n = blocks(gates, 2)
    z[:] = sigmoid(z)
    for t in range(1, len(x) + 1):
        h[t] = (1.0 - z[t - 1]) * h[t - 1] + z[t - 1] * n[t - 1]

    return LayerForward(x, h, None, pre=a, gates=gates, rec_n=None)


def terms(w: LayerWeights, x: Array) -> tuple[Array, Array]:
    """1 - z_t and z_t ⊙ n_t, (T, B, H) each: h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ n_t."""
    z, n = blocks(product(x, w.W_ih.T) + w.b_ih, 2)
    z = sigmoid(z)
    return 1.0 - z, z * n


def slopes(spec: ModelSpec, layer: LayerForward) -> tuple[Array, ...]:
    """The local derivatives of every step: ∂h_t/∂a_{z,n} (T, B, 2, H); ∂h_t/∂h_{t-1} = 1 - z (T, B, H)."""
    z, n = blocks(layer.gates, 2)

    # ∂h_t/∂a_z = (n - h_{t-1}) σ'(a_z);  ∂h_t/∂a_n = z;  ∂h_t/∂h_{t-1} = 1 - z
    return np.stack([(n - layer.h[:-1]) * z * (1.0 - z), z], axis=-2), 1.0 - z


def backward_step(w: LayerWeights, at_t: tuple[Array, ...], grad_h: Array, grad_c: Array | None) -> StepBack:
    """`at_t` the slopes of step t, grad_h = dL/dh_t (..., B, H) -> the gradients one step earlier."""
    h_by_a, kept = at_t

    # dL/da_t = dL/dh_t ⊙ ∂h_t/∂a_t
    grad_a = (grad_h[..., None, :] * h_by_a).reshape(*grad_h.shape[:-1], 2 * grad_h.shape[-1])

    # dL/dh_{t-1} = (1 - z) ⊙ dL/dh_t
    return StepBack(grad_a, grad_a, None, grad_h * kept, None)


def paths(at_t: tuple[Array, ...]) -> Paths:
    """Past all weights, through 1 - z alone."""
    h_by_a, kept = at_t
    return Paths(h_by_a[..., :0, :], kept, None)


def tangent_step(
    w: LayerWeights, at_t: tuple[Array, ...], h: Array, c: Array | None, x: Array | None
) -> tuple[Array, Array | None]:
    """How h_t moves, to first order, when h_{t-1} moves by h (..., B, H) and x_t by x (None: it stays)."""
    h_by_a, kept = at_t

    # dh_t = (1 - z) ⊙ dh_{t-1} + Σ ∂h_t/∂a_{z,n} ⊙ W_ih dx_t
    moved = kept * h
    if x is not None:
        moved += (product(x, w.W_ih.T).reshape(h_by_a.shape) * h_by_a).sum(axis=-2)
    return moved, None


def jacobian(w: LayerWeights, at_t: tuple[Array, ...]) -> tuple[Array, Array]:
    """∂h_t/∂h_{t-1} (..., H, H) and ∂h_t/∂x_t (..., H, I); `at_t` may hold any steps and sequences."""
    h_by_a, kept = at_t
    H = kept.shape[-1]

    # ∂h_t/∂h_{t-1} = diag(1 - z);  ∂h_t/∂x_t = Σ diag(∂h_t/∂a_{z,n}) W_{z,n}
    J = np.zeros((*kept.shape, H), kept.dtype)
    unit = np.arange(H)
    J[..., unit, unit] = kept
    return J, np.einsum("...gh,ghi->...hi", h_by_a, w.W_ih.reshape(2, H, -1))
