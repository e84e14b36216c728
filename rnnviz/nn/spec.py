"""ModelSpec: the shape of a model and of every parameter; and the names of all cells, optimizers, losses and so on.

>>> ModelSpec(cell="rnn", input_size=1, hidden_size=20, output_size=1, biases=1).parameter_shapes
{'rnn.weight_ih_l0': (20, 1), 'rnn.weight_hh_l0': (20, 20), 'rnn.bias_ih_l0': (20,),
 'readout.weight': (1, 20), 'readout.bias': (1,)}
"""

from __future__ import annotations

import math
import operator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.nn import cell_table
from rnnviz.nn.cell import Cell
from rnnviz.nn.directions import DIRECTIONS, SUFFIX

CELLS = tuple(cell_table.CELLS)
ACTIVATIONS = ("tanh", "relu", "identity", "sigmoid")
DTYPES = ("float64", "float32")
LOSSES = ("mse", "cross_entropy")
INITIALISERS = ("keras", "pytorch", "identity", "orthogonal", "chrono")
OPTIMIZERS = ("sgd", "adam", "rmsprop")
CONVENTIONS = ("pytorch", "keras")
READOUTS = ("linear", "attention", "additive")
#: Larger sizes are mistakes: names and shapes of the parameters are listed before their memory is checked.
LARGEST, DEEPEST = 1_000_000, 1_000


@dataclass(frozen=True)
class ModelSpec:
    """Stacked recurrent layers and a readout of the top one.

    cell          one of CELLS; see nn/cells
    input_size    I, hidden_size H (units of every layer), output_size O, num_layers L
    activation    of a cell that lets you choose: "tanh", "relu", "identity", "sigmoid"; the others have their own
    biases        2: bias_ih and bias_hh as in PyTorch; 1: bias_ih alone as in Keras' SimpleRNN and LSTM.
                  For some cells the number is fixed: a GRU has 2
    dtype         "float64" or "float32": the precision of the parameters and of training
    readout       "linear": y from h_t alone; "attention" and "additive": from h_t and a weighted sum of h_1 .. h_t, see
                  readout.py
    bidirectional every layer has a second set of weights, which reads the sequence from its end; the states of both,
                  side by side (2 H numbers), are what the next layer and the readout read

    Raises InputError for an unknown name or a size below 1.
    """

    cell: str = "rnn"
    input_size: int = 1
    hidden_size: int = 20
    output_size: int = 1
    num_layers: int = 1
    activation: str = "tanh"
    biases: int = 2
    dtype: str = "float64"
    bidirectional: bool = False
    readout: str = "linear"

    def __post_init__(self) -> None:
        one_of("cell", self.cell, tuple(cell_table.NAMES))
        one_of("activation", self.activation, ACTIVATIONS)
        one_of("biases", self.biases, (1, 2))
        one_of("dtype", self.dtype, DTYPES)
        one_of("readout", self.readout, READOUTS)
        if not isinstance(self.bidirectional, bool):
            raise InputError(f"bidirectional: {short_repr(self.bidirectional)} is neither True nor False")
        for name in ("input_size", "hidden_size", "output_size"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), low=1, high=LARGEST))
        object.__setattr__(self, "num_layers", whole_number("num_layers", self.num_layers, low=1, high=DEEPEST))
        paired = self.about_cell.diagonal
        if paired is not None and self.hidden_size % paired.units:
            few = f"{self.about_cell.noun} pairs its units: choose an even number, such as {self.hidden_size + 1}"
            raise InputError(f"hidden_size: {few}")
        if self.about_cell.activation is not None:
            object.__setattr__(self, "activation", self.about_cell.activation)
        if self.about_cell.biases is not None:
            object.__setattr__(self, "biases", self.about_cell.biases)
        if self.about_cell.is_own and self.num_layers > 1:
            raise InputError(f"num_layers: {self.about_cell.noun} has one layer")
        if self.about_cell.is_own and self.bidirectional:
            raise InputError(f"bidirectional: {self.about_cell.noun} reads forward only")
        if self.bidirectional and self.readout != "linear":
            raise InputError(f"readout: {self.readout} looks back in one direction; a bidirectional model's is linear")
        if self.about_cell.is_own and self.dtype != "float64":
            raise InputError(f"dtype: {self.about_cell.noun} computes in float64")

    @property
    def about_cell(self) -> Cell:
        """The record of the cell."""
        return cell_table.CELLS[self.cell]

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of the blocks of H rows in the weights, in order."""
        return self.about_cell.block_names

    @property
    def has_cell_state(self) -> bool:
        """Whether the state is (h, c) rather than h alone."""
        return self.about_cell.has_cell_state

    @property
    def state_size(self) -> int:
        """Numbers in the full state of one layer: H, or 2 H with a cell state."""
        return self.hidden_size * (2 if self.has_cell_state else 1)

    @property
    def forward_width(self) -> int:
        """Roughly how many numbers a forward pass records per step and sequence."""
        return len(self.suffixes) * self.hidden_size * (2 * len(self.gates) + 2)

    @property
    def directions(self) -> tuple[str, ...]:
        """The directions in which each layer reads: "forward", or both."""
        return DIRECTIONS if self.bidirectional else DIRECTIONS[:1]

    @property
    def read_size(self) -> int:
        """Numbers that the readout reads at each step: H, or 2 H of a bidirectional layer."""
        return self.hidden_size * len(self.directions)

    @cached_property
    def suffixes(self) -> tuple[str, ...]:
        """What the names of each layer's parameters end in, each direction by itself: _l0, _l0_reverse, _l1, …"""
        return tuple(f"_l{layer}{SUFFIX[way]}" for layer in range(self.num_layers) for way in self.directions)

    @cached_property
    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every parameter, under PyTorch's state_dict names."""
        H, width = self.hidden_size, self.hidden_size * len(self.gates)
        shapes: dict[str, tuple[int, ...]] = {}
        if self.about_cell.shapes is not None:
            own = self.about_cell.shapes(self.hidden_size, self.input_size)
            shapes = {f"rnn.{name}_l0": tuple(shape) for name, shape in own.items()}
        for number, suffix in enumerate(() if self.about_cell.is_own else self.suffixes):
            is_lowest = number < len(self.directions)
            shapes[f"rnn.weight_ih{suffix}"] = (width, self.input_size if is_lowest else self.read_size)
            if self.about_cell.recurrent:
                shapes[f"rnn.weight_hh{suffix}"] = self.about_cell.hh_shape(H)
            shapes[f"rnn.bias_ih{suffix}"] = (width,)
            if self.biases == 2:
                shapes[f"rnn.bias_hh{suffix}"] = (width,)
        shapes["readout.weight"] = (self.output_size, self.read_size)
        shapes["readout.bias"] = (self.output_size,)
        if self.readout != "linear":
            shapes["readout.context"] = (self.output_size, H)
            shapes |= {"readout.query": (H, H), "readout.key": (H, H)}
        if self.readout == "additive":
            shapes["readout.score"] = (1, H)
        return shapes

    @cached_property
    def parameter_count(self) -> int:
        return sum(math.prod(shape) for shape in self.parameter_shapes.values())


def one_of(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    """Raises InputError unless `value` is one of `choices`."""
    if not isinstance(value, str | int) or isinstance(value, bool) or value not in choices:
        raise InputError(f"{name}: {short_repr(value)} is unknown; choose from {', '.join(map(str, choices))}")


def whole_number(name: str, value: Any, low: int, high: int | None = None) -> int:
    """`value` as an int of at least `low` (and at most `high`); raises InputError if it is not one."""
    try:
        number = operator.index(value)
    except TypeError:  # also raised by an array of one number
        number = low - 1
    if number < low or isinstance(value, bool):
        raise InputError(f"{name}: {short_repr(value)} is not a whole number of at least {low}")
    if high is not None and number > high:
        raise InputError(f"{name}: {short_repr(value)} is more than {high}")
    return number


def real_number(name: str, value: Any) -> float:
    """`value` as a finite float; raises InputError if it is not one."""
    number = math.nan
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):  # a whole number of more than 308 digits
            number = float(value)
    if not math.isfinite(number):
        raise InputError(f"{name}: {short_repr(value)} is not a finite number")
    return number
