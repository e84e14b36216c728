import numpy as np


def bptt(W_ih, W_hh, W_out, x, h, grad_y):
    T, H = len(x), len(W_hh)
    grad_h = np.zeros((T + 1, H))
    grad_a = np.zeros((T, H))
    for t in range(T, 0, -1):
        grad_h[t] = W_out.T @ grad_y[t - 1]
        if t < T:
            grad_h[t] += W_hh.T @ grad_a[t]
        grad_a[t - 1] = (1 - h[t] ** 2) * grad_h[t]
    grad_h[0] = W_hh.T @ grad_a[0]
    grad_W_ih = grad_a.T @ x
    grad_W_hh = grad_a.T @ h[:-1]
    grad_b = grad_a.sum(axis=0)
    return grad_h, grad_a, grad_W_ih, grad_W_hh, grad_b
