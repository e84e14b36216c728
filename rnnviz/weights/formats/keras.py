"""Keras' files (.keras): an archive of config.json and model.weights.h5. The config is read as data; no class, function
or lambda in it is looked up, and no model is built.
"""

from __future__ import annotations

from rnnviz.weights.archive import Archive
from rnnviz.weights.contents import Decisions, WeightFile
from rnnviz.weights.formats.hdf5 import without_config
from rnnviz.weights.formats.hdf5_tree import read_tree
from rnnviz.weights.formats.keras_config import entries, parsed
from rnnviz.weights.formats.keras_layers import weight_file
from rnnviz.weights.formats.keras_store import NewStore
from rnnviz.weights.source import Source

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_LARGEST_CONFIG = 64 * 2**20


def read(path: str, decisions: Decisions) -> WeightFile:
    """Raises InputError if the file is damaged."""
    source = Source(path)
    archive = Archive(source)
    layers = entries(parsed(source, archive.read(_CONFIG, _LARGEST_CONFIG)))
    if _WEIGHTS not in archive.members:
        raise source.error(f"{_WEIGHTS} is missing in it; was it saved without its weights?")
    tree = read_tree(source, *archive.place(_WEIGHTS))
    if not layers:
        return without_config(path, "Keras", tree, decisions)
    return weight_file(path, "Keras", layers, NewStore(tree), decisions)
