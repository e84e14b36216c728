import numpy as np


def unroll(W_ih, W_hh, b, W_out, b_out, x, h_0):
    T = len(x)
    h = np.zeros((T + 1, len(h_0)))
    y = np.zeros((T, len(b_out)))
    h[0] = h_0
    for t in range(1, T + 1):
        h[t] = np.tanh(W_ih @ x[t - 1] + W_hh @ h[t - 1] + b)
        y[t - 1] = W_out @ h[t] + b_out
    return h, y
