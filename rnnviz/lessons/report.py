"""The problems of a lesson file, each with its line and what to do; and the checks that all its parts share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from rnnviz.errors import InputError
from rnnviz.lessons.lesson_file import LONGEST_TEXT
from rnnviz.lessons.prose import lone_sign, quotes, wide_character

T = TypeVar("T")

MOST_PROBLEMS = 50  # reported for one file


@dataclass(frozen=True, order=True)
class Problem:
    """A problem of a lesson: what, where, and what to do."""

    path: Path
    line: int
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")


class TooManyError(Exception):
    """Too many problems to report at once."""


class Report:
    """Collects the problems of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def wrong(self, line: int, what: str, remedy: str = "") -> None:
        self.problems.append(Problem(self.path, line, what, remedy))
        if len(self.problems) >= MOST_PROBLEMS:
            raise TooManyError

    def attempt(self, line: int, make: Callable[[], T]) -> T | None:
        """The result of `make`; its InputError (what; remedy) becomes a problem at this line."""
        try:
            return make()
        except InputError as error:
            what, _, remedy = str(error).partition("; ")
            self.wrong(line, what, remedy or "write an allowed value; `rnnviz train --help` lists them")
            return None

    def known(self, given: Mapping[str, Any], keys: Collection[str], where: str, line_of: Callable[[str], int]) -> None:
        for name in given:
            if name not in keys:
                close = get_close_matches(name, keys, n=1)
                hint = f"did you mean {close[0]}?" if close else f"keys: {', '.join(sorted(keys))}"
                self.wrong(line_of(name), f"unknown key {name!r} in {where}", hint)

    def text(self, table: Mapping[str, Any], key: str, line: int, line_of: Callable[[str], int]) -> str | None:
        value = table.get(key)
        if value is None:
            self.wrong(line, f"{key} is missing", f'add {key} = "…"')
            return None
        if not isinstance(value, str) or not value.strip():
            self.wrong(line_of(key), f"{key} is not a string", f'write {key} = "…"')
            return None
        return value.strip() if self.proper(line_of(key), value) else None

    def proper(self, line: int, text: str) -> bool:
        """Whether a text can be shown: it quotes existing metrics, and every character is one cell wide."""
        if len(text) > LONGEST_TEXT:
            self.wrong(line, f"a text of {len(text):,} characters; the limit is {LONGEST_TEXT:,}", "shorten it")
            return False
        wide = wide_character(text)
        if wide is not None:
            self.wrong(line, f"{wide!r} is not one terminal cell wide", "use another character")
            return False
        sign = lone_sign(text)
        if sign is not None:
            self.wrong(line, f"unmatched {sign}", "close it, or remove it")
            return False
        return self.attempt(line, lambda: quotes(text)) is not None

    def fixed(self, line: int, text: str, what: str) -> None:
        """Check a text that must not quote figures from the frame."""
        if self.proper(line, text) and "{" in text:
            self.wrong(line, f"a figure in the {what}", "quote it in the step's text, where it follows the network")
