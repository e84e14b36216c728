"""The text of a lesson file and the TOML in it, within bounds: any file is read in a moment, or refused with a line and
what to do. Does not import NumPy.

The bounds are ten times what a lesson needs, and keep everything after this file quick.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from rnnviz import files

LARGEST = 200_000  # bytes of a file
MOST_LINES = 3_000
LONGEST_LINE = 500  # characters
LONGEST_TEXT = 1_000  # characters of a paragraph, or of a text in TOML
MOST_ENTRIES = 100  # of a list or table
DEEPEST = 8  # nested tables and lists
_CURLY = re.compile("[“”„‘’«»]")
_LARGEST_NUMBER = 2**63  # TOML's own limit


class SourceError(Exception):
    """A problem, its remedy, and its place: a line of the source (from 1; 0 for the whole file), or a key."""

    def __init__(self, what: str, remedy: str, line: int = 0, key: str = "") -> None:
        super().__init__(what)
        self.what, self.remedy, self.line, self.key = what, remedy, line, key


def source_lines(path: Path) -> list[str]:
    """The lines of a file, without the byte order mark that some editors put first. Raises SourceError for a file
    that is no text or out of bounds."""
    try:
        lines = files.read(path, LARGEST).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SourceError("is not UTF-8 text", "save it as UTF-8") from None
    except OSError as error:
        reason = error.strerror or error
        raise SourceError(f"cannot be read: {reason}", "check the file's name and permissions") from None
    if len(lines) > MOST_LINES:
        what = f"the file has {len(lines):,} lines; the limit is {MOST_LINES:,}"
        raise SourceError(what, "split it into several lessons", MOST_LINES + 1)
    for number, line in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE:
            what = f"the line has {len(line):,} characters; the limit is {LONGEST_LINE}"
            raise SourceError(what, "split or shorten it", number)
    return lines


def toml(lines: list[str]) -> dict[str, Any]:
    """The tables in these lines. Raises SourceError for anything that tomllib cannot read."""
    try:
        tables = tomllib.loads("\n".join(lines))
    except RecursionError:
        raise _too_deep() from None
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = re.search(r"\(at line (\d+), column \d+\)", message)
        what = f"bad TOML: {message.partition(' (at')[0]}"
        remedy = 'write strings in "quotes" and tables in [brackets], one key per line'
        line = int(at[1]) if at else len(lines)
        if _CURLY.search("".join(lines[max(line - 1, 0) : line])):
            remedy = 'write straight quotes, "like these", not curly ones'
        raise SourceError(what, remedy, line) from None
    except Exception as error:  # any other exception: a lesson with errors must not end the app
        raise SourceError(f"bad TOML: {error}", "write it more simply") from None
    _bounded(tables)
    return tables


def _too_deep() -> SourceError:
    return SourceError("bad TOML: nested too deeply", "a setting is a number, a string or a list of them")


def _bounded(tables: dict[str, Any]) -> None:
    waiting: list[tuple[Any, int, str]] = [(tables, 0, "")]
    while waiting:
        value, depth, key = waiting.pop()
        if depth > DEEPEST:
            raise _too_deep()
        if isinstance(value, dict | list):
            if len(value) > MOST_ENTRIES:
                what = f"{key or 'the block'} has {len(value):,} entries; the limit is {MOST_ENTRIES}"
                raise SourceError(what, "remove some", key=key)
            inside = value.items() if isinstance(value, dict) else ((key, part) for part in value)
            waiting += [(part, depth + 1, name) for name, part in inside]
        elif isinstance(value, str) and len(value) > LONGEST_TEXT:
            what = f"{key} has {len(value):,} characters; the limit is {LONGEST_TEXT:,}"
            raise SourceError(what, "shorten it", key=key)
        elif isinstance(value, int) and abs(value) >= _LARGEST_NUMBER:
            raise SourceError(f"{key} is a number too long for TOML", "write one of at most 18 digits", key=key)
