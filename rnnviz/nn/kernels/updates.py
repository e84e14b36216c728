"""The update rules of rnnviz/nn/optimizer.py on all parameters at once, as flat vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnnviz.nn.kernels.jit import kernel

SGD, ADAM, RMSPROP = range(3)  # positions in rnnviz.nn.spec.OPTIMIZERS


@kernel
def clip(grads: Any, rates: Any) -> None:
    """By value, then by global norm."""
    number = grads.dtype.type
    if rates.clip_value > 0:
        limit = number(rates.clip_value)
        for n in range(grads.size):
            limited = limit if grads[n] > limit else grads[n]
            grads[n] = -limit if limited < -limit else limited
    if rates.clip_norm > 0:
        squares = 0.0
        for n in range(grads.size):
            squares += np.float64(grads[n]) * grads[n]
        norm = math.sqrt(squares) + rates.clip_epsilon
        if not norm <= rates.clip_norm:  # also when the norm is nan
            factor = number(rates.clip_norm / norm)
            for n in range(grads.size):
                grads[n] *= factor


@kernel
def update(rule: Any, rates: Any, step: Any, w: Any, grads: Any, first: Any, second: Any) -> None:
    """One update of the parameters w (P,); `step` counts from 1; first and second (P,) are the rule's memory."""
    clip(grads, rates)
    number = w.dtype.type
    lr, momentum, epsilon = number(rates.learning_rate), number(rates.momentum), number(rates.epsilon)
    beta1, beta2 = number(rates.beta1), number(rates.beta2)
    rest1, rest2 = number(1 - rates.beta1), number(1 - rates.beta2)
    if rule == ADAM:
        # m = β1 m + (1-β1) g;  v = β2 v + (1-β2) g²;  w -= lr m̂ / (√v̂ + ε)
        step_size = number(rates.learning_rate / (1 - math.pow(rates.beta1, float(step))))
        correction = number(math.sqrt(1 - math.pow(rates.beta2, float(step))))
        if rates.keras > 0:
            epsilon = epsilon / correction
        for n in range(w.size):
            first[n] = beta1 * first[n] + rest1 * grads[n]
            second[n] = beta2 * second[n] + rest2 * (grads[n] * grads[n])
            w[n] -= step_size * first[n] / (np.sqrt(second[n]) / correction + epsilon)
    elif rule == RMSPROP:
        # v = α v + (1-α) g²;  w -= lr g / (√v + ε), Keras: lr g / √(v + ε)
        under, beside = (epsilon, number(0)) if rates.keras > 0 else (number(0), epsilon)
        for n in range(w.size):
            second[n] = beta2 * second[n] + rest2 * (grads[n] * grads[n])
            w[n] -= lr * grads[n] / (np.sqrt(second[n] + under) + beside)
    elif rates.momentum > 0:
        # b = momentum b + g;  w -= lr b
        for n in range(w.size):
            first[n] = momentum * first[n] + grads[n]
            w[n] -= lr * first[n]
    else:
        for n in range(w.size):
            w[n] -= lr * grads[n]
