"""Blocks of an HDF5 file: its superblock, object headers with their messages, and the tables of names of groups.

Read by ourselves, not by the HDF5 library: damaged files keep that library busy without end, or end the program. Every
block must lie in the file, and each is visited once.
https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from rnnviz.errors import InputError
from rnnviz.weights.source import Source

SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: Types of messages in an object header.
SPACE, LINK_INFO, TYPE, LINK, EXTERNAL, LAYOUT, ATTRIBUTE, CONTINUATION, SYMBOLS = 1, 2, 3, 6, 7, 8, 12, 16, 17
UNDEFINED = (1 << 64) - 1
_HARD, _SOFT_ENTRY = 0, 2
_MOST_BLOCKS = 200_000
_LONGEST_BLOCK = 64 * 2**20


class Hdf5Error(ValueError):
    """What is wrong in a file. The caller names the file."""


@dataclass(frozen=True)
class Message:
    kind: int
    data: bytes
    is_shared: bool = False


class Blocks:
    """A file, or the part of one that begins at `start`. Addresses count from there."""

    def __init__(self, source: Source, start: int, length: int) -> None:
        self.source, self.start, self.length = source, start, length
        self.left = _MOST_BLOCKS
        self._heaps: dict[int, dict[int, bytes]] = {}

    def read(self, address: int, length: int) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise Hdf5Error(f"it has more than {_MOST_BLOCKS:,} blocks")
        if address + length > self.length or length > _LONGEST_BLOCK:
            raise Hdf5Error(f"{length:,} bytes at {address:,} do not lie in it")
        return self.source.read(self.start + address, length)

    def marked(self, address: int, length: int, signature: bytes) -> bytes:
        """A block that begins with a signature, without it."""
        content = self.read(address, length)
        if content[: len(signature)] != signature:
            raise Hdf5Error(f"no {signature.decode()} is at {address:,}")
        return content[len(signature) :]

    def root(self) -> int:
        """The address of the root group's header."""
        first = self.read(0, min(96, self.length))
        version = first[8] if first[:8] == SIGNATURE and len(first) >= 48 else None
        if version in (0, 1):
            sizes, at = first[13:15], 24 if version == 0 else 28
            base, root = struct.unpack_from("<Q", first, at)[0], struct.unpack_from("<Q", first, at + 40)[0]
        elif version in (2, 3):
            sizes, base, root = first[9:11], *struct.unpack_from("<Q16xQ", first, 12)
        else:
            raise Hdf5Error("its beginning is not that of an HDF5 file")
        if sizes != b"\x08\x08" or base:
            raise Hdf5Error("its addresses are not those that Keras writes")
        return int(root)

    # -- object headers -----------------------------------------------------------------------------------------------

    def messages(self, address: int) -> list[Message]:
        """All messages of an object header."""
        first = self.read(address, min(16, self.length - address) if address < self.length else 16)
        if first[:4] == b"OHDR":
            return self._new_header(address)
        if first[0] != 1 or len(first) < 16:
            raise Hdf5Error(f"no object header is at {address:,}")
        (size,) = struct.unpack_from("<I", first, 8)
        found: list[Message] = []
        blocks, seen = [(address + 16, size)], {address + 16}
        while blocks:
            for message in self._old_messages(self.read(*blocks.pop())):
                if message.kind == CONTINUATION:
                    self._continue(message, blocks, seen)
                found.append(message)
        return found

    @staticmethod
    def _old_messages(block: bytes) -> Iterator[Message]:
        at = 0
        while at + 8 <= len(block):
            kind, size, flags = struct.unpack_from("<HHB", block, at)
            data = block[at + 8 : at + 8 + size]
            if len(data) < size:
                raise Hdf5Error("a message is longer than its header")
            yield Message(kind, data, bool(flags & 2))
            at += 8 + size

    def _new_header(self, address: int) -> list[Message]:
        version, flags = self.read(address + 4, 2)
        if version != 2:
            raise Hdf5Error(f"an object header of the unknown version {version}")
        at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(self.read(at, width), "little")
        found: list[Message] = []
        blocks, seen = [(at + width, size)], {at + width}
        while blocks:
            start, length = blocks.pop()
            for message in self._new_messages(self.read(start, length), bool(flags & 4)):
                if message.kind == CONTINUATION:
                    inner: list[tuple[int, int]] = []
                    self._continue(message, inner, seen)
                    for begin, size in inner:
                        self.marked(begin, 4, b"OCHK")
                        blocks.append((begin + 4, max(0, size - 8)))
                found.append(message)
        return found

    @staticmethod
    def _new_messages(block: bytes, has_order: bool) -> Iterator[Message]:
        at, head = 0, 6 if has_order else 4
        while at + head <= len(block):
            kind, size, flags = struct.unpack_from("<BHB", block, at)
            data = block[at + head : at + head + size]
            if len(data) < size:
                raise Hdf5Error("a message is longer than its header")
            yield Message(kind, data, bool(flags & 2))
            at += head + size

    @staticmethod
    def _continue(message: Message, blocks: list[tuple[int, int]], seen: set[int]) -> None:
        begin, size = _unpacked("<QQ", message.data)
        if begin in seen:
            raise Hdf5Error("an object header continues in itself")
        seen.add(begin)
        blocks.append((begin, size))

    # -- groups -------------------------------------------------------------------------------------------------------

    def members(self, messages: list[Message]) -> Iterator[tuple[str, int]]:
        """(name, address of its header) of each member of a group. Raises InputError for a link."""
        for message in messages:
            if message.kind == SYMBOLS:
                tree, heap = _unpacked("<QQ", message.data)
                head = self.marked(heap, 32, b"HEAP")
                size, place = _unpacked("<Q8xQ", head[4:])
                yield from self._symbols(tree, self.read(place, size), set())
            elif message.kind == LINK:
                yield self._link(message.data)
            elif message.kind == LINK_INFO and message.data[1:2]:
                at = 2 + (8 if message.data[1] & 1 else 0)
                if _unpacked("<Q", message.data[at:])[0] != UNDEFINED:
                    raise Hdf5Error("a group lists its members in a form that Keras does not write")

    def _symbols(self, address: int, names: bytes, seen: set[int]) -> Iterator[tuple[str, int]]:
        waiting = [address]
        while waiting:
            address = waiting.pop()
            if address in seen:
                raise Hdf5Error("a table of names contains itself")
            seen.add(address)
            if self.read(address, 4) == b"SNOD":
                (count,) = _unpacked("<2xH", self.read(address + 4, 4))
                entries = self.read(address + 8, 40 * count)
                for n in range(count):
                    name, header, kind = _unpacked("<QQI", entries[40 * n :])
                    text = _name(names, name)
                    if kind == _SOFT_ENTRY or header == UNDEFINED:
                        raise link_error(text)
                    yield text, header
            else:
                kind, _, count = _unpacked("<BBH", self.marked(address, 8, b"TREE"))
                if kind != 0:
                    raise Hdf5Error("a table of names is that of an array")
                entries = self.read(address + 24, 16 * count + 8)
                waiting += [_unpacked("<8xQ", entries[16 * n :])[0] for n in reversed(range(count))]

    @staticmethod
    def _link(data: bytes) -> tuple[str, int]:
        version, flags = _unpacked("<BB", data)
        at, kind = 2, _HARD
        if flags & 8:
            kind, at = data[at], at + 1
        at += (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        length, at = int.from_bytes(data[at : at + width], "little"), at + width
        name = data[at : at + length].decode("utf-8", "replace")
        if version != 1 or kind != _HARD:
            raise link_error(name)
        return name, _unpacked("<Q", data[at + length :])[0]

    # -- texts of any length ------------------------------------------------------------------------------------------

    def heap_object(self, address: int, index: int) -> bytes:
        """An entry of a global heap."""
        if address not in self._heaps:
            (size,) = _unpacked("<4xQ", self.marked(address, 16, b"GCOL"))
            block, at = self.read(address, size), 16
            found: dict[int, bytes] = {}
            while at + 16 <= len(block):
                number, length = _unpacked("<H6xQ", block[at:])
                if number == 0:
                    break
                if length > len(block) - at - 16:
                    raise Hdf5Error("a text is longer than the block that has it")
                found[number] = block[at + 16 : at + 16 + length]
                at += 16 + -(-length // 8) * 8
            self._heaps[address] = found
        if index not in self._heaps[address]:
            raise Hdf5Error("a text is missing")
        return self._heaps[address][index]


def link_error(name: str) -> InputError:
    """Names no file: the caller does."""
    return InputError(f"{name!r:.60} in it is a link, which could lead to another file")


def _unpacked(form: str, data: bytes) -> tuple[int, ...]:
    if len(data) < struct.calcsize(form):
        raise Hdf5Error("a part ends too early")
    return struct.unpack_from(form, data)


def _name(names: bytes, at: int) -> str:
    end = names.find(b"\0", at) if at < len(names) else -1
    if end < 0:
        raise Hdf5Error("a name does not end")
    return names[at:end].decode("utf-8", "replace")
