"""The groups and arrays of an HDF5 file: nothing leads out of the file, and no array is larger than what is stored.

    >>> tree = read_tree(Source("model.weights.h5"))
    >>> tree.at("layers", "lstm", "cell", "vars").arrays["0"].shape
    (3, 16)

Refused: soft and external links, arrays that are stored in other files, and virtual arrays, all of which make a reader
open files that the person did not name; arrays that are larger than what is stored for them; groups that contain
themselves. Arrays in chunks, which may be compressed, are not read: Keras writes none.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.types import Array
from rnnviz.weights.formats import hdf5_blocks as blocks
from rnnviz.weights.formats.hdf5_blocks import Blocks, Hdf5Error, Message
from rnnviz.weights.source import Source, from_bfloat16
from rnnviz.weights.stored import DTYPES, Stored

_DEEPEST, _MOST_MEMBERS, _MOST_TEXTS = 40, 50_000, 100_000
_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = 0, 1, 2, 3
#: Bytes, bits of the exponent, bits of the mantissa -> dtype
_FLOATS = {(2, 5, 10): "float16", (4, 8, 23): "float32", (8, 11, 52): "float64", (2, 8, 7): "bfloat16"}
#: Classes of a datatype.
_FLOAT, _STRING, _OPAQUE, _VARIABLE = 1, 3, 5, 9
#: The attribute of an opaque array of two bytes with which Keras marks it.
_BFLOAT16 = "bfloat16"


@dataclass(frozen=True)
class Group:
    """groups, arrays: by name, in the file's order. attributes: texts and lists of texts by name."""

    groups: dict[str, Group] = field(default_factory=dict)
    arrays: dict[str, Stored] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def at(self, *names: str) -> Group:
        """The group inside of groups; an empty one if there is none."""
        found = self
        for name in names:
            found = found.groups.get(name, _EMPTY)
        return found


_EMPTY = Group()


def read_tree(source: Source, start: int = 0, length: int | None = None) -> Group:
    """All groups of a file, or of the part of a file that is one. Raises InputError naming the file for anything that
    is refused."""
    file = Blocks(source, start, source.size - start if length is None else length)
    try:
        return _Reader(file).group(file.root(), "", ())
    except (Hdf5Error, struct.error) as error:
        raise source.error(f"it is damaged, or not an HDF5 file: {error}") from None
    except InputError as error:
        text = str(error)
        raise (error if text.startswith(source.path) else source.error(text)) from None


@dataclass(frozen=True)
class _Type:
    """size: bytes of an element. dtype: "" for what is not a floating-point number."""

    kind: int
    size: int
    dtype: str = ""
    is_big: bool = False
    is_text: bool = False


class _Reader:
    def __init__(self, file: Blocks) -> None:
        self.file, self.members, self.texts = file, 0, 0

    def group(self, address: int, path: str, above: tuple[int, ...], messages: list[Message] | None = None) -> Group:
        if address in above or len(above) > _DEEPEST:
            raise Hdf5Error(f"{short_repr(path)} contains itself, or is too deep")
        messages = self.file.messages(address) if messages is None else messages
        found = Group(attributes=self.attributes(messages))
        for name, member in self.file.members(messages):
            self.members += 1
            if self.members > _MOST_MEMBERS:
                raise Hdf5Error(f"it has more than {_MOST_MEMBERS:,} groups and arrays")
            inner, inside = self.file.messages(member), f"{path}/{name}"
            if any(message.kind == blocks.LAYOUT for message in inner):
                found.arrays[name] = self.array(inner, inside)
            else:
                found.groups[name] = self.group(member, inside, (*above, address), inner)
        return found

    def array(self, messages: list[Message], path: str) -> Stored:
        if any(message.kind == blocks.EXTERNAL for message in messages):
            raise InputError(f"{short_repr(path)} in it is stored in another file")
        by_kind = {message.kind: message for message in messages}
        if blocks.TYPE not in by_kind or blocks.SPACE not in by_kind or by_kind[blocks.TYPE].is_shared:
            return Stored((), "other", lambda: np.empty(0))
        shape, kind, layout = (
            _shape(by_kind[blocks.SPACE].data),
            _type(by_kind[blocks.TYPE].data),
            by_kind[blocks.LAYOUT].data,
        )
        marked = kind.kind == _OPAQUE and kind.size == 2 and self.attributes(messages).get("dtype") == _BFLOAT16
        dtype = _BFLOAT16 if marked else kind.dtype
        version, place = (layout[0], layout[1]) if len(layout) >= 2 else (0, -1)
        if version == 4 and place == _VIRTUAL:
            raise InputError(f"{short_repr(path)} in it is a virtual array, which reads from other files")
        if dtype not in DTYPES or shape is None:
            return Stored(shape or (), "other", lambda: np.empty(0))
        if version not in (3, 4) or place not in (_COMPACT, _CONTIGUOUS):
            what = "is stored in chunks, perhaps compressed" if place == _CHUNKED else "is stored in an old form"
            raise InputError(f"{short_repr(path)} in it {what}; load the model in Keras and save it again")
        needed = math.prod(shape) * kind.size
        if place == _COMPACT:
            (stored,) = struct.unpack_from("<H", layout, 2)
            content, start = layout[4 : 4 + stored], 0
            stored = len(content)
        else:
            start, stored = struct.unpack_from("<QQ", layout, 2)
            content = b""
            stored = 0 if start == blocks.UNDEFINED else min(stored, max(0, self.file.length - start))
        if stored < needed:
            raise InputError(f"{short_repr(path)} in it should have {needed:,} bytes, but {stored:,} are stored")
        if place == _COMPACT:
            of_bits = np.dtype("u2" if dtype == _BFLOAT16 else dtype).newbyteorder(">" if kind.is_big else "<")
            array = np.frombuffer(content[:needed], of_bits).reshape(shape)
            return Stored(shape, dtype, partial(_plain, array, dtype))
        at = self.file.start + start
        return Stored(shape, dtype, partial(self.file.source.array, at, shape, dtype, kind.is_big))

    def attributes(self, messages: list[Message]) -> dict[str, Any]:
        """Those that are text, or a list of texts."""
        found = {}
        for message in messages:
            if message.kind == blocks.ATTRIBUTE and not message.is_shared:
                name, value = self.attribute(message.data)
                if value is not None:
                    found[name] = value
        return found

    def attribute(self, data: bytes) -> tuple[str, Any]:
        version, flags, of_name, of_type, of_space = struct.unpack_from("<BBHHH", data)
        if version not in (1, 2, 3) or (version > 1 and flags & 3):
            return "", None
        at = 9 if version == 3 else 8
        pad = 8 if version == 1 else 1
        parts = []
        for size in (of_name, of_type, of_space):
            parts.append(data[at : at + size])
            at += -(-size // pad) * pad
        name, kind, shape = parts[0].split(b"\0")[0].decode("utf-8", "replace"), _type(parts[1]), _shape(parts[2])
        if shape is None or not kind.is_text:
            return name, None
        count, values = math.prod(shape), data[at:]
        self.texts += count
        if self.texts > _MOST_TEXTS or count * kind.size > len(values):
            raise Hdf5Error(f"attribute {short_repr(name)} has more texts than are stored")
        texts = [self.text(values[n * kind.size : (n + 1) * kind.size], kind) for n in range(count)]
        return name, texts if shape else texts[0]

    def text(self, element: bytes, kind: _Type) -> str:
        if kind.kind == _VARIABLE:
            length, address, index = struct.unpack("<IQI", element)
            element = self.file.heap_object(address, index)[:length] if length else b""
        return element.rstrip(b"\0").decode("utf-8", "replace")


def _plain(array: Array, dtype: str) -> Array:
    return from_bfloat16(array) if dtype == _BFLOAT16 else array


def _shape(data: bytes) -> tuple[int, ...] | None:
    """Of a dataspace; None for one without numbers."""
    version, rank, _ = struct.unpack_from("<BBB", data)
    if version not in (1, 2) or rank > 8 or (version == 2 and data[3:4] == b"\2"):
        return None
    at = 8 if version == 1 else 4
    return struct.unpack_from(f"<{rank}Q", data, at)


def _type(data: bytes) -> _Type:
    first, bits, size = struct.unpack_from("<BB2xI", data)
    kind = first & 15
    if kind == _FLOAT:
        _, _, _, exponent, _, mantissa = struct.unpack_from("<HHBBBB", data, 8)
        return _Type(kind, size, _FLOATS.get((size, exponent, mantissa), ""), bool(bits & 1))
    is_text = kind == _STRING or (kind == _VARIABLE and bits & 15 == 1 and size == 16)
    return _Type(kind, size, is_text=is_text)
