"""The independently recurrent network; the same equations as rnnviz/nn/cells/indrnn.py. A step is elementwise."""

from __future__ import annotations

from typing import Any

from rnnviz.nn.kernels.activations import activate, through
from rnnviz.nn.kernels.jit import flat, kernel, view
from rnnviz.nn.kernels.layer import AT_ONCE, project
from rnnviz.nn.kernels.simd import lane_count, lanes_left, load, spread, store


@kernel
def forward(activation: int, w: Any, scratch: Any, run: Any) -> None:
    """a_t = W_ih x_t + b + u h_{t-1};  h_t = φ(a_t)"""
    T, B, H = run.pre.shape
    u = flat(w.W_hh)
    project(run.x, w.W_ih, w.b_ih, scratch, run.pre)
    for row in range(T * B):
        for n in range(0, H, lane_count(run.h)):
            some = lanes_left(run.h, H - n)
            at = row * H + n
            a = load(run.pre, at, some) + load(u, n, some) * load(run.h, at, some)
            store(run.pre, at, a, some)
            store(run.h, at + B * H, activate(activation, a), some)


@kernel
def backward(activation: int, w: Any, scratch: Any, run: Any, back: Any) -> None:
    """dL/da_t = φ'(a_t) dL/dh_t;  dL/dh_{t-1} += u dL/da_t"""
    T, B, H = run.pre.shape
    u, first = flat(w.W_hh), view(back.grad_h, 0, (B * H,))
    for n in range(B * H):
        first[n] = 0
    for row in range(T * B - 1, -1, -1):
        for n in range(0, H, lane_count(run.h)):
            some = lanes_left(run.h, H - n)
            at, after = row * H + n, (row + B) * H + n
            grad_a = through(activation, load(run.h, after, some), load(back.grad_h, after, some))
            store(back.grad_pre, at, grad_a, some)
            store(back.grad_h, at, load(back.grad_h, at, some) + load(u, n, some) * grad_a, some)


@kernel
def of_diagonal(run: Any, back: Any, w: Any, scratch: Any, out: Any) -> None:
    """out (1, H) = dL/du = Σ_t dL/da_t h_{t-1}"""
    T, B, H = run.pre.shape
    for first in range(0, T * B, AT_ONCE):
        for n in range(0, H, lane_count(run.h)):
            some = lanes_left(run.h, H - n)
            total = load(out, n, some) if first else spread(out, 0)
            for row in range(first, min(first + AT_ONCE, T * B)):
                total = total + load(back.grad_pre, row * H + n, some) * load(run.h, row * H + n, some)
            store(out, n, total, some)
