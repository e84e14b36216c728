"""What Model.save adds to PyTorch's names: the cell and the activation, which no array contains.

{"version": 1, "layer": "rnn", "cell": "lstm", "activation": "tanh"}
"""

from __future__ import annotations

import json
from typing import Any

from rnnviz.errors import InputError
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.spec import ACTIVATIONS, ModelSpec
from rnnviz.weights.torch_names import Module

KEY = "rnnviz"
VERSION = 1
#: What the names of the recurrent weights of a Model begin with, up to the dot.
LAYER = next(iter(ModelSpec().parameter_shapes)).partition(".")[0]
_LONGEST = 10_000


def text(spec: ModelSpec) -> str:
    """What a file says of a model."""
    return json.dumps({"version": VERSION, "layer": LAYER, "cell": spec.cell, "activation": spec.activation})


def modules(path: str, found: Any) -> dict[str, Module]:
    """From that text, or from what another program left in its place. Raises InputError for a later version."""
    if not isinstance(found, str) or len(found) > _LONGEST:
        return {}
    try:
        about = json.loads(found)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(about, dict) or "layer" not in about:  # a record of a training has other fields
        return {}
    if about.get("version") != VERSION:
        raise InputError(f"{path}: it was written by a newer rnnviz; install a newer one")
    cell, activation = about.get("cell"), about.get("activation")
    if about["layer"] != LAYER or cell not in tuple(CELLS) or activation not in ACTIVATIONS:
        raise InputError(f"{path}: what it says of its own model makes no sense")
    return {LAYER: Module(cell=cell, activation=activation if CELLS[cell].activation is None else None)}
