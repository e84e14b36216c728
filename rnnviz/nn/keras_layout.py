"""Keras' arrays of a recurrent layer in our layout, which is PyTorch's, and back. Gradients of the weights translate
alike.

    kernel (I, G*H), recurrent kernel (H, G*H)    <->  weight_ih (G*H, I), weight_hh (G*H, H)
    bias (G*H,)                                   <->  bias_ih (G*H,): one bias, as Keras' SimpleRNN and LSTM have
    bias (2, G*H), of a GRU with reset_after      <->  bias_ih, bias_hh (G*H,)

The blocks are put from Keras' order (Cell.keras) into ours (Cell.blocks): a GRU's from z r h to r z n.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnviz.nn.block_order import reordered
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.types import Array


def to_ours(cell: str, arrays: Sequence[Any]) -> dict[str, Array]:
    """kernel, recurrent kernel and, if the layer has one, the bias, in the order of a layer's get_weights().

    -> weight_ih, weight_hh, bias_ih, bias_hh, so far as there are biases
    """
    kernel, recurrent, *biases = arrays
    ours = {"weight_ih": matrix_to_ours(cell, kernel), "weight_hh": matrix_to_ours(cell, recurrent)}
    for bias in biases:
        ours |= dict(zip(("bias_ih", "bias_hh"), biases_to_ours(cell, bias), strict=False))
    return ours


def matrix_to_ours(cell: str, kernel: Any) -> Array:
    """kernel or recurrent kernel (·, G*H) -> (G*H, ·)"""
    return reordered(kernel, CELLS[cell].keras.order, CELLS[cell].block_names, -1).T


def biases_to_ours(cell: str, bias: Any) -> Array:
    """(G*H,) or (2, G*H) -> (1 or 2, G*H)"""
    return np.atleast_2d(reordered(bias, CELLS[cell].keras.order, CELLS[cell].block_names, -1))


def to_keras(cell: str, ours: Mapping[str, Any]) -> list[Array]:
    """weight_ih, weight_hh, bias_ih, bias_hh -> kernel, recurrent kernel, bias, as a layer's set_weights() takes them.

    A cell whose reset gate multiplies one bias keeps both, (2, G*H). Those of the others are added: Keras has one.
    """
    order, names = CELLS[cell].keras.order, CELLS[cell].block_names
    arrays = [reordered(np.asarray(ours[name]).T, names, order, -1) for name in ("weight_ih", "weight_hh")]
    biases = [reordered(ours[name], names, order, -1) for name in ("bias_ih", "bias_hh") if name in ours]
    if not biases:
        return arrays
    if CELLS[cell].has_reset:
        return [*arrays, np.stack([biases[0], biases[-1] if len(biases) == 2 else np.zeros_like(biases[0])])]
    return [*arrays, biases[0] if len(biases) == 1 or not biases[1].any() else biases[0] + biases[1]]
