"""A zip archive as a file of weights uses it: members are found and read within bounds.

    >>> archive = Archive(Source("model.keras"))
    >>> archive.read("config.json", limit=2**20)

Python's zipfile believes what the archive says of its directory and of its members' sizes. Here every size is compared
with the file's before memory is taken. Refused: names with `..` or from the root, the same name twice, links, encrypted
members, other compression than deflate, archives in several parts.
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass

from rnnviz.errors import short_repr
from rnnviz.weights.source import Source

_END, _END64, _LOCATOR64, _ENTRY, _LOCAL = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4"
_LONGEST_COMMENT = 0xFFFF
_LARGEST_DIRECTORY = 32 * 2**20
_STORED, _DEFLATED = 0, 8
_UNKNOWN = 0xFFFFFFFF
_ENCRYPTED, _UTF8 = 0x1, 0x800
#: PyTorch can be set to work out no checksums; it writes this then.
_NO_CRC = 0
#: Of deflate, at most: 258 bytes from 2 bits.
_MOST_RATIO = 1032


@dataclass(frozen=True)
class Member:
    """size: of its content in bytes. stored_size: of what is in the archive."""

    name: str
    size: int
    stored_size: int
    crc: int
    is_deflated: bool
    header: int


class Archive:
    """members: by name, in the archive's order."""

    def __init__(self, source: Source) -> None:
        """Raises InputError if the file is not a zip archive, or if something in its directory is refused."""
        self.source = source
        start, length, count = _directory(source)
        if length > _LARGEST_DIRECTORY:
            raise source.error(f"its zip directory has {length:,} bytes, more than {_LARGEST_DIRECTORY:,}")
        try:
            self.members = _members(source, source.read(start, length), count)
        except (struct.error, UnicodeDecodeError):
            raise source.error("its zip directory is broken") from None

    def read(self, name: str, limit: int) -> bytes:
        """A whole member. Raises InputError if there is none, if it is longer than `limit`, or if it is damaged."""
        member = self._member(name)
        if member.size > limit:
            raise self.source.error(f"{name} has {member.size:,} bytes, more than the {limit:,} allowed")
        content = self.source.read(self._start(member), member.stored_size)
        if member.is_deflated:
            unpack = zlib.decompressobj(-15)
            try:
                content = unpack.decompress(content, member.size + 1)
            except zlib.error:
                raise self.source.error(f"{name} is damaged") from None
        if len(content) != member.size or member.crc not in (_NO_CRC, zlib.crc32(content)):
            raise self.source.error(f"{name} is damaged")
        return content

    def begin(self, name: str, limit: int) -> bytes:
        """The beginning of a member, at most `limit` bytes."""
        member = self._member(name)
        content = self.source.read(self._start(member), min(member.stored_size, limit))
        if not member.is_deflated:
            return content
        try:
            return zlib.decompressobj(-15).decompress(content, limit)
        except zlib.error:
            raise self.source.error(f"{name} is damaged") from None

    def place(self, name: str) -> tuple[int, int]:
        """(start, length) of a member in the file. Raises InputError if it is compressed, or if there is none."""
        member = self._member(name)
        if member.is_deflated:
            raise self.source.error(f"{name} is compressed; weights are read from uncompressed archives only")
        return self._start(member), member.size

    def check(self, name: str) -> None:
        """Compare the content of an uncompressed member with its checksum, in pieces. Raises InputError."""
        start, length = self.place(name)
        crc, wanted = 0, self._member(name).crc
        if wanted == _NO_CRC:
            return

        def add(piece: bytes) -> None:
            nonlocal crc
            crc = zlib.crc32(piece, crc)

        self.source.chunks(start, length, add)
        if crc != wanted:
            raise self.source.error(f"{name} is damaged: its checksum is wrong")

    def _member(self, name: str) -> Member:
        if name not in self.members:
            raise self.source.error(f"{short_repr(name)} is missing in it")
        return self.members[name]

    def _start(self, member: Member) -> int:
        """Where its bytes begin: behind its own header, whose length only that header contains."""
        header = self.source.read(member.header, 30)
        if header[:4] != _LOCAL:
            raise self.source.error(f"{member.name} is not where its zip directory says")
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        return int(member.header + 30 + name_length + extra_length)


def _directory(source: Source) -> tuple[int, int, int]:
    """(start, length, entries) of the central directory."""
    tail_length = min(source.size, _LONGEST_COMMENT + 22)
    tail = source.read(source.size - tail_length, tail_length)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise source.error("it is not a complete zip archive; it may have been cut off")
    disk, first, here, count, length, start, _ = struct.unpack("<4x4H2LH", tail[at : at + 22])
    if disk or first or here != count:
        raise source.error("it is one of several parts of a zip archive")
    locator = source.size - tail_length + at - 20
    if locator >= 0 and (place := source.read(locator, 20))[:4] == _LOCATOR64:
        end64 = source.read(struct.unpack("<8xQ4x", place)[0], 56)
        if end64[:4] != _END64:
            raise source.error("its zip directory is broken")
        count, length, start = struct.unpack("<32xQQQ", end64)
    return start, length, count


def _members(source: Source, directory: bytes, count: int) -> dict[str, Member]:
    members: dict[str, Member] = {}
    at = 0
    while at < len(directory):
        if directory[at : at + 4] != _ENTRY or at + 46 > len(directory):
            raise source.error("its zip directory is broken")
        flags, method, crc, stored_size, size, name_length, extra_length, comment_length, attributes, header = (
            struct.unpack("<8x2H4x3L3H4xLL", directory[at : at + 46])
        )
        at += 46
        name_bytes, extra = (
            directory[at : at + name_length],
            directory[at + name_length : at + name_length + extra_length],
        )
        at += name_length + extra_length + comment_length
        name = name_bytes.decode("utf-8" if flags & _UTF8 else "cp437")
        size, stored_size, header = _zip64(extra, size, stored_size, header)
        if reason := _refusal(name, flags, method, attributes):
            raise source.error(f"{short_repr(name)} in it {reason}")
        if name in members:
            raise source.error(f"{short_repr(name)} is in it twice")
        is_deflated = method == _DEFLATED
        if header + 30 + stored_size > source.size or (not is_deflated and size != stored_size):
            raise source.error(f"{short_repr(name)} in it should have {size:,} bytes; the file has {source.size:,}")
        if size > _MOST_RATIO * stored_size:
            raise source.error(f"{short_repr(name)} in it cannot have {size:,} bytes: {stored_size:,} are stored")
        members[name] = Member(name, size, stored_size, crc, is_deflated, header)
    if len(members) != count:
        raise source.error("its zip directory is broken")
    return members


def _zip64(extra: bytes, *values: int) -> list[int]:
    """The values, those that do not fit into 32 bits from the extra field."""
    wide = list(values)
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack("<HH", extra[at : at + 4])
        if kind == 1:
            part = extra[at + 4 : at + 4 + length]
            for n, value in enumerate(values):
                if value == _UNKNOWN:
                    (wide[n],) = struct.unpack("<Q", part[:8])
                    part = part[8:]
        at += 4 + length
    return wide


def _refusal(name: str, flags: int, method: int, attributes: int) -> str:
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or not parts[0]:
        return "has a name that leads out of the archive"
    if stat.S_ISLNK(attributes >> 16):
        return "is a link"
    if flags & _ENCRYPTED:
        return "is encrypted"
    if method not in (_STORED, _DEFLATED):
        return "is compressed in a way that rnnviz does not read"
    return ""
