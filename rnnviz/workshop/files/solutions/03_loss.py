import numpy as np


def loss(y, target):
    N = y.size
    error = y - target
    step_loss = np.sum(error**2, axis=1) / N
    L = np.sum(step_loss)
    grad_y = 2 * error / N
    return step_loss, L, grad_y
