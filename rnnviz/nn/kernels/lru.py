"""The linear recurrent unit; the same equations as rnnviz/nn/cells/lru.py. A step is elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz.nn.kernels.jit import flat, kernel, view
from rnnviz.nn.kernels.layer import AT_ONCE, project
from rnnviz.nn.kernels.simd import lane_count, lanes_left, load, spread, store


@kernel
def eigenvalues(w: Any, scratch: Any) -> Any:
    """Re λ, Im λ and γ, side by side, in scratch.panels: (3 H/2,)"""
    half = w.W_hh.shape[1]
    out = view(scratch.panels, 0, (3 * half,))
    for n in range(half):
        size, phase = np.exp(-np.exp(w.W_hh[0, n])), np.exp(w.W_hh[1, n])
        out[n] = size * np.cos(phase)
        out[half + n] = size * np.sin(phase)
        out[2 * half + n] = np.exp(w.W_hh[2, n])
    return out


@kernel
def forward(activation: int, w: Any, scratch: Any, run: Any) -> None:
    """h_t = λ h_{t-1} + γ (W_ih x_t + b)"""
    T, B, H = run.pre.shape
    half = H // 2
    project(run.x, w.W_ih, w.b_ih, scratch, run.pre)
    values = eigenvalues(w, scratch)
    for row in range(T * B):
        for n in range(0, half, lane_count(run.h)):
            some = lanes_left(run.h, half - n)
            at, after = row * H + n, (row + B) * H + n
            re, im, gamma = load(values, n, some), load(values, half + n, some), load(values, H + n, some)
            h_re, h_im = load(run.h, at, some), load(run.h, at + half, some)
            new_re = re * h_re - im * h_im + gamma * load(run.pre, at, some)
            new_im = im * h_re + re * h_im + gamma * load(run.pre, at + half, some)
            store(run.h, after, new_re, some)
            store(run.h, after + half, new_im, some)
            store(run.pre, at, new_re, some)
            store(run.pre, at + half, new_im, some)


@kernel
def backward(activation: int, w: Any, scratch: Any, run: Any, back: Any) -> None:
    """dL/d(W_ih x_t + b) = γ dL/dh_t;  dL/dh_{t-1} += λ* dL/dh_t"""
    T, B, H = run.pre.shape
    half, values = H // 2, eigenvalues(w, scratch)
    first = view(back.grad_h, 0, (B * H,))
    for n in range(B * H):
        first[n] = 0
    for row in range(T * B - 1, -1, -1):
        for n in range(0, half, lane_count(run.h)):
            some = lanes_left(run.h, half - n)
            at, after = row * H + n, (row + B) * H + n
            re, im, gamma = load(values, n, some), load(values, half + n, some), load(values, H + n, some)
            g_re, g_im = load(back.grad_h, after, some), load(back.grad_h, after + half, some)
            store(back.grad_pre, at, gamma * g_re, some)
            store(back.grad_pre, at + half, gamma * g_im, some)
            store(back.grad_h, at, load(back.grad_h, at, some) + (re * g_re + im * g_im), some)
            store(back.grad_h, at + half, load(back.grad_h, at + half, some) + (re * g_im - im * g_re), some)


@kernel
def of_diagonal(run: Any, back: Any, w: Any, scratch: Any, out: Any) -> None:
    """out (3, H/2) = dL/dν, dL/dθ and dL/d(log γ), from the sums of dL/dRe λ, dL/dIm λ and of dL/dh_t times what the
    input added to h_t"""
    T, B, H = run.pre.shape
    half, values, rows = H // 2, eigenvalues(w, scratch), T * B
    for first in range(0, rows, AT_ONCE):
        for n in range(0, half, lane_count(run.h)):
            some = lanes_left(run.h, half - n)
            re, im = load(values, n, some), load(values, half + n, some)
            by_re, by_im, added = spread(run.h, 0), spread(run.h, 0), spread(run.h, 0)
            if first:
                by_re, by_im, added = load(out, n, some), load(out, half + n, some), load(out, H + n, some)
            for row in range(first, min(first + AT_ONCE, rows)):
                at, after = row * H + n, (row + B) * H + n
                g_re, g_im = load(back.grad_h, after, some), load(back.grad_h, after + half, some)
                h_re, h_im = load(run.h, at, some), load(run.h, at + half, some)
                by_re = by_re + (g_re * h_re + g_im * h_im)
                by_im = by_im + (g_im * h_re - g_re * h_im)
                new_re = load(run.h, after, some) - (re * h_re - im * h_im)
                new_im = load(run.h, after + half, some) - (im * h_re + re * h_im)
                added = added + (g_re * new_re + g_im * new_im)
            store(out, n, by_re, some)
            store(out, half + n, by_im, some)
            store(out, H + n, added, some)
    found = flat(out)
    for n in range(half):
        re, im, by_re, by_im = values[n], values[half + n], found[n], found[half + n]
        found[n] = -np.exp(w.W_hh[0, n]) * (re * by_re + im * by_im)
        found[half + n] = np.exp(w.W_hh[1, n]) * (re * by_im - im * by_re)
