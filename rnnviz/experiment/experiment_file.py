"""Reading and writing the text of an experiment file. Does not import numpy."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnviz import files
from rnnviz.errors import InputError, short_repr

#: The settings that are paths.
PATHS = ("source", "data")
LARGEST_FILE = 100_000  # bytes of an experiment file; all settings with their comments take a few thousand


def read_text(path: str | Path) -> str:
    """The text of an experiment file. Raises InputError for a file that cannot be read, is not text, or is too long."""
    try:
        content = files.read(path, LARGEST_FILE)
    except OSError as error:
        if error.errno == errno.EFBIG:
            too_long = f"is too long for an experiment; it has at most {LARGEST_FILE:,} bytes"
            raise no_experiment(path, too_long) from None
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    try:
        return content.decode("utf-8-sig")  # some editors begin a file with a mark
    except UnicodeDecodeError:
        raise no_experiment(path, "is not UTF-8 text; an experiment is a TOML file") from None


#: What a person's own cell, a Python file, ends with.
OWN_SUFFIX = ".py"


def without_own_cell(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of an experiment file or a lesson. Raises InputError if they name a Python file."""
    cell = values.get("cell")
    if isinstance(cell, str) and cell.endswith(OWN_SUFFIX):
        raise InputError(
            f"cell: {short_repr(cell)} is a Python file, which no experiment file or lesson may name; name it on the "
            "command line: --cell FILE.py"
        )
    return values


def parsed(text: str, where: str) -> dict[str, Any]:
    """The settings in a text in TOML. Raises InputError."""
    import tomllib

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not valid TOML: {error}") from None
    except RecursionError:
        raise InputError(f"{where}: not an experiment: it is nested too deeply") from None
    except ValueError:  # Python reads whole numbers of up to 4,300 digits
        raise InputError(f"{where}: not an experiment: it has a number with thousands of digits") from None
    try:
        return dict(without_own_cell(values))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def no_experiment(path: str | Path, reason: str) -> InputError:
    from rnnviz.tasks import own_files

    return InputError(own_files.no_experiment(path, reason))


def found_from(folder: str | Path, path: str) -> str:
    """The full path of a path that a file in `folder` contains. `~`, the reader's home, is not changed."""
    return path if path.startswith("~") else str(Path(folder).absolute() / path)


def in_folder(folder: str | Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a file in `folder`, with the full path of each path that they contain."""
    paths = {name: values[name] for name in PATHS if isinstance(values.get(name), str)}
    return {**values, **{name: found_from(folder, path) for name, path in paths.items()}}


def as_toml(settings: Mapping[str, Any]) -> str:
    """One `name = value` per line. Raises InputError for a Python file as a cell."""
    return "".join(f"{name} = {toml_value(value)}\n" for name, value in without_own_cell(settings).items())


def toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        escaped = "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)
        return f'"{escaped}"'
    return repr(value)
