"""The equations of a cell: the functions that nn/cells/NAME.py has to have."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol

from rnnviz.nn.cell import Cell
from rnnviz.nn.records import LayerForward, LayerWeights, Paths, StepBack
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array


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


def equations(cell: Cell) -> Equations:
    """nn/cells/NAME.py."""
    module: Equations = import_module(f"rnnviz.nn.cells.{cell.name}")
    return module
