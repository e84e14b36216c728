"""Protocol Buffers, in which ONNX files are stored: fields read in place, each inside the part that holds it.

    >>> numbers = [number for number, value in Message(Source("model.onnx")).whole.fields()]

The format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rnnviz.weights.source import Source

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_PARTS = 500_000  # a graph of 10,000 operations has a third of that
LONGEST_TEXT = 4_096
LONGEST_LIST = 10_000  # numbers that stand outside of a tensor


class WireError(ValueError):
    """What does not fit in a file. The caller names the file."""


class Message:
    """A file, how many parts of it may still be read, and other files that it names, by their names."""

    def __init__(self, source: Source) -> None:
        self.source, self.left = source, _MOST_PARTS
        self.others: dict[str, Source] = {}

    @property
    def whole(self) -> Part:
        return Part(self, 0, self.source.size)


@dataclass(frozen=True)
class Part:
    """The bytes from start to end of a file: a message, a text or numbers."""

    message: Message
    start: int
    end: int
    held: bytes | None = None  # its bytes, if they are read already

    def __len__(self) -> int:
        return self.end - self.start

    def content(self, most: int = LONGEST_TEXT) -> bytes:
        if len(self) > most:
            raise WireError(f"a text of {len(self):,} bytes, longer than {most:,}")
        return self.message.source.read(self.start, len(self)) if self.held is None else self.held

    def text(self) -> str:
        return self.content().decode("utf-8", "replace")

    def fields(self) -> Iterator[tuple[int, Any]]:
        """(field number, value), in the order of the file: an int, a Part for bytes, a fixed number as 4 or 8 bytes."""
        message, at = self.message, self.start
        held, base = self.held or b"", at
        while at < self.end:
            message.left -= 1
            if message.left < 0:
                raise WireError(f"it has more than {_MOST_PARTS:,} parts")
            if at + 20 > base + len(held) < self.end:
                base, held = at, message.source.read(at, min(1 << 12, self.end - at))
            key, at = self._varint(held, at, base)
            number, wire = key >> 3, key & 7
            value: Any
            if wire == _VARINT:
                value, at = self._varint(held, at, base)
            elif wire == _BYTES:
                length, at = self._varint(held, at, base)
                if length > self.end - at:
                    raise WireError(f"a part claims {length:,} bytes, but {self.end - at:,} follow")
                inside = at + length <= base + len(held)
                part = held[at - base : at - base + length] if inside else None
                value, at = Part(message, at, at + length, part), at + length
            elif wire in (_FIXED32, _FIXED64):
                width = 4 if wire == _FIXED32 else 8
                if width > self.end - at:
                    raise WireError("it ends in the middle of a number")
                value, at = message.source.read(at, width), at + width
            else:
                raise WireError(f"a part of the unknown kind {wire}")
            if not number:
                raise WireError("a part without a number")
            yield number, value

    def _varint(self, held: bytes, at: int, base: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            if at >= self.end or at - base >= len(held) or shift > 63:
                raise WireError("it ends in the middle of a number" if shift <= 63 else "a number too long")
            byte = held[at - base]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & (1 << 64) - 1, at
            shift += 7

    def whole_numbers(self) -> list[int]:
        """Numbers packed side by side, as signed 64-bit numbers."""
        if len(self) > 10 * LONGEST_LIST:
            raise WireError(f"a list of {len(self):,} bytes")
        found, at, held = [], self.start, self.content(10 * LONGEST_LIST)
        while at < self.end:
            value, at = self._varint(held, at, self.start)
            found.append(signed(value))
        return found


def signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def as_ints(value: Any) -> list[int]:
    """A repeated field of whole numbers, packed or not."""
    return value.whole_numbers() if isinstance(value, Part) else [signed(as_whole(value))]


def as_whole(value: Any) -> int:
    if not isinstance(value, int):
        raise WireError("a part is of another kind than its number says")
    return value


def as_part(value: Any) -> Part:
    if not isinstance(value, Part):
        raise WireError("a part is of another kind than its number says")
    return value


def as_floats(value: Any) -> list[float]:
    content = value.content(4 * LONGEST_LIST) if isinstance(value, Part) else value
    if not isinstance(content, bytes) or len(content) % 4 or not content:
        raise WireError("a list of numbers ends in the middle of one")
    return [number for (number,) in struct.iter_unpack("<f", content)]
