"""The minGRU; the same equations as rnnviz/nn/cells/mingru.py. One product for all steps; a step is elementwise."""

from __future__ import annotations

from typing import Any

from rnnviz.nn.kernels.activations import sigmoid
from rnnviz.nn.kernels.jit import kernel, view
from rnnviz.nn.kernels.layer import project
from rnnviz.nn.kernels.simd import lane_count, lanes_left, load, store


@kernel
def forward(activation: int, w: Any, scratch: Any, run: Any) -> None:
    """z_t = σ(W_iz x_t + b_iz);  n_t = W_in x_t + b_in;  h_t = (1 - z_t) h_{t-1} + z_t n_t"""
    T, B, H = len(run.pre), run.h.shape[1], run.h.shape[2]
    project(run.x, w.W_ih, w.b_ih, scratch, run.pre)
    for row in range(T * B):
        for n in range(0, H, lane_count(run.h)):
            some = lanes_left(run.h, H - n)
            at = row * 2 * H + n
            z, new = sigmoid(load(run.pre, at, some)), load(run.pre, at + H, some)
            store(run.gates, at, z, some)
            store(run.gates, at + H, new, some)
            store(run.h, (row + B) * H + n, (1 - z) * load(run.h, row * H + n, some) + z * new, some)


@kernel
def through(run: Any, row: int, n: int, some: Any, H: int, grad_h: Any) -> Any:
    """From dL/dh_t: dL/da_t of z and n, and what passes to h_{t-1} by 1 - z; for the units from `n` on of
    row = (t-1) B + sequence."""
    at = row * 2 * H + n
    z, new = load(run.gates, at, some), load(run.gates, at + H, some)
    to_z = grad_h * ((new - load(run.h, row * H + n, some)) * z * (1 - z))
    return to_z, grad_h * z, grad_h * (1 - z)


@kernel
def backward(activation: int, w: Any, scratch: Any, run: Any, back: Any) -> None:
    """dL/da_z = dL/dh (n - h_{t-1}) σ';  dL/da_n = dL/dh z;  dL/dh_{t-1} += (1 - z) dL/dh_t"""
    T, B, H = len(run.pre), run.h.shape[1], run.h.shape[2]
    first = view(back.grad_h, 0, (B * H,))
    for n in range(B * H):
        first[n] = 0
    for row in range(T * B - 1, -1, -1):
        for n in range(0, H, lane_count(run.h)):
            some = lanes_left(run.h, H - n)
            at, before = row * 2 * H + n, row * H + n
            to_z, to_n, past = through(run, row, n, some, H, load(back.grad_h, (row + B) * H + n, some))
            store(back.grad_pre, at, to_z, some)
            store(back.grad_pre, at + H, to_n, some)
            store(back.grad_h, before, load(back.grad_h, before, some) + past, some)


@kernel
def errors(activation: int, run: Any, t: int, H: int, grad_h: Any, grad_c: Any, out: Any, start: int) -> None:
    """One step of one sweep of a triangle: grad_h[start:] (B * H,) = ∂L_k/∂h_t -> what passes to h_{t-1} by 1 - z."""
    B = run.h.shape[1]
    for sequence in range(B):
        row = (t - 1) * B + sequence
        for n in range(0, H, lane_count(run.h)):
            some = lanes_left(run.h, H - n)
            here = start + sequence * H + n
            _, _, past = through(run, row, n, some, H, load(grad_h, here, some))
            store(grad_h, here, past, some)
