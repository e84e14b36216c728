"""The LSTM; the same equations as rnnviz/nn/cells/lstm.py. The four gates share one product a step."""

from __future__ import annotations

from typing import Any

from rnnviz.nn.kernels.activations import sigmoid, tanh
from rnnviz.nn.kernels.jit import flat, kernel, view
from rnnviz.nn.kernels.layer import joint_bias, project
from rnnviz.nn.kernels.product import Left, multiply, packed, packed_if_wide
from rnnviz.nn.kernels.simd import lane_count, lanes_left, load, store


@kernel
def forward(activation: int, w: Any, scratch: Any, run: Any) -> None:
    """a_t = W_ih x_t + b + W_hh h_{t-1};  i, f, o = σ(a), g = tanh(a);  c_t = f c_{t-1} + i g;  h_t = o tanh(c_t)"""
    T, B, H = len(run.pre), run.h.shape[1], run.h.shape[2]
    project(run.x, w.W_ih, joint_bias(w, scratch), scratch, run.pre)
    recurrent = packed(scratch.panels, flat(w.W_hh), 0, 1, H, H, 4 * H)
    states = flat(run.h)
    for t in range(T):
        multiply(Left(states, t * B * H, H, 1), recurrent, B, H, 4 * H, flat(run.pre), t * B * 4 * H, True)
        for row in range(t * B, (t + 1) * B):
            for n in range(0, H, lane_count(run.h)):
                some = lanes_left(run.h, H - n)
                at = row * 4 * H + n
                i = sigmoid(load(run.pre, at, some))
                f = sigmoid(load(run.pre, at + H, some))
                g = tanh(load(run.pre, at + 2 * H, some))
                o = sigmoid(load(run.pre, at + 3 * H, some))
                c = f * load(run.c, row * H + n, some) + i * g
                tanh_c = tanh(c)
                store(run.gates, at, i, some)
                store(run.gates, at + H, f, some)
                store(run.gates, at + 2 * H, g, some)
                store(run.gates, at + 3 * H, o, some)
                store(run.c, (row + B) * H + n, c, some)
                store(run.extra, row * H + n, tanh_c, some)
                store(run.h, (row + B) * H + n, o * tanh_c, some)


@kernel
def backward(activation: int, w: Any, scratch: Any, run: Any, back: Any) -> None:
    """dL/dc_t = (from step t+1) + o tanh'(c_t) dL/dh_t; each gate's share of it times the gate's slope;
    dL/dh_{t-1} += W_hhᵀ dL/da_t;  dL/dc_{t-1} = f dL/dc_t"""
    T, B, H = len(run.pre), run.h.shape[1], run.h.shape[2]
    weights = packed_if_wide(scratch.panels, flat(w.W_hh), 0, 4 * H, H)
    errors = flat(back.grad_pre)
    last = view(back.grad_c, T * B * H, (B * H,))
    for n in range(B * H):
        last[n] = 0
    for t in range(T - 1, -1, -1):
        for row in range(t * B, (t + 1) * B):
            for n in range(0, H, lane_count(run.h)):
                some = lanes_left(run.h, H - n)
                at, before, now = row * 4 * H + n, row * H + n, (row + B) * H + n
                i, f = load(run.gates, at, some), load(run.gates, at + H, some)
                g, o = load(run.gates, at + 2 * H, some), load(run.gates, at + 3 * H, some)
                c_before, tanh_c = load(run.c, before, some), load(run.extra, before, some)
                grad_h = load(back.grad_h, now, some)
                grad_c = load(back.grad_c, now, some) + o * (1 - tanh_c * tanh_c) * grad_h
                store(back.grad_c, now, grad_c, some)
                store(back.grad_c, before, grad_c * f, some)
                store(back.grad_pre, at, grad_c * (g * i * (1 - i)), some)
                store(back.grad_pre, at + H, grad_c * (c_before * f * (1 - f)), some)
                store(back.grad_pre, at + 2 * H, grad_c * (i * (1 - g * g)), some)
                store(back.grad_pre, at + 3 * H, grad_h * (tanh_c * o * (1 - o)), some)
        multiply(Left(errors, t * B * 4 * H, 4 * H, 1), weights, B, 4 * H, H, flat(back.grad_h), t * B * H, t > 0)
