"""The GRU: keeps the LSTM's additive memory, but in h itself and with two gates instead of three.

    one unit that remembers: z = 1, h = 0.762 -> 0.762 -> 0.762            (1 - z) n + z h = h
    dL/dh backwards: 1 -> z·1 = 1 -> 1                                      and so is the gradient

The problem it solves: an LSTM needs a second state and four blocks of weights. Here one gate z both forgets
and writes, and a reset gate r decides how much of the past the new content n may see. The recurrent bias of n
is inside the reset (r ⊙ (W_hn h + b_hn)), so a GRU always has two biases.

Cho et al. 2014 (10.3115/v1/D14-1179) with the reset after the product: torch.nn.GRU, Keras' GRU with
reset_after=True. Row blocks of the weights: r, z, n (Keras stores z, r, h).
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cells.activations import blocks, product, sigmoid
from rnnviz.nn.records import LayerForward, LayerWeights, Paths, StepBack
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array


def forward(spec: ModelSpec, w: LayerWeights, x: Array, h0: Array, c0: Array | None) -> LayerForward:
    """x (T, B, I), h0 (B, H) -> states h (T+1, B, H)."""
    H = h0.shape[-1]
    h = np.empty((len(x) + 1, *h0.shape), h0.dtype)
    h[0] = h0

    # u_t = W_hh h_{t-1} + b_hh                              the recurrent side, three blocks: r, z, n
    # r, z = σ(W_ih x_t + b_ih + u_t)
    # n = tanh(W_in x_t + b_in + r ⊙ u_n)
    # h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}
    a = product(x, w.W_ih.T) + w.b_ih
    gates = np.empty_like(a)
    rec_n = np.empty((len(x), *h0.shape), h0.dtype)
    for t in range(1, len(x) + 1):
        u = h[t - 1] @ w.W_hh.T if w.b_hh is None else h[t - 1] @ w.W_hh.T + w.b_hh
        rec_n[t - 1] = u[:, 2 * H :]
        a[t - 1, :, : 2 * H] += u[:, : 2 * H]
        gates[t - 1, :, : 2 * H] = sigmoid(a[t - 1, :, : 2 * H])
        r, z, n = blocks(gates[t - 1], 3)
        a[t - 1, :, 2 * H :] += r * rec_n[t - 1]
        n[:] = np.tanh(a[t - 1, :, 2 * H :])
        h[t] = (1.0 - z) * n + z * h[t - 1]

    return LayerForward(x, h, None, pre=a, gates=gates, rec_n=rec_n)


def slopes(spec: ModelSpec, layer: LayerForward) -> tuple[Array, ...]:
    """The local derivatives of every step: ∂h_t/∂a_{r,z,n} and ∂h_t/∂u_{r,z,n} (T, B, 3, H); z (T, B, H)."""
    assert layer.rec_n is not None
    r, z, n = blocks(layer.gates, 3)

    # ∂h_t/∂a_n = (1 - z) tanh'(a_n);  ∂h_t/∂a_z = (h_{t-1} - n) σ'(a_z);  ∂h_t/∂a_r = ∂h_t/∂a_n u_n σ'(a_r)
    h_by_n = (1.0 - z) * (1.0 - n * n)
    h_by_z = (layer.h[:-1] - n) * z * (1.0 - z)
    h_by_r = h_by_n * layer.rec_n * r * (1.0 - r)
    # ∂h_t/∂u_t: the same, but n sees the recurrent side through r
    return np.stack([h_by_r, h_by_z, h_by_n], axis=-2), np.stack([h_by_r, h_by_z, h_by_n * r], axis=-2), z


def backward_step(w: LayerWeights, at_t: tuple[Array, ...], grad_h: Array, grad_c: Array | None) -> StepBack:
    """`at_t` the slopes of step t, grad_h = dL/dh_t (..., B, H) -> the gradients one step earlier."""
    h_by_a, h_by_u, z = at_t

    # dL/da_t = dL/dh_t ⊙ ∂h_t/∂a_t;  dL/du_t = dL/dh_t ⊙ ∂h_t/∂u_t
    width = (*grad_h.shape[:-1], 3 * grad_h.shape[-1])
    grad_a = (grad_h[..., None, :] * h_by_a).reshape(width)
    grad_u = (grad_h[..., None, :] * h_by_u).reshape(width)

    # dL/dh_{t-1} = z ⊙ dL/dh_t + W_hhᵀ dL/du_t
    return StepBack(grad_a, grad_u, None, grad_h * z + product(grad_u, w.W_hh), None)


def paths(at_t: tuple[Array, ...]) -> Paths:
    """Through W_hh, a block for each gate; and past it through z alone."""
    _, h_by_u, z = at_t
    return Paths(h_by_u, z, None)


def tangent_step(
    w: LayerWeights, at_t: tuple[Array, ...], h: Array, c: Array | None, x: Array | None
) -> tuple[Array, Array | None]:
    """How h_t moves, to first order, when h_{t-1} moves by h (..., B, H) and x_t by x (None: it stays)."""
    h_by_a, h_by_u, z = at_t

    # dh_t = z ⊙ dh_{t-1} + Σ ∂h_t/∂u_{r,z,n} ⊙ W_hh dh_{t-1} + Σ ∂h_t/∂a_{r,z,n} ⊙ W_ih dx_t
    u = product(h, w.W_hh.T).reshape(h_by_u.shape)
    u *= h_by_u
    if x is not None:
        a = product(x, w.W_ih.T).reshape(h_by_a.shape)
        a *= h_by_a
        u += a
    moved = u[..., 0, :] + u[..., 1, :]
    moved += u[..., 2, :]
    moved += z * h
    return moved, None


def jacobian(w: LayerWeights, at_t: tuple[Array, ...]) -> tuple[Array, Array]:
    """∂h_t/∂h_{t-1} (..., H, H) and ∂h_t/∂x_t (..., H, I); `at_t` may hold any steps and sequences."""
    h_by_a, h_by_u, z = at_t
    H = z.shape[-1]

    # ∂h_t/∂h_{t-1} = diag(z) + Σ diag(∂h_t/∂u_{r,z,n}) W_{r,z,n}: diag(z) is the way past the candidate
    J = np.einsum("...gh,ghi->...hi", h_by_u, w.W_hh.reshape(3, H, H))
    unit = np.arange(H)
    J[..., unit, unit] += z
    return J, np.einsum("...gh,ghi->...hi", h_by_a, w.W_ih.reshape(3, H, -1))
