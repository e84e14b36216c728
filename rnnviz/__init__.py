"""See a recurrent neural network think and learn, one time step at a time.

    >>> import rnnviz
    >>> model = rnnviz.Model.create(cell="rnn", input_size=1, hidden_size=20, output_size=1)
    >>> trace = model.trace(x, targets)          # x (T, B, 1), targets (T, B, 1)
    >>> trace.grad_h                             # (T+1, B, 20): the total dL/dh_t

The names below are imported on first use, so that `rnnviz --version` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

_HOME = {
    "Model": "rnnviz.nn",
    "Trace": "rnnviz.nn",
    "Experiment": "rnnviz.experiment.experiment",
    "train": "rnnviz.experiment.run",
    "map": "rnnviz.maps.make",
    "Recorder": "rnnviz.recordings.recorder",
    "Recording": "rnnviz.recordings.recording",
    "LayerRecord": "rnnviz.recordings.layer_record",
    "watch": "rnnviz.watching.pytorch",
    "InputError": "rnnviz.errors",
}

#: For those who have the framework; each imports it.
_FOR_FRAMEWORKS = ("keras", "lightning")

#: Not with `from rnnviz import *`: there it would hide Python's own.
_QUALIFIED = ("map",)

__all__ = ["__version__", *(name for name in _HOME if name not in _QUALIFIED)]

if TYPE_CHECKING:
    from rnnviz.errors import InputError as InputError
    from rnnviz.experiment.experiment import Experiment as Experiment
    from rnnviz.experiment.run import train as train
    from rnnviz.maps.make import map as map
    from rnnviz.nn import Model as Model
    from rnnviz.nn import Trace as Trace
    from rnnviz.recordings.layer_record import LayerRecord as LayerRecord
    from rnnviz.recordings.recorder import Recorder as Recorder
    from rnnviz.recordings.recording import Recording as Recording
    from rnnviz.watching.pytorch import watch as watch


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _FOR_FRAMEWORKS:
        return import_module(f"rnnviz.{name}")
    raise AttributeError(f"module 'rnnviz' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_QUALIFIED})
