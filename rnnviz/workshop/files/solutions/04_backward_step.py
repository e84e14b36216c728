import numpy as np


def backward_step(W_hh, h_t, grad_h):
    slope = 1 - h_t**2
    grad_a = slope * grad_h
    grad_h_before = W_hh.T @ grad_a
    return slope, grad_a, grad_h_before
