"""An open file of weights: every read lies within the file, so no length in a file takes memory that it lacks."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np

from rnnviz import files
from rnnviz.errors import InputError
from rnnviz.nn.types import Array

_CHUNK = 1 << 20


class Source:
    """Open until it is not used any more, so that arrays that are read later come from the same file, even if another
    has taken its name. Any thread may read.

    path  as it was given; size  in bytes
    """

    def __init__(self, path: str | Path) -> None:
        """Raises InputError if there is no such file, or if it is a folder, a pipe or a device."""
        self.path = str(path)
        try:
            file = files.open_regular(path)
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror or error}") from None
        self._file, self._lock = file, threading.Lock()
        weakref.finalize(self, file.close)
        self.size = os.fstat(file.fileno()).st_size

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start` on. Raises InputError if they are not all in the file."""
        if start < 0 or length < 0 or start + length > self.size:
            raise self.error(f"{length:,} bytes at {start:,} do not lie in the file of {self.size:,} bytes")
        try:
            with self._lock:
                self._file.seek(start)
                content = self._file.read(length)
        except OSError as error:
            raise self.error(error.strerror or str(error)) from None
        if len(content) < length:
            raise self.error("it became shorter while it was read")
        return content

    def array(self, start: int, shape: tuple[int, ...], dtype: str, is_swapped: bool = False) -> Array:
        """An array in C order. dtype: "float16", "float32", "float64", or "bfloat16", which becomes float32;
        is_swapped: big-endian. Raises InputError if it does not lie in the file."""
        kind = np.dtype("u2" if dtype == "bfloat16" else dtype).newbyteorder(">" if is_swapped else "<")
        array = np.frombuffer(self.read(start, prod(shape) * kind.itemsize), kind)
        return (from_bfloat16(array) if dtype == "bfloat16" else array).reshape(shape)

    def chunks(self, start: int, length: int, use: Callable[[bytes], None]) -> None:
        """Read a long part in pieces."""
        while length > 0:
            use(self.read(start, min(length, _CHUNK)))
            start, length = start + _CHUNK, length - _CHUNK

    def error(self, reason: str) -> InputError:
        return InputError(f"{self.path}: {reason}")


def from_bfloat16(bits: Array) -> Array:
    """float32 from the 16 bits of each number: its upper half."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
