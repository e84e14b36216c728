import numpy as np


def lstm_backward_step(W_hh, i, f, g, o, c_before, c, grad_h, grad_c_carried):
    tanh_c = np.tanh(c)
    grad_c = grad_c_carried + grad_h * o * (1 - tanh_c**2)
    grad_i = grad_c * g * i * (1 - i)
    grad_f = grad_c * c_before * f * (1 - f)
    grad_g = grad_c * i * (1 - g**2)
    grad_o = grad_h * tanh_c * o * (1 - o)
    grad_a = np.concatenate([grad_i, grad_f, grad_g, grad_o])
    grad_h_before = W_hh.T @ grad_a
    grad_c_before = f * grad_c
    return grad_c, grad_a, grad_h_before, grad_c_before
