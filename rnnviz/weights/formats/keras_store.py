"""Where Keras keeps the arrays of a layer: the new layout (.keras, .weights.h5), and the old one (.h5)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rnnviz.weights.formats.hdf5_tree import Group
from rnnviz.weights.formats.keras_config import Entry, mapping, text
from rnnviz.weights.stored import Stored


def snake_case(class_name: str) -> str:
    """The class as a group is named: SimpleRNN -> simple_rnn."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


class NewStore:
    """layers/lstm_1/cell/vars/{0,1,2}: by class and number, and by the layer's name where the file has it."""

    def __init__(self, model: Group) -> None:
        self._layers = model.at("layers")
        if not self._layers.groups:  # Keras 2.12
            self._layers = model.at("_layer_checkpoint_dependencies")
        self._by_name = {
            group.at("vars").attributes["name"]: group
            for group in self._layers.groups.values()
            if isinstance(group.at("vars").attributes.get("name"), str)
        }

    def _group(self, entry: Entry) -> Group:
        if entry.name in self._by_name:
            return self._by_name[entry.name]
        suffix = f"_{entry.number}" if entry.number else ""
        return self._layers.at(snake_case(entry.class_name) + suffix)

    def arrays(self, entry: Entry) -> list[Stored]:
        cell = mapping(mapping(entry.config, "cell"), "config").get("cells")
        classes = [text(one, "class_name") for one in cell] if isinstance(cell, list) else []
        return arrays_in(self._group(entry), classes)

    def inside(self, entry: Entry) -> NewStore:
        return NewStore(self._group(entry))


def arrays_in(group: Group, cells: Sequence[str] = ()) -> list[Stored]:
    """The arrays of one layer in their order. cells: the classes of its stacked cells, in their order."""
    if "forward_layer" in group.groups:
        return arrays_in(group.at("forward_layer")) + arrays_in(group.at("backward_layer"))
    if "cell" in group.groups:
        return arrays_in(group.at("cell"), cells)
    if "cells" in group.groups:
        found: list[Stored] = []
        for n, name in enumerate(cells):
            number = list(cells[:n]).count(name)
            found += arrays_in(group.at("cells", snake_case(name) + (f"_{number}" if number else "")))
        return found
    own = group.at("vars").arrays
    if not own and "layer" in group.groups:
        return arrays_in(group.at("layer"))
    return [
        own[name] for name in sorted((name for name in own if name.isdecimal()), key=lambda name: (len(name), name))
    ]


class OldStore:
    """NAME/…/kernel, …/recurrent_kernel, …/bias, listed in the attribute weight_names of the group NAME."""

    def __init__(self, root: Group) -> None:
        self._root = root

    def names(self, layer: str) -> list[str]:
        """Names of the arrays of a layer of the model, in their order."""
        return listed(self._root.at(layer), "weight_names")

    def arrays(self, entry: Entry) -> list[Stored]:
        group, names = self._root.at(entry.path[0]), self.names(entry.path[0])
        if len(entry.path) > 1:
            names = [name for name in names if entry.name in name.split("/")[:-1]]
        return [array for name in names if (array := array_at(group, name)) is not None]

    def inside(self, entry: Entry) -> OldStore:
        return self


def listed(group: Group, name: str) -> list[str]:
    """An attribute that is a list of names. Keras splits a long one: name0, name1, …"""
    value = group.attributes.get(name)
    if isinstance(value, list):
        return value
    found: list[str] = []
    count = 0
    while isinstance(part := group.attributes.get(f"{name}{count}"), list):
        found, count = found + part, count + 1
    return found


def array_at(group: Group, name: str) -> Stored | None:
    *parents, last = name.split("/")
    return group.at(*parents).arrays.get(last)
