"""The equations of a cell: the functions that nn/cells/NAME.py has to have, or a cell of a person's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import numpy as np

from rnnviz.nn import cell_table
from rnnviz.nn.cell import Cell
from rnnviz.nn.records import LayerBackward, LayerForward, LayerWeights, Paths, StepBack
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, Params


class Equations(Protocol):
    """The functions of nn/cells/NAME.py; see rnn.py, the shortest."""

    forward: Callable[[ModelSpec, LayerWeights, Array, Array, Array | None], LayerForward]
    slopes: Callable[[ModelSpec, LayerForward], tuple[Array, ...]]
    backward_step: Callable[[LayerWeights, tuple[Array, ...], Array, Array | None], StepBack]
    tangent_step: Callable[
        [LayerWeights, tuple[Array, ...], Array, Array | None, Array | None], tuple[Array, Array | None]
    ]
    jacobian: Callable[[LayerWeights, tuple[Array, ...]], tuple[Array, Array]]
    paths: Callable[[tuple[Array, ...]], Paths]


class DiagonalEquations(Equations, Protocol):
    """Of a cell with a diagonal recurrence (Cell.diagonal), which has to say three more things."""

    #: (random numbers, initialiser, H) -> the first weight_hh
    initial: Callable[[np.random.Generator, str, int], Array]
    #: (weights) -> W_ih, W_hh and b of a_t = W_ih x_t + b + W_hh h_{t-1}, with a full matrix W_hh (H, H)
    in_full: Callable[[LayerWeights], LayerWeights]
    #: (weights, forward, backward of the layer) -> dL/d(weight_hh), the part of each step (T, *shape)
    shares: Callable[[LayerWeights, LayerForward, LayerBackward], Array]


class LinearEquations(Equations, Protocol):
    """Of a cell with a linear recurrence (Cell.is_linear)."""

    #: (weights, x (T, B, I)) -> a and b (T, B, …) of h_t = a_t ⊙ h_{t-1} + b_t; complex, if units come in pairs
    terms: Callable[[LayerWeights, Array], tuple[Array, Array]]


@dataclass(frozen=True)
class Verdict:
    """What is known of the gradients of a person's own cell, in one sequence.

    about     a clause: how the exact ones are computed; or, where the file has a backward_step, what that gives
    is_right  whether it gives the exact gradients, where there is one
    wrong     the time steps t at which it does not
    """

    about: str
    is_right: bool = True
    wrong: tuple[int, ...] = ()

    def where(self, steps: int) -> str:
        """`at t = 3 and 7`, `at 9 of 10 steps`; "" if it is wrong nowhere."""
        if not 0 < len(self.wrong) <= min(3, steps - 1):
            return f"at {len(self.wrong)} of {steps} steps" if self.wrong else ""
        *others, last = map(str, self.wrong)
        return f"at t = {', '.join(others)} and {last}" if others else f"at t = {last}"


class OwnEquations(Equations, Protocol):
    """A cell of a person's own has no W_ih and W_hh: its grad_pre is ∂L/∂h_t, from which it knows the way to all
    else. Raise InputError where the person's code does."""

    initial: Callable[[ModelSpec, int], Params]  # (spec, seed) -> by the names in its file
    #: (layer, ∂L/∂h_t of each step (T, B, H)) -> ∂L/∂(parameter), the share of each step (T, …)
    shares: Callable[[LayerForward, Array], Mapping[str, Array]]
    sums: Callable[[LayerForward, Array], Mapping[str, Array]]  # the same, summed over the steps
    #: (layer, ∂L/∂h_t of each step (T, B, H)) -> ∂L/∂x_t (T, B, I)
    grad_x: Callable[[LayerForward, Array], Array]
    #: (layer, ∂L/∂h_t of each step (T, B, H)) -> what its own backward pass gives at each
    verdict: Callable[[LayerForward, Array], Verdict]


def diagonal(cell: Cell) -> DiagonalEquations:
    """nn/cells/NAME.py of a cell with a diagonal recurrence."""
    module: DiagonalEquations = import_module(f"rnnviz.nn.cells.{cell.name}")
    return module


def linear(cell: Cell) -> LinearEquations:
    """nn/cells/NAME.py of a cell with a linear recurrence."""
    module: LinearEquations = import_module(f"rnnviz.nn.cells.{cell.name}")
    return module


def in_full(cell: Cell, w: LayerWeights) -> LayerWeights:
    """The weights as they act on x_t and on h_{t-1}: W_hh is (G*H, H), even where a cell has only a diagonal of it."""
    return diagonal(cell).in_full(w) if cell.diagonal else w


_OWN: dict[str, OwnEquations] = {}


def equations(cell: Cell) -> Equations:
    """nn/cells/NAME.py, or the cell of a person's own."""
    if cell.is_own:
        return own(cell)
    module: Equations = import_module(f"rnnviz.nn.cells.{cell.name}")
    return module


def own(cell: Cell) -> OwnEquations:
    return _OWN[cell.name]


def add_own(cell: Cell, its: OwnEquations) -> None:
    """Let this process know a cell of a person's own."""
    cell_table.OWN[cell.name], _OWN[cell.name] = cell, its


def forget_own(name: str) -> None:
    cell_table.OWN.pop(name, None)
    _OWN.pop(name, None)
