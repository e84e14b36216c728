"""Messages of ONNX as bytes, in Protocol Buffers: the counterpart of formats/onnx_wire.py and onnx_graph.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rnnviz.nn.types import Array

#: TensorProto.DataType and AttributeProto.AttributeType
FLOAT, INT64 = 1, 7
_KIND_INT, _KIND_FLOATS, _KIND_STRING, _KIND_INTS, _KIND_STRINGS = 2, 6, 3, 7, 8


def field(number: int, value: int | str | bytes) -> bytes:
    """A whole number, or anything with a length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def message(number: int, *parts: bytes) -> bytes:
    return field(number, b"".join(parts))


def tensor(number: int, name: str, array: Array) -> bytes:
    """float32, or whole numbers as int64."""
    kind, dtype = (FLOAT, "<f4") if array.dtype.kind == "f" else (INT64, "<i8")
    raw = np.ascontiguousarray(array, dtype).tobytes()
    return message(number, *(field(1, size) for size in array.shape), field(2, kind), field(8, name), field(9, raw))


def value_info(number: int, name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    """shape: a name for a size that may be any."""
    sizes = [message(1, field(2 if isinstance(size, str) else 1, size)) for size in shape]
    return message(number, field(1, name), message(2, message(1, field(1, kind), message(2, *sizes))))


def node(op: str, name: str, inputs: Iterable[str], outputs: Iterable[str], **attributes: Any) -> bytes:
    parts = [field(1, one) for one in inputs] + [field(2, one) for one in outputs]
    parts += [field(3, name), field(4, op)] + [_attribute(key, value) for key, value in attributes.items()]
    return message(1, *parts)


def _attribute(name: str, value: Any) -> bytes:
    """A whole number, a text, or a list of either."""
    if isinstance(value, int):
        return message(5, field(1, name), field(3, value), field(20, _KIND_INT))
    if isinstance(value, str):
        return message(5, field(1, name), field(4, value), field(20, _KIND_STRING))
    if isinstance(value[0], str):
        return message(5, field(1, name), *(field(9, one) for one in value), field(20, _KIND_STRINGS))
    return message(5, field(1, name), *(field(8, one) for one in value), field(20, _KIND_INTS))
