"""The linear recurrent unit: pairs of units that turn and shrink, and no activation in the loop.

    one pair, |λ| = 0.9, a quarter turn a step, no input after h_0 = (1, 0)
    h = (1, 0) -> (0, 0.9) -> (-0.81, 0)                   λ^t h_0: a turn, and |λ|^t of its length
    ‖dL/dh‖ backwards: 1 -> 0.9 -> 0.81                    and so the gradient: exactly |λ| a step

The problem it solves: an activation in the loop makes the factor of a step depend on the state, and every step wait for
the one before. Without it the factor is |λ| alone, which exp(-exp(ν)) keeps below 1 for any ν, so nothing explodes; and
h_t is a sum that can be computed in parallel (nn/scan.py). The price: one layer is a linear filter of its input.

The numbers of a pair are the real and the imaginary part of one complex number: units n and n + H/2.
weight_hh (3, H/2) holds ν, θ and log γ:  λ = exp(-exp(ν) + i exp(θ));  γ = √(1 - |λ|²) at first, and is learnt.

Orvieto et al. 2023 (arXiv:2303.06349, 3.2 to 3.4). There λ starts on a ring like here; different is that B is drawn
like any W_ih here, that the input has a bias, that the readout takes both parts of each number (Re(C h) there is the
same thing), and that no skip connection, normalisation or MLP is around the recurrence.
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cells.activations import product
from rnnviz.nn.records import LayerBackward, LayerForward, LayerWeights, Paths, StepBack
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array

#: |λ| is drawn between these: memories of some 10 to 1,000 steps, e⁻¹ being left after 1/(1 - |λ|).
SMALLEST, LARGEST = 0.9, 0.999


def initial(rng: np.random.Generator, init: str, H: int) -> Array:
    """ν, θ and log γ (3, H/2), for every initialiser: λ uniform on the ring between the circles |λ| = SMALLEST and
    LARGEST, as in the paper's lemma 3.2."""
    size = np.sqrt(rng.uniform(SMALLEST**2, LARGEST**2, H // 2))
    phase = rng.uniform(0.0, 2.0 * np.pi, H // 2)
    return np.stack([np.log(-np.log(size)), np.log(phase), 0.5 * np.log1p(-(size**2))])


@np.errstate(all="ignore")
def eigenvalues(w: LayerWeights) -> tuple[Array, Array, Array]:
    """Re λ, Im λ and γ, (H/2,) each."""
    nu, theta, log_gamma = w.W_hh
    size, phase = np.exp(-np.exp(nu)), np.exp(theta)
    return size * np.cos(phase), size * np.sin(phase), np.exp(log_gamma)


def times(re: Array, im: Array, h: Array) -> Array:
    """λ h (..., H), a complex product of each pair; with -im that of the conjugate, the transposed matrix."""
    real, imaginary = np.split(h, 2, axis=-1)
    return np.concatenate([re * real - im * imaginary, im * real + re * imaginary], axis=-1)


def in_full(w: LayerWeights) -> LayerWeights:
    """The weights of the simple RNN that it is: W_hh has Re λ and Im λ in each pair's rows, and γ scales the input."""
    re, im, gamma = (np.diag(part) for part in eigenvalues(w))
    scale = np.tile(np.diag(gamma), 2)
    return w._replace(W_ih=scale[:, None] * w.W_ih, W_hh=np.block([[re, -im], [im, re]]), b_ih=scale * w.b_ih)


def forward(spec: ModelSpec, w: LayerWeights, x: Array, h0: Array, c0: Array | None) -> LayerForward:
    """x (T, B, I), h0 (B, H) -> states h (T+1, B, H). The input side of all steps is one product."""
    h = np.empty((len(x) + 1, *h0.shape), h0.dtype)
    h[0] = h0
    re, im, gamma = eigenvalues(w)

    # h_t = λ h_{t-1} + γ (W_ih x_t + b)
    b = np.tile(gamma, 2) * (product(x, w.W_ih.T) + w.b_ih)
    for t in range(1, len(x) + 1):
        h[t] = times(re, im, h[t - 1]) + b[t - 1]

    return LayerForward(x, h, None, pre=h[1:].copy(), gates=h[1:], rec_n=None)


def terms(w: LayerWeights, x: Array) -> tuple[Array, Array]:
    """λ and γ (W_ih x_t + b), (T, B, H/2) each, complex: h_t = λ h_{t-1} + γ (W_ih x_t + b)."""
    re, im, gamma = eigenvalues(w)
    real, imaginary = np.split(product(x, w.W_ih.T) + w.b_ih, 2, axis=-1)
    b = gamma * (real + 1j * imaginary)
    return np.broadcast_to(re + 1j * im, b.shape), b


def slopes(spec: ModelSpec, layer: LayerForward) -> tuple[Array, ...]:
    """The local derivative of every step: (1,), (T, B, H): there is no activation."""
    return (np.ones_like(layer.h[1:]),)


def backward_step(w: LayerWeights, at_t: tuple[Array, ...], grad_h: Array, grad_c: Array | None) -> StepBack:
    """grad_h = dL/dh_t (..., B, H) -> the gradients one step earlier."""
    re, im, gamma = eigenvalues(w)

    # dL/d(W_ih x_t + b) = γ dL/dh_t;  dL/dh_{t-1} = λ* dL/dh_t
    return StepBack(np.tile(gamma, 2) * grad_h, grad_h, None, times(re, -im, grad_h), None)


def shares(w: LayerWeights, run: LayerForward, back: LayerBackward) -> Array:
    """(T, 3, H/2): the part of each step in dL/dν, dL/dθ and dL/d(log γ)."""
    re, im, _ = eigenvalues(w)
    grad = back.grad_h[1:] if run.mask is None else np.where(run.mask[..., None], back.grad_h[1:], 0.0)
    before = run.h[:-1]

    # dL/dRe λ = Re g Re h + Im g Im h;  dL/dIm λ = Im g Re h - Re g Im h, with g = dL/dh_t and h = h_{t-1}
    g_re, g_im = np.split(grad, 2, axis=-1)
    h_re, h_im = np.split(before, 2, axis=-1)
    by_re, by_im = g_re * h_re + g_im * h_im, g_im * h_re - g_re * h_im

    # ∂λ/∂ν = -exp(ν) λ;  ∂λ/∂θ = i exp(θ) λ
    by_nu = -np.exp(w.W_hh[0]) * (re * by_re + im * by_im)
    by_theta = np.exp(w.W_hh[1]) * (re * by_im - im * by_re)

    # dL/d(log γ) = g · γ (W_ih x_t + b), which is what h_t has besides λ h_{t-1}
    added_re, added_im = np.split(grad * (run.h[1:] - times(re, im, before)), 2, axis=-1)
    return np.stack([by_nu.sum(axis=1), by_theta.sum(axis=1), (added_re + added_im).sum(axis=1)], axis=1)


def paths(at_t: tuple[Array, ...]) -> Paths:
    """Everything goes back through λ."""
    return Paths(at_t[0][..., None, :], None, None)


def tangent_step(
    w: LayerWeights, at_t: tuple[Array, ...], h: Array, c: Array | None, x: Array | None
) -> tuple[Array, Array | None]:
    """How h_t moves when h_{t-1} moves by h (..., B, H) and x_t by x (None: it stays)."""
    # dh_t = λ dh_{t-1} + γ W_ih dx_t
    re, im, gamma = eigenvalues(w)
    moved = times(re, im, h)
    if x is not None:
        moved += np.tile(gamma, 2) * product(x, w.W_ih.T)
    return moved, None


def jacobian(w: LayerWeights, at_t: tuple[Array, ...]) -> tuple[Array, Array]:
    """∂h_t/∂h_{t-1} (..., H, H) and ∂h_t/∂x_t (..., H, I), the same at every step."""
    full, ones = in_full(w), at_t[0][..., None]
    return ones * full.W_hh, ones * full.W_ih
