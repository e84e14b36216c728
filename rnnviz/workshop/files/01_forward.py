"""01  One step forward.

A recurrent network reads the input x_t and its own last state, and computes
its new state:

    a = W_ih x_t + W_hh h_before + b        one sum for each unit
    h = tanh(a)                             the new state
"""

import numpy as np


def forward_step(W_ih, W_hh, b, x_t, h_before):
    """Return a and h of one time step, one number for each of the H units.

    W_ih      (H, I)   the weights from the inputs to the units
    W_hh      (H, H)   the weights from the last state to the new one
    b         (H,)     the biases
    x_t       (I,)     the input of this step
    h_before  (H,)     the last state
    """
    a = ...  # (H,)
    h = ...  # (H,)
    return a, h
