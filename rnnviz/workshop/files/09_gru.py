"""09  One step of a GRU.

A GRU has one state and two gates: z mixes the old state with new content n,
and r decides how much of the old state the new content sees. r multiplies
after the product with W_hh, as in PyTorch:

    r = σ(W_ir x_t + b_ir + W_hr h_before + b_hr)
    z = σ(W_iz x_t + b_iz + W_hz h_before + b_hz)
    n = tanh(W_in x_t + b_in + r ⊙ (W_hn h_before + b_hn))
    h = (1 - z) ⊙ n + z ⊙ h_before
"""

import numpy as np


def gru_step(W_ih, W_hh, b_ih, b_hh, x_t, h_before):
    """Return r, z, n and h, each (H,).

    W_ih      (3 H, I)   the weights from the inputs: W_ir, W_iz and W_in
    W_hh      (3 H, H)   the weights from the last state: W_hr, W_hz and W_hn
    b_ih      (3 H,)     the biases b_ir, b_iz and b_in
    b_hh      (3 H,)     the biases b_hr, b_hz and b_hn
    x_t       (I,)       the input of this step
    h_before  (H,)       the last state
    """
    H = len(h_before)
    r = ...
    z = ...
    n = ...
    h = ...
    return r, z, n, h
