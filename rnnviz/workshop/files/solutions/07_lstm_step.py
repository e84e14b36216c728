import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm_step(W_ih, W_hh, b, x_t, h_before, c_before):
    H = len(h_before)
    a = W_ih @ x_t + W_hh @ h_before + b
    i = sigmoid(a[:H])
    f = sigmoid(a[H : 2 * H])
    g = np.tanh(a[2 * H : 3 * H])
    o = sigmoid(a[3 * H :])
    c = f * c_before + i * g
    h = o * np.tanh(c)
    return i, f, g, o, c, h
