"""Functions that all cells share: activations and their slopes (inf and nan pass through), products, blocks."""

from __future__ import annotations

import numpy as np

from rnnviz.nn.types import Array


def sigmoid(a: Array) -> Array:
    """1 / (1 + e^-a). For a < -709 e^-a is inf, and 1/inf = 0 is the right answer."""
    out: Array = 1.0 / (1.0 + np.exp(-a))
    return out


def activate(name: str, a: Array) -> Array:
    """φ(a) for "tanh", "relu", "identity" or "sigmoid"."""
    if name == "tanh":
        return np.tanh(a)
    if name == "relu":
        return np.maximum(a, 0.0)
    if name == "sigmoid":
        return sigmoid(a)
    return a


def slope(name: str, h: Array) -> Array:
    """φ'(a), computed from h = φ(a) alone. relu has slope 0 at 0, as in PyTorch."""
    if name == "tanh":
        return 1.0 - h * h
    if name == "relu":
        # h * 0 keeps a nan a nan, where a bare comparison would make it a 0.
        return (h > 0).astype(h.dtype) + np.where(np.isnan(h), h, 0.0)
    if name == "sigmoid":
        return h * (1.0 - h)
    return np.ones_like(h)


def product(a: Array, W: Array) -> Array:
    """a @ W for any leading axes, as one matrix product (NumPy would make one for each index of the first axes)."""
    out: Array = (a.reshape(-1, a.shape[-1]) @ W).reshape(*a.shape[:-1], W.shape[-1])
    return out


def blocks(a: Array, count: int) -> tuple[Array, ...]:
    """`count` equal views along the last axis: the gates of a cell, side by side in one array."""
    H = a.shape[-1] // count
    return tuple(a[..., n * H : (n + 1) * H] for n in range(count))
