"""The GRU; the same equations as rnnviz/nn/cells/gru.py. The three blocks share one product a step."""

from __future__ import annotations

from typing import Any

from rnnviz.nn.kernels.activations import sigmoid, tanh
from rnnviz.nn.kernels.jit import flat, kernel, view
from rnnviz.nn.kernels.layer import project
from rnnviz.nn.kernels.product import Left, multiply, packed, packed_if_wide
from rnnviz.nn.kernels.simd import lane_count, lanes_left, load, store


@kernel
def forward(activation: int, w: Any, scratch: Any, run: Any) -> None:
    """u_t = W_hh h_{t-1} + b_hh;  r, z = σ(W_ih x_t + b_ih + u_t);  n = tanh(W_in x_t + b_in + r u_n);
    h_t = (1 - z) n + z h_{t-1}"""
    T, B, H = len(run.pre), run.h.shape[1], run.h.shape[2]
    u = scratch.step
    project(run.x, w.W_ih, w.b_ih, scratch, run.pre)
    recurrent = packed(scratch.panels, flat(w.W_hh), 0, 1, H, H, 3 * H)
    states = flat(run.h)
    for t in range(T):
        multiply(Left(states, t * B * H, H, 1), recurrent, B, H, 3 * H, u, 0, False)
        for row in range(t * B, (t + 1) * B):
            for n in range(0, H, lane_count(run.h)):
                some = lanes_left(run.h, H - n)
                at, rec = row * 3 * H + n, (row - t * B) * 3 * H + n
                a_r = load(run.pre, at, some) + (load(u, rec, some) + load(w.b_hh, n, some))
                a_z = load(run.pre, at + H, some) + (load(u, rec + H, some) + load(w.b_hh, H + n, some))
                rec_n = load(u, rec + 2 * H, some) + load(w.b_hh, 2 * H + n, some)
                r, z = sigmoid(a_r), sigmoid(a_z)
                a_n = load(run.pre, at + 2 * H, some) + r * rec_n
                new = tanh(a_n)
                store(run.pre, at, a_r, some)
                store(run.pre, at + H, a_z, some)
                store(run.pre, at + 2 * H, a_n, some)
                store(run.gates, at, r, some)
                store(run.gates, at + H, z, some)
                store(run.gates, at + 2 * H, new, some)
                store(run.extra, row * H + n, rec_n, some)
                store(run.h, (row + B) * H + n, (1 - z) * new + z * load(run.h, row * H + n, some), some)


@kernel
def through(run: Any, row: int, n: int, some: Any, H: int, grad_h: Any) -> Any:
    """From dL/dh_t: dL/da_t of r, z, n, the recurrent side's of n, and what passes to h_{t-1} by z; for the units from
    `n` on of row = (t-1) B + sequence."""
    at, before = row * 3 * H + n, row * H + n
    r, z = load(run.gates, at, some), load(run.gates, at + H, some)
    new, rec_n = load(run.gates, at + 2 * H, some), load(run.extra, before, some)
    to_n = grad_h * ((1 - z) * (1 - new * new))
    to_z = grad_h * ((load(run.h, before, some) - new) * z * (1 - z))
    to_r = to_n * (rec_n * r * (1 - r))
    return to_r, to_z, to_n, to_n * r, grad_h * z


@kernel
def backward(activation: int, w: Any, scratch: Any, run: Any, back: Any) -> None:
    """dL/da_n = dL/dh (1 - z) tanh';  dL/da_z = dL/dh (h_{t-1} - n) σ';  dL/da_r = dL/da_n u_n σ'; the recurrent side
    sees dL/da_n times r;  dL/dh_{t-1} += z dL/dh_t + W_hhᵀ dL/du_t"""
    T, B, H = len(run.pre), run.h.shape[1], run.h.shape[2]
    weights = packed_if_wide(scratch.panels, flat(w.W_hh), 0, 3 * H, H)
    errors = flat(back.grad_rec)
    first = view(back.grad_h, 0, (B * H,))
    for n in range(B * H):
        first[n] = 0
    for t in range(T - 1, -1, -1):
        for row in range(t * B, (t + 1) * B):
            for n in range(0, H, lane_count(run.h)):
                some = lanes_left(run.h, H - n)
                at, before = row * 3 * H + n, row * H + n
                grad_h = load(back.grad_h, (row + B) * H + n, some)
                to_r, to_z, to_n, rec_n, past = through(run, row, n, some, H, grad_h)
                store(back.grad_pre, at, to_r, some)
                store(back.grad_pre, at + H, to_z, some)
                store(back.grad_pre, at + 2 * H, to_n, some)
                store(back.grad_rec, at, to_r, some)
                store(back.grad_rec, at + H, to_z, some)
                store(back.grad_rec, at + 2 * H, rec_n, some)
                store(back.grad_h, before, load(back.grad_h, before, some) + past, some)
        multiply(Left(errors, t * B * 3 * H, 3 * H, 1), weights, B, 3 * H, H, flat(back.grad_h), t * B * H, True)


@kernel
def errors(activation: int, run: Any, t: int, H: int, grad_h: Any, grad_c: Any, out: Any, start: int) -> None:
    """One step of one sweep of a triangle: grad_h[start:] (B * H,) = ∂L_k/∂h_t -> out[3 start:] (B * 3H,) =
    ∂L_k/∂u_t, and in grad_h what passes to h_{t-1} by z."""
    B = run.h.shape[1]
    for sequence in range(B):
        row = (t - 1) * B + sequence
        for n in range(0, H, lane_count(run.h)):
            some = lanes_left(run.h, H - n)
            here, at = start + sequence * H + n, 3 * start + sequence * 3 * H + n
            to_r, to_z, _, rec_n, past = through(run, row, n, some, H, load(grad_h, here, some))
            store(grad_h, here, past, some)
            store(out, at, to_r, some)
            store(out, at + H, to_z, some)
            store(out, at + 2 * H, rec_n, some)
