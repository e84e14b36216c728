"""What a layer of a file gives for an input, computed by our forward pass."""

from __future__ import annotations

import numpy as np

from rnnviz.nn.layer_layout import BACKWARD
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.recordings.passes import passes
from rnnviz.weights.contents import Layer


def outputs_of(layer: Layer, x: np.ndarray) -> np.ndarray:
    """x (T, B, I) -> (T, B, D*H)"""
    direct = np.zeros((*x.shape[:2], layer.output_size))
    record = LayerRecord(layer.cell, layer.weights, x, direct, activation=layer.activation)
    runs, top = passes(record), layer.levels - 1
    states = [(d, runs[top, d].forward.h[1:]) for d in layer.directions]
    return np.concatenate([h[::-1] if d == BACKWARD else h for d, h in states], axis=2)
