"""A file of weights for another framework.

>>> convert("model.pt", "model.keras").notes
('Keras has one bias where the file has two, so the two are added.',)

The new file is read again before it appears under its name: the states of both for random input must agree.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rnnviz import files
from rnnviz.errors import InputError
from rnnviz.nn import checks
from rnnviz.nn.layer_layout import SUFFIX
from rnnviz.nn.types import Array
from rnnviz.weights.contents import Embedding, Layer, Linear, WeightFile
from rnnviz.weights.reading import read
from rnnviz.weights.states import states
from rnnviz.weights.writing import keras, onnx, pytorch
from rnnviz.weights.writing.network import Network, Written

#: The suffix of a new file -> how it is called. The longest that fits decides.
SUFFIXES = {
    ".safetensors": "PyTorch's names, for load_state_dict",
    ".npz": "PyTorch's names, for NumPy",
    ".keras": "Keras, for load_model",
    ".weights.h5": "Keras, for load_weights",
    ".onnx": "ONNX",
}
_NAMED = (".safetensors", ".npz")
#: As other programs write files: everyone may read them.
_MODE = 0o644
#: Relative to the largest state: what float32 leaves of two biases that were added.
_TOLERANCE = 1e-5
_STEPS, _BATCH = 12, 3


@dataclass(frozen=True)
class Conversion:
    """layers, others: names of what was written. notes: what differs. difference: of the states for random input, at
    most. is_exact: whether every number is the same."""

    layers: tuple[str, ...]
    others: tuple[str, ...]
    notes: tuple[str, ...]
    difference: float
    is_exact: bool


def convert(
    given: str,
    wanted: str,
    layer: str | None = None,
    readout: str | None = None,
    activation: str | None = None,
) -> Conversion:
    """Read `given` and write `wanted`, whose suffix decides the format.

    layer    which recurrent layer; a file with PyTorch's names has all of them without it
    readout  which linear layer follows it; None: the one that is known to; "none": none

    Raises InputError if `wanted` exists, for what the format cannot represent, and if the two do not agree.
    """
    suffix = _suffix(wanted)
    path = Path(wanted)
    if path.exists() or path.is_symlink():
        raise InputError(f"{wanted}: it exists; choose another name, or remove it first")
    file = read(given, activation)
    chosen, linears, embeddings = _chosen(file, suffix, layer, readout)
    _memory([*chosen, *linears, *embeddings])
    if suffix in _NAMED:
        written = pytorch.write(suffix, chosen, linears, embeddings)
    else:
        network = Network(chosen[0], next(iter(embeddings), None), next(iter(linears), None))
        written = onnx.write(network) if suffix == ".onnx" else keras.write(suffix, network)
    difference, is_exact = _check(written, suffix, wanted, chosen, linears, embeddings)
    try:
        files.replace(path, written.content, _MODE)
    except OSError as error:
        raise InputError(f"{wanted}: it cannot be written: {error.strerror or error}") from None
    notes = dict.fromkeys(
        [*_left_out(file, chosen, linears, embeddings), *file.notes, *_of_layers(chosen), *written.notes]
    )
    others = tuple([one.name for one in linears] + [one.name for one in embeddings])
    return Conversion(tuple(one.name for one in chosen), others, tuple(notes), difference, is_exact)


def format_of(wanted: str) -> str:
    """How the format of a new file is called. Raises InputError if its name decides none."""
    return SUFFIXES[_suffix(wanted)]


def _suffix(wanted: str) -> str:
    fitting = [suffix for suffix in SUFFIXES if wanted.lower().endswith(suffix)]
    if not fitting:
        raise InputError(f"{wanted}: choose the format by the name: {', '.join(SUFFIXES)}")
    return max(fitting, key=len)


def _chosen(
    file: WeightFile, suffix: str, name: str | None, readout: str | None
) -> tuple[list[Layer], list[Linear], list[Embedding]]:
    if suffix in _NAMED and name is None and readout is None and file.layers:
        return list(file.layers), list(file.linears), list(file.embeddings)
    layer = file.layer(name)
    linear, embedding = file.readout_of(layer, readout), file.embedding_of(layer)
    return [layer], [linear] if linear else [], [embedding] if embedding else []


def _memory(parts: Sequence[Layer | Linear | Embedding]) -> None:
    size = 0
    for part in parts:
        width = 8 if "float64" in part.dtype else 4
        if isinstance(part, Layer):
            size += width * sum(array.size for array in part.stored.values())
        else:
            size += width * (part.inputs * part.outputs if isinstance(part, Linear) else part.words * part.size)
    checks.memory("convert", 4 * size, f"{size:,} bytes of numbers, read, written and compared")


def _left_out(
    file: WeightFile, layers: Sequence[Layer], linears: Sequence[Linear], embeddings: Sequence[Embedding]
) -> list[str]:
    written = {id(part) for part in (*layers, *linears, *embeddings)}
    parts: list[Layer | Linear | Embedding] = [*file.layers, *file.linears, *file.embeddings]
    names = [part.name for part in parts if id(part) not in written]
    names += [one.name for one in file.refused]
    if not names:
        return []
    shown = ", ".join(names[:8]) + (f", … ({len(names)} in all)" if len(names) > 8 else "")
    return [f"Not written: {shown}."]


def _of_layers(layers: Sequence[Layer]) -> list[str]:
    half = sorted({dtype for layer in layers for dtype in layer.dtype.split(", ") if dtype.endswith("16")})
    notes = [f"{' and '.join(half)} become float32; the numbers stay the same."] if half else []
    for layer in layers:
        notes += [f"{layer.name}: {doubt.what} It is taken to be {doubt.taken}." for doubt in layer.doubts]
        notes += [f"{layer.name}: {note}" for note in layer.notes]
    return notes


def _check(
    written: Written,
    suffix: str,
    wanted: str,
    layers: Sequence[Layer],
    linears: Sequence[Linear],
    embeddings: Sequence[Embedding],
) -> tuple[float, bool]:
    """Read what was written, and compare the states of both for random input, and the numbers of the other layers.
    Returns the largest difference of states, and whether every number is the same."""
    random, largest, is_exact = np.random.default_rng(0), 0.0, True
    with tempfile.TemporaryDirectory(prefix="rnnviz-") as folder:
        path = Path(folder) / f"new{suffix}"
        path.write_bytes(written.content)
        for layer, levels, activation in _layers_again(path, written, suffix, layers):
            x = random.standard_normal((_STEPS, _BATCH, layer.input_size))
            y, again = states(layer, x), x
            for level in levels:
                again = states(replace(level, activation=activation), again)
            with np.errstate(invalid="ignore"):
                difference = float(np.nanmax(np.abs(y - again), initial=0.0))
                scale = max(1.0, float(np.nanmax(np.abs(y), initial=0.0)))
            if y.shape != again.shape or not np.allclose(y, again, rtol=0, atol=_TOLERANCE * scale, equal_nan=True):
                raise _lost(wanted, f"{layer.name} computes other states there, by up to {difference:.1e}")
            largest = max(largest, difference)
            is_exact = is_exact and _same(layer, levels)
        parts: list[Linear | Embedding] = [*linears, *embeddings]
        for part, other in zip(parts, _others_again(path, written, linears, embeddings), strict=True):
            same = np.array_equal(part.weight, other, equal_nan=True)
            if not same and not np.allclose(part.weight, other, rtol=1e-6, equal_nan=True):
                raise _lost(wanted, f"{part.name} has other numbers there")
            is_exact = is_exact and same
    return largest, is_exact


def _lost(wanted: str, what: str) -> InputError:
    return InputError(f"{wanted}: it was not written, since {what}; this is an error in rnnviz")


def _layers_again(
    path: Path, written: Written, suffix: str, layers: Sequence[Layer]
) -> Iterator[tuple[Layer, list[Layer], str]]:
    """(layer, the layers that are its levels in the new file, the activation). The activation is that of the layer
    itself where the file does not contain it."""
    new = read(path)
    left = list(new.layers)
    for n, layer in enumerate(layers):
        if written.names:
            found = [new.layer(written.names[n])]
        else:
            found = []
            while left and sum(one.levels for one in found) < layer.levels:
                found.append(left.pop(0))
        unknown = suffix not in (".keras", ".onnx")
        yield layer, found, layer.activation if unknown or not found else found[0].activation


def _others_again(
    path: Path, written: Written, linears: Sequence[Linear], embeddings: Sequence[Embedding]
) -> list[Array]:
    """The weights of the other layers in the new file. A table may be called either there."""
    new = read(path)
    if not written.names:
        return [one.weight for one in new.linears] + [one.weight for one in new.embeddings]
    by_name = {one.name: one.weight for one in new.linears} | {one.name: one.weight for one in new.embeddings}
    return [by_name[name] for name in written.names[len(written.names) - len(linears) - len(embeddings) :]]


def _same(layer: Layer, levels: Sequence[Layer]) -> bool:
    """Whether every number is the same; a second bias of zeros is as none."""
    new = [
        (one.weights, level, direction) for one in levels for level in range(one.levels) for direction in one.directions
    ]
    old = [(layer.weights, level, direction) for level in range(layer.levels) for direction in layer.directions]
    return all(
        np.array_equal(_array(*one, kind), _array(*other, kind), equal_nan=True)
        for one, other in zip(old, new, strict=True)
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )


def _array(weights: Mapping[str, Array], level: int, direction: str, kind: str) -> Array:
    suffix = f"_l{level}{SUFFIX[direction]}"
    found = weights.get(kind + suffix)
    return np.zeros(len(weights[f"weight_ih{suffix}"])) if found is None else found
