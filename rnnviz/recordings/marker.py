"""The small file by which a folder is known as a recording: recording.json.

    {"version": 1, "about": {"model": "names"}, "kept_every": 2, "note": ""}

It says what was recorded, which records are kept (2: every second), and why recording ended early. A folder of records
without it is a recording, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rnnviz import files
from rnnviz.errors import InputError, short_repr

NAME = "recording.json"
VERSION = 1
_LONGEST = 1_000_000
_MOST = 2**40
_MODE = 0o644


class NewerError(InputError):
    """The file is from a newer rnnviz."""


def check_version(path: Path, version: Any, newest: int) -> None:
    """Raises NewerError, or InputError if this is no version."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputError(f"version: {short_repr(version)} is not a whole number of at least 1")
    if version > newest:
        shown = f"version {short_repr(version)}, this one reads {newest}"
        raise NewerError(f"{path}: it was written by a newer rnnviz ({shown}); install a newer rnnviz")


@dataclass(frozen=True)
class Marker:
    about: Mapping[str, Any] = field(default_factory=dict)
    kept_every: int = 1
    note: str = ""


def read(folder: Path) -> Marker | None:
    """None if there is no such file. Raises InputError for one that is broken or newer, and OSError."""
    path = folder / NAME
    try:
        content = files.read(path, _LONGEST)
    except FileNotFoundError:
        return None
    except files.OddFileError as error:
        raise InputError(f"{path}: {error.strerror}; delete it") from None
    try:
        found = json.loads(content)
        json.dumps(found, ensure_ascii=False).encode()  # an escaped half of a character cannot be printed
        check_version(path, found["version"], VERSION)
        marker = Marker(found.get("about", {}), found.get("kept_every", 1), found.get("note", ""))
        fits = isinstance(marker.about, dict) and isinstance(marker.note, str) and type(marker.kept_every) is int
        if not fits or not 1 <= marker.kept_every <= _MOST:
            raise ValueError("a value has the wrong type")
    except NewerError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{path}: it is broken ({short_repr(str(error))}); delete it") from None
    return marker


def write(folder: Path, marker: Marker) -> None:
    """Replace the file as a whole. Raises OSError, and InputError for a value of `about` that JSON does not have."""
    try:
        text = json.dumps({"version": VERSION, **asdict(marker)}, allow_nan=False, indent=1, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"about: {error}; use texts, finite numbers, and lists and dicts of these") from None
    files.replace(folder / NAME, text.encode("utf-8", "replace") + b"\n", _MODE)
