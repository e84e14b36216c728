"""10  A cell of your own.

Invent one: any step from h_before and x_t to a new state of the same size,
that depends on both. Then write its backward pass. Nobody knows your cell,
so the exact gradients come from your own step: every number is moved a
little up and a little down (central differences).

    h = step(params, h_before, x_t)

An idea: a leaky unit that keeps 9/10 of its old state and adds 1/10 of new
content:

    h = 0.9 h_before + 0.1 tanh(W_ih x_t + W_hh h_before + b)

rnnviz --cell 10_your_cell.py opens it in the app: every instrument shows it,
and it can be trained. It needs no backward_step there.
"""

import numpy as np


def parameters(I, H, rng):
    """Return the parameters of your cell by name, at random: change them.

    rng is a numpy Generator.
    """
    return {
        "W_ih": rng.normal(size=(H, I)) / np.sqrt(I),
        "W_hh": rng.normal(size=(H, H)) / np.sqrt(H),
        "b": rng.normal(size=H),
    }


def step(params, h_before, x_t):
    """Return the new state h (H,), from h_before (H,) and x_t (I,)."""
    return ...


def backward_step(params, h_before, x_t, grad_h):
    """Return grad_h_before (H,), grad_x (I,) and grad_params.

    grad_params is a dict with an array for each name in params.

    grad_h  (H,)   ∂L/∂h of the new state
    """
    grad_h_before = ...
    grad_x = ...
    grad_params = ...
    return grad_h_before, grad_x, grad_params
