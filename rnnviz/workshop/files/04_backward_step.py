"""04  One step back in time.

The gradient ∂L/∂h_t of a state is known: how much the loss changes with
each unit of h_t. One step earlier, h_{t-1} acts on the loss through h_t =
tanh(a_t), a_t = W_hh h_{t-1} + …. The chain rule goes back through both:

    slope       = 1 - h_t²            the derivative of tanh
    ∂L/∂a_t     = slope ⊙ ∂L/∂h_t     ⊙ multiplies number by number
    ∂L/∂h_{t-1} = W_hhᵀ ∂L/∂a_t       the rows of W_hh become columns
"""

import numpy as np


def backward_step(W_hh, h_t, grad_h):
    """Return slope, grad_a and grad_h_before, each (H,).

    W_hh    (H, H)   the weights from the last state to the new one
    h_t     (H,)     the state of this step
    grad_h  (H,)     ∂L/∂h_t
    """
    slope = ...
    grad_a = ...
    grad_h_before = ...
    return slope, grad_a, grad_h_before
