"""Cell: everything about a recurrent cell except its equations. Does not import NumPy.

    >>> from rnnviz.nn.cell_table import CELLS
    >>> CELLS["lstm"].gates, CELLS["lstm"].carry.label, CELLS["lstm"].noun
    (('i', 'f', 'g', 'o'), 'f', 'an LSTM')

A cell is three files of one name: nn/cells/descriptions/lstm.py describes it, nn/cells/lstm.py has its equations in
NumPy, nn/kernels/lstm.py its kernels. All other code reads the description, so no other file names a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.nn.types import Array

#: The function of a block whose activation the experiment chooses.
CHOSEN = "φ"


@dataclass(frozen=True)
class Block:
    """H rows of the weights: a gate, or the content that the cell writes.

    name      its symbol in equations, one letter
    function  what is applied to its sum: "σ", "tanh", "" for nothing, or CHOSEN
    about     what the gate decides, in a few words
    row       its name in the score, at most 8 letters; "" if it has no row of its own
    metric    the gate's full name, "forget", for its metrics forget_gate and forget_mean; "" for none
    meaning   words that its metrics add to their help, if cells differ: `what stays`
    state     the state that it changes directly, "h" or "c"
    reset_by  the gate that multiplies W_hh·h + b before it joins the sum; "" for none
    """

    name: str
    function: str
    about: str = ""
    row: str = ""
    metric: str = ""
    meaning: str = ""
    state: str = "h"
    reset_by: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether it can be negative; a gate cannot."""
        return self.function != "σ"


@dataclass(frozen=True)
class Mix:
    """A state as a sum of products.

    >>> Mix("h", (("1-z", "n"), ("z", "h")), "(1-z)·n + z·h before")

    A factor is a gate or 1 less a gate. The second name is another block, "tanh c" of this step, or the state "h" or
    "c" of the step before.
    """

    name: str
    terms: tuple[tuple[str, str], ...]
    about: str


@dataclass(frozen=True)
class Carry:
    """The path of the old state past the weights into the new: elementwise times a gate, or times 1 less the gate."""

    gate: str
    state: str  # "h" or "c"
    is_inverted: bool = False

    @property
    def label(self) -> str:
        """`f`, or `1−z`"""
        return f"1−{self.gate}" if self.is_inverted else self.gate

    def share(self, gate: Array) -> Array:
        """The share of the old state that remains, from the gate's values."""
        return 1.0 - gate if self.is_inverted else gate


@dataclass(frozen=True)
class Diagonal:
    """A recurrence of each unit, or pair of units, with itself alone: W_hh is no (H, H) matrix, but a few rows.

    rows   the symbols of the rows of weight_hh
    units  how many units share a column: 1; or 2, h and its partner H/2 further on, which turn together as the real
           and the imaginary part of one complex number
    fixed  why its size cannot be scaled, nor the loop be cut, as a clause; "" if they can
    """

    rows: tuple[str, ...]
    units: int = 1
    fixed: str = ""

    def shape(self, hidden_size: int) -> tuple[int, int]:
        """Of weight_hh."""
        return len(self.rows), hidden_size // self.units

    def senders(self, unit: int, hidden_size: int) -> range:
        """The units whose last state `unit` reads."""
        apart = hidden_size // self.units
        return range(unit % apart, hidden_size, apart)


@dataclass(frozen=True)
class Torch:
    """layer: the class in a program. source: its lines, where PyTorch has none like it: takes (N, T, I) and a start
    (L, N, H) or None, and gives (N, T, H) and the last states (L, N, H), as nn.GRU with batch_first; the chosen
    activation is called ACTIVATION. start: of a diagonal recurrence, initialiser -> the statement that draws its
    weight_hh, `p`; under "" that of all others, and "" for none of its own."""

    layer: str
    source: str = ""
    start: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Keras:
    """layer: the class in keras.layers, or of `source`. order: of its blocks; rnnviz' own order is PyTorch's. start:
    as in Torch, of the array `recurrent`."""

    layer: str
    order: tuple[str, ...]
    source: str = ""
    start: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Onnx:
    """op: the ONNX operation. order: of its blocks. functions: its attribute `activations` in one direction; CHOSEN
    for the activation that the person chooses."""

    op: str
    order: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """A recurrent cell.

    name        in settings, files and flags; `order`: its place wherever cells are listed
    title       on the screen; `noun` with its article, in a sentence
    blocks      in the order of their rows in W_ih, W_hh and the biases
    mixes       the states as sums of products of the blocks; () if the one block is h itself
    carry       the path of the old state past the weights; None if there is none
    recurrent   whether there are weights W_hh
    diagonal    what they are where they are no full matrix; None if they are (G*H, H)
    is_linear   whether h_t = a_t ⊙ h_{t-1} + b_t, with a and b from x_t alone: then it can be scanned (nn/scan.py)
    activation  the function of its content, fixed; None: the person chooses
    biases      2: W_ih and W_hh have one each; 1: one for both; None: the person chooses
    onnx        its operation in ONNX; None if ONNX has none like it
    remembers   the gate whose bias is 1 at first, and which the setting forget_bias sets; "" for none
    chrono      gate -> sign of the log τ its bias is drawn as by the initialiser chrono; {} where it does not apply
    rule        the equation of h_t, with {t}, {before} and, for the chosen activation, {g}
    step_back   the factors of a gradient from h_t to h_{t-1}
    past_cut    the path from step to step that remains with W_hh = 0; "" for none
    no_split    the reason why its ledger has no columns slope × weight; "" if it has them
    shapes      of a cell of a person's own: (hidden_size, input_size) -> its parameters' names and shapes. None: it is
                one of ours, and has W_ih, W_hh and biases
    """

    name: str
    order: int
    title: str
    noun: str
    blocks: tuple[Block, ...]
    rule: str
    step_back: str
    torch: Torch
    keras: Keras
    mixes: tuple[Mix, ...] = ()
    carry: Carry | None = None
    recurrent: bool = True
    diagonal: Diagonal | None = None
    is_linear: bool = False
    activation: str | None = None
    biases: int | None = None
    onnx: Onnx | None = None
    remembers: str = ""
    chrono: Mapping[str, int] = field(default_factory=dict)
    past_cut: str = ""
    no_split: str = ""
    shapes: Callable[[int, int], Mapping[str, tuple[int, ...]]] | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is a person's own, named on the command line: nothing but its step is known of it."""
        return self.shapes is not None

    @property
    def splits(self) -> bool:
        """Whether a step back is slope × weight: the cell has one block, and one way back."""
        return not self.mixes and not self.is_own

    @property
    def block_names(self) -> tuple[str, ...]:
        return tuple(block.name for block in self.blocks)

    @property
    def gates(self) -> tuple[str, ...]:
        """The blocks of a gated cell; () for a cell whose one block is its state."""
        return self.block_names if self.mixes else ()

    @property
    def has_cell_state(self) -> bool:
        """Whether the state is (h, c) rather than h alone."""
        return any(mix.name == "c" for mix in self.mixes)

    @property
    def output_gate(self) -> str:
        """Of a cell with c: the gate in h = gate ⊙ tanh(c)."""
        return next(gate for mix in self.mixes for gate, of in mix.terms if of == "tanh c")

    @property
    def has_reset(self) -> bool:
        """Whether a gate multiplies W_hh·h in a block, so that the gradients of its two sides differ."""
        return any(block.reset_by for block in self.blocks)

    @property
    def content(self) -> int:
        """The index of the block with the content that the cell writes."""
        return next(n for n, block in enumerate(self.blocks) if block.is_signed)

    @property
    def fixed_loop(self) -> str:
        """Why W_hh cannot be scaled or cut, as a clause; "" if it can."""
        if not self.recurrent:
            return f"{self.noun} has no recurrent weights W_hh"
        return self.diagonal.fixed if self.diagonal else ""

    def hh_shape(self, hidden_size: int) -> tuple[int, int]:
        """Of weight_hh."""
        if self.diagonal:
            return self.diagonal.shape(hidden_size)
        return len(self.blocks) * hidden_size if self.recurrent else 0, hidden_size

    @property
    def highway(self) -> str | None:
        """The name of the way back beside the weights: the state "c", or the gate's label where it runs through h
        itself. None where there is none, and where there is no other way."""
        if self.carry is None or not self.recurrent:
            return None
        return self.carry.label if self.carry.state == "h" else self.carry.state

    def described(self, activation: str) -> str:
        """`tanh RNN`, `LSTM`: with the activation where the person chooses it."""
        return self.title if self.activation else f"{activation} {self.title}"
