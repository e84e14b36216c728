import numpy as np


def forward_step(W_ih, W_hh, b, x_t, h_before):
    a = W_ih @ x_t + W_hh @ h_before + b
    h = np.tanh(a)
    return a, h
