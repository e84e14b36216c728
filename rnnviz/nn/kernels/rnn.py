"""The simple recurrent cell; the same equations as rnnviz/nn/cells/rnn.py, one product a step."""

from __future__ import annotations

from typing import Any

from rnnviz.nn.kernels.activations import activate, through
from rnnviz.nn.kernels.jit import flat, kernel
from rnnviz.nn.kernels.layer import joint_bias, project
from rnnviz.nn.kernels.product import Left, multiply, packed, packed_if_wide
from rnnviz.nn.kernels.simd import lane_count, lanes_left, load, store


@kernel
def forward(activation: int, w: Any, scratch: Any, run: Any) -> None:
    """a_t = W_ih x_t + b + W_hh h_{t-1};  h_t = φ(a_t), with b = b_ih + b_hh"""
    T, B, H = run.pre.shape
    size = B * H
    project(run.x, w.W_ih, joint_bias(w, scratch), scratch, run.pre)
    recurrent = packed(scratch.panels, flat(w.W_hh), 0, 1, H, H, H)
    states = flat(run.h)
    for t in range(T):
        multiply(Left(states, t * size, H, 1), recurrent, B, H, H, flat(run.pre), t * size, True)
        for n in range(0, size, lane_count(run.h)):
            some = lanes_left(run.h, size - n)
            store(run.h, (t + 1) * size + n, activate(activation, load(flat(run.pre), t * size + n, some)), some)


@kernel
def backward(activation: int, w: Any, scratch: Any, run: Any, back: Any) -> None:
    """dL/da_t = φ'(a_t) ⊙ dL/dh_t;  dL/dh_{t-1} += W_hhᵀ dL/da_t"""
    T, B, H = run.pre.shape
    size = B * H
    weights = packed_if_wide(scratch.panels, flat(w.W_hh), 0, H, H)
    errors = flat(back.grad_pre)
    for t in range(T - 1, -1, -1):
        for n in range(0, size, lane_count(run.h)):
            some = lanes_left(run.h, size - n)
            h, grad_h = load(run.h, (t + 1) * size + n, some), load(back.grad_h, (t + 1) * size + n, some)
            store(back.grad_pre, t * size + n, through(activation, h, grad_h), some)
        multiply(Left(errors, t * size, H, 1), weights, B, H, H, flat(back.grad_h), t * size, t > 0)


@kernel
def errors(activation: int, run: Any, t: int, H: int, grad_h: Any, grad_c: Any, out: Any, start: int) -> None:
    """One step of one sweep of a triangle: grad_h[start:] (B * H,) = ∂L_k/∂h_t -> out[start:] = ∂L_k/∂a_t."""
    size = run.h.shape[1] * H
    for n in range(0, size, lane_count(run.h)):
        some = lanes_left(run.h, size - n)
        h, grad = load(run.h, t * size + n, some), load(grad_h, start + n, some)
        store(out, start + n, through(activation, h, grad), some)
