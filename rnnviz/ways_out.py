"""The ways out to a file of the user's choosing: every one is a function here, so that one place can refuse them.

write(path, content)        # a picture or a film, from a command
beside_you("view.svg", …)   # a picture that the app saves by itself, under a name of its own
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from rnnviz import files
from rnnviz.errors import AlreadyThereError, InputError

MOST = 10_000  # pictures under one name
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def write(path: str | Path, content: str, *, overwrites: bool = False) -> None:
    """Write a whole file or nothing. Raises AlreadyThereError for one that is there, unless it `overwrites`, and
    InputError for one that cannot be written."""
    check(path, overwrites=overwrites)
    file = Path(path).expanduser()
    try:
        if overwrites and os.path.lexists(file):
            files.replace(file, content.encode(), file.stat().st_mode & 0o777)
        else:
            _create(file, content.encode())
    except FileExistsError:
        raise AlreadyThereError(f"{path}: exists; --force overwrites it") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from None


def check(path: str | Path, *, overwrites: bool = False) -> None:
    """Raise what `write` raises for what is there already; a command asks before the work of a minute."""
    file = Path(path).expanduser()
    if not str(path).strip():
        raise InputError("o: name the file, such as view.svg")
    try:
        mode = os.lstat(file).st_mode
    except (OSError, ValueError):
        return  # nothing is there, or `write` finds the reason
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: is not a file that can be overwritten")
    if not overwrites:
        raise AlreadyThereError(f"{path}: exists; --force overwrites it")


def beside_you(name: str, content: str) -> Path:
    """Write a new file `NAME-1.ext`, `NAME-2.ext`, … into the current folder, or where that cannot be written into the
    user's folder of data. Nothing is overwritten. Raises InputError if neither can be written."""
    reason = "no folder can be written"
    for folder in (Path.cwd(), files.user_folder("data")):
        if folder is None:
            continue
        try:
            if folder != Path.cwd():
                files.make_folder(folder)
            return _numbered(folder, name, content.encode())
        except OSError as error:
            reason = error.strerror or str(error)
    raise InputError(f"The picture cannot be saved: {reason}")


def short(path: Path) -> str:
    """A path for one line: from the current folder, or from home."""
    if path.parent == Path.cwd():
        return path.name
    home = os.path.expanduser("~")
    return f"~{str(path)[len(home) :]}" if str(path).startswith(home + os.sep) else str(path)


def _numbered(folder: Path, name: str, content: bytes) -> Path:
    stem, ext = os.path.splitext(name)
    for n in range(1, MOST):
        file = folder / f"{stem}-{n}{ext}"
        try:
            _create(file, content)
        except FileExistsError:
            continue
        return file
    raise OSError(errno.EEXIST, f"{MOST} pictures have this name")


def _create(file: Path, content: bytes) -> None:
    """A new file, never through a link. What was begun and failed is removed."""
    number = os.open(file, _NEW, 0o666)
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(content)
    except OSError:
        os.unlink(file)
        raise


def folder(path: str | Path) -> Path:
    """A folder to write several files into, made with its parents if it is missing. Raises InputError."""
    place = Path(path).expanduser()
    if not str(path).strip():
        raise InputError("o: the name is empty; name a folder")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError(f"{path}: is a file, not a folder") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be made: {getattr(error, 'strerror', None) or error}") from None
    return place


def append(path: Path, line: bytes) -> None:
    """Add one line to a file of ours, whole: in one write, at the end as it is then, whoever else writes. After a line
    that was torn it begins a new one. Raises InputError."""
    try:
        number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            end = os.fstat(number).st_size
            is_torn = end > 0 and _byte_at(number, end - 1) != b"\n"
            content = (b"\n" if is_torn else b"") + line
            if os.write(number, content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(number)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from None


def _byte_at(number: int, place: int) -> bytes:
    os.lseek(number, place, os.SEEK_SET)
    return os.read(number, 1)
