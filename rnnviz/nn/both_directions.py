"""One direction of a bidirectional model as a network of its own: what a Trace of it shows.

    y_t = W_f h_t + W_b h'_t + b          h of the forward direction, h' of the backward direction

With the other direction's part of y held, which does not depend on this one's states, y is the readout of one direction
alone. So every gradient of a direction's states is that of a network of one layer; the gradients on the inputs are
those of the whole model, through both directions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.nn.levels import in_order
from rnnviz.nn.records import Backward, Forward, layer_weights
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, Params, ParamsLike, ReadOnly, frozen

Back = Callable[[ModelSpec, ParamsLike, Forward, Array], Backward]


@dataclass(frozen=True, eq=False)
class Whole(ReadOnly):
    """The bidirectional model of which a trace shows one direction. Its readout's y is in the order of time; see
    Forward. rest (T, B, O): the other direction's part of y, in the order in which this one reads."""

    spec: ModelSpec
    params: ParamsLike
    direction: str
    forward: Forward
    backward: Backward
    rest: Array

    def grad_x(self, backward: Backward | None = None) -> Array:
        """(T, B, I): dL/dx through both directions, in the order in which this one reads. backward: of another loss
        than the whole."""
        back, found = self.backward if backward is None else backward, None
        for index, direction in enumerate(self.spec.directions):
            W_ih = layer_weights(self.spec, self.params, index).W_ih
            sent = in_order(back.layers[index].grad_pre @ W_ih, direction)
            found = sent if found is None else found + sent
        assert found is not None
        return frozen(np.ascontiguousarray(in_order(found, self.direction)))

    def grad_x_of(self, grad_y: Array, backward: Back) -> Array:
        """The same of the loss with this dL/dy (T, B, O), in the order in which this direction reads."""
        return self.grad_x(backward(self.spec, self.params, self.forward, in_order(grad_y, self.direction)))


def part(spec: ModelSpec, params: ParamsLike, direction: str) -> tuple[ModelSpec, Params]:
    """The top layer in one direction with its part of the readout, as a network of its own."""
    index = len(spec.suffixes) - len(spec.directions) + spec.directions.index(direction)
    suffix, H = spec.suffixes[index], spec.hidden_size
    side = slice(spec.directions.index(direction) * H, (spec.directions.index(direction) + 1) * H)
    inputs = spec.input_size if spec.num_layers == 1 else spec.read_size
    own = replace(spec, input_size=inputs, num_layers=1, bidirectional=False)
    found: Params = {}
    for name in own.parameter_shapes:
        if name == "readout.weight":
            found[name] = np.ascontiguousarray(params[name][:, side])
        else:
            found[name] = params[name if name == "readout.bias" else name.replace("_l0", suffix)]
    return own, found


def part_of_passes(
    spec: ModelSpec, params: ParamsLike, direction: str, forward: Forward, backward: Backward
) -> tuple[Forward, Backward, Whole]:
    """The records of the top layer in one direction, y in the order in which it reads, and the whole beside them."""
    many, side = len(spec.directions), spec.directions.index(direction)
    index, H = len(forward.layers) - many + side, spec.hidden_size
    suffix, columns = spec.suffixes[index], slice(side * H, (side + 1) * H)
    other, other_way = forward.layers[len(forward.layers) - 1 - side], spec.directions[1 - side]
    weight = params["readout.weight"][:, (1 - side) * H : (2 - side) * H]
    with np.errstate(all="ignore"):
        rest = in_order(in_order(other.h[1:], other_way) @ weight.T, direction)
    grads = {
        name.replace(suffix, "_l0"): gradient for name, gradient in backward.grads.items() if name.endswith(suffix)
    }
    grads |= {
        "readout.weight": np.ascontiguousarray(backward.grads["readout.weight"][:, columns]),
        "readout.bias": backward.grads["readout.bias"],
    }
    y = np.ascontiguousarray(in_order(forward.y, direction))
    whole = Whole(spec, params, direction, forward, backward, frozen(np.ascontiguousarray(rest)))
    return Forward((forward.layers[index],), y), Backward((backward.layers[index],), grads), whole
