"""The LSTM: adds to rnn.py a second state, the cell c, which is updated by a sum instead of a product.

    one unit that remembers: f = 1, i = 0, c = 0 -> 0.762 (written once) -> 0.762 -> 0.762 -> 0.762
    dL/dc backwards: 1 -> f·1 = 1 -> 1 -> 1                            nothing is multiplied away

The problem it solves: in a simple RNN the gradient passes W_hh and φ' at every step and vanishes. Here
∂c_t/∂c_{t-1} along the cell is just the forget gate f_t, elementwise; with f_t = 1 the error is carried
back unchanged for as long as the gate stays open (the constant error carousel). Gates i, f, o choose what is
written, kept and shown; gru.py needs only two of them and no extra state.

Hochreiter & Schmidhuber 1997 (10.1162/neco.1997.9.8.1735), forget gate by Gers et al. 2000
(10.1162/089976600300015015); torch.nn.LSTM; Keras' LSTM. Row blocks of the weights: i, f, g, o.
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cells.activations import blocks, product, sigmoid
from rnnviz.nn.records import LayerForward, LayerWeights, Paths, StepBack
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array


def forward(spec: ModelSpec, w: LayerWeights, x: Array, h0: Array, c0: Array | None) -> LayerForward:
    """x (T, B, I), h0 and c0 (B, H) -> states h and c (T+1, B, H)."""
    H = h0.shape[-1]
    h = np.empty((len(x) + 1, *h0.shape), h0.dtype)
    c = np.empty_like(h)
    h[0], c[0] = h0, 0.0 if c0 is None else c0

    # a_t = W_ih x_t + b_ih + b_hh + W_hh h_{t-1}                four blocks: i, f, g, o
    # i, f, o = σ(a_i), σ(a_f), σ(a_o);  g = tanh(a_g)
    # c_t = f ⊙ c_{t-1} + i ⊙ g
    # h_t = o ⊙ tanh(c_t)
    a = product(x, w.W_ih.T) + (w.b_ih if w.b_hh is None else w.b_ih + w.b_hh)
    gates = np.empty_like(a)
    for t in range(1, len(x) + 1):
        a[t - 1] += h[t - 1] @ w.W_hh.T
        gates[t - 1] = sigmoid(a[t - 1])
        gates[t - 1, :, 2 * H : 3 * H] = np.tanh(a[t - 1, :, 2 * H : 3 * H])
        i, f, g, o = blocks(gates[t - 1], 4)
        c[t] = f * c[t - 1] + i * g
        h[t] = o * np.tanh(c[t])

    return LayerForward(x, h, c, pre=a, gates=gates, rec_n=None)


def slopes(spec: ModelSpec, layer: LayerForward) -> tuple[Array, ...]:
    """Local derivatives: ∂c_t/∂a_{i,f,g} (T, B, 3, H); ∂h_t/∂a_o, ∂h_t/∂c_t, ∂c_t/∂c_{t-1} (T, B, H)."""
    assert layer.c is not None
    i, f, g, o = blocks(layer.gates, 4)
    tanh_c = np.tanh(layer.c[1:])

    # ∂c_t/∂a_i = g σ'(a_i);  ∂c_t/∂a_f = c_{t-1} σ'(a_f);  ∂c_t/∂a_g = i tanh'(a_g);  ∂c_t/∂c_{t-1} = f
    c_by_ifg = np.stack([g * i * (1.0 - i), layer.c[:-1] * f * (1.0 - f), i * (1.0 - g * g)], axis=-2)
    # ∂h_t/∂a_o = tanh(c_t) σ'(a_o);  ∂h_t/∂c_t = o tanh'(c_t)
    return c_by_ifg, tanh_c * o * (1.0 - o), o * (1.0 - tanh_c * tanh_c), f


def backward_step(w: LayerWeights, at_t: tuple[Array, ...], grad_h: Array, grad_c: Array | None) -> StepBack:
    """grad_h = dL/dh_t, grad_c = what step t+1 sends to c_t (..., B, H) -> the gradients one step earlier."""
    c_by_ifg, h_by_o, h_by_c, f = at_t

    # dL/dc_t = (from step t+1) + o ⊙ tanh'(c_t) ⊙ dL/dh_t
    grad_c_now = h_by_c * grad_h if grad_c is None else grad_c + h_by_c * grad_h

    # dL/da_{i,f,g} = dL/dc_t ⊙ ∂c_t/∂a_{i,f,g};  dL/da_o = dL/dh_t ⊙ ∂h_t/∂a_o
    H = grad_h.shape[-1]
    grad_a = np.empty((*grad_h.shape[:-1], 4, H), grad_h.dtype)
    np.multiply(grad_c_now[..., None, :], c_by_ifg, out=grad_a[..., :3, :])
    np.multiply(grad_h, h_by_o, out=grad_a[..., 3, :])
    grad_a = grad_a.reshape(*grad_h.shape[:-1], 4 * H)

    # dL/dh_{t-1} = W_hhᵀ dL/da_t;  (to c_{t-1}) = f ⊙ dL/dc_t
    return StepBack(grad_a, grad_a, grad_c_now, product(grad_a, w.W_hh), grad_c_now * f)


def paths(at_t: tuple[Array, ...]) -> Paths:
    """Through W_hh to h, a block for each gate; along c through f alone."""
    c_by_ifg, h_by_o, h_by_c, f = at_t
    return Paths(np.concatenate([c_by_ifg, h_by_o[..., None, :]], axis=-2), f, h_by_c)


def tangent_step(
    w: LayerWeights, at_t: tuple[Array, ...], h: Array, c: Array | None, x: Array | None
) -> tuple[Array, Array | None]:
    """How h_t and c_t move, to first order, when h_{t-1} and c_{t-1} move by h and c, and x_t by x (None: it stays)."""
    c_by_ifg, h_by_o, h_by_c, f = at_t

    # da = W_hh dh_{t-1} + W_ih dx_t
    H = h.shape[-1]
    a = product(h, w.W_hh.T)
    if x is not None:
        a += product(x, w.W_ih.T)
    a = a.reshape(*h.shape[:-1], 4, H)

    # dc_t = f ⊙ dc_{t-1} + Σ ∂c_t/∂a_{i,f,g} ⊙ da_{i,f,g};  dh_t = ∂h_t/∂a_o ⊙ da_o + ∂h_t/∂c_t ⊙ dc_t
    by_gates = a[..., :3, :]
    by_gates *= c_by_ifg
    c_now = by_gates[..., 0, :] + by_gates[..., 1, :]
    c_now += by_gates[..., 2, :]
    if c is not None:
        c_now += f * c
    return h_by_o * a[..., 3, :] + h_by_c * c_now, c_now


def jacobian(w: LayerWeights, at_t: tuple[Array, ...]) -> tuple[Array, Array]:
    """∂s_t/∂s_{t-1} (..., 2H, 2H) with s = (h, c), and ∂s_t/∂x_t (..., 2H, I)."""
    c_by_ifg, h_by_o, h_by_c, f = at_t
    H = f.shape[-1]

    # ∂c_t/∂v = Σ ∂c_t/∂a_{i,f,g} W_{i,f,g};  ∂h_t/∂v = ∂h_t/∂a_o W_o + ∂h_t/∂c_t ∂c_t/∂v
    def through(W: Array) -> Array:
        c_part = np.einsum("...gh,ghi->...hi", c_by_ifg, W[: 3 * H].reshape(3, H, -1))
        return np.concatenate([h_by_o[..., None] * W[3 * H :] + h_by_c[..., None] * c_part, c_part], axis=-2)

    # ∂c_t/∂c_{t-1} = diag(f);  ∂h_t/∂c_{t-1} = diag(o tanh'(c_t) f)
    J = np.zeros((*f.shape[:-1], 2 * H, 2 * H), f.dtype)
    J[..., :H] = through(w.W_hh)
    unit = np.arange(H)
    J[..., unit, H + unit] = h_by_c * f
    J[..., H + unit, H + unit] = f
    return J, through(w.W_ih)
