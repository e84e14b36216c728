"""A Keras model's config: its layers in their order, and which layer reads which. Data only: no class, function or
lambda that it names is looked up.

    >>> [entry.class_name for entry in entries(json.loads(config))]
    ['Embedding', 'LSTM', 'Dense']
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rnnviz.weights.source import Source

#: Layers that pass states on as they are, outside of training.
_PASS = ("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "InputLayer")
#: Keras' name of an activation -> ours.
ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "sigmoid": "sigmoid", "linear": "identity"}
_MODELS = ("Sequential", "Functional", "Model")
_DEEPEST, _MOST_LAYERS = 20, 3_000


@dataclass(frozen=True, eq=False)
class Entry:
    """One layer.

    path      names of the models that it is in, and its own
    is_own    whether its class is Keras' own
    number    how many layers of this class precede it in its model
    inputs    (name, output number) of what it reads, if it is called once; () if it is not known
    inside    entries of a model within the model
    """

    path: tuple[str, ...]
    class_name: str
    config: Mapping[str, Any]
    is_own: bool
    number: int
    inputs: tuple[tuple[str, int], ...] = ()
    inside: tuple[Entry, ...] = ()

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def passes_on(self) -> bool:
        return self.is_own and self.class_name in _PASS


def parsed(source: Source, config: bytes) -> dict[str, Any]:
    """Raises InputError naming the file if the config is not a JSON object."""
    try:
        found = json.loads(config)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise source.error("it is damaged: its config is not a JSON object")
    return found


def entries(model: Any, path: tuple[str, ...] = ()) -> tuple[Entry, ...]:
    """The layers of a model's config, in their order; () if it does not list them (a subclass of keras.Model)."""
    if text(model, "class_name") not in _MODELS or len(path) > _DEEPEST:
        return ()
    config = model.get("config")
    listed = config if isinstance(config, list) else config.get("layers") if isinstance(config, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_LAYERS:
        return ()
    is_sequential = text(model, "class_name") == "Sequential"
    found: list[Entry] = []
    for layer in listed:
        if not isinstance(layer, dict):
            continue
        class_name, inner = text(layer, "class_name"), mapping(layer, "config")
        name = text(inner, "name") or text(layer, "name") or class_name
        number = sum(entry.class_name == class_name for entry in found)
        inputs = ((found[-1].name, 0),) if is_sequential and found else _inputs(layer.get("inbound_nodes"))
        here = (*path, name)
        found.append(Entry(here, class_name, inner, is_own(layer), number, inputs, entries(layer, here)))
    return tuple(found)


def is_own(layer: Mapping[str, Any]) -> bool:
    """Whether the class is Keras' own by its module, and not another of the same name."""
    if "module" not in layer:  # Keras 2, and the old .h5
        return layer.get("registered_name") is None
    module = text(layer, "module").split(".")[0]
    return module in ("keras", "tf_keras") and layer.get("registered_name") in (None, "", layer.get("class_name"))


def text(value: Any, key: str) -> str:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


def mapping(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}


def source_of(entry: Entry, by_name: Mapping[str, Entry]) -> Entry | None:
    """The layer whose first output this one reads, past layers that pass it on; None if it reads several, or none."""
    for _ in range(len(by_name)):
        if len(entry.inputs) != 1 or entry.inputs[0][1] != 0 or entry.inputs[0][0] not in by_name:
            return None
        entry = by_name[entry.inputs[0][0]]
        if not entry.passes_on:
            return entry
    return None


def _inputs(nodes: Any) -> tuple[tuple[str, int], ...]:
    """Of a layer that is called once. Keras 3 keeps tensors with their history, Keras 2 lists [name, node, tensor]."""
    if not isinstance(nodes, list) or len(nodes) != 1:
        return ()
    return tuple(_tensors(nodes[0]))


def _tensors(value: Any, depth: int = 0) -> Iterator[tuple[str, int]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        history = mapping(value, "config").get("keras_history")
        inner = list(value.values()) if history is None else [history]
    elif isinstance(value, list):
        if len(value) >= 3 and isinstance(value[0], str) and all(type(number) is int for number in value[1:3]):
            yield value[0], value[2]
            inner = value[3:]
        else:
            inner = value
    else:
        return
    for one in inner:
        yield from _tensors(one, depth + 1)


def function(value: Any) -> str:
    """The name of an activation in a config; a description of one that is not Keras' own."""
    if isinstance(value, str):
        return value
    if value is None:
        return "linear"
    name = text(value, "config") or text(value, "class_name")
    return f"{name}, a function of the program's own" if name.isidentifier() else "a function of the program's own"
