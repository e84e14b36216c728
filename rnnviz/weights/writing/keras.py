"""A Sequential model of Keras: .keras, which keras.saving.load_model opens, or .weights.h5 for model.load_weights.

Its layers give every step (return_sequences=True), levels and directions as layers of their own.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnnviz.errors import InputError
from rnnviz.nn import keras_layout
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.types import Array
from rnnviz.weights.formats.keras_config import ACTIVATIONS
from rnnviz.weights.formats.keras_store import snake_case
from rnnviz.weights.writing.hdf5 import imported_h5py
from rnnviz.weights.writing.network import Network, Written, distinct, identifier, name_of, two_biases

#: The oldest with this layout of files.
_VERSION = "3.0.0"
_EARLIEST = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class _Layer:
    """code: the layer in a program. arrays: path below the layer's group -> the arrays of that place, in order."""

    class_name: str
    config: dict[str, Any]
    input_shape: Sequence[int | None]
    arrays: Mapping[str, Sequence[Array]]
    code: str


def write(suffix: str, network: Network) -> Written:
    """suffix: ".keras" or ".weights.h5". Raises InputError for a cell that Keras does not have, and without h5py."""
    layer = network.layer
    if CELLS[layer.cell].keras.source:
        raise InputError(f"{layer.name}: Keras has no {CELLS[layer.cell].title}")
    layers = [*_embedding(network), *_levels(network), *_readout(network)]
    names = distinct([one.config["name"] for one in layers])
    for one, name in zip(layers, names, strict=True):
        one.config["name"] = name
    weights, notes = _hdf5(layers), list[str]()
    if not CELLS[layer.cell].has_reset and any(
        two_biases(side) for n in range(layer.levels) for side in network.sides(n)
    ):
        notes.append("Keras has one bias where the file has two, so the two are added.")
    if suffix == ".keras":
        return Written(_archive(layers, weights, network.dtype), tuple(notes))
    shape = ", ".join(map(str, layers[0].input_shape[1:]))
    code = ", ".join(one.code for one in layers)
    notes.append(f"Load it into keras.Sequential([layers.Input(({shape},)), {code}]).")
    return Written(weights, tuple(notes))


def _embedding(network: Network) -> Iterator[_Layer]:
    if (table := network.embedding) is not None:
        config = {"input_dim": table.words, "output_dim": table.size}
        yield _Layer("Embedding", {"name": identifier(table.name), **config}, [None, None], {"vars": [table.weight]},
                     f"layers.Embedding({table.words}, {table.size})")  # fmt: skip


def _levels(network: Network) -> Iterator[_Layer]:
    layer, about = network.layer, CELLS[network.layer.cell]
    activation = next(theirs for theirs, ours in ACTIVATIONS.items() if ours == layer.activation)
    options: dict[str, Any] = {"return_sequences": True, "use_bias": layer.biases > 0}
    code = f"layers.{about.keras.layer}({layer.hidden_size}, return_sequences=True"
    if about.activation is None:
        code += f", activation={activation!r}" if activation != "tanh" else ""
    if not options["use_bias"]:
        code += ", use_bias=False"
    more: dict[str, Any] = {"recurrent_activation": "sigmoid"} if about.gates else {}
    more |= {"reset_after": True} if about.has_reset else {}
    options["dtype"] = network.dtype
    width = layer.input_size
    for level in range(layer.levels):
        name = identifier(name_of(layer)) + (f"_{level}" if layer.levels > 1 else "")
        sides = [keras_layout.to_keras(layer.cell, side) for side in network.sides(level)]
        config = {"name": name, "units": layer.hidden_size, "activation": activation, **more, **options}
        shape = [None, None, width]
        if len(sides) == 1:
            yield _Layer(about.keras.layer, config, shape, {"cell/vars": sides[0]}, f"{code})")
        else:
            pair = [{**config, "name": f"{side}_{name}", "go_backwards": side == "backward"}
                    for side in ("forward", "backward")]  # fmt: skip
            inner = [_as_config(about.keras.layer, one, shape) for one in pair]
            both = {"name": name, "merge_mode": "concat", "layer": inner[0], "backward_layer": inner[1]}
            arrays = {"forward_layer/cell/vars": sides[0], "backward_layer/cell/vars": sides[1]}
            yield _Layer("Bidirectional", both, shape, arrays, f"layers.Bidirectional({code}))")
        width = layer.output_size


def _readout(network: Network) -> Iterator[_Layer]:
    if (linear := network.readout) is not None:
        config = {"name": identifier(linear.name), "units": linear.outputs, "activation": "linear"}
        config["use_bias"] = linear.has_bias
        code = f"layers.Dense({linear.outputs}{'' if linear.has_bias else ', use_bias=False'})"
        arrays = [linear.weight.T] if linear.bias is None else [linear.weight.T, linear.bias]
        yield _Layer("Dense", config, [None, None, linear.inputs], {"vars": arrays}, code)


def _hdf5(layers: Sequence[_Layer]) -> bytes:
    """layers/lstm_1/cell/vars/0: by class and number, as Keras finds them."""
    h5py, content = imported_h5py(), io.BytesIO()
    with h5py.File(content, "w") as file:
        for n, layer in enumerate(layers):
            number = sum(one.class_name == layer.class_name for one in layers[:n])
            group = f"layers/{snake_case(layer.class_name)}{f'_{number}' if number else ''}"
            file.create_group(f"{group}/vars").attrs["name"] = layer.config["name"]
            for place, arrays in layer.arrays.items():
                for index, array in enumerate(arrays):
                    file[f"{group}/{place}/{index}"] = array
        file.create_group("vars")
    return content.getvalue()


def _archive(layers: Sequence[_Layer], weights: bytes, dtype: str) -> bytes:
    of_input = "int32" if layers[0].class_name == "Embedding" else dtype
    first = {"name": "input", "batch_shape": layers[0].input_shape, "dtype": of_input}
    listed = [_as_config("InputLayer", first)]
    listed += [_as_config(one.class_name, {**one.config, "dtype": dtype}, one.input_shape) for one in layers]
    model = {"name": "sequential", "layers": listed, "build_input_shape": layers[0].input_shape}
    config = _as_config("Sequential", model, layers[0].input_shape) | {"module": "keras"}
    metadata = json.dumps({"keras_version": _VERSION}).encode()
    parts = {"metadata.json": metadata, "config.json": json.dumps(config).encode(), "model.weights.h5": weights}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _EARLIEST), part)
    return content.getvalue()


def _as_config(
    class_name: str, config: dict[str, Any], input_shape: Sequence[int | None] | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "module": "keras.layers",
        "class_name": class_name,
        "config": config,
        "registered_name": None,
    }
    return found if input_shape is None else found | {"build_config": {"input_shape": list(input_shape)}}
