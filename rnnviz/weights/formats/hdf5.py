"""Keras' HDF5 files: a whole model in the old layout (.h5), and weights alone (.weights.h5, and .h5 of Keras 2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rnnviz.errors import InputError
from rnnviz.nn.cell_table import CELLS
from rnnviz.weights.contents import Decisions, Doubt, Embedding, Linear, Refused, WeightFile
from rnnviz.weights.formats.hdf5_tree import Group, read_tree
from rnnviz.weights.formats.keras_config import entries, parsed
from rnnviz.weights.formats.keras_layers import linear_of, side_of, weight_file
from rnnviz.weights.formats.keras_store import OldStore, array_at, arrays_in, listed
from rnnviz.weights.parts import Part, activation_of, joined
from rnnviz.weights.source import Source
from rnnviz.weights.stored import DTYPES, Stored

_DEFAULTS = (
    "The file does not contain the layers' settings; Keras' defaults are taken: tanh and sigmoid, reset_after=True, "
    "forwards."
)
#: (name, arrays of each direction of a recurrent layer or [], arrays of any other layer, words that show its class)
_Found = tuple[str, list[list[Stored]], list[Stored], str]
#: Blocks in a recurrent kernel -> cell, of Keras' own layers.
_BY_BLOCKS = {len(cell.blocks): name for name, cell in CELLS.items() if not cell.keras.source}


def read(path: str, decisions: Decisions) -> WeightFile:
    """Raises InputError if the file is damaged."""
    source = Source(path)
    tree = read_tree(source)
    root = tree.at("model_weights") if "model_weights" in tree.groups else tree
    config = tree.attributes.get("model_config")
    if isinstance(config, str) and (layers := entries(parsed(source, config.encode()))):
        return weight_file(path, "Keras HDF5", layers, OldStore(root), decisions)
    if names := listed(root, "layer_names"):
        return _weight_file(path, _old_layers(root, names), decisions)
    return without_config(path, "Keras HDF5", tree, decisions)


def without_config(path: str, format: str, tree: Group, decisions: Decisions) -> WeightFile:
    """What the arrays of the new layout show by themselves: by their places and shapes."""
    return _weight_file(path, list(_new_layers(tree, ())), decisions, format)


def _new_layers(group: Group, path: tuple[str, ...]) -> Iterator[_Found]:
    own = group.at("vars").attributes.get("name")
    name = own if isinstance(own, str) and path else ".".join(part for part in path if part != "layers") or "model"
    if "forward_layer" in group.groups and "cell" in group.at("forward_layer").groups:
        yield name, [arrays_in(group.at(side)) for side in ("forward_layer", "backward_layer")], [], ""
    elif "cells" in group.at("cell").groups:
        for cell, inner in group.at("cell", "cells").groups.items():
            yield f"{name}/{cell}", [arrays_in(inner)], [], ""
    elif "cell" in group.groups:
        yield name, [arrays_in(group.at("cell"))], [], ""
    else:
        if arrays := arrays_in(group):
            yield name, [], arrays, f"{name} {path[-1] if path else ''}"
        if "layer" not in group.groups or not arrays:
            for inner_name, inner in sorted(group.groups.items(), key=lambda member: _natural(member[0])):
                if inner_name != "vars":
                    yield from _new_layers(inner, (*path, inner_name))


def _natural(name: str) -> list[tuple[str, int]]:
    """Sorts lstm, lstm_1, lstm_2, lstm_10 as they are counted."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d{0,18})", name)]


def _old_layers(root: Group, names: Sequence[str]) -> list[_Found]:
    found: list[_Found] = []
    for layer in names:
        paths = [name for name in listed(root.at(layer), "weight_names") if array_at(root.at(layer), name) is not None]
        by_place: dict[str, list[str]] = {}
        for path in paths:
            by_place.setdefault(path.rpartition("/")[0], []).append(path)
        cells, others = [], list[Stored]()
        for place in by_place.values():
            arrays = [array for path in place if (array := array_at(root.at(layer), path)) is not None]
            if any("recurrent_kernel" in path for path in place):
                cells.append(arrays)
            else:
                others += arrays
        is_pair = len(cells) == 2 and len({arrays[1].shape for arrays in cells}) == 1 and "bidirectional" in layer
        if is_pair:
            found.append((layer, cells, [], ""))
        else:
            found += [
                (layer if len(cells) == 1 else f"{layer}/{n}", [arrays], [], "") for n, arrays in enumerate(cells)
            ]
        if others:
            found.append((layer, [], others, f"{layer} {' '.join(paths)}"))
    return found


def _weight_file(
    path: str,
    layers: Sequence[_Found],
    decisions: Decisions,
    format: str = "Keras HDF5",
) -> WeightFile:
    parts: list[Part] = []
    linears: list[Linear] = []
    embeddings: list[Embedding] = []
    refused: list[Refused] = []
    for name, sides, others, words in layers:
        if sides:
            try:
                parts.append(_part(name, sides, decisions))
            except InputError as error:
                refused.append(Refused(name, str(error)))
        elif len(others) == 1 and others[0].ndim == 2 and "embed" in words.lower() and others[0].dtype in DTYPES:
            embeddings.append(Embedding(name, others[0]))
        elif linear := linear_of(name, others):
            linears.append(linear)
    notes = (_DEFAULTS,) if parts else ()
    return WeightFile(path, format, tuple(joined(parts)[0]), tuple(linears), tuple(embeddings), notes, tuple(refused))


def _part(name: str, sides: Sequence[Sequence[Stored]], decisions: Decisions) -> Part:
    """Raises InputError with the reason if the arrays are not those of a cell."""
    shapes = [array.shape for array in sides[0]]
    if any(len(arrays) not in (2, 3) for arrays in sides) or len(shapes[1]) != 2 or 0 in shapes[1]:
        raise InputError(f"its arrays have the shapes {', '.join(map(str, shapes))}, not those of a recurrent cell.")
    H, width = shapes[1]
    cell = _BY_BLOCKS.get(width // H) if width % H == 0 else None
    if cell is None:
        raise InputError(f"its recurrent kernel has the shape {shapes[1]}, not that of a simple RNN, GRU or LSTM.")
    activation, doubts = activation_of(cell, None, decisions)
    if CELLS[cell].has_reset and len(shapes) == 2:
        doubts += (Doubt("Without biases the file does not contain reset_after.", "True", "open the .keras file"),)
    return Part(name, cell, tuple(side_of(cell, arrays) for arrays in sides), activation, (), doubts)
