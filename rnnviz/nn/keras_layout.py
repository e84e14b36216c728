"""Keras' arrays of a recurrent layer in our layout, which is PyTorch's. Gradients of the weights translate alike.

    kernel (I, G*H), recurrent kernel (H, G*H)    ->  weight_ih (G*H, I), weight_hh (G*H, H)
    bias (G*H,)                                   ->  bias_ih (G*H,): one bias, as Keras' SimpleRNN and LSTM have
    bias (2, G*H), of a GRU with reset_after      ->  bias_ih, bias_hh (G*H,)

The blocks are put from Keras' order (Cell.keras) into ours (Cell.blocks): a GRU's from z r h to r z n.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.types import Array


def to_ours(cell: str, arrays: Sequence[Any]) -> dict[str, Array]:
    """kernel, recurrent kernel and, if the layer has one, the bias, in the order of a layer's get_weights().

    -> weight_ih, weight_hh, bias_ih, bias_hh, so far as there are biases
    """
    kernel, recurrent, *biases = (_in_our_order(cell, np.asarray(array)) for array in arrays)
    ours = {"weight_ih": kernel.T, "weight_hh": recurrent.T}
    for bias in biases:
        ours |= dict(zip(("bias_ih", "bias_hh"), np.atleast_2d(bias), strict=False))
    return ours


def _in_our_order(cell: str, array: Array) -> Array:
    """The blocks side by side along the last axis, put in our order."""
    theirs = CELLS[cell].keras.order
    blocks = dict(zip(theirs, np.split(array, len(theirs), axis=-1), strict=True))
    return np.concatenate([blocks[name] for name in CELLS[cell].block_names], axis=-1)
