"""What a file of weights holds: recurrent layers, linear layers and embeddings, whatever the file's format.

    >>> file.layer("encoder.lstm").weights["weight_hh_l0"]     # (4*H, H), read from the file now
    >>> file.readout_of(file.layer())                          # the linear layer that reads its states, or None

A format's reader makes a `Stored` of each array: shape and dtype, and how to read it. A file of 2 GB is opened
without reading its arrays; each is read when it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn import checks, layer_layout
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.spec import ACTIVATIONS, one_of
from rnnviz.nn.types import Array
from rnnviz.weights.stored import Arrays, Stored

#: A table is read whole if more than one of so many of its rows are used.
_ROW_SHARE = 8
#: In place of the name of a linear layer: no readout, y = h.
NO_READOUT = "none"


@dataclass(frozen=True)
class Decisions:
    """What the person decides because a file may not contain it.

    activation  of simple RNNs, one of nn.spec.ACTIVATIONS; None: what the file says, or tanh with a Doubt
    """

    activation: str | None = None

    def __post_init__(self) -> None:
        if self.activation is not None:
            one_of("activation", self.activation, ACTIVATIONS)


@dataclass(frozen=True)
class Doubt:
    """What the file does not contain.

    what   in a sentence: "The file does not contain the activation."
    taken  what is assumed: "tanh"
    flag   the flag that decides otherwise: "--activation relu"
    """

    what: str
    taken: str
    flag: str


def _dtype(arrays: Iterable[Stored]) -> str:
    return ", ".join(sorted({array.dtype for array in arrays}))


@dataclass(frozen=True, eq=False)
class Layer:
    """A recurrent layer: any levels, one or both directions.

    name        in the file: "encoder.lstm"
    cell        one of nn.spec.CELLS
    weights     name -> array or Stored, by PyTorch's names and shapes (nn/layer_layout.py); arrays afterwards, in
                float32 or float64, each read from the file when it is used. biases: 0, 1 (bias_ih) or 2
    activation  of a simple RNN, one of nn.spec.ACTIVATIONS; of other cells always "tanh"
    notes       what a person should know of it, in whole sentences
    doubts      what the file does not contain
    projected   whether a projection follows each level. No reader makes one yet

    Raises InputError naming what does not fit.
    """

    name: str
    cell: str
    weights: Mapping[str, Any]
    activation: str = "tanh"
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    projected: bool = False

    def __post_init__(self) -> None:
        one_of("cell", self.cell, tuple(CELLS))
        one_of("activation", self.activation, ACTIVATIONS)
        arrays = self.weights if isinstance(self.weights, Arrays) else Arrays(self.weights)
        layer_layout.check(self.cell, arrays.stored)
        object.__setattr__(self, "weights", arrays)

    @property
    def stored(self) -> Mapping[str, Stored]:
        """The weights, not read: their shapes and dtypes."""
        arrays: Arrays = self.weights  # type: ignore[assignment]
        return arrays.stored

    @property
    def levels(self) -> int:
        return layer_layout.levels_of(self.stored)

    @property
    def directions(self) -> tuple[str, ...]:
        return layer_layout.directions_of(self.stored)

    @property
    def input_size(self) -> int:
        return self.stored["weight_ih_l0"].shape[1]

    @property
    def hidden_size(self) -> int:
        return self.stored["weight_ih_l0"].shape[0] // len(CELLS[self.cell].blocks)

    @property
    def output_size(self) -> int:
        """Numbers that it gives at each step: H, or 2 H with both directions."""
        return self.hidden_size * len(self.directions)

    @property
    def biases(self) -> int:
        """0, 1 or 2 in each level."""
        return sum(f"{kind}_l0" in self.stored for kind in ("bias_ih", "bias_hh"))

    @property
    def dtype(self) -> str:
        """As in the file: "float16"; several are separated by commas."""
        return _dtype(self.stored.values())


class Linear:
    """A linear layer, y = weight · x + bias, its arrays read when they are used.

    weight  (O, I) or a Stored of this shape; bias (O,) or None
    """

    def __init__(self, name: str, weight: Any, bias: Any = None, reads: str | None = None) -> None:
        """reads: the recurrent layer whose states it reads, where the file has that; "" if it reads other numbers.
        Raises InputError for shapes that do not fit."""
        self.name, self.reads = name, reads
        self._arrays = Arrays({"weight": weight} | ({} if bias is None else {"bias": bias}))
        shapes = self._arrays.stored
        checks.fit_shape(f"{name}.weight", shapes["weight"], (None, None), "(outputs, inputs)")
        if bias is not None:
            checks.fit_shape(f"{name}.bias", shapes["bias"], shapes["weight"].shape[:1], "(outputs,)")

    def __repr__(self) -> str:
        return f"<Linear {self.name}: {self.inputs} -> {self.outputs}>"

    @property
    def weight(self) -> Array:
        """(O, I)"""
        return self._arrays["weight"]

    @property
    def bias(self) -> Array | None:
        """(O,) or None"""
        return self._arrays.get("bias")

    @property
    def has_bias(self) -> bool:
        return "bias" in self._arrays

    @property
    def inputs(self) -> int:
        return self._arrays.stored["weight"].shape[1]

    @property
    def outputs(self) -> int:
        return self._arrays.stored["weight"].shape[0]

    @property
    def dtype(self) -> str:
        return _dtype(self._arrays.stored.values())


class Embedding:
    """A table of vectors, read when it is used, and of a large one only the rows that are used.

    weight  (V, E), or a Stored of this shape
    """

    def __init__(self, name: str, weight: Any) -> None:
        """Raises InputError for a weight that is no table."""
        self.name = name
        self._arrays = Arrays({"weight": weight})
        checks.fit_shape(f"{name}.weight", self._arrays.stored["weight"], (None, None), "(words, size)")

    def __repr__(self) -> str:
        return f"<Embedding {self.name}: {self.words} x {self.size}>"

    @property
    def weight(self) -> Array:
        """(V, E)"""
        return self._arrays["weight"]

    def rows(self, numbers: Any) -> Array:
        """(…, E): the vectors of whole numbers 0 to V-1, in any shape. Raises InputError for another number."""
        numbers = np.asarray(numbers, np.int64)
        stored, used = self._arrays.stored["weight"], np.unique(numbers)
        if len(used) and not 0 <= used[0] <= used[-1] < self.words:
            raise InputError(f"{self.name}: its rows are 0 to {self.words - 1}")
        if stored.row is None or len(used) * _ROW_SHARE > self.words:
            return np.asarray(self.weight[numbers])
        found = np.empty((len(used), self.size), np.float64 if stored.dtype == "float64" else np.float32)
        for place, number in enumerate(used):
            found[place] = stored.row(int(number))
        return np.asarray(found[np.searchsorted(used, numbers)])

    @property
    def words(self) -> int:
        """V: how many vectors."""
        return self._arrays.stored["weight"].shape[0]

    @property
    def size(self) -> int:
        """E: numbers in each vector."""
        return self._arrays.stored["weight"].shape[1]

    @property
    def dtype(self) -> str:
        return _dtype(self._arrays.stored.values())


@dataclass(frozen=True)
class Refused:
    """A recurrent layer that rnnviz cannot compute rightly. reason: a whole sentence."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class WeightFile:
    """All that a file holds and rnnviz knows.

    path        of the file, as it was given
    format      as a person calls it: "PyTorch", "safetensors", "NumPy", …
    layers      the recurrent layers, in the file's order
    linears, embeddings
    notes       about the whole file, in whole sentences
    refused     recurrent layers that cannot be computed rightly, with reasons
    """

    path: str
    format: str
    layers: tuple[Layer, ...]
    linears: tuple[Linear, ...] = ()
    embeddings: tuple[Embedding, ...] = ()
    notes: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()

    def layer(self, name: str | None = None) -> Layer:
        """The layer of this name; without a name, the only one. Raises InputError that names them, or the reason for
        which the layer is refused."""
        for one in self.refused:
            if one.name == name or (name is None and not self.layers):
                raise InputError(f"{self.path}: {one.name} cannot be opened: {one.reason}")
        names = [layer.name for layer in self.layers]
        if name is None:
            if not names:
                raise InputError(f"{self.path}: no recurrent layer was found in it")
            if len(names) > 1:
                raise InputError(f"{self.path}: several recurrent layers; choose one: --layer {_listed(names, ' | ')}")
            return self.layers[0]
        if name not in names:
            raise InputError(self._unknown("layer", name, [*names, *(one.name for one in self.refused)]))
        return self.layers[names.index(name)]

    def readout_of(self, layer: Layer, name: str | None = None) -> Linear | None:
        """The linear layer that reads the states of `layer`, if it is known which: the only one with as many inputs as
        the layer has outputs, unless another linear layer may follow it or another recurrent layer may precede it.
        None: it is not known; `why_no_readout` has the reason. With a name, that one, and None for "none". Raises
        InputError if it does not fit."""
        if name is None:
            return None if self.why_no_readout(layer) else self._readouts(layer)[0]
        by_name = {linear.name: linear for linear in self.linears}
        if name not in by_name:
            if name == NO_READOUT:
                return None
            raise InputError(self._unknown("linear layer", name, [*by_name, NO_READOUT]))
        linear = by_name[name]
        if linear.inputs != layer.output_size:
            raise InputError(
                f"{self.path}: {name} has {linear.inputs} inputs, but {layer.name} gives {layer.output_size} numbers"
            )
        return linear

    def why_no_readout(self, layer: Layer) -> str:
        """Why readout_of(layer) is None, in a sentence; "" if it is not."""
        found = self._readouts(layer)
        if not found:
            for linear in self.linears:
                if linear.inputs == layer.output_size:
                    return (
                        f"{linear.name} does not read the states of {layer.name} themselves, so these are the output; "
                        f"--readout {linear.name} takes it."
                    )
            return f"No linear layer has {layer.output_size} inputs, so the states themselves are the output."
        names = [linear.name for linear in found]
        if len(found) > 1:
            return f"Several linear layers fit; choose one: --readout {_listed(names, ' | ')}"
        if (
            found[0].reads is None
            and len(same := [one.name for one in self.layers if one.output_size == layer.output_size]) > 1
        ):
            return f"{names[0]} fits {_listed(same, ' and ')}; if it reads {layer.name}: --readout {names[0]}"
        if after := self._after(found[0]):
            return (
                f"{names[0]} may be followed by {after[0].name}, so it is not taken as the readout by itself; "
                f"--readout {names[0]} takes it."
            )
        return ""

    def embedding_of(self, layer: Layer) -> Embedding | None:
        """The embedding in front of the layer: the only one with as many numbers as the layer has inputs. None: there
        is none, there are several, or the layer may read another recurrent layer."""
        below = any(one.output_size == layer.input_size for one in self.layers if one is not layer)
        found = [] if below else [one for one in self.embeddings if one.size == layer.input_size]
        return found[0] if len(found) == 1 else None

    def _readouts(self, layer: Layer) -> list[Linear]:
        fitting = [one for one in self.linears if one.inputs == layer.output_size]
        known = [one for one in fitting if one.reads == layer.name]
        return known or [one for one in fitting if one.reads is None]

    def _after(self, linear: Linear) -> list[Linear]:
        """Linear layers that may read the output of `linear`."""
        return [one for one in self.linears if one is not linear and one.inputs == linear.outputs and not one.reads]

    def _unknown(self, what: str, name: str, names: list[str]) -> str:
        if not names:
            return f"{self.path}: it has no {what}"
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]}?" if close else f"choose from {_listed(names, ', ')}"
        return f"{self.path}: {short_repr(name)} is not a {what} of it; {hint}"


def _listed(names: list[str], between: str, most: int = 12) -> str:
    more = [f"… ({len(names)} in all)"] if len(names) > most else []
    return between.join(names[:most] + more)
