"""Tensors of an ONNX file: where their numbers are, checked to be as many as their shapes need, and read when used.

TensorProto and TensorProto.DataType: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.errors import short_repr
from rnnviz.nn.types import Array
from rnnviz.weights.formats.onnx_wire import LONGEST_LIST, Part, WireError, as_ints, as_part, as_whole
from rnnviz.weights.source import Source, from_bfloat16
from rnnviz.weights.stored import Stored

#: TensorProto.DataType -> name
_DTYPES = {1: "float32", 6: "int32", 7: "int64", 10: "float16", 11: "float64", 16: "bfloat16"}
#: The field that lists the numbers one by one, if they are not raw: float_data, double_data, int64_data, int32_data.
_LISTED = {"float32": 4, "float64": 10, "int64": 7, "int32": 5, "float16": 5, "bfloat16": 5}
_EXTERNAL = 1
_MOST_AXES, _LONGEST_AXIS = 8, 1 << 40


@dataclass
class _Proto:
    """The fields of a TensorProto that matter here."""

    shape: list[int] = field(default_factory=list)
    kind: int = 0
    name: str = ""
    raw: Part | None = None
    listed: list[tuple[int, Any]] = field(default_factory=list)
    external: dict[str, str] = field(default_factory=dict)
    is_external: bool = False


def read_tensor(part: Part) -> tuple[str, Stored]:
    """The tensor's name, and the tensor. Of a kind that weights do not have (text, int8 …): dtype "other"."""
    proto = _proto(part)
    shape, what = tuple(proto.shape), f"tensor {short_repr(proto.name)} of shape {tuple(proto.shape)}"
    if len(shape) > _MOST_AXES or any(not 0 <= size <= _LONGEST_AXIS for size in shape):
        raise WireError(f"{what}: there is no such shape")
    if proto.kind not in _DTYPES:
        return proto.name, Stored(shape, "other", lambda: np.empty(0))
    dtype = _DTYPES[proto.kind]
    needed = math.prod(shape) * np.dtype("u2" if dtype == "bfloat16" else dtype).itemsize
    if proto.is_external or proto.external:
        load = _elsewhere(part, proto, what, dtype, needed)
    elif proto.raw is not None:
        load = _placed(part.message.source, proto.raw.start, len(proto.raw), what, shape, dtype, needed)
    else:
        load = _listed(part, proto.listed, what, shape, dtype, needed)
    return proto.name, Stored(shape, dtype, load)


def _proto(part: Part) -> _Proto:
    proto = _Proto()
    for number, value in part.fields():
        if number == 1:
            proto.shape += as_ints(value)
        elif number == 2:
            proto.kind = as_whole(value)
        elif number in _LISTED.values():
            proto.listed.append((number, value))
        elif number == 8:
            proto.name = as_part(value).text()
        elif number == 9:
            proto.raw = as_part(value)
        elif number == 13:
            entry = dict(as_part(value).fields())
            if entry.keys() >= {1, 2}:
                proto.external[as_part(entry[1]).text()] = as_part(entry[2]).text()
        elif number == 14:
            proto.is_external = as_whole(value) == _EXTERNAL
        if len(proto.shape) > LONGEST_LIST or len(proto.listed) > LONGEST_LIST or len(proto.external) > LONGEST_LIST:
            raise WireError(f"a tensor with more than {LONGEST_LIST:,} parts")
    return proto


def _placed(
    source: Source, start: int, length: int, what: str, shape: tuple[int, ...], dtype: str, needed: int
) -> Callable[[], Array]:
    if length != needed:
        raise WireError(f"{what} needs {needed:,} bytes, but {length:,} are stored")
    return lambda: source.array(start, shape, dtype)


def _elsewhere(part: Part, proto: _Proto, what: str, dtype: str, needed: int) -> Callable[[], Array]:
    """In another file of the same folder, as ONNX puts the numbers of large models."""
    location, here = proto.external.get("location", ""), part.message.source
    plain = location.removeprefix("./")
    if plain in ("", ".", "..") or any(sign in plain for sign in "/\\:\0"):
        raise here.error(f"{what} is in {short_repr(location)}; only a file in the same folder is read")
    path = Path(here.path).parent / plain
    if os.path.islink(path):
        raise here.error(f"{what} is in {short_repr(location)}, which is a link; a file is needed")
    others = part.message.others
    source = others[plain] = others.get(plain) or Source(path)
    start, length = _whole(proto.external.get("offset", "0")), _whole(proto.external.get("length", str(needed)))
    if start + length > source.size:
        raise source.error(f"{what} ends beyond the file's {source.size:,} bytes")
    return _placed(source, start, length, what, tuple(proto.shape), dtype, needed)


def _listed(
    part: Part, listed: list[tuple[int, Any]], what: str, shape: tuple[int, ...], dtype: str, needed: int
) -> Callable[[], Array]:
    if any(number != _LISTED[dtype] for number, _ in listed):
        raise WireError(f"{what} has numbers of another kind")
    if dtype in ("float32", "float64"):
        if len(listed) == 1 and isinstance(listed[0][1], Part):
            packed = listed[0][1]
            return _placed(part.message.source, packed.start, len(packed), what, shape, dtype, needed)
        content = b"".join(value.content() if isinstance(value, Part) else _raw(value) for _, value in listed)
        if len(content) != needed:
            raise WireError(f"{what} needs {needed:,} bytes, but {len(content):,} are stored")
        return lambda: np.frombuffer(content, np.dtype(dtype).newbyteorder("<")).reshape(shape)
    numbers = np.array([number for _, value in listed for number in as_ints(value)], np.int64)
    if len(numbers) != math.prod(shape):
        raise WireError(f"{what}: {len(numbers):,} numbers are stored")
    if dtype in ("int32", "int64"):
        return lambda: numbers.astype(dtype).reshape(shape)
    bits = numbers.astype(np.uint16)
    return lambda: (from_bfloat16(bits) if dtype == "bfloat16" else bits.view(np.float16)).reshape(shape)


def _raw(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise WireError("a number of another kind")
    return value


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise WireError(f"{short_repr(text)} is not a place in a file")
    return int(text)
