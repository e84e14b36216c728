"""LayerRecord: one recurrent layer of a user's network at one moment of its training.

    >>> record = LayerRecord(cell="lstm", weights=weights, x=x, direct=direct)     # x (T, B, I), direct (T, B, H)

It holds what our backward pass needs: the weights, what the layer read, and the *direct* gradient, which the loss sends
straight into each output, before anything comes back through the recurrence. From these follow the total gradient of
every time step and the gradients of the weights; where the framework's own weight gradients are recorded as well, the
two are compared (passes.py).

A level is one of the stacked layers, 0 at the bottom; a direction is "forward" or "backward". Weights go by PyTorch's
names and shapes: weight_ih_l0 (G*H, I), weight_hh_l0 (G*H, H), bias_ih_l0 (G*H,), bias_hh_l0 (G*H,), and with the
suffix _reverse for the backward direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn import checks, layer_layout
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.spec import ACTIVATIONS, one_of, whole_number
from rnnviz.nn.types import Array, frozen

#: The fields (L*D, B, H): the last states' gradients, and the first states.
STATES = ("direct_h", "direct_c", "h0", "c0")
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True, eq=False)
class LayerRecord:
    """Time-major: T steps, B sequences, I inputs, H units, D directions, L levels. Arrays keep their precision.

    cell        "rnn", "lstm", "gru", …: one of nn.spec.CELLS
    weights     name -> array, under the names above; without bias_hh: one bias (Keras), without both: none
    x           (T, B, I): what the layer read
    direct      (T, B, D*H): dL/d(output_t) of the top level, the directions side by side as in the output
    direct_h    (L*D, B, H) or None: dL/d(h_n), the direct gradient on the last states, in PyTorch's order
    direct_c    (L*D, B, H) or None: dL/d(c_n)
    h0, c0      (L*D, B, H) or None for zeros
    lengths     (B,) whole numbers: the steps of each sequence; None: T
    activation  of a simple RNN, one of nn.spec.ACTIVATIONS
    grads       name -> array like the weight: the framework's own gradients of the weights; {}: not recorded
    total       the number of sequences in the batch that `grads` belong to; more than B if some were dropped
    agreement   the largest relative difference between the weight gradients of our backward pass and `grads`, measured
                on the whole batch when the record was made; None: not measured then
    notes       why the record may differ from what the framework computed, in whole sentences: dropout, accumulated
                gradients, …
    names       B names of the sequences, or (): what a person calls them

    Raises InputError naming what does not fit.
    """

    cell: str
    weights: Mapping[str, Any]
    x: Any
    direct: Any
    direct_h: Any = None
    direct_c: Any = None
    h0: Any = None
    c0: Any = None
    lengths: Any = None
    activation: str = "tanh"
    grads: Mapping[str, Any] = field(default_factory=dict)
    total: int | None = None
    agreement: float | None = None
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        one_of("cell", self.cell, tuple(CELLS))
        one_of("activation", self.activation, ACTIVATIONS)
        weights = _arrays("weights", self.weights)
        x = _array("x", self.x)
        if x.ndim != 3 or 0 in x.shape:
            raise InputError(f"x: shape {x.shape} is not (T, B, input_size)")
        layer_layout.check(self.cell, weights, inputs=x.shape[2])
        set_ = object.__setattr__
        set_(self, "weights", MappingProxyType(weights))
        set_(self, "x", x)
        T, B, H = x.shape[0], x.shape[1], self.H
        direct = _array("direct", self.direct)
        checks.fit_shape("direct", direct, (T, B, H * len(self.directions)), "(T, B, directions * hidden_size)")
        set_(self, "direct", direct)
        for name in STATES:
            value = getattr(self, name)
            if value is not None:
                states = self.levels * len(self.directions)
                value = _array(name, value)
                checks.fit_shape(name, value, (states, B, H), "(levels * directions, B, hidden_size)")
                set_(self, name, value)
        if not CELLS[self.cell].has_cell_state and (self.c0 is not None or self.direct_c is not None):
            raise InputError(f"c0, direct_c: {CELLS[self.cell].noun} has no cell state")
        if self.lengths is not None:
            lengths = checks.as_array("lengths", self.lengths, "whole numbers", kinds="iu").astype(np.int64)
            checks.fit_shape("lengths", lengths, (B,), "(B,)")
            if lengths.min() < 1 or lengths.max() > T:
                raise InputError(f"lengths: they must lie between 1 and {T}")
            set_(self, "lengths", frozen(lengths))
        grads = _arrays("grads", self.grads)
        for name, value in grads.items():
            if name not in weights:
                raise InputError(f"grads: {short_repr(name)} is not one of the weights")
            if value.shape != weights[name].shape:
                checks.fit_shape(f"grads: {name}", value, weights[name].shape, "the weight's shape")
        set_(self, "grads", MappingProxyType(grads))
        set_(self, "total", B if self.total is None else whole_number("total", self.total, low=B))
        if self.agreement is not None:
            set_(self, "agreement", _figure(self.agreement))
        for name in ("notes", "names"):
            texts = getattr(self, name)
            if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
                raise InputError(f"{name}: {short_repr(texts)} is not a list of texts")
            set_(self, name, tuple(texts))
        if self.names and len(self.names) != B:
            raise InputError(f"names: {len(self.names)} names for {B} sequences")

    @property
    def T(self) -> int:
        return int(self.x.shape[0])

    @property
    def B(self) -> int:
        """Sequences that were kept."""
        return int(self.x.shape[1])

    @property
    def I(self) -> int:  # noqa: E743
        return int(self.x.shape[2])

    @property
    def H(self) -> int:
        return int(len(self.weights["weight_ih_l0"]) // len(CELLS[self.cell].blocks))

    @property
    def levels(self) -> int:
        return layer_layout.levels_of(self.weights)

    @property
    def directions(self) -> tuple[str, ...]:
        return layer_layout.directions_of(self.weights)

    @property
    def steps(self) -> Array:
        """(B,): the steps of each sequence."""
        return np.full(self.B, self.T) if self.lengths is None else np.asarray(self.lengths)


def _arrays(what: str, value: Any) -> dict[str, Array]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise InputError(f"{what}: {short_repr(value)} is not a dict of arrays by name")
    return {name: _array(what, array, name) for name, array in value.items()}


def _figure(value: Any) -> float:
    array = checks.as_array("agreement", value, "one number", kinds="fiu")
    if array.size != 1 or array.reshape(-1)[0] < 0:
        raise InputError(f"agreement: {short_repr(value)} is not a relative difference, 0 or more")
    return float(array.reshape(-1)[0])


def first_sequences(fields: Mapping[str, Any], keep: int) -> dict[str, Any]:
    """Fields of a LayerRecord for the first sequences of its batch, as long as the longest of these."""
    found = dict(fields)
    for name in ("x", "direct", *STATES):
        if found.get(name) is not None:
            found[name] = found[name][:, :keep]
    if found.get("lengths") is not None:
        found["lengths"] = np.asarray(found["lengths"])[:keep]
        longest = int(found["lengths"].max())
        found |= {name: found[name][:longest] for name in ("x", "direct")}
    if "names" in found:
        found["names"] = found["names"][:keep]
    return found


def _array(what: str, value: Any, name: str = "") -> Array:
    """A read-only copy in float32 or float64; nan and inf are allowed, since trainings have them."""
    if type(value) is np.ndarray and value.dtype in _FLOATS:
        return frozen(np.array(value, order="C"))
    array = checks.as_array(f"{what}: {name}" if name else what, value, "real numbers", kinds="fiub")
    dtype = np.float64 if array.dtype.itemsize > 4 else np.float32
    return frozen(np.array(array, dtype, order="C"))
