"""What is private in Keras: which layers are in a layer, what it does after its loop, and how to replace its loop.

tests/watching/ runs it with the Keras that tests/peers.txt names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


def all_layers(model: Any) -> list[Any]:
    """All layers in a model, those inside of others too, without the model itself."""
    return list(model._flatten_layers(include_self=False, recursive=True))


def sublayers(layer: Any) -> list[Any]:
    """The layers directly in a layer or model."""
    return list(layer._flatten_layers(include_self=False, recursive=False))


def forget_dropout_masks(layer: Any) -> None:
    """What a recurrent layer does after its inner_loop; an exception in there would leave them behind."""
    layer._maybe_reset_dropout_masks(layer.cell)


@contextmanager
def replaced(layer: Any, attributes: Mapping[str, Any]) -> Iterator[None]:
    """With other attributes, past Keras' __setattr__, which keeps account of what a layer is given."""
    own = layer.__dict__
    before = {name: own[name] for name in attributes if name in own}
    try:
        own.update(attributes)
        yield
    finally:
        for name in attributes:
            own.pop(name, None)
        own.update(before)
