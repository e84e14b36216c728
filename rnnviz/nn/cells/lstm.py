"""The LSTM: adds to rnn.py a second state, the cell c, that is carried on by a sum instead of a product.

    one unit that remembers: f = 1, i = 0, c = 0 -> 0.762 (written once) -> 0.762 -> 0.762 -> 0.762
    dL/dc backwards: 1 -> f·1 = 1 -> 1 -> 1                            nothing is multiplied away

The problem it solves: in a simple RNN the gradient passes W_hh and φ' at every step and vanishes. Here
∂c_t/∂c_{t-1} along the cell is just the forget gate f_t, elementwise; with f_t = 1 the error is carried
back unchanged for as long as the gate stays open (the constant error carousel). Gates i, f, o choose what is
written, kept and shown; gru.py gets by with two of them and no extra state.

Hochreiter & Schmidhuber 1997 (10.1162/neco.1997.9.8.1735), forget gate by Gers et al. 2000
(10.1162/089976600300015015); torch.nn.LSTM; Keras' LSTM. Row blocks of the weights: i, f, g, o.
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cells.activations import sigmoid
from rnnviz.nn.passes import LayerForward, LayerWeights, StepBack
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
    a = x @ w.W_ih.T + (w.b_ih if w.b_hh is None else w.b_ih + w.b_hh)
    gates = np.empty_like(a)
    for t in range(1, len(x) + 1):
        a[t - 1] += h[t - 1] @ w.W_hh.T
        gates[t - 1] = sigmoid(a[t - 1])
        gates[t - 1, :, 2 * H : 3 * H] = np.tanh(a[t - 1, :, 2 * H : 3 * H])
        i, f, g, o = np.split(gates[t - 1], 4, axis=-1)
        c[t] = f * c[t - 1] + i * g
        h[t] = o * np.tanh(c[t])

    return LayerForward(x, h, c, pre=a, gates=gates, rec_n=None)


def backward_step(
    spec: ModelSpec, w: LayerWeights, layer: LayerForward, t: int, grad_h: Array, grad_c: Array | None
) -> StepBack:
    """grad_h = dL/dh_t and grad_c = what step t+1 sends to c_t (..., B, H) -> the gradients one step earlier."""
    assert layer.c is not None
    i, f, g, o = np.split(layer.gates[t - 1], 4, axis=-1)
    tanh_c = np.tanh(layer.c[t])

    # dL/dc_t = (from step t+1) + o ⊙ (1 - tanh²(c_t)) ⊙ dL/dh_t
    through_output = o * (1.0 - tanh_c * tanh_c) * grad_h
    grad_c_now = through_output if grad_c is None else grad_c + through_output

    # dL/da_i = dL/dc g σ'(a_i);  dL/da_f = dL/dc c_{t-1} σ'(a_f);  dL/da_g = dL/dc i tanh'(a_g)
    # dL/da_o = dL/dh tanh(c_t) σ'(a_o)
    to_gates = (g * i * (1.0 - i), layer.c[t - 1] * f * (1.0 - f), i * (1.0 - g * g))
    grad_a = np.concatenate(
        [*(grad_c_now * d for d in to_gates), grad_h * (tanh_c * o * (1.0 - o))], axis=-1
    )

    # dL/dh_{t-1} = W_hhᵀ dL/da_t;  (to c_{t-1}) = f ⊙ dL/dc_t
    return StepBack(grad_a, grad_a, grad_c_now, grad_a @ w.W_hh, grad_c_now * f)


def jacobian(spec: ModelSpec, w: LayerWeights, layer: LayerForward) -> tuple[Array, Array]:
    """∂s_t/∂s_{t-1} (T, B, 2H, 2H) with s = (h, c), and ∂s_t/∂x_t (T, B, 2H, I) of every step."""
    assert layer.c is not None
    i, f, g, o = (gate[..., None] for gate in np.split(layer.gates, 4, axis=-1))
    tanh_c = np.tanh(layer.c[1:])[..., None]
    c_before = layer.c[:-1][..., None]
    H = layer.h.shape[-1]
    to_c = (g * i * (1.0 - i), c_before * f * (1.0 - f), i * (1.0 - g * g))
    to_h, h_from_c = tanh_c * o * (1.0 - o), o * (1.0 - tanh_c * tanh_c)

    # ∂c_t/∂v = g i' W_i + c_{t-1} f' W_f + i g' W_g;  ∂h_t/∂v = tanh(c_t) o' W_o + o tanh'(c_t) ∂c_t/∂v
    def through(W: Array) -> Array:
        W_i, W_f, W_g, W_o = np.split(W, 4)
        c_part = to_c[0] * W_i + to_c[1] * W_f + to_c[2] * W_g
        return np.concatenate([to_h * W_o + h_from_c * c_part, c_part], axis=-2)

    # ∂c_t/∂c_{t-1} = diag(f);  ∂h_t/∂c_{t-1} = diag(o tanh'(c_t) f)
    J = np.zeros((*layer.gates.shape[:2], 2 * H, 2 * H), layer.h.dtype)
    J[..., :H] = through(w.W_hh)
    unit = np.arange(H)
    J[..., unit, H + unit] = (h_from_c * f)[..., 0]
    J[..., H + unit, H + unit] = f[..., 0]
    return J, through(w.W_ih)
