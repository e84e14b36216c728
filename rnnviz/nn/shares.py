"""The contribution of each time step to the gradient of the weights: they act at every step, so it is a sum over them.

dL/dW_hh = Σ_t δ_t ⊗ h_{t-1}          step t's own part is δ_t ⊗ h_{t-1}
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnnviz.nn import metrics, readout
from rnnviz.nn.equations import diagonal
from rnnviz.nn.equations import own as own_equations
from rnnviz.nn.records import Backward, Forward, layer_weights, own_params
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, ParamsLike

#: The weights of attention: what step t contributes is what the loss of its own output does.
ATTENTION = ("readout.context", "readout.query", "readout.key", "readout.score")


def of_parameter(
    spec: ModelSpec, params: ParamsLike, name: str, forward: Forward, backward: Backward, grad_y: Array
) -> Array:
    """(T, *shape): each step's contribution to the gradient of a parameter."""
    kind = name.rsplit("_l", 1)[0]
    if name in ATTENTION:
        return _of_attention(spec, params, name, forward, grad_y)
    if name.startswith("readout."):
        grad, read = grad_y, forward.layers[-1].h[1:]
    elif spec.about_cell.is_own:
        found = own_equations(spec.about_cell).shares(forward.layers[0], backward.layers[0].grad_pre)
        return next(found[own] for own in own_params({name: grad_y}))
    else:
        layer = int(name.rsplit("_l", 1)[1])
        run, back = forward.layers[layer], backward.layers[layer]
        recurrent = kind.endswith("_hh")
        if recurrent and spec.about_cell.diagonal and "bias" not in name:
            return diagonal(spec.about_cell).shares(layer_weights(spec, params, layer), run, back)
        grad, read = (back.grad_rec, run.h[:-1]) if recurrent else (back.grad_pre, run.x)
    if "bias" in name:
        return np.asarray(grad.sum(axis=1))
    return np.asarray(np.matmul(grad.transpose(0, 2, 1), read))


def _of_attention(spec: ModelSpec, params: ParamsLike, name: str, forward: Forward, grad_y: Array) -> Array:
    out = np.zeros((len(grad_y), *params[name].shape))
    for t, error in enumerate(grad_y):
        errors = np.zeros_like(grad_y[: t + 1])
        errors[t] = error
        out[t] = readout.back(spec, params, forward.layers[-1].h[1 : t + 2], errors, forward.mask)[1][name]
    return out


def norms(spec: ModelSpec, params: ParamsLike, forward: Forward, backward: Backward, k: int) -> Array:
    """(k,): the norm of each step's contribution to the gradients of all recurrent layers' weights."""
    if spec.about_cell.is_own:
        own = own_equations(spec.about_cell).shares(forward.layers[0], backward.layers[0].grad_pre[:k])
        return metrics.norm(np.concatenate([share.reshape(k, -1) for share in own.values()], axis=1), axis=1)
    parts = []
    for index, (layer, gradient) in enumerate(zip(forward.layers, backward.layers, strict=True)):
        grad_pre, grad_rec = gradient.grad_pre[:k], gradient.grad_rec[:k]
        parts += [_outer(grad_pre, layer.x), _summed(grad_pre)]
        if spec.about_cell.diagonal:
            first = replace(gradient, grad_h=gradient.grad_h[: k + 1], grad_pre=grad_pre, grad_rec=grad_rec)
            share = diagonal(spec.about_cell).shares(layer_weights(spec, params, index), layer, first)
            parts.append(metrics.norm(share, axis=(1, 2)))
        elif spec.about_cell.recurrent:
            parts.append(_outer(grad_rec, layer.h[:-1]))
        if spec.biases == 2:
            parts.append(_summed(grad_rec))
    return metrics.norm(np.stack(parts), axis=0)


def _outer(grad: Array, read: Array) -> Array:
    """(T,): ‖Σ_b grad_b ⊗ read_b‖ at every step."""
    if grad.shape[1] == 1:  # the norm of a single outer product is that of its factors, multiplied
        return np.asarray(metrics.norm(grad, axis=(1, 2)) * metrics.norm(read, axis=(1, 2)))
    return np.array([metrics.norm(g.T @ r) for g, r in zip(grad, read, strict=True)])


def _summed(grad: Array) -> Array:
    """(T,): ‖Σ_b grad_b‖ at every step."""
    return metrics.norm(grad.sum(axis=1), axis=1)
