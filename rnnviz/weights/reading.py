"""Read a file of weights: its format is found by its first bytes, and by its name where these do not decide."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from rnnviz.errors import InputError
from rnnviz.nn.cell_table import CELLS
from rnnviz.weights.archive import Archive
from rnnviz.weights.contents import Decisions, WeightFile
from rnnviz.weights.source import Source

#: Suffix -> the module in weights/formats/ that reads it. rnnviz FILE opens a file with one of these.
SUFFIXES = {
    ".pt": "pytorch",
    ".pth": "pytorch",
    ".ckpt": "pytorch",
    ".bin": "pytorch",
    ".safetensors": "safetensors",
    ".npz": "npz",
    ".keras": "keras",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".onnx": "onnx",
}
_INDEX = ".safetensors.index.json"
_ZIP, _HDF5 = b"PK\3\4", b"\x89HDF\r\n\x1a\n"


def is_weight_file(name: str) -> bool:
    """Whether the name is one of a file of weights; the file need not exist."""
    return name.lower().endswith(_INDEX) or Path(name).suffix.lower() in SUFFIXES


def read(path: str | Path, activation: str | None = None) -> WeightFile:
    """What is in a file of weights, without its arrays, which are read when they are used. Nothing in it is run.

    activation  of simple RNNs, where the file does not contain it: "tanh", "relu", …

    Raises InputError naming the file if it cannot be read, if it is broken, or if nothing recurrent can be in it.
    """
    decisions = Decisions(activation)
    module = import_module(f"rnnviz.weights.formats.{_format_of(path)}")
    found: WeightFile = module.read(str(path), decisions)
    if activation is not None and not any(CELLS[layer.cell].activation is None for layer in found.layers):
        if found.refused:
            found.layer(found.refused[0].name)
        raise InputError(f"activation: {path} has no simple RNN, and other cells have no choice")
    return found


def _format_of(path: str | Path) -> str:
    source = Source(path)
    first = source.read(0, min(source.size, 16))
    name = str(path).lower()
    by_name = SUFFIXES.get(Path(name).suffix)
    if first.startswith(_ZIP):
        return _of_archive(Archive(source), by_name)
    if first.startswith(_HDF5):
        return "hdf5"
    if name.endswith(_INDEX):
        return "safetensors"
    if len(first) > 8 and first[8:9] == b"{" and by_name != "onnx":
        return "safetensors"
    if by_name is None:
        raise InputError(f"{path}: it is not a file of weights; rnnviz reads {', '.join(SUFFIXES)}")
    return by_name


def _of_archive(archive: Archive, by_name: str | None) -> str:
    names = archive.members
    if any(name == "data.pkl" or name.endswith("/data.pkl") for name in names):
        return "pytorch"
    if "config.json" in names and "metadata.json" in names:
        return "keras"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    if by_name is None:
        raise archive.source.error("it is a zip archive, but not one of weights")
    return by_name
