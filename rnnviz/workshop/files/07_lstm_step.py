"""07  One step of an LSTM.

An LSTM has a second state, the cell c, that is updated by a sum. Three
gates, numbers from 0 to 1, decide: i what is written, f what is kept, o
what is shown; g is the new content.

    a = W_ih x_t + W_hh h_before + b        4 H sums: a_i, a_f, a_g, a_o
    i = σ(a_i)    f = σ(a_f)    o = σ(a_o)  σ(a) = 1 / (1 + e^-a)
    g = tanh(a_g)
    c = f ⊙ c_before + i ⊙ g
    h = o ⊙ tanh(c)
"""

import numpy as np


def lstm_step(W_ih, W_hh, b, x_t, h_before, c_before):
    """Return i, f, g, o, c and h, each (H,).

    W_ih      (4 H, I)   the weights from the inputs: four blocks of H rows,
                         in the order i, f, g, o
    W_hh      (4 H, H)   the weights from the last state, with the same blocks
    b         (4 H,)     the biases, with the same blocks
    x_t       (I,)       the input of this step
    h_before, c_before   (H,), (H,): the last state
    """
    H = len(h_before)
    i = ...
    f = ...
    g = ...
    o = ...
    c = ...
    h = ...
    return i, f, g, o, c, h
