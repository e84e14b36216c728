"""Properties of W_hh: its largest singular value and its spectral radius."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.nn import Trace


@dataclass(frozen=True)
class Weights:
    """Of the top layer of a simple RNN.

    sigma_max        largest singular value of W_hh
    spectral_radius  largest |eigenvalue|
    """

    sigma_max: float
    spectral_radius: float


def weights(trace: Trace) -> Weights | None:
    """None for a gated cell, and where W_hh is not finite."""
    if trace.gates:
        return None
    W = np.asarray(trace.params[f"rnn.weight_hh_l{trace.L - 1}"], np.float64)
    if not np.isfinite(W).all():
        return None
    singular, eigen = np.linalg.svd(W, compute_uv=False), np.linalg.eigvals(W)
    return Weights(float(singular[0]), float(np.abs(eigen).max()))
