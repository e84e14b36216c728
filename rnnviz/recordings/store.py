"""One record as one file: a safetensors file with the arrays, and everything else as JSON in its header.

    000000001200-3fa9c1.safetensors        the record of step 1200
        __metadata__: {"rnnviz": '{"version": 1, "step": 1200, "loss": 0.25, "layers": [{"name": "lstm", …}]}'}
        0.x, 0.direct, 0.weights.weight_ih_l0, 0.grads.weight_ih_l0, …

docs/recordings.md has the whole schema. Files come from outside: each length is checked against the file's own size
before memory is taken (safetensors_header.py), and nothing in a file is run.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rnnviz import files, safetensors_header
from rnnviz.errors import InputError, short_repr
from rnnviz.nn import checks
from rnnviz.nn.spec import whole_number
from rnnviz.nn.types import Array
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.recordings.marker import NewerError, check_version
from rnnviz.safetensors_header import METADATA, Entry, json_object

#: Of the files' schema. A file with a larger one is refused.
VERSION = 1
SUFFIX = ".safetensors"
#: A step number of this many digits at most, so that names sort as the steps do.
DIGITS = 12
KEY = "rnnviz"
_NAME = re.compile(rf"(\d{{1,{DIGITS}}})(-[A-Za-z0-9_.-]*)?{re.escape(SUFFIX)}\Z", re.ASCII)
_LONGEST_HEADER = 8 * 2**20
_LONGEST_TEXT = 2**20
_MOST_LAYERS = 10_000
_MOST_AXES = 3
_DTYPES: Mapping[str, np.dtype[Any]] = {
    name: np.dtype(code)
    for name, code in (("F16", "<f2"), ("F32", "<f4"), ("F64", "<f8"), ("I32", "<i4"), ("I64", "<i8"))
}
_CODES = {dtype.newbyteorder("="): name for name, dtype in _DTYPES.items()}
_ARRAYS = ("x", "direct", "direct_h", "direct_c", "h0", "c0", "lengths")
_NONFINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_FIX = "delete it, or record again"


def file_name(step: int, unique: str) -> str:
    """The name of a record's file: names sort as steps do."""
    return f"{step:0{DIGITS}d}-{unique}{SUFFIX}"


def step_of(name: str) -> int | None:
    """The step in the name of a record's file; None for another file."""
    match = _NAME.match(name)
    return int(match[1]) if match else None


# -- writing -------------------------------------------------------------------------------------------


def encode(
    step: int, loss: float | None, layers: Mapping[str, LayerRecord], extra: Mapping[str, Any]
) -> list[memoryview]:
    """The content of a record's file, in parts that follow each other: the arrays are not copied.

    Raises InputError for a value that JSON cannot hold.
    """
    arrays: dict[str, Array] = {}
    about = []
    for number, (name, layer) in enumerate(layers.items()):
        about.append(
            {
                "name": name,
                "cell": layer.cell,
                "activation": layer.activation,
                "total": layer.total,
                "agreement": _plain_number("agreement", layer.agreement),
                "notes": layer.notes,
                "names": layer.names,
            }
        )
        for field in _ARRAYS:
            if (array := getattr(layer, field)) is not None:
                arrays[f"{number}.{field}"] = array
        for group in ("weights", "grads"):
            for key, array in getattr(layer, group).items():
                arrays[f"{number}.{group}.{key}"] = array
    metadata = {
        "version": VERSION,
        "step": step,
        "loss": _plain_number("loss", loss),
        "extra": {str(key): _plain(f"extra: {key}", value) for key, value in extra.items()},
        "layers": about,
    }
    text = json.dumps(metadata, allow_nan=False, ensure_ascii=False)
    if len(text) > _LONGEST_TEXT:
        raise InputError(f"record: names, notes and extra take {len(text):,} letters, more than {_LONGEST_TEXT:,}")
    return _safetensors(arrays, text.encode("utf-8", "replace").decode())


def _safetensors(arrays: Mapping[str, Array], text: str) -> list[memoryview]:
    """A file with these arrays, the widest numbers first, so that each array begins at a multiple of its numbers'."""
    ordered = sorted(arrays.items(), key=lambda item: -item[1].itemsize)
    head: dict[str, Any] = {"__metadata__": {KEY: text}}
    end = 0
    for name, array in ordered:
        start, end = end, end + array.nbytes
        head[name] = {"dtype": _CODES[array.dtype], "shape": array.shape, "data_offsets": (start, end)}
    header = json.dumps(head, ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    numbers: Iterable[Any] = (
        np.ascontiguousarray(array, _DTYPES[_CODES[array.dtype]]) for _, array in ordered if array.size
    )
    return [memoryview(struct.pack("<Q", len(header)) + header), *(memoryview(a).cast("B") for a in numbers)]


def _plain(what: str, value: Any) -> Any:
    """A value as JSON has it; inf and nan as strings, which JSON does not have as numbers."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(what, entry) for entry in value]
    return _plain_number(what, value, "a number, a text, a truth value, or a list of these")


def _plain_number(what: str, value: Any, wanted: str = "a number") -> int | float | str | None:
    """A number, or an array or tensor of one."""
    if value is None:
        return None
    try:
        array = checks.as_array(what, value, "numbers", kinds="fiub")
    except InputError:
        array = np.empty(0)
    if array.size != 1:
        raise InputError(f"{what}: {short_repr(value)} is not {wanted}")
    number: int | float = array.reshape(-1)[0].item()
    return number if math.isfinite(number) else str(number)


# -- reading -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Header:
    """What a file says of itself: everything but the arrays."""

    step: int
    loss: float | None
    extra: Mapping[str, Any]
    layers: tuple[Mapping[str, Any], ...]
    entries: Mapping[str, Entry]


def read_header(path: Path) -> Header:
    """Raises InputError naming the file if it is not one of a record, and OSError if it cannot be read."""
    with _opened(path) as file:
        return _header(path, file)


def read_layer(path: Path, number: int) -> LayerRecord:
    """One layer of a record. Raises as read_header does, and if the record would take too much memory."""
    with _opened(path) as file:
        header = _header(path, file)
        if number >= len(header.layers):
            raise _broken(path, f"it has no layer {number}")
        about = header.layers[number]
        fields: dict[str, Any] = {}
        groups: dict[str, dict[str, Array]] = {"weights": {}, "grads": {}}
        wanted = {name: entry for name, entry in header.entries.items() if name.startswith(f"{number}.")}
        checks.memory("record", 2 * sum(entry.stop - entry.start for entry in wanted.values()), "its arrays")
        for name, entry in wanted.items():
            kind, _, key = name.partition(".")[2].partition(".")
            if kind in groups:
                groups[kind][key] = _array(path, file, entry)
            elif kind in _ARRAYS:
                fields[kind] = _array(path, file, entry)
    for field in ("x", "direct"):
        if field not in fields:
            raise _broken(path, f"{number}.{field} is missing")
    try:
        return LayerRecord(
            cell=about["cell"],
            activation=about["activation"],
            total=about["total"],
            agreement=about["agreement"],
            notes=about["notes"],
            names=about["names"],
            **groups,
            **fields,
        )
    except InputError as error:
        raise _broken(path, str(error)) from None


def _opened(path: Path) -> BinaryIO:
    try:
        return files.open_regular(path, follow=False)
    except files.OddFileError as error:
        raise InputError(f"{path}: {error.strerror}; a record is a file") from None


def _header(path: Path, file: BinaryIO) -> Header:
    size = os.fstat(file.fileno()).st_size
    try:
        head, start = safetensors_header.read_head(file.read, size, _LONGEST_HEADER)
        metadata = head.get(METADATA, {})
        text = metadata.get(KEY) if isinstance(metadata, dict) else None
        if not isinstance(text, str):
            raise InputError(f"it is no record: its header lacks {KEY!r}")
        about = json_object(text, f"{KEY!r} in its header")
        check_version(path, about.get("version"), VERSION)
        step = _field(about, "step", int)
        if step != step_of(path.name):
            raise InputError(f"the step in its header is {short_repr(step)}, not that of its name")
        return Header(
            step=step,
            loss=_number(about.get("loss"), "loss"),
            extra={str(key): _value(value) for key, value in _field(about, "extra", dict, {}).items()},
            layers=_layers(about),
            entries=safetensors_header.entries(head, start, size, _DTYPES, _MOST_AXES),
        )
    except NewerError:
        raise
    except InputError as error:
        raise _broken(path, str(error)) from None


def _field(about: Mapping[str, Any], name: str, kind: type, default: Any = None) -> Any:
    value = about.get(name, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(
            f"{name}: {short_repr(value)} is not {'a whole number' if kind is int else f'a {kind.__name__}'}"
        )
    return value


def _number(value: Any, name: str) -> float | None:
    found = _value(value)
    if found is None or (isinstance(found, int | float) and not isinstance(found, bool)):
        try:
            return None if found is None else float(found)
        except OverflowError:
            pass
    raise InputError(f"{name}: {short_repr(value)} is not a number")


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_value(entry) for entry in value)
    return _NONFINITE.get(value, value) if isinstance(value, str) else value


def _layers(about: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    found = []
    for number, layer in enumerate(_field(about, "layers", list, [])):
        if not isinstance(layer, dict) or number >= _MOST_LAYERS:
            raise InputError(f"layers: {short_repr(layer)} is not a layer")
        total = layer.get("total")
        found.append(
            {
                "name": _field(layer, "name", str),
                "cell": _field(layer, "cell", str),
                "activation": _field(layer, "activation", str, "tanh"),
                "total": None if total is None else whole_number("total", total, low=1),
                "agreement": _number(layer.get("agreement"), "agreement"),
                "notes": _texts(layer, "notes"),
                "names": _texts(layer, "names"),
            }
        )
    names = [layer["name"] for layer in found]
    if len(set(names)) != len(names):
        raise InputError("layers: two have the same name")
    return tuple(found)


def _texts(layer: Mapping[str, Any], name: str) -> tuple[str, ...]:
    texts = _field(layer, name, list, [])
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"{name}: not all are texts")
    return tuple(texts)


def dtype_of(entry: Entry) -> np.dtype[Any]:
    return _DTYPES[entry.dtype]


def _array(path: Path, file: BinaryIO, entry: Entry) -> Array:
    file.seek(entry.start)
    content = file.read(entry.stop - entry.start)
    if len(content) < entry.stop - entry.start:
        raise _broken(path, "it became shorter while it was read")
    return np.frombuffer(content, dtype_of(entry)).reshape(entry.shape)


def _broken(path: Path, reason: str) -> InputError:
    return InputError(f"{path}: {reason}; the file is broken: {_FIX}")
