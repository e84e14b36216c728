"""Model.load and Model.save: a model from a layer of a file and the linear layer behind it, and back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz import files
from rnnviz.errors import InputError
from rnnviz.nn import checks
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.model import Model
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array
from rnnviz.weights import own
from rnnviz.weights.contents import Layer, Linear
from rnnviz.weights.reading import read

SUFFIXES = (".safetensors", ".npz")
#: As other programs write files: everyone may read them.
_MODE = 0o644


def load(
    path: str | Path, layer: str | None = None, readout: str | None = None, activation: str | None = None
) -> Model:
    """See Model.load."""
    file = read(path, activation)
    found = file.layer(layer)
    return model_of(found, file.readout_of(found, readout), str(path))


def model_of(layer: Layer, readout: Linear | None, where: str = "weights") -> Model:
    """A layer with its readout; None: y = h, of both directions side by side. float32, if all its arrays are stored so
    or shorter."""
    about, H = CELLS[layer.cell], layer.hidden_size
    dtypes = layer.dtype + ("" if readout is None else readout.dtype)
    spec = ModelSpec(
        cell=layer.cell,
        input_size=layer.input_size,
        hidden_size=H,
        output_size=layer.output_size if readout is None else readout.outputs,
        num_layers=layer.levels,
        activation=layer.activation,
        biases=max(1, layer.biases),
        dtype="float64" if "float64" in dtypes else "float32",
        bidirectional=len(layer.directions) > 1,
    )
    checks.memory("model", 3 * 8 * spec.parameter_count, f"{spec.parameter_count:,} parameters")
    zeros = np.zeros(H * len(about.blocks), np.float32)
    weights = {f"{own.LAYER}.{name}": array for name, array in layer.weights.items()}
    params: dict[str, Array] = {}
    for name, shape in spec.parameter_shapes.items():
        if name.startswith(f"{own.LAYER}."):
            params[name] = weights.get(name, zeros)
        elif readout is None:
            params[name] = np.eye(*shape, dtype=np.float32) if len(shape) == 2 else np.zeros(shape, np.float32)
    if readout is not None:
        bias = np.zeros(readout.outputs, np.float32) if readout.bias is None else readout.bias
        params |= dict(zip((name for name in spec.parameter_shapes if name not in params),
                           (readout.weight, bias), strict=True))  # fmt: skip
    return Model(spec, params)


def save(model: Model, path: str | Path) -> None:
    """See Model.save."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: a model is saved as {' or '.join(SUFFIXES)}")
    if model.spec.readout != "linear":
        raise InputError(f"{path}: a file of weights holds a linear readout, and this model's is {model.spec.readout}")
    arrays: dict[str, Any] = dict(model.params)
    about = own.text(model.spec)
    if suffix == ".safetensors":
        from safetensors.numpy import save as encode

        content = encode(arrays, {"format": "pt", own.KEY: about})
    else:
        written = io.BytesIO()
        np.savez(written, **arrays, **{own.KEY: np.array(about)})  # type: ignore[arg-type]
        content = written.getvalue()
    try:
        files.replace(path, content, _MODE)
    except OSError as error:
        raise InputError(f"{path}: it cannot be written: {error.strerror or error}") from None
