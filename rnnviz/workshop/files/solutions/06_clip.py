import numpy as np


def clip(grad_W_ih, grad_W_hh, grad_b, limit):
    norm = np.sqrt(np.sum(grad_W_ih**2) + np.sum(grad_W_hh**2) + np.sum(grad_b**2))
    scale = limit / norm if norm > limit else 1.0
    clipped_W_ih = scale * grad_W_ih
    clipped_W_hh = scale * grad_W_hh
    clipped_b = scale * grad_b
    return norm, scale, clipped_W_ih, clipped_W_hh, clipped_b
