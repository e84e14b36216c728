"""ONNX' tensors of a recurrent operation in our layout, which is PyTorch's, and back.

    W (D, G*H, I), R (D, G*H, H)    <->  weight_ih (G*H, I), weight_hh (G*H, H) of each of D directions
    B (D, 2*G*H)                    <->  bias_ih, bias_hh (G*H,): the first and the second half of a row

The blocks are put from ONNX' order (Cell.onnx) into ours (Cell.blocks): an LSTM's from i o f c to i f g o.
https://onnx.ai/onnx/operators/onnx__LSTM.html, …__GRU.html, …__RNN.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnviz.nn.block_order import reordered
from rnnviz.nn.cell import Onnx
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.types import Array


def matrix_to_ours(cell: str, tensor: Any, direction: int) -> Array:
    """W or R, and which of its directions -> (G*H, ·)"""
    return reordered(np.asarray(tensor)[direction], _onnx(cell).order, CELLS[cell].block_names, 0)


def bias_to_ours(cell: str, B: Any, direction: int, half: int) -> Array:
    """half 0: bias_ih, 1: bias_hh, (G*H,)"""
    row = np.asarray(B)[direction]
    return reordered(np.split(row, 2)[half], _onnx(cell).order, CELLS[cell].block_names, 0)


def to_onnx(cell: str, sides: Sequence[Mapping[str, Any]]) -> list[Array]:
    """weight_ih, weight_hh, bias_ih, bias_hh of each direction -> W, R and, if there are biases, B. The second of the
    two biases is 0 where there is one."""
    order, names = _onnx(cell).order, CELLS[cell].block_names

    def put(side: Mapping[str, Any], name: str) -> Array:
        return reordered(side[name], names, order, 0)

    tensors = [np.stack([put(side, name) for side in sides]) for name in ("weight_ih", "weight_hh")]
    if "bias_ih" in sides[0]:
        first = np.stack([put(side, "bias_ih") for side in sides])
        second = np.stack([put(side, "bias_hh") for side in sides]) if "bias_hh" in sides[0] else np.zeros_like(first)
        tensors.append(np.concatenate([first, second], axis=1))
    return tensors


def _onnx(cell: str) -> Onnx:
    found = CELLS[cell].onnx
    assert found is not None, cell
    return found
