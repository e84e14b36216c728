import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def gru_step(W_ih, W_hh, b_ih, b_hh, x_t, h_before):
    H = len(h_before)
    a = W_ih @ x_t + b_ih
    u = W_hh @ h_before + b_hh
    r = sigmoid(a[:H] + u[:H])
    z = sigmoid(a[H : 2 * H] + u[H : 2 * H])
    n = np.tanh(a[2 * H :] + r * u[2 * H :])
    h = (1 - z) * n + z * h_before
    return r, z, n, h
