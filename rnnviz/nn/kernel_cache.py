"""The cache of compiled kernels between sessions, and the lock that decides which session compiles.

A cache is a folder of object files: in the user's cache folder, or, with higher priority, in NUMBA_CACHE_DIR if that is
set. Its name is a hash of everything that the code depends on: the kernels' sources, numba, LLVM, rnnviz and the
processor. A file is written completely or not at all, and has a checksum of its code, its own name and the folder's.

Machine code is trusted only if nobody but this user and root can have written it: the file, its folder and all folders
above (files.trusted). Otherwise the cache is ignored, and `notes` reports it. Folders have mode 0700 and files 0600; a
cache that root writes to NUMBA_CACHE_DIR is for a class to read: 0755 and 0644.

One session compiles for all sessions that share a cache. It holds a lock; the others check repeatedly whether the code
is there or the lock is free.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import struct
import sys
import tempfile
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import IO

import rnnviz
from rnnviz import files

#: A cell and a dtype.
Kernel = tuple[str, str]

#: Caches of other versions are removed when nobody has used them for this long.
STALE_SECONDS = 30 * 24 * 3600
#: A compiler without a sign of life for this long (a stopped process) no longer prevents others from compiling.
SILENT_SECONDS = 60.0
#: After this many silent compilers, one after the other, no session tries again.
_MOST_SILENT = 8

_PACKAGE = Path(rnnviz.__file__).parent
_MAGIC = b"rnnviz kernels\n"
_HEAD = struct.Struct("<15sQ32s")  # magic bytes, length, SHA-256
_LARGEST = 1 << 28  # bytes; a heading with a larger length is damaged

#: Messages about the caches for a person, each once.
notes: list[str] = []


# -- folders ---------------------------------------------------------------------------------------------


@cache
def cache_directory() -> Path | None:
    """The folder of this version's object files; it may be missing or not writable. None: there is none."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    return Path(os.path.abspath(chosen)) / "rnnviz" / fingerprint() if chosen else _of_the_user()


def _of_the_user() -> Path | None:
    place = files.user_folder("cache")
    return None if place is None else place / "kernels" / fingerprint()


def _places() -> list[tuple[Path, int]]:
    """The caches, best first, each with the number of folders in its path that belong to rnnviz."""
    chosen = bool(os.environ.get("NUMBA_CACHE_DIR"))
    first = cache_directory()
    found = [] if first is None else [(first, 2 if chosen else 3)]
    users = _of_the_user() if chosen else None
    return found if users is None else [*found, (users, 3)]


@cache
def fingerprint() -> str:
    """A hash of everything that the machine code depends on."""
    from llvmlite import binding

    digest = hashlib.sha256()
    folders = (_PACKAGE / "nn" / "kernels", _PACKAGE / "nn" / "cells" / "descriptions")
    for source in (_PACKAGE / "nn" / "cell.py", *(file for f in folders for file in sorted(f.glob("*.py")))):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    processor = binding.get_host_cpu_name() + binding.get_host_cpu_features().flatten()
    for fact in (rnnviz.__version__, version("numba"), version("llvmlite"), processor, sys.version):
        digest.update(fact.encode() + b"\0")
    return digest.hexdigest()[:20]


# -- reading and writing --------------------------------------------------------------------------------


def cached(cell: str, dtype: str) -> bytes | None:
    """The object file from the first cache that has it; None if no trusted cache has it."""
    for directory, _ in _places():
        with contextlib.suppress(OSError):
            try:
                content = files.read_trusted(directory / _name(cell, dtype), _HEAD.size + _LARGEST)
            except files.NotTrustedError as error:
                note = f"The kernel cache is not used: {error.filename}: {error.strerror}."
                if note not in notes:
                    notes.append(note)
                continue
            code = unpack((cell, dtype), content)
            if code is not None:
                with contextlib.suppress(OSError):
                    os.utime(directory)
                return code
    return None


def is_damaged(cell: str, dtype: str) -> bool:
    """Whether a cache has a damaged file for this kernel."""
    for directory, _ in _places():
        with contextlib.suppress(OSError):
            return (
                unpack((cell, dtype), files.read_trusted(directory / _name(cell, dtype), _HEAD.size + _LARGEST)) is None
            )
    return False


def keep(cell: str, dtype: str, code: bytes) -> bool:
    """Write an object file to the first writable cache; False if there is none. Safe while others do the same."""
    for directory, ours in _places():
        with contextlib.suppress(OSError):
            real = _made(directory, ours)
            mode = 0o644 if _is_for_a_class() else files.PRIVATE_FILE
            files.replace(real / _name(cell, dtype), pack((cell, dtype), code), mode)
            remove_stale(real)
            return True
    return False


def existing_directory() -> Path | None:
    """The first cache folder that exists."""
    return next((directory for directory, _ in _places() if directory.is_dir()), None)


def _name(cell: str, dtype: str) -> str:
    return f"{cell}-{dtype}.o"


def _is_for_a_class() -> bool:
    return bool(os.environ.get("NUMBA_CACHE_DIR")) and hasattr(os, "geteuid") and os.geteuid() == 0


def _made(directory: Path, ours: int) -> Path:
    """The trusted folder of the cache, made if it is missing. Raises OSError if it cannot be trusted or made."""
    above = directory.parents[ours - 1]
    files.trusted(next(place for place in (above, *above.parents) if place.exists()), above=True)
    others_wrote = files.make_folder(directory, 0o755 if _is_for_a_class() else files.PRIVATE_FOLDER, ours)
    real = files.trusted(directory)
    if others_wrote:
        for old in real.glob("*.o"):
            old.unlink()
    return real


def pack(kernel: Kernel, code: bytes) -> bytes:
    """The code after a heading with its length and checksum, which detect an incomplete file and another kernel's
    file."""
    return _HEAD.pack(_MAGIC, len(code), _checksum(kernel, code)) + code


def _checksum(kernel: Kernel, code: bytes) -> bytes:
    return hashlib.sha256("\0".join((fingerprint(), *kernel, "")).encode() + code).digest()


def unpack(kernel: Kernel, content: bytes) -> bytes | None:
    """The code of a packed file; None if it is incomplete or belongs to another kernel."""
    if len(content) < _HEAD.size:
        return None
    magic, length, checksum = _HEAD.unpack_from(content)
    code = content[_HEAD.size :]
    is_whole = magic == _MAGIC and 0 < length == len(code)
    return code if is_whole and _checksum(kernel, code) == checksum else None


def next_packed(pipe: IO[bytes]) -> bytes | None:
    """The next packed code of a pipe, still packed; None if there is no complete one."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    magic, length, _ = _HEAD.unpack(head)
    return head + pipe.read(length) if magic == _MAGIC and length <= _LARGEST else None


def remove_stale(directory: Path) -> None:
    """Remove caches of other versions that nobody used for a month, and incomplete files. A session that still runs
    one of these versions has its code in memory."""
    old = time.time() - STALE_SECONDS
    with contextlib.suppress(OSError):
        for other in directory.parent.iterdir():
            is_cache = len(other.name) == len(directory.name) and other.is_dir()
            if is_cache and other != directory and other.stat().st_mtime < old:
                shutil.rmtree(other, ignore_errors=True)
        for half in directory.glob(".*-*"):
            if half.stat().st_mtime < old:
                half.unlink()


# -- the lock ----------------------------------------------------------------------------------------------


class Turn:
    """The right to compile: one compiler for each cache, or for each user if no cache can be written.

    The compiler calls `beat` to show that it is working. If it has been silent for SILENT_SECONDS, it keeps its lock
    and another session takes the next one, and so on.
    """

    def __init__(self) -> None:
        self._folder = _lock_folder()
        self._lock: files.Lock | None = None
        self._heard: dict[int, tuple[int, float]] = {}  # per lock: its holder's last beat, and when that was first seen

    @property
    def number(self) -> int | None:
        """The lock's descriptor, for the compiler's process: the lock is held until that process ends."""
        return None if self._lock is None or os.name != "posix" else self._lock.number

    def take(self) -> bool:
        """Try to get the right to compile. Returns at once, with whether this session has it."""
        if self._folder is None or self._lock is not None:
            return True
        for n in range(_MOST_SILENT):
            try:
                lock = files.Lock(self._folder / f".lock{n}")
            except OSError:  # no file can be made here: compile without a lock
                return True
            if lock.take():
                beat(lock.number)
                self._lock = lock
                return True
            beaten = os.fstat(lock.number).st_mtime_ns
            lock.close()
            now = time.monotonic()
            last, since = self._heard.get(n, (-1, now))
            if beaten != last:
                self._heard[n] = beaten, now
                return False
            if now - since < SILENT_SECONDS:
                return False
        return False

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def beat(number: int) -> None:
    """Show that the holder of this lock is working."""
    with contextlib.suppress(OSError, TypeError):  # TypeError: a system without utime of descriptors
        os.utime(number)


def _lock_folder() -> Path | None:
    for directory, ours in _places():
        with contextlib.suppress(OSError):
            real = _made(directory, ours)
            if os.access(real, os.W_OK):
                return real
    if not hasattr(os, "getuid"):
        return None
    with contextlib.suppress(OSError):
        folder = Path(tempfile.gettempdir()) / f"rnnviz-{os.getuid()}"
        files.make_folder(folder)
        return files.trusted(folder)
    return None
