"""03  The loss.

The loss L is the mean of the squared errors, over all steps and outputs: N
= T · O numbers in all. Each step has a share of it, and the shares add up
to L:

    L_t = sum over the outputs of (y_t - target_t)²  / N
    L   = L_1 + L_2 + … + L_T

The backward pass starts with the derivative of L by each output:

    ∂L/∂y_t = 2 (y_t - target_t) / N
"""

import numpy as np


def loss(y, target):
    """Return step_loss (T,), L (one number) and grad_y (T, O) = ∂L/∂y.

    y       (T, O)   the outputs
    target  (T, O)   what they should be
    """
    step_loss = ...
    L = ...
    grad_y = ...
    return step_loss, L, grad_y
