"""Attention: how much of each state a weighted sum would take, if the output looked back at all of them.

    α_t = softmax over t = 1..k of ( h_k · h_t / √H )          c = Σ α_t h_t

Scaled dot-product attention (Vaswani et al. 2017, eq. 1) with the state of step k as the query and the states
themselves as keys and values: nothing is trained or added. With the weights held fixed ∂c/∂h_t = α_t I, so of the
gradient on c a share α_t reaches h_t in one step; what the weights themselves depend on comes on top.
"""

from __future__ import annotations

import numpy as np

from rnnviz.nn.types import Array


def attention(states: Array) -> Array:
    """states (k, H): h_1 .. h_k, the last one the query. The weights (k,) add up to 1; all nan if a state is."""
    h = np.asarray(states, np.float64)
    with np.errstate(all="ignore"):
        scores = h @ h[-1] / np.sqrt(h.shape[1])
        weights = np.exp(scores - scores.max())
        return np.asarray(weights / weights.sum())
