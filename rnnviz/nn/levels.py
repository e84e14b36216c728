"""Both passes through a whole model, level by level and direction by direction, from an engine's passes through one
layer in one direction.

    level l reads u_t, t = 1 .. T          the input, or the states of the level below
    forward direction:   h_t from h_{t-1} and u_t         backward direction:   h_t from h_{t+1} and u_t
    above it:            both states side by side (2 H)

The backward direction is the same layer on the reversed sequence: its records are in the order in which it reads, and
are reversed where they meet the order of time. So its gradient, which goes back from step to step of its own order,
goes forward in time. Schuster & Paliwal 1997 (10.1109/78.650093).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnnviz.nn.directions import BACKWARD
from rnnviz.nn.equations import own as own_equations
from rnnviz.nn.masked import LayerPass, masked_layer
from rnnviz.nn.records import Backward, Forward, LayerBackward, LayerForward, LayerWeights, layer_weights, own_name
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, Params, ParamsLike

#: (spec, weights, record, what comes to h and to c from above (T, B, H)) -> gradients of the states, of the weights
LayerPassBack = Callable[
    [ModelSpec, LayerWeights, LayerForward, Array, Array | None], tuple[LayerBackward, LayerWeights]
]


def in_order(a: Array, direction: str) -> Array:
    """(T, ...) in the order in which a direction reads, or from that order back in the order of time."""
    return a[::-1] if direction == BACKWARD else a


def forward(
    spec: ModelSpec,
    params: ParamsLike,
    x: Array,
    h0: Array | None,
    c0: Array | None,
    mask: Array | None,
    layer_pass: LayerPass,
) -> Forward:
    """x (T, B, I); h0, c0 (L * directions, B, H) in the order of ModelSpec.suffixes, or None for zeros. mask (T, B)
    bool: the steps that are read, see masked.py; the backward direction begins at the last of them. None: all."""
    layers: list[LayerForward] = []
    inputs = x
    for _ in range(spec.num_layers):
        for direction in spec.directions:
            index = len(layers)
            start_h, start_c = (None if s is None else s[index] for s in (h0, c0))
            w = layer_weights(spec, params, index)
            given = in_order(inputs, direction)
            if mask is None:
                layers.append(layer_pass(spec, w, given, start_h, start_c))
            else:
                layers.append(masked_layer(layer_pass, spec, w, given, start_h, start_c, in_order(mask, direction)))
        inputs = _outputs(spec, layers[-len(spec.directions) :])
    return Forward(tuple(layers), read_out(params, inputs))


def backward(
    spec: ModelSpec,
    params: ParamsLike,
    forward: Forward,
    grad_y: Array,
    direct_c: Array | None,
    layer_pass_back: LayerPassBack,
) -> Backward:
    """grad_y (T, B, O) = dL/dy -> dL/d(everything). direct_c (T, B, H): what the loss sends straight into the top
    layer's c_t, past h_t; None: nothing. A bidirectional model has none."""
    many, H = len(spec.directions), spec.hidden_size
    top = _outputs(spec, forward.layers[-many:])
    grads: Params = {"readout.weight": flat(grad_y).T @ flat(top), "readout.bias": grad_y.sum(axis=(0, 1))}
    layers: dict[int, LayerBackward] = {}
    direct = through_readout(params, grad_y)  # the part of dL/dh_t that comes from above, not through time
    for level in reversed(range(spec.num_layers)):
        below: Array | None = None
        for side, direction in enumerate(spec.directions):
            index = many * level + side
            w = layer_weights(spec, params, index)
            own = in_order(direct[..., side * H : (side + 1) * H] if many > 1 else direct, direction)
            layers[index], found = layer_pass_back(spec, w, forward.layers[index], own, direct_c)
            grads |= named_gradients(found, spec.suffixes[index])
            if level > 0:
                sent = in_order(layers[index].grad_pre @ w.W_ih, direction)
                below = sent if below is None else below + sent
        if below is not None:
            direct, direct_c = below, None
    return Backward(
        tuple(layers[index] for index in sorted(layers)), {key: grads[key] for key in spec.parameter_shapes}
    )


def _outputs(spec: ModelSpec, runs: list[LayerForward] | tuple[LayerForward, ...]) -> Array:
    """(T, B, directions * H) in the order of time: what a level gives to the one above."""
    if len(runs) == 1:
        return runs[0].h[1:]
    return np.concatenate([in_order(run.h[1:], way) for run, way in zip(runs, spec.directions, strict=True)], axis=2)


def named_gradients(found: LayerWeights, suffix: str) -> Params:
    """The gradients of a layer's weights under the parameters' names, without those that it does not have."""
    if found.own is not None:
        return {own_name(name): a for name, a in found.own.items()}
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return {f"rnn.{kind}{suffix}": a for kind, a in zip(kinds, found[:4], strict=True) if a is not None}


def input_gradient(spec: ModelSpec, params: ParamsLike, layer: LayerForward, grad_pre: Array) -> Array:
    """dL/dx_t (T, B, I) of the bottom layer, from the gradient of its pre-activations."""
    if spec.about_cell.is_own:
        return own_equations(spec.about_cell).grad_x(layer, grad_pre)
    out: Array = grad_pre @ params["rnn.weight_ih_l0"]
    return out


def read_out(params: ParamsLike, h: Array) -> Array:
    """y = h W_outᵀ + b_out."""
    weight = params["readout.weight"]
    out: Array = (h if _is_identity(weight) else h @ weight.T) + params["readout.bias"]
    return out


def through_readout(params: ParamsLike, grad_y: Array) -> Array:
    """W_outᵀ dL/dy: what the loss sends straight into the top layer's h_t."""
    weight = params["readout.weight"]
    return grad_y if _is_identity(weight) else grad_y @ weight


def _is_identity(weight: Array) -> bool:
    """The readout of a recording. A product with it would make one inf or nan (0 · inf) a nan in every unit."""
    square = weight.shape[0] == weight.shape[1] and weight[0, 0] == weight[-1, -1] == 1
    return square and np.array_equal(weight, np.eye(len(weight)))


def flat(a: Array) -> Array:
    """(T, B, N) -> (T*B, N)."""
    return a.reshape(-1, a.shape[-1])
