"""The forward hook of a watched layer."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any

from rnnviz.watching.torch_layers import Layer


class Hook:
    """Tells the watch of each pass through a layer. A copy or a pickle of the model has a hook that does nothing."""

    def __init__(self, on_forward: Callable[..., None], layer: Layer) -> None:
        self._layer, self._on_forward = layer, on_forward
        if "torch._dynamo" in sys.modules:
            self._on_forward = sys.modules["torch"].compiler.disable(on_forward)

    def __call__(self, module: Any, args: Any, kwargs: Any, output: Any) -> None:
        self._on_forward(self._layer, args, kwargs, output)

    def __reduce__(self) -> Any:
        return getattr, (contextlib.nullcontext(), "__exit__")  # takes any arguments and returns None
