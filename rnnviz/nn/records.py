"""The records of a forward and a backward pass, which both engines fill.

Time-major everywhere: T steps, B sequences, I inputs, H units, O outputs, G gates.
States (h, c and their gradients) have T+1 entries: entry t is time t, entry 0 is before the first input.
Everything else has T entries: entry t-1 belongs to step t.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, Params, ParamsLike


class LayerWeights(NamedTuple):
    """The parameters of one recurrent layer. The rows are the gates of the cell, H rows each."""

    W_ih: Array  # (G*H, I)
    W_hh: Array  # (G*H, H); (0, H) without recurrent weights; of a diagonal recurrence a few rows (Cell.hh_shape)
    b_ih: Array  # (G*H,)
    b_hh: Array | None  # (G*H,), or None with one bias (Keras' layout)
    own: ParamsLike | None = None  # of a cell of a person's own: by the names in its file; the others are empty

    @property
    def ours(self) -> dict[str, Array | None]:
        """Those of our cells, by their names."""
        return dict(zip(self._fields[:4], self[:4], strict=True))

    def astype(self, dtype: type[np.floating[Any]]) -> LayerWeights:
        """The weights in another precision; those of a person's own cell have float64 alone."""
        b_hh = None if self.b_hh is None else self.b_hh.astype(dtype)
        return LayerWeights(self.W_ih.astype(dtype), self.W_hh.astype(dtype), self.b_ih.astype(dtype), b_hh, self.own)


@dataclass(frozen=True)
class LayerForward:
    """Everything that a layer computed in the forward pass."""

    x: Array  # (T, B, I): what the layer read; for layer l > 0 the h of the layer below
    h: Array  # (T+1, B, H): hidden states
    c: Array | None  # (T+1, B, H): cell states, of a cell that has them
    pre: Array  # (T, B, G*H): pre-activations, what tanh and sigmoid are applied to
    gates: Array  # (T, B, G*H): the activated blocks; for a cell of one block this is h[1:] again
    rec_n: Array | None  # (T, B, H): with a reset gate, W_hn h + b_hn before that multiplies it
    mask: Array | None = None  # (T, B) bool: the steps that were read, at others the state is copied; None: all
    own: ParamsLike | None = None  # of a cell of a person's own: the weights, which its derivatives need


@dataclass(frozen=True)
class Forward:
    """A forward pass: bottom layer first, and the readout y = h W_out^T + b_out of the top layer.

    Of a bidirectional model each direction of a layer has a record, the forward direction first, with its steps in the
    order in which it reads them: the first step of the backward direction is the last of the sequence. y is in the
    order of time.
    """

    layers: tuple[LayerForward, ...]
    y: Array  # (T, B, O)

    @property
    def mask(self) -> Array | None:
        """(T, B) bool: the steps that were read, at others the state is copied; None: all."""
        return self.layers[0].mask

    def window(self, start: int, stop: int) -> Forward:
        """The same pass from state `start` to state `stop`: steps start+1 .. stop. Views, not copies."""
        steps, states = slice(start, stop), slice(start, stop + 1)
        layers = tuple(
            replace(
                layer,
                x=layer.x[steps],
                h=layer.h[states],
                c=None if layer.c is None else layer.c[states],
                pre=layer.pre[steps],
                gates=layer.gates[steps],
                rec_n=None if layer.rec_n is None else layer.rec_n[steps],
                mask=None if layer.mask is None else layer.mask[steps],
            )
            for layer in self.layers
        )
        return Forward(layers, self.y[steps])


@dataclass(frozen=True)
class LayerBackward:
    """Everything that a layer computed in the backward pass.

    grad_h[t]   dL/dh_t: the change of L when h_t alone is moved (c_t stays) and everything after t follows
    grad_c[t]   dL/dc_t: the change of L when c_t is moved, h_t = o_t tanh(c_t) and everything after follows.
                For t = 0 h_0 does not follow: it is given, not computed
    grad_pre    dL/d(W_ih x_t + b_ih), from which the input weights' gradient is computed; also the gradient of the
                pre-activation itself, because the input side enters it with factor 1
    grad_rec    dL/d(W_hh h_{t-1} + b_hh): the same array, except in a block with a reset gate (times r_t);
                meaningless without W_hh, and of a recurrence in pairs, where it is grad_h
    """

    grad_h: Array  # (T+1, B, H)
    grad_c: Array | None  # (T+1, B, H), with a cell state only
    grad_pre: Array  # (T, B, G*H)
    grad_rec: Array  # (T, B, G*H)


@dataclass(frozen=True)
class Backward:
    """A backward pass: layers as in Forward, and dL/d(parameter) under the parameters' names."""

    layers: tuple[LayerBackward, ...]
    grads: Params


class StepBack(NamedTuple):
    """One step of a cell backwards, from time t to t-1 (see LayerBackward). Any axes may lead (B, H)."""

    grad_pre: Array  # (..., B, G*H)
    grad_rec: Array  # (..., B, G*H)
    grad_c_now: Array | None  # (..., B, H): dL/dc_t, complete
    grad_h: Array  # (..., B, H): the part of dL/dh_{t-1} through step t
    grad_c: Array | None  # (..., B, H): the part of dL/dc_{t-1} through step t


class Paths(NamedTuple):
    """The derivatives of step t's states by those of step t-1, without the weights. Any axes may lead (B, H)."""

    blocks: Array  # (..., B, G, H): ∂(h_t or c_t)/∂(W_hh h_{t-1}), each block's own state; G = 0 without W_hh
    carry: Array | None  # (..., B, H): past the weights, ∂h_t/∂h_{t-1} or ∂c_t/∂c_{t-1}; None: no such path
    h_by_c: Array | None  # (..., B, H): ∂h_t/∂c_t, with a cell state


def layer_weights(spec: ModelSpec, params: ParamsLike, layer: int) -> LayerWeights:
    """layer: its number from the bottom; of a bidirectional model each direction counts (see ModelSpec.suffixes)."""
    if spec.about_cell.is_own:
        none = np.empty((0, spec.hidden_size))
        return LayerWeights(none, none, none[:, 0], None, own_params(params))
    suffix = spec.suffixes[layer]
    W_ih = params[f"rnn.weight_ih{suffix}"]
    return LayerWeights(
        W_ih,
        params[f"rnn.weight_hh{suffix}"] if spec.about_cell.recurrent else np.empty((0, spec.hidden_size), W_ih.dtype),
        params[f"rnn.bias_ih{suffix}"],
        params.get(f"rnn.bias_hh{suffix}"),
    )


def own_params(params: ParamsLike) -> Params:
    """The parameters of a person's own cell, by the names in its file."""
    return {name.removeprefix("rnn.").removesuffix("_l0"): w for name, w in params.items() if name.startswith("rnn.")}


def own_name(name: str) -> str:
    """The name in a model of what a person's own file calls `name`."""
    return f"rnn.{name}_l0"
