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

from collections.abc import Callable, Sequence

import numpy as np

from rnnviz.nn import readout
from rnnviz.nn.directions import BACKWARD
from rnnviz.nn.equations import own as own_equations
from rnnviz.nn.masked import LayerPass, masked_layer
from rnnviz.nn.metrics import norm
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
    needed: Array | None = None,
) -> Forward:
    """x (T, B, I); h0, c0 (L * directions, B, H) in the order of ModelSpec.suffixes, or None for zeros. mask (T, B)
    bool: the steps that are read, see masked.py; the backward direction begins at the last of them. None: all. needed
    (T,) bool: the steps whose output is used, see readout.py; None: all."""
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
    return Forward(tuple(layers), readout.read_out(spec, params, inputs, mask, needed))


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
    ways, grads = readout.back(spec, params, top, grad_y, forward.mask)
    layers: dict[int, LayerBackward] = {}
    direct = ways.direct  # the part of dL/dh_t that comes from above, not through time
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


@np.errstate(all="ignore")
def triangle(
    spec: ModelSpec,
    params: ParamsLike,
    forward: Forward,
    grad_y: Array,
    steps: Sequence[int],
    layer_pass_back: LayerPassBack,
) -> Array:
    """(T+1, T+1): [k, t] = ‖∂L_k/∂h_t‖ over (B, H) of the top layer, for the loss steps k in `steps`, by a pass back
    for each: the loss of step k enters every state that attention sees, not h_k alone."""
    norms = np.zeros((len(grad_y) + 1, len(grad_y) + 1))
    w = layer_weights(spec, params, spec.num_layers - 1)
    for k in steps:
        run = forward.window(0, k)
        error = np.zeros_like(grad_y[:k])
        error[-1] = grad_y[k - 1]
        direct = readout.ways(spec, params, run.layers[-1].h[1:], error, run.mask).direct
        back, _ = layer_pass_back(spec, w, run.layers[-1], direct, None)
        norms[k, : k + 1] = norm(back.grad_h, axis=(1, 2))
    return norms
