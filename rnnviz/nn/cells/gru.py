"""The GRU: keeps the LSTM's additive memory, but in h itself and with two gates instead of three.

    one unit that remembers: z = 1, h = 0.762 -> 0.762 -> 0.762            (1 - z) n + z h = h
    dL/dh backwards: 1 -> z·1 = 1 -> 1                                      and so is the gradient

The problem it solves: an LSTM needs a second state and four blocks of weights. Here one gate z both forgets
and writes, and a reset gate r decides how much of the past the new content n may see. The recurrent bias of n
stands inside the reset (r ⊙ (W_hn h + b_hn)), which is why a GRU always has two biases.

Cho et al. 2014 (10.3115/v1/D14-1179) with the reset after the product: torch.nn.GRU, Keras' GRU with
reset_after=True. Row blocks of the weights: r, z, n (Keras stores z, r, h).
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cells.activations import sigmoid
from rnnviz.nn.passes import LayerForward, LayerWeights, StepBack
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
    a = x @ w.W_ih.T + w.b_ih
    gates = np.empty_like(a)
    rec_n = np.empty((len(x), *h0.shape), h0.dtype)
    for t in range(1, len(x) + 1):
        u = h[t - 1] @ w.W_hh.T if w.b_hh is None else h[t - 1] @ w.W_hh.T + w.b_hh
        rec_n[t - 1] = u[:, 2 * H :]
        a[t - 1, :, : 2 * H] += u[:, : 2 * H]
        gates[t - 1, :, : 2 * H] = sigmoid(a[t - 1, :, : 2 * H])
        r, z, n = np.split(gates[t - 1], 3, axis=-1)
        a[t - 1, :, 2 * H :] += r * rec_n[t - 1]
        n[:] = np.tanh(a[t - 1, :, 2 * H :])
        h[t] = (1.0 - z) * n + z * h[t - 1]

    return LayerForward(x, h, None, pre=a, gates=gates, rec_n=rec_n)


def backward_step(
    spec: ModelSpec, w: LayerWeights, layer: LayerForward, t: int, grad_h: Array, grad_c: Array | None
) -> StepBack:
    """grad_h = dL/dh_t (..., B, H) -> the gradients one step earlier."""
    assert layer.rec_n is not None
    r, z, n = np.split(layer.gates[t - 1], 3, axis=-1)

    # dL/da_n = dL/dh (1 - z) tanh'(a_n);  dL/da_z = dL/dh (h_{t-1} - n) σ'(a_z);  dL/da_r = dL/da_n u_n σ'(a_r)
    grad_n = grad_h * ((1.0 - z) * (1.0 - n * n))
    grad_z = grad_h * ((layer.h[t - 1] - n) * z * (1.0 - z))
    grad_r = grad_n * (layer.rec_n[t - 1] * r * (1.0 - r))

    # dL/du_t: as above, but n sees the recurrent side through r
    grad_pre = np.concatenate([grad_r, grad_z, grad_n], axis=-1)
    grad_rec = np.concatenate([grad_r, grad_z, grad_n * r], axis=-1)

    # dL/dh_{t-1} = z ⊙ dL/dh_t + W_hhᵀ dL/du_t
    return StepBack(grad_pre, grad_rec, None, grad_h * z + grad_rec @ w.W_hh, None)


def jacobian(spec: ModelSpec, w: LayerWeights, layer: LayerForward) -> tuple[Array, Array]:
    """∂h_t/∂h_{t-1} (T, B, H, H) and ∂h_t/∂x_t (T, B, H, I) of every step."""
    assert layer.rec_n is not None
    r, z, n = (gate[..., None] for gate in np.split(layer.gates, 3, axis=-1))
    to_n = (1.0 - z) * (1.0 - n * n)
    to_z = (layer.h[:-1][..., None] - n) * z * (1.0 - z)
    to_r = to_n * layer.rec_n[..., None] * r * (1.0 - r)

    # ∂h_t/∂v = diag(to_r) W_r + diag(to_z) W_z + diag(to_n) W_n, with to_n r for the recurrent side
    def through(W: Array, n_factor: Array) -> Array:
        W_r, W_z, W_n = np.split(W, 3)
        out: Array = to_r * W_r + to_z * W_z + n_factor * W_n
        return out

    # ∂h_t/∂h_{t-1} has diag(z) besides: the way past the candidate
    J = through(w.W_hh, to_n * r)
    unit = np.arange(layer.h.shape[-1])
    J[..., unit, unit] += z[..., 0]
    return J, through(w.W_ih, to_n)
