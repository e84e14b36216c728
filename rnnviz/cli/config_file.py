"""The user's configuration, config.toml: how a session of the app behaves when no flag decides.

    theme = "light"
    start = "score"
    [keys]
    ledger = "Y"

`read()` costs one look for the file while there is none. A mistake in it is an InputError with file and line.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.terminal import CHOICES

LIMIT = 1 << 16  # bytes
SPEEDS = (0.05, 100.0)
OWN_THEMES = ("auto", "dark", "light", "ansi")
_NAME = r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'"""
_HEADER = re.compile(rf"\s*\[\s*((?:{_NAME})(?:\s*\.\s*(?:{_NAME}))*)\s*\]")
_ENTRY = re.compile(rf"\s*((?:{_NAME})(?:\s*\.\s*(?:{_NAME}))*)\s*=")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")


@dataclass(frozen=True)
class Config:
    """What is None or missing is not in the file."""

    color: str | None = None
    theme: str | None = None
    ascii: bool | None = None
    mouse: bool | None = None
    speed: float | None = None
    start: str | None = None
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    path: Path | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the file. check: the value in use; raises InputError without its name."""

    name: str
    default: str
    help: str
    check: Callable[[Any], Any]


def _color(value: Any) -> str:
    name = short_repr(value) if type(value) is int else value
    if name not in CHOICES:
        raise InputError(f"{short_repr(value)} is none of {', '.join(CHOICES)}")
    return str(name)


def checked_theme(value: Any) -> str:
    """The name of a theme; "auto", "dark", "light" and "ansi" are ours, the others Textual's. Raises InputError."""
    if value in OWN_THEMES:
        return str(value)
    from textual.theme import BUILTIN_THEMES  # imported by the app in any case

    if not isinstance(value, str) or value not in BUILTIN_THEMES:
        hint = _hint(value if isinstance(value, str) else "", [*OWN_THEMES, *BUILTIN_THEMES])
        raise InputError(f"unknown theme {short_repr(value)}; {hint}")
    return value


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{short_repr(value)} is neither true nor false")
    return value


def _ascii(value: Any) -> bool | None:
    return None if value == "auto" else _switch(value)


def _speed(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not SPEEDS[0] <= value <= SPEEDS[1]:
        raise InputError(f"{short_repr(value)} is not a number from {SPEEDS[0]:g} to {SPEEDS[1]:g}")
    return float(value)


def _start(value: Any) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise InputError(f"{short_repr(value)} is neither lessons, score nor the name of a file")
    return value


ENTRIES = (
    Entry("color", '"auto"', f"{', '.join(CHOICES)}; auto: as your terminal", _color),
    Entry("theme", '"auto"', "auto (dark or light, as your terminal), dark, light, ansi (its own palette), nord, …",
          checked_theme),
    Entry("ascii", '"auto"', "true, false; auto: if the encoding or a Linux console has no other characters", _ascii),
    Entry("mouse", "true", "false: the terminal selects text as usual", _switch),
    Entry("speed", "1.0", f"of playing, {SPEEDS[0]:g} to {SPEEDS[1]:g}; 2 is twice as fast", _speed),
    Entry("start", '"lessons"', "what rnnviz alone opens: lessons, score, or a file as on its command line", _start),
)  # fmt: skip


def path() -> Path | None:
    """Where the file is, whether it exists or not; None for a user without a home folder."""
    root = os.environ.get("XDG_CONFIG_HOME", "").strip()  # as platformdirs, which takes longer to import
    if not os.path.isabs(root) and sys.platform in ("darwin", "win32"):
        from rnnviz.files import user_folder

        folder = user_folder("config")
        return None if folder is None else folder / "config.toml"
    if not os.path.isabs(root):
        root = os.path.expanduser("~/.config")
    return Path(root, "rnnviz", "config.toml") if os.path.isabs(root) else None


@lru_cache(maxsize=4)
def _read_at(where: Path) -> Config:
    return read_file(where)


def read() -> Config:
    """The user's configuration. Raises InputError."""
    where = path()
    return Config() if where is None or not os.path.lexists(where) else _read_at(where)


def read_file(where: Path) -> Config:
    """Raises InputError for a file that cannot be read or contains a mistake: file, line, what and what to do."""
    import tomllib

    from rnnviz import files

    try:
        text = files.read(where, LIMIT).decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{where}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}, line {line}: not UTF-8; save it as UTF-8") from None
    try:
        tables = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        line = int(at[1]) if at and at[1] else text.count("\n") + 1
        raise InputError(f"{where}, line {line}: not valid TOML: {_AT_LINE.sub('', str(error))}") from None
    except RecursionError:
        raise InputError(f"{where}: not valid TOML: nested too deep") from None
    except ValueError:  # Python reads whole numbers of up to 4,300 digits
        raise InputError(f"{where}: not a configuration: it has a number with thousands of digits") from None
    return _checked(tables, where, text)


def _checked(tables: dict[str, Any], where: Path, text: str) -> Config:
    known = {entry.name: entry for entry in ENTRIES}
    found: dict[str, Any] = {}
    for name, value in tables.items():
        if name == "keys":
            continue
        if name not in known:
            place, close = _place(where, text, name), _hint(name, [*known, "keys"])
            raise InputError(f"{place}: {short_repr(name)} is unknown; {close}")
        try:
            found[name] = known[name].check(value)
        except InputError as error:
            raise InputError(f"{_place(where, text, name)}: {name}: {error}") from None
    keys = tables.get("keys", {})
    if not isinstance(keys, dict):
        raise InputError(f"{_place(where, text, 'keys')}: keys: {short_repr(keys)} is not a table; write [keys]")
    if keys:
        from rnnviz.tui import keymap  # imported by the app in any case

        try:
            found["keys"] = keymap.checked(keys)
        except keymap.KeyMistakeError as error:
            raise InputError(f"{_place(where, text, 'keys', error.action)}: keys.{error.action}: {error}") from None
    return Config(**found, path=where)


def _hint(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"choose {', '.join(known)}"


def place_of(config: Config, name: str) -> str:
    """File and line of an entry of a configuration that was read, for an error about its value."""
    from rnnviz import files

    assert config.path is not None
    return _place(config.path, files.read(config.path, LIMIT).decode("utf-8-sig"), name)


def _place(where: Path, text: str, *names: str) -> str:
    line = line_of(text, *names)
    return f"{where}, line {line}" if line else str(where)


def line_of(text: str, *names: str) -> int | None:
    """The line, from 1, on which the value under these names begins: `line_of(text, "keys", "batch")`. Of an inline
    table, the line of the table; None if it is written in a way that this search does not follow."""
    table: list[str] = []
    found, length, inside = None, 0, False
    for number, line in enumerate(text.splitlines(), 1):
        was_inside = inside
        inside ^= bool((line.count('"""') + line.count("'''")) % 2)
        if was_inside:
            continue
        if header := _HEADER.match(line):
            table = here = _names(header[1])
        elif entry := _ENTRY.match(line):
            here = [*table, *_names(entry[1])]
        else:
            continue
        if len(here) > length and here == list(names[: len(here)]):
            found, length = number, len(here)
    return found


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in re.findall(_NAME, dotted)]
