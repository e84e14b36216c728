"""Files of weights as they are after reading, without a file."""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cell_table import CELLS
from rnnviz.weights.contents import Embedding, Layer, Linear, WeightFile


def layer_of(
    cell: str = "lstm", hidden: int = 6, inputs: int = 3, levels: int = 1, both: bool = False, name: str = "encoder",
    seed: int = 0, scale: float = 0.9,
) -> Layer:  # fmt: skip
    about = CELLS[cell]
    rng, rows = np.random.default_rng(seed), hidden * len(about.blocks)
    weights = {}
    for level in range(levels):
        for suffix in ("", "_reverse")[: 1 + both]:
            read = inputs if level == 0 else hidden * (1 + both)
            weights |= {
                f"weight_ih_l{level}{suffix}": rng.normal(0, 0.5, (rows, read)),
                f"weight_hh_l{level}{suffix}": rng.normal(0, scale / np.sqrt(hidden), about.hh_shape(hidden)),
                f"bias_ih_l{level}{suffix}": rng.normal(0, 0.1, rows),
            }
            if about.biases != 1:
                weights[f"bias_hh_l{level}{suffix}"] = rng.normal(0, 0.1, rows)
    return Layer(name, cell, weights)


def file_of(*layers: Layer, outputs: int = 0, words: int = 0) -> WeightFile:
    rng, last = np.random.default_rng(1), layers[-1]
    head = rng.normal(0, 0.5, (outputs, last.output_size))
    return WeightFile(
        "model.pt", "PyTorch", layers,
        (Linear("head", head, rng.normal(0, 0.1, outputs)),) if outputs else (),
        (Embedding("embedding", rng.normal(0, 1, (words, layers[0].input_size))),) if words else (),
    )  # fmt: skip
