"""08  One step back through an LSTM.

The loss depends on c_t in two ways: through h_t = o ⊙ tanh(c_t), and
through the step after it (the carry).

    ∂L/∂c_t = grad_c_carried + ∂L/∂h_t ⊙ o ⊙ (1 - tanh(c_t)²)

From there to the four sums a, each with the slope of its own function (σ' =
σ (1 - σ), tanh' = 1 - tanh²):

    ∂L/∂a_i = ∂L/∂c_t ⊙ g        ⊙ i (1 - i)
    ∂L/∂a_f = ∂L/∂c_t ⊙ c_{t-1}  ⊙ f (1 - f)
    ∂L/∂a_g = ∂L/∂c_t ⊙ i        ⊙ (1 - g²)
    ∂L/∂a_o = ∂L/∂h_t ⊙ tanh(c_t) ⊙ o (1 - o)

And one step earlier: ∂L/∂h_{t-1} = W_hhᵀ ∂L/∂a, and along the cell f ⊙
∂L/∂c_t, with no matrix and no slope: the highway of the gradient.
"""

import numpy as np


def lstm_backward_step(W_hh, i, f, g, o, c_before, c, grad_h, grad_c_carried):
    """Return grad_c (H,), grad_a (4 H,), grad_h_before (H,), grad_c_before (H,).

    W_hh            (4 H, H)   four blocks of rows, in the order i, f, g, o
    i, f, g, o      (H,)       gates and content of this step
    c_before, c     (H,)       the cell before this step and after it
    grad_h          (H,)       ∂L/∂h_t
    grad_c_carried  (H,)       what comes back to c_t from step t + 1
    """
    grad_c = ...  # ∂L/∂c_t
    grad_a = ...  # the blocks i, f, g, o, one after another
    grad_h_before = ...  # ∂L/∂h_{t-1}
    grad_c_before = ...  # what goes back to c_{t-1}
    return grad_c, grad_a, grad_h_before, grad_c_before
