"""Files from outside: what may be opened, how much of it is read, and whom its owner lets write it.

    >>> read("notes.txt", 1000)                 # b"…", at most 1,000 bytes; OSError says what is wrong in few words

Every file that rnnviz is given, or finds, is opened here. A pipe, a device, a socket or a folder is refused before it
is opened: opening one can wait for ever, or do something. Free of numpy.
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
    """Something is there, and it is no file to read: a pipe, a device, a folder, or too long. strerror says which."""


class NotTrustedError(OSError):
    """Somebody else can change this file. strerror says what to do."""


def read(path: str | Path, limit: int, *, cut: bool = False) -> bytes:
    """All bytes of a regular file, in memory no more than `limit` of them. `cut`: of a longer one the beginning.

    Raises OSError with its reason in `strerror`: OddFileError for what is no regular file or longer than `limit`.
    """
    with contextlib.closing(_Handle(path)) as handle:
        return handle.read(limit, cut)


def opened(path: str | Path) -> BinaryIO:
    """A regular file, to read from as much as is wanted. Raises OSError as `read` does."""
    return os.fdopen(_Handle(path).number, "rb")


def read_trusted(path: Path, limit: int) -> bytes:
    """The same of a file that is believed: nobody but its owner, root or oneself, can have written it, nor have put it
    where it is. Raises NotTrustedError else."""
    folder = trusted(path.parent)
    with contextlib.closing(_Handle(folder / path.name, follow=False)) as handle:
        reason = _others_could(handle.state)
        if reason:
            raise NotTrustedError(errno.EPERM, reason, str(path))
        return handle.read(limit, False)


class _Handle:
    """A regular file, opened. What it is was looked at before and after: it may be another one by then."""

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
        while len(content) <= limit and (part := os.read(self.number, _CHUNK)):  # some that say 0 bytes never end
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


# -- whom to believe -------------------------------------------------------------------------------------


def trusted(folder: Path, above: bool = False) -> Path:
    """The folder's real path, if nobody but root and oneself can change what is in it, or any folder above it.

    Looked at from the root down: what stands in a folder that others cannot write is not exchanged by them while we
    look on. Only in one with the sticky bit, like /tmp, may others write: what is one's own there stays. above: the
    folder itself may be such a one, for another to be made in it. Where a system has no owners (Windows) all are
    trusted. Raises NotTrustedError, or OSError where there is no such folder.
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
    """Why somebody else can write this; "" if nobody can."""
    if not hasattr(os, "getuid"):
        return ""
    if state.st_uid not in (0, os.getuid()):
        return "it belongs to somebody else"
    if state.st_mode & _OTHERS_WRITE and not (sticky and state.st_mode & stat.S_ISVTX):
        return "others can write it (chmod go-w)"
    return ""


def make_folder(folder: Path, mode: int = PRIVATE_FOLDER, ours: int = 1) -> bool:
    """Makes a folder and those above it that are missing, each with just this mode whatever the umask.

    The last `ours` folders of the path are rnnviz' own: one of them that others could write (an older version made it
    so) loses that. Returns whether one did: then what is in it may be anybody's.
    """
    mended = False
    for place in (*reversed(folder.parents), folder):
        try:
            os.mkdir(place, mode)
        except OSError:
            if not os.path.isdir(place):
                raise
            own = place == folder or place in folder.parents[: ours - 1]
            mended |= own and _mended(place, mode)
        else:
            _chmod(place, mode)
    return mended


def _mended(folder: Path, mode: int) -> bool:
    state = os.lstat(folder)
    if not hasattr(os, "getuid") or not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
        return False
    now = stat.S_IMODE(state.st_mode)
    wanted = mode if mode & ~PRIVATE_FOLDER else mode & now  # what others shall read they can; nothing else is given
    if wanted != now:
        _chmod(folder, wanted)
    return bool(state.st_mode & _OTHERS_WRITE)


def _chmod(path: Path, mode: int) -> None:
    with contextlib.suppress(OSError):  # a file system without owners
        os.chmod(path, mode)


# -- writing ---------------------------------------------------------------------------------------------


def replace(path: Path, content: bytes, mode: int = PRIVATE_FILE) -> None:
    """All of it or nothing: written beside the file, then put in its place."""
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
    """A lock on a file, free again when the last process that has it is gone. Where a system or a file system has no
    locks it is always free.

    number  the descriptor, for a process that shall hold the lock as well
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError where the lock's file cannot be."""
        self._handle = _Handle(path, os.O_RDWR | os.O_CREAT, follow=False)
        self.number = self._handle.number
        if hasattr(os, "fchmod") and stat.S_IMODE(self._handle.state.st_mode) & ~PRIVATE_FILE:
            with contextlib.suppress(OSError):
                os.fchmod(self.number, PRIVATE_FILE)  # who can open it can lock it

    def take(self) -> bool:
        """Whether it is ours now. Returns at once."""
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
    """Whether the lock was had, tried for this little time; let go at the end."""
    lock = Lock(path)
    try:
        end = time.monotonic() + seconds
        while not (had := lock.take()) and time.monotonic() < end:
            time.sleep(0.002)
        yield had
    finally:
        lock.close()


# -- the user's folders ----------------------------------------------------------------------------------


def user_folder(kind: str) -> Path | None:
    """Where rnnviz keeps a user's "data", "cache" or "state"; None for a user who has no home."""
    import platformdirs

    try:
        found = getattr(platformdirs, f"user_{kind}_dir")("rnnviz", appauthor=False)
    except RuntimeError:
        return None
    return Path(found) if os.path.isabs(found) else None
