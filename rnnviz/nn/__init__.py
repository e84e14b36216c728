"""The engine: cells, models, traces and training, in NumPy, and in compiled code after that is loaded.

    >>> from rnnviz.nn import Model
    >>> model = Model.create(cell="lstm", input_size=3, hidden_size=5, output_size=2)
    >>> trace = model.trace(x, targets)          # x (T, B, 3), targets (T, B, 2)

The names below are imported on first use: `rnnviz.nn.spec` has the names of cells, optimizers and so on, and
importing it imports nothing else. `rnnviz.nn.engine.load_numba()` loads the fast engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "ACTIVATIONS": "spec",
    "CELLS": "spec",
    "INITIALISERS": "spec",
    "LOSSES": "spec",
    "OPTIMIZERS": "spec",
    "ModelSpec": "spec",
    "Model": "model",
    "Data": "data",
    "Optimizer": "optimizer",
    "Snapshot": "training",
    "Training": "training",
    "evaluate": "training",
    "Item": "trace_parts",
    "LayerTrace": "trace_parts",
    "Trace": "trace",
    "Ledger": "ledger",
    "half_life": "metrics",
    "horizon": "metrics",
    "current": "engine",
    "load_numba": "engine",
    "select": "engine",
}

__all__ = [*_HOME]

if TYPE_CHECKING:
    from rnnviz.nn.data import Data as Data
    from rnnviz.nn.engine import current as current
    from rnnviz.nn.engine import load_numba as load_numba
    from rnnviz.nn.engine import select as select
    from rnnviz.nn.ledger import Ledger as Ledger
    from rnnviz.nn.metrics import half_life as half_life
    from rnnviz.nn.metrics import horizon as horizon
    from rnnviz.nn.model import Model as Model
    from rnnviz.nn.optimizer import Optimizer as Optimizer
    from rnnviz.nn.spec import ACTIVATIONS as ACTIVATIONS
    from rnnviz.nn.spec import CELLS as CELLS
    from rnnviz.nn.spec import INITIALISERS as INITIALISERS
    from rnnviz.nn.spec import LOSSES as LOSSES
    from rnnviz.nn.spec import OPTIMIZERS as OPTIMIZERS
    from rnnviz.nn.spec import ModelSpec as ModelSpec
    from rnnviz.nn.trace import Trace as Trace
    from rnnviz.nn.trace_parts import Item as Item
    from rnnviz.nn.trace_parts import LayerTrace as LayerTrace
    from rnnviz.nn.training import Snapshot as Snapshot
    from rnnviz.nn.training import Training as Training
    from rnnviz.nn.training import evaluate as evaluate


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"rnnviz.nn.{_HOME[name]}"), name)
    raise AttributeError(f"module 'rnnviz.nn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
