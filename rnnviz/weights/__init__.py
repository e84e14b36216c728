"""Files of weights, of any framework: what is in them, as layers in PyTorch's names and shapes. Nothing in them is run.

>>> from rnnviz import weights
>>> weights.read("model.pt").layer("encoder.lstm")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnviz.weights.reading import read as read


def __getattr__(name: str) -> Any:
    if name == "read":
        from rnnviz.weights.reading import read

        return read
    raise AttributeError(f"module 'rnnviz.weights' has no attribute {name!r}")
