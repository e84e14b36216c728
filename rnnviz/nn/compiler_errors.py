"""The last error of compiling, loading or running the kernels, saved in the cache folder for `rnnviz doctor`."""

from __future__ import annotations

import contextlib
import platform
import time
import traceback
from importlib import metadata
from pathlib import Path

import rnnviz
from rnnviz import files

FILE = "compiler-error.txt"
#: The message of the app and the commands; the file has the whole error.
UNAVAILABLE = "Compiled engine unavailable: see rnnviz doctor"
_LARGEST = 2**20  # bytes


def path() -> Path | None:
    """The file of the last error; None for a user without a home folder."""
    folder = files.user_folder("cache")
    return None if folder is None else folder / FILE


def keep(error: BaseException) -> None:
    """Save an error in full, in place of the previous one. Without a writable folder the error is lost."""
    parts = [time.strftime("%Y-%m-%d %H:%M:%S"), f"rnnviz {rnnviz.__version__}", f"Python {platform.python_version()}"]
    parts += [f"{name} {version_of(name)}" for name in ("numba", "llvmlite", "numpy")]
    details = getattr(error, "details", "") or "".join(traceback.format_exception(error))
    text = f"{', '.join(parts)}, {platform.platform()}\n{error}\n\n{details}".rstrip() + "\n"
    place = path()
    with contextlib.suppress(OSError):  # no writable folder: doctor makes its own checks
        if place is not None:
            files.make_folder(place.parent)
            files.replace(place, text.encode(errors="backslashreplace")[-_LARGEST:])


def last() -> str | None:
    """The last error in full; None if there is none since the last successful compilation."""
    place = path()
    with contextlib.suppress(OSError):
        if place is not None:
            return files.read(place, _LARGEST).decode(errors="replace")
    return None


def forget() -> None:
    """Remove the saved error: the compiler works again."""
    place = path()
    with contextlib.suppress(OSError):
        if place is not None:
            place.unlink(missing_ok=True)


def version_of(package: str) -> str | None:
    """The version of an installed package; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
