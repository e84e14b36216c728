"""05  Backpropagation through time.

From the last step back to h_0. Each state gets two parts: the direct part,
from the output of its own step, and what comes back from the step after it
(the last state has only the direct part, h_0 only the other one):

    ∂L/∂h_t = W_outᵀ ∂L/∂y_t  +  W_hhᵀ ∂L/∂a_{t+1}
    ∂L/∂a_t = (1 - h_t²) ⊙ ∂L/∂h_t

All steps share the weights, so their gradients are sums over all steps (⊗:
every number with every number):

    ∂L/∂W_ih = Σ_t ∂L/∂a_t ⊗ x_t
    ∂L/∂W_hh = Σ_t ∂L/∂a_t ⊗ h_{t-1}
    ∂L/∂b    = Σ_t ∂L/∂a_t

As in 02: step t has x[t - 1], grad_y[t - 1] and grad_a[t - 1], but h[t] and
grad_h[t].
"""

import numpy as np


def bptt(W_ih, W_hh, W_out, x, h, grad_y):
    """Return grad_h (T + 1, H), grad_a (T, H), and the gradients of the weights:
    grad_W_ih (H, I), grad_W_hh (H, H) and grad_b (H,).

    W_ih (H, I), W_hh (H, H), W_out (O, H)     the weights
    x       (T, I)       the inputs
    h       (T + 1, H)   the states of the forward pass, from h_0 to h_T
    grad_y  (T, O)       ∂L/∂y
    """
    T, H = len(x), len(W_hh)
    grad_h = np.zeros((T + 1, H))
    grad_a = np.zeros((T, H))
    for t in range(T, 0, -1):
        grad_h[t] = ...
        grad_a[t - 1] = ...
    grad_h[0] = ...
    grad_W_ih = ...
    grad_W_hh = ...
    grad_b = ...
    return grad_h, grad_a, grad_W_ih, grad_W_hh, grad_b
