"""Files from outside: which may be opened, how much of each is read, and who else can write them.

    >>> read("notes.txt", 1000)                 # b"…", at most 1,000 bytes; OSError gives the reason in a few words

Every file that a person names, or that rnnviz finds, is opened here. A pipe, a device, a socket or a folder is refused
before it is opened: opening one can block forever, or have an effect. Does not import numpy.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
_CHUNK = 1 << 16
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OPEN = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT"))
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_KINDS = {
    stat.S_IFDIR: "it is a folder, not a file",
    stat.S_IFIFO: "it is a pipe, not a file",
    stat.S_IFSOCK: "it is a socket, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
    stat.S_IFLNK: "it is a link, not a file",
}


class OddFileError(OSError):
    """The path is not a readable file: it is a pipe, a device, a folder, or too long. strerror says which."""


class NotTrustedError(OSError):
    """Another user can change this file. strerror says what to do."""


def read(path: str | Path, limit: int, *, cut: bool = False, follow: bool = True) -> bytes:
    """Read all bytes of a regular file, at most `limit`. With `cut`, return the beginning of a longer file; without
    `follow` a link is refused.

    Raises OSError with its reason in `strerror`: OddFileError if the file is not regular or is longer than `limit`.
    """
    with contextlib.closing(_Handle(path, follow=follow)) as handle:
        return handle.read(limit, cut)


def open_regular(path: str | Path, *, follow: bool = True) -> BinaryIO:
    """Open a regular file for reading, without a limit. Raises OSError as `read` does; without `follow` for a link,
    too."""
    return os.fdopen(_Handle(path, follow=follow).number, "rb")


def read_trusted(path: Path, limit: int) -> bytes:
    """Read a file that only this user or root can have written or put in its place. Raises NotTrustedError if
    anyone else can."""
    folder = trusted(path.parent)
    with contextlib.closing(_Handle(folder / path.name, follow=False)) as handle:
        reason = _others_could(handle.state)
        if reason:
            raise NotTrustedError(errno.EPERM, reason, str(path))
        return handle.read(limit, False)


class _Handle:
    """An open regular file. Its kind is checked before and after opening: the path may point elsewhere by then."""

    def __init__(self, path: str | Path, flags: int = os.O_RDONLY, mode: int = PRIVATE_FILE, follow: bool = True):
        try:
            before = os.stat(path) if follow else os.lstat(path)
        except FileNotFoundError:
            if not flags & os.O_CREAT:
                raise
        except ValueError as error:  # a zero byte in the path
            raise OddFileError(errno.EINVAL, str(error), str(path)) from None
        else:
            _regular(before, path)
        self.path = path
        self.number = os.open(path, flags | _OPEN | (0 if follow else _NO_LINK), mode)
        try:
            self.state = os.fstat(self.number)
            _regular(self.state, path)
        except BaseException:
            self.close()
            raise

    def read(self, limit: int, cut: bool) -> bytes:
        if self.state.st_size > limit and not cut:
            raise _too_long(limit, self.path)
        content = bytearray()
        while len(content) <= limit and (part := os.read(self.number, _CHUNK)):  # some files of size 0 never end
            content += part
        if len(content) > limit and not cut:
            raise _too_long(limit, self.path)
        return bytes(content[:limit])

    def close(self) -> None:
        os.close(self.number)


def _regular(state: os.stat_result, path: str | Path) -> None:
    if not stat.S_ISREG(state.st_mode):
        kind = _KINDS.get(stat.S_IFMT(state.st_mode), "it is not a file")
        raise OddFileError(errno.EINVAL, kind, str(path))


def _too_long(limit: int, path: str | Path) -> OddFileError:
    return OddFileError(errno.EFBIG, f"it is too long, at most {limit:,} bytes are read", str(path))


# -- trust -----------------------------------------------------------------------------------------------


def trusted(folder: Path, above: bool = False) -> Path:
    """The folder's real path, if only this user and root can change its content and every folder above it.

    The check goes from the root down: others cannot replace an entry of a folder that they cannot write while the
    check continues below it. Others may write only to a folder with the sticky bit, like /tmp: there they cannot
    replace this user's entries. With `above` the folder itself may be one of these, so that a folder can be made in
    it. On a system without owners (Windows) every folder is trusted. Raises NotTrustedError, or OSError if there is
    no such folder.
    """
    real = Path(os.path.realpath(folder))
    if not hasattr(os, "getuid"):
        os.stat(real)
        return real
    for place in (*reversed(real.parents), real):
        state = os.lstat(place)
        if not stat.S_ISDIR(state.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
        reason = _others_could(state, sticky=above or place != real)
        if reason:
            raise NotTrustedError(errno.EPERM, reason, str(place))
    return real


def _others_could(state: os.stat_result, sticky: bool = False) -> str:
    """The reason why another user can write this; "" if none can."""
    if not hasattr(os, "getuid"):
        return ""
    if state.st_uid not in (0, os.getuid()):
        return "it belongs to another user"
    if state.st_mode & _OTHERS_WRITE and not (sticky and state.st_mode & stat.S_ISVTX):
        return "others can write it (chmod go-w)"
    return ""


def make_folder(folder: Path, mode: int = PRIVATE_FOLDER, ours: int = 1) -> bool:
    """Make a folder and its missing parents, each with exactly this mode, whatever the umask.

    The last `ours` folders of the path belong to rnnviz: if others can write one of them (an older version made it
    so), that permission is removed. Returns whether one was removed: then anyone may have written its content.
    """
    repaired = False
    for place in (*reversed(folder.parents), folder):
        try:
            os.mkdir(place, mode)
        except OSError:
            if not os.path.isdir(place):
                raise
            own = place == folder or place in folder.parents[: ours - 1]
            repaired |= own and _repair(place, mode)
        else:
            _chmod(place, mode)
    return repaired


def _repair(folder: Path, mode: int) -> bool:
    """Remove the permission of others to write the folder. Returns whether they had it."""
    state = os.lstat(folder)
    if not hasattr(os, "getuid") or not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
        return False
    now = stat.S_IMODE(state.st_mode)
    wanted = (
        mode if mode & ~PRIVATE_FOLDER else mode & now
    )  # others may read if they are meant to; no other right is added
    if wanted != now:
        _chmod(folder, wanted)
    return bool(state.st_mode & _OTHERS_WRITE)


def _chmod(path: Path, mode: int) -> None:
    with contextlib.suppress(OSError):  # a file system without owners
        os.chmod(path, mode)


# -- writing ---------------------------------------------------------------------------------------------


def replace(path: Path, content: bytes, mode: int = PRIVATE_FILE) -> None:
    """Write the whole file or nothing: first to a file beside it, which then replaces it."""
    import tempfile

    number, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        _chmod(Path(name), mode)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


class Lock:
    """A lock on a file, released when the last process that holds it ends. On a system or file system without locks
    it is always free.

    number  the descriptor, for another process that should hold the lock too
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError if the lock's file cannot be made or opened."""
        self._handle = _Handle(path, os.O_RDWR | os.O_CREAT, follow=False)
        self.number = self._handle.number
        if hasattr(os, "fchmod") and stat.S_IMODE(self._handle.state.st_mode) & ~PRIVATE_FILE:
            with contextlib.suppress(OSError):
                os.fchmod(self.number, PRIVATE_FILE)  # anyone who can open it can lock it

    def take(self) -> bool:
        """Try to take the lock. Returns at once, with whether this process now holds it."""
        try:
            import fcntl
        except ImportError:  # Windows
            return True
        try:
            fcntl.flock(self.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
        return True

    def close(self) -> None:
        self._handle.close()


@contextlib.contextmanager
def locked(path: Path, seconds: float = 0.02) -> Iterator[bool]:
    """Try for `seconds` to take the lock; yield whether this process holds it, and release it at the end."""
    lock = Lock(path)
    try:
        end = time.monotonic() + seconds
        while not (is_held := lock.take()) and time.monotonic() < end:
            time.sleep(0.002)
        yield is_held
    finally:
        lock.close()


# -- the user's folders ----------------------------------------------------------------------------------


def user_folder(kind: str) -> Path | None:
    """The folder of a user's "data", "cache" or "state"; None for a user without a home folder."""
    import platformdirs

    try:
        found = getattr(platformdirs, f"user_{kind}_dir")("rnnviz", appauthor=False)
    except RuntimeError:
        return None
    return Path(found) if os.path.isabs(found) else None
