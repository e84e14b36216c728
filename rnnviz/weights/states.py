"""What a layer from a file computes: its states for an input, all levels, both directions.

>>> states(file.layer(), x).shape        # x (T, B, I)
(10, 8, 20)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz.nn import checks
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.equations import equations as equations_of
from rnnviz.nn.layer_layout import BACKWARD, SUFFIX
from rnnviz.nn.records import LayerWeights
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array
from rnnviz.weights.contents import Layer


@np.errstate(all="ignore")
def states(layer: Layer, x: Any) -> Array:
    """x (T, B, I) -> the states of the top level (T, B, D*H), the directions side by side, in float64 from zeros.
    Raises InputError for another shape, nan or inf."""
    read = checks.numbers("x", x, (None, None, layer.input_size), "(T, B, input_size)", "float64")
    for level in range(layer.levels):
        read = np.concatenate([_level(layer, level, direction, read) for direction in layer.directions], axis=2)
    return read


def _level(layer: Layer, level: int, direction: str, x: Array) -> Array:
    suffix, H = f"_l{level}{SUFFIX[direction]}", layer.hidden_size

    def wide(kind: str) -> Array | None:
        return layer.weights[kind + suffix].astype(np.float64) if kind + suffix in layer.weights else None

    W_ih, W_hh, b_ih, b_hh = (wide(kind) for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    assert W_ih is not None
    spec = ModelSpec(layer.cell, x.shape[2], H, H, 1, layer.activation, 1 if b_hh is None else 2)
    b_ih = np.zeros(len(W_ih)) if b_ih is None else b_ih
    if spec.biases == 2 and b_hh is None:
        b_hh = np.zeros(len(W_ih))
    weights = LayerWeights(W_ih, np.zeros((0, H)) if W_hh is None else W_hh, b_ih, b_hh)
    x = np.ascontiguousarray(x[::-1] if direction == BACKWARD else x)
    cell = equations_of(CELLS[layer.cell])
    h = cell.forward(spec, weights, x, np.zeros((x.shape[1], H)), None).h[1:]
    return h[::-1] if direction == BACKWARD else h
