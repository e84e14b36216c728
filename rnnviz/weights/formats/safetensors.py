"""`.safetensors`, by PyTorch's names; and a sharded model: the index, `.safetensors.index.json`, beside its parts.

A file of Model.save, or of the app, has `rnnviz` in its header: the cell and the activation (weights/own.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from rnnviz import safetensors_header
from rnnviz.errors import InputError, short_repr
from rnnviz.safetensors_header import METADATA, WIDTHS, Entry
from rnnviz.weights import own
from rnnviz.weights.contents import Decisions, WeightFile
from rnnviz.weights.source import Source
from rnnviz.weights.stored import Stored
from rnnviz.weights.torch_names import from_names

INDEX = ".index.json"
_FORMAT = "safetensors"
_LONGEST_HEADER = 16 * 2**20  # of 100,000 arrays; what JSON makes of it takes twenty times as much
_MOST_PARTS = 1000
_DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}


def read(path: str, decisions: Decisions) -> WeightFile:
    """Raises InputError naming the file."""
    if path.lower().endswith(INDEX):
        return _sharded(path, decisions)
    arrays, metadata = _arrays(path)
    modules = own.modules(path, metadata.get(own.KEY))
    return from_names(path, _FORMAT, arrays, decisions, modules=modules)


def _arrays(path: str) -> tuple[dict[str, Stored], Mapping[str, Any]]:
    """The arrays of one file, not read, and the texts in its header."""
    source = Source(path)
    at = 0

    def next_bytes(length: int) -> bytes:
        nonlocal at
        at, start = at + length, at
        return source.read(start, min(length, source.size - start))

    try:
        head, start = safetensors_header.read_head(next_bytes, source.size, _LONGEST_HEADER)
        found = safetensors_header.entries(head, start, source.size, WIDTHS)
    except InputError as error:
        raise source.error(f"{error}; the file is broken") from None
    metadata = head.get(METADATA)
    arrays = {name: _stored(source, entry) for name, entry in found.items()}
    return arrays, metadata if isinstance(metadata, dict) else {}


def _stored(source: Source, entry: Entry) -> Stored:
    dtype = _DTYPES.get(entry.dtype)
    if dtype is None:  # refused where a layer needs it
        return Stored(entry.shape, entry.dtype, lambda: np.empty(0))
    width = WIDTHS[entry.dtype] * prod(entry.shape[1:])
    return Stored(
        entry.shape,
        dtype,
        lambda: source.array(entry.start, entry.shape, dtype),
        lambda row: source.array(entry.start + row * width, entry.shape[1:], dtype),
    )


def _sharded(path: str, decisions: Decisions) -> WeightFile:
    source = Source(path)
    if source.size > _LONGEST_HEADER:
        raise source.error(f"it has {source.size:,} bytes, more than the {_LONGEST_HEADER:,} of an index")
    try:
        index = safetensors_header.json_object(source.read(0, source.size), "the index")
    except InputError as error:
        raise source.error(str(error)) from None
    places = index.get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(part, str) for part in places.values()):
        raise source.error("it has no weight_map, so it is not the index of a sharded model")
    parts = list(dict.fromkeys(places.values()))
    if len(parts) > _MOST_PARTS:
        raise source.error(f"it names {len(parts):,} files, more than {_MOST_PARTS:,}")
    files: dict[str, dict[str, Stored]] = {}
    for part in parts:
        if part in (".", "..") or len(PurePosixPath(part).parts) != 1 or len(PureWindowsPath(part).parts) != 1:
            raise source.error(f"{short_repr(part)} is not the name of a file beside it")
        files[part] = _arrays(str(Path(path).parent / part))[0]
    arrays = {}
    for name, part in places.items():
        if name not in files[part]:
            raise source.error(f"{short_repr(name)} is not in {short_repr(part)}")
        arrays[name] = files[part][name]
    return from_names(path, _FORMAT, arrays, decisions)
