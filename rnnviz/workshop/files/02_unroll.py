"""02  The whole sequence.

The same weights at every step, from t = 1 to T; each state is computed from
the one before it:

    h_t = tanh(W_ih x_t + W_hh h_{t-1} + b)
    y_t = W_out h_t + b_out                 the output, from the new state

h_0 is given. Python counts from 0: the input of step t is x[t - 1], its
output is y[t - 1]. The states have one row more, so the state of step t is
h[t].
"""

import numpy as np


def unroll(W_ih, W_hh, b, W_out, b_out, x, h_0):
    """Return h (T + 1, H), with h_0 as its first row, and y (T, O).

    W_ih (H, I), W_hh (H, H), b (H,)     as in 01
    W_out  (O, H)   the weights from the state to the outputs
    b_out  (O,)     their biases
    x      (T, I)   the inputs
    h_0    (H,)     the state before the first input
    """
    T = len(x)
    h = np.zeros((T + 1, len(h_0)))
    y = np.zeros((T, len(b_out)))
    h[0] = h_0
    for t in range(1, T + 1):
        h[t] = ...
        y[t - 1] = ...
    return h, y
