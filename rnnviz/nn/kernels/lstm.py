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
                store(run.gates, at, i, some)
                store(run.gates, at + H, f, some)
                store(run.gates, at + 2 * H, g, some)
                store(run.gates, at + 3 * H, o, some)
                store(run.c, (row + B) * H + n, c, some)
        for row in range(t * B, (t + 1) * B):  # a loop of its own: its tanh need not wait for the gates before
            for n in range(0, H, lane_count(run.h)):
                some = lanes_left(run.h, H - n)
                o = load(run.gates, row * 4 * H + 3 * H + n, some)
                tanh_c = tanh(load(run.c, (row + B) * H + n, some))
                store(run.extra, row * H + n, tanh_c, some)
                store(run.h, (row + B) * H + n, o * tanh_c, some)


@kernel
def through(run: Any, row: int, n: int, some: Any, H: int, grad_h: Any, grad_c: Any) -> Any:
    """From dL/dh_t and what step t+1 sends to c_t: dL/dc_t, dL/da_t of the gates i, f, g, o, and what goes to c_{t-1};
    for the units from n on of row = (t-1) B + sequence."""
    at = row * 4 * H + n
    i, f = load(run.gates, at, some), load(run.gates, at + H, some)
    g, o = load(run.gates, at + 2 * H, some), load(run.gates, at + 3 * H, some)
    c_before, tanh_c = load(run.c, row * H + n, some), load(run.extra, row * H + n, some)
    total = grad_c + o * (1 - tanh_c * tanh_c) * grad_h
    to_i, to_f = total * (g * i * (1 - i)), total * (c_before * f * (1 - f))
    to_g, to_o = total * (i * (1 - g * g)), grad_h * (tanh_c * o * (1 - o))
    return total, to_i, to_f, to_g, to_o, total * f


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
                before, now = row * H + n, (row + B) * H + n
                grad_h, grad_c = load(back.grad_h, now, some), load(back.grad_c, now, some)
                total, to_i, to_f, to_g, to_o, carried = through(run, row, n, some, H, grad_h, grad_c)
                at = row * 4 * H + n
                store(back.grad_c, now, total, some)
                store(back.grad_c, before, carried, some)
                store(back.grad_pre, at, to_i, some)
                store(back.grad_pre, at + H, to_f, some)
                store(back.grad_pre, at + 2 * H, to_g, some)
                store(back.grad_pre, at + 3 * H, to_o, some)
        multiply(Left(errors, t * B * 4 * H, 4 * H, 1), weights, B, 4 * H, H, flat(back.grad_h), t * B * H, t > 0)


@kernel
def errors(activation: int, run: Any, t: int, H: int, grad_h: Any, grad_c: Any, out: Any, start: int) -> None:
    """One step of one sweep of a triangle: grad_h[start:] (B * H,) = ∂L_k/∂h_t and grad_c[start:], what step t+1
    sends to c_t -> out[4 start:] (B * 4H,) = ∂L_k/∂a_t, and in grad_c what goes to c_{t-1}."""
    B = run.h.shape[1]
    for sequence in range(B):
        row = (t - 1) * B + sequence
        for n in range(0, H, lane_count(run.h)):
            some = lanes_left(run.h, H - n)
            here, at = start + sequence * H + n, 4 * start + sequence * 4 * H + n
            grad, cell = load(grad_h, here, some), load(grad_c, here, some)
            _, to_i, to_f, to_g, to_o, carried = through(run, row, n, some, H, grad, cell)
            store(grad_c, here, carried, some)
            store(out, at, to_i, some)
            store(out, at + H, to_f, some)
            store(out, at + 2 * H, to_g, some)
            store(out, at + 3 * H, to_o, some)
