"""Lines of a file from outside, within bounds: of memory (a line's length) and of time (all characters together)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from rnnviz import files
from rnnviz.errors import InputError, short_repr
from rnnviz.glyphs import visible

LONGEST = 1_000_000  # characters of a line
MOST = 1 << 28  # characters that are read of one file
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
PEEKED = 1 << 16  # bytes in which a file's encoding and layout are found


class Lines:
    """The lines of a text file, without their ends. Raises InputError for a line that is no text or is too long.

    encoding   "UTF-8", "UTF-16" or "Windows-1252"
    number     of the newest line, from 1
    is_cut     whether the reading ended at MOST characters
    """

    def __init__(self, file: TextIOWrapper, path: Path, encoding: str) -> None:
        self.path, self.encoding, self.number, self.is_cut = path, encoding, 0, False
        self.size = os.fstat(file.fileno()).st_size
        self._file, self._read = file, 0

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                line = self._file.readline(LONGEST + 1)
            except UnicodeError:
                raise InputError(
                    f"{named(self.path)}: line {self.number + 1:,} is not {self.encoding} text; save the file as UTF-8"
                ) from None
            except OSError as error:
                raise unreadable(self.path, error) from None
            if not line:
                return
            self.number += 1
            if len(line) > LONGEST:
                raise InputError(
                    f"{named(self.path)}: line {self.number:,} has more than {LONGEST:,} characters; "
                    "a line holds one row; split it"
                )
            if "\0" in line:
                raise InputError(
                    f"{named(self.path)}: line {self.number:,} has a zero byte: a binary file; give a file of text"
                )
            self._read += len(line)
            if self._read > MOST:
                self.is_cut = True
                return
            yield line.rstrip("\r\n")

    @property
    def share(self) -> float:
        """The part of the file that was read, about."""
        return 1.0 if not self.size else min(1.0, self._read * (2 if self.encoding == "UTF-16" else 1) / self.size)


@contextmanager
def opened(path: Path) -> Iterator[Lines]:
    """Open a file's lines. Raises InputError for a file that is missing or unreadable."""
    encoding = _encoding(peek(path))
    codec = {"UTF-8": "utf-8-sig", "UTF-16": "utf-16", "Windows-1252": "cp1252"}[encoding]
    try:
        binary = files.open_regular(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    with TextIOWrapper(binary, encoding=codec) as file:
        yield Lines(file, path, encoding)


def peek(path: Path) -> bytes:
    """The first PEEKED bytes of a file. Raises InputError for one that is missing or unreadable."""
    try:
        return files.read(path, PEEKED, cut=True)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None


def _encoding(head: bytes) -> str:
    if head[:2] in UTF_16:
        return "UTF-16"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not a character that the end of the first bytes has cut
            return "Windows-1252"
    return "UTF-8"


def unreadable(path: Path, error: Exception) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"data: {named(path)} does not exist; give the path of a file or folder")
    reason = getattr(error, "strerror", None) or error
    return InputError(f"data: {named(path)} cannot be read: {reason}")


def named(path: Path) -> str:
    """The path for a message: one line, not too long."""
    text = visible(str(path))
    return text if len(text) <= 200 else short_repr(text)
