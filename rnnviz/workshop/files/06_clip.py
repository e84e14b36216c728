"""06  Clipping.

A gradient that exploded would throw the weights far away. Clipping by norm
makes the whole gradient shorter and keeps its direction: one norm over all
numbers of all arrays, and one factor for all of them.

    norm  = √(sum of the squares of all numbers)
    scale = limit / norm, if norm > limit, and 1 if not
    each array times scale
"""

import numpy as np


def clip(grad_W_ih, grad_W_hh, grad_b, limit):
    """Return norm, scale, and the three clipped arrays, in the same order.

    grad_W_ih (H, I), grad_W_hh (H, H), grad_b (H,)     the gradients
    limit     the largest norm that is allowed, more than 0
    """
    norm = ...
    scale = ...
    clipped_W_ih = ...
    clipped_W_hh = ...
    clipped_b = ...
    return norm, scale, clipped_W_ih, clipped_W_hh, clipped_b
