"""NumPy's arrays: x, y and lengths of an .npz, or x alone as an .npy. Nothing in the file is run.

x        (N, T, I), (T, I) or (T,) numbers; the last two are one long series
y        (N,) or (N, T) classes (whole numbers or texts), or (N, O) or (N, T, O) numbers; without y the next x
lengths  (N,) steps of each sequence
"""

from __future__ import annotations

import os
import struct
import zipfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from rnnviz import files
from rnnviz.errors import InputError, short_repr
from rnnviz.nn.types import Array
from rnnviz.tasks.own.cells import LARGEST
from rnnviz.tasks.own.lines import named, unreadable

MOST = 1 << 29  # bytes of one array
MEMBERS = 100
DIRECTORY_END = 22 + 65_535  # bytes of the record that ends a zip, with its comment
KNOWN = ("x", "y", "lengths")
RATIO = 1_100  # deflate cannot compress more than this


@dataclass(frozen=True, eq=False)
class Arrays:
    """x (N, T, I) or (R, I) float64; y as in the file or None; lengths (N,) or None."""

    x: Array
    y: Array | None
    lengths: Array | None
    members: tuple[str, ...]


def read(path: Path) -> Arrays:
    """Raises InputError for a file that is not what it says, too large, or has arrays of objects."""
    try:
        with files.open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(6) == b"\x93NUMPY":
                file.seek(0)
                found = {"x": _array(file, size, path, "x")}
            else:
                found = _members(file, size, path)
    except OSError as error:
        raise unreadable(path, error) from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"data: {named(path)} is not a whole .npz file: {short_repr(str(error))}; save it again"
        ) from None
    return _checked(found, path)


def _members(file: BinaryIO, size: int, path: Path) -> dict[str, Array]:
    _check_directory(file, size, path)
    with zipfile.ZipFile(file) as archive:
        names = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
        if "x" not in names and len(names) == 1:
            names = {"x": next(iter(names.values()))}
        if "x" not in names:
            found = ", ".join(short_repr(name) for name in list(names)[:8])
            raise InputError(
                f"data: {named(path)} has no array x; it has {found or 'no arrays'}; save np.savez(…, x=x)"
            )
        found_arrays = {}
        for name in KNOWN:
            if name not in names:
                continue
            entry = names[name]
            if entry.file_size > RATIO * max(1, entry.compress_size) or entry.file_size > size * RATIO:
                raise InputError(
                    f"data: {named(path)}: {name} claims {entry.file_size:,} bytes; it is not what it says"
                )
            with archive.open(entry) as member:
                found_arrays[name] = _array(member, entry.file_size, path, name)  # type: ignore[arg-type]
        return found_arrays


def _check_directory(file: BinaryIO, size: int, path: Path) -> None:
    """Raises InputError for a zip whose directory alone would fill the memory: it is read as a whole."""
    file.seek(max(0, size - DIRECTORY_END))
    tail = file.read(DIRECTORY_END)
    at = tail.rfind(b"PK\x05\x06")
    if at >= 0 and len(tail) >= at + 22:
        members, length = struct.unpack_from("<HL", tail, at + 10)
        if members > MEMBERS or length > 1 << 20:
            raise InputError(f"data: {named(path)} has more than {MEMBERS} members; give x, y and lengths")


def _array(file: BinaryIO, size: int, path: Path, name: str) -> Array:
    """An array from its .npy, whose header is checked against the bytes that are there."""
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise InputError(f"data: {named(path)}: {name} is in an unknown version of NumPy's format; save it again")
    reader: Any = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran, dtype = reader(file)
    if dtype.hasobject:
        raise InputError(f"data: {named(path)}: {name} holds Python objects, which are not read; save it as numbers")
    wanted = prod(shape) * dtype.itemsize
    if wanted > MOST:
        raise InputError(
            f"data: {named(path)}: {name} has {wanted:,} bytes; at most {MOST:,} are read; save a part of it"
        )
    if wanted > size or any(side < 0 for side in shape):
        raise InputError(f"data: {named(path)}: {name} claims {wanted:,} bytes and has {size:,}; save it again")
    content = file.read(wanted)
    if len(content) < wanted:
        raise InputError(f"data: {named(path)}: {name} claims {wanted:,} bytes and has {len(content):,}; save it again")
    array = np.frombuffer(content, dtype)
    return array.reshape(shape[::-1]).T if is_fortran else array.reshape(shape)


def _checked(found: dict[str, Array], path: Path) -> Arrays:
    x = found["x"]
    if x.dtype.kind not in "fiub" or x.ndim not in (1, 2, 3) or not x.size:
        raise InputError(
            f"data: {named(path)}: x has shape {x.shape} and type {x.dtype}; give numbers of shape (N, T, I)"
        )
    x = x.astype(np.float64)
    with np.errstate(invalid="ignore"):
        x[~(np.abs(x) < LARGEST)] = np.nan
    x = x[:, None] if x.ndim == 1 else x
    y, lengths = found.get("y"), found.get("lengths")
    if x.ndim == 2:
        if y is not None or lengths is not None:
            raise InputError(f"data: {named(path)}: x has shape {x.shape}; with y or lengths it needs (N, T, I)")
        return Arrays(x, None, None, tuple(found))
    N, T = x.shape[:2]
    if lengths is not None:
        whole = lengths.dtype.kind in "iu" and lengths.shape == (N,)
        if not whole or lengths.min() < 1 or lengths.max() > T:
            raise InputError(f"data: {named(path)}: lengths must be {N} whole numbers from 1 to {T}, one a sequence")
        lengths = lengths.astype(int)
    if y is not None:
        fits = y.ndim in (1, 2, 3) and len(y) == N and (y.ndim < 3 or y.shape[1] == T)
        if not fits or y.dtype.kind not in "fiubUS":
            raise InputError(
                f"data: {named(path)}: y has shape {y.shape} and type {y.dtype}; with x {x.shape} it needs classes "
                f"({N},) or ({N}, {T}), or numbers ({N}, O) or ({N}, {T}, O)"
            )
    return Arrays(x, y, lengths, tuple(found))
