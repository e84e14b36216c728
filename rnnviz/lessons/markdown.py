"""A lesson's Markdown: the front matter, and one section per ## heading, with paragraphs, formulas and toml blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

from rnnviz.lessons.lesson_file import SourceError, toml
from rnnviz.lessons.prose import FORMULA
from rnnviz.lessons.report import Report

FENCES = ("```", "~~~")
# Markdown that a step must not use; the second list only at the start of a paragraph.
_NO_PLACE = re.compile(r"#+\s+\S|\||>|!\[")
_TABLE = re.compile(r"\[\[?[a-z_.]+\]\]?")  # the head of a table in TOML
_NO_PLACE_FIRST = re.compile(r"#\S*|<\S*|\d+[.)]\s")


@dataclass
class Block:
    """A fenced block: its tables, and the place of its lines in the file."""

    tables: dict[str, Any]
    line: int
    source: list[str]

    def line_of(self, *keys: str) -> int:
        """The line of a key; each further key is searched after the one before."""
        at = 0
        for key in keys:
            sign = re.compile(rf"(^|[{{,\s\[.]){re.escape(key)}\s*[=\]]")
            at = next((i for i in range(at, len(self.source)) if sign.search(self.source[i])), at)
        return self.line + 1 + at

    def line_of_text(self, text: str, otherwise: int) -> int:
        """The line that holds this text."""
        return next((self.line + 1 + i for i, line in enumerate(self.source) if text in line), otherwise)


@dataclass
class Section:
    heading: str
    line: int
    parts: list[tuple[int, str | Block]] = field(default_factory=list)


class Markdown:
    """Reads the lines of a file and reports their problems."""

    def __init__(self, report: Report, lines: list[str]) -> None:
        self.report, self.wrong, self.lines = report, report.wrong, lines

    def front(self) -> tuple[Block | None, int]:
        """The front matter, and the line the body begins on (from 0)."""
        lines = self.lines
        if not lines or lines[0].strip() != "+++":
            self.wrong(1, "the front matter is missing", "begin the file with +++, title and summary as TOML, and +++")
            return None, 0
        end = next((i for i in range(1, len(lines)) if lines[i].strip() == "+++"), None)
        if end is None:
            self.wrong(1, "the front matter is not closed", "put a line +++ after it")
            return None, 0
        return self.toml(lines[1:end], 1), end + 1

    def toml(self, source: list[str], line: int) -> Block | None:
        """A block whose lines begin after line `line` (from 1)."""
        try:
            return Block(toml(source), line, source)
        except SourceError as error:
            where = line + error.line
            if error.key:
                where = Block({}, line, source).line_of(error.key)
            self.wrong(where, error.what, error.remedy)
            return None

    def sections(self, at: int) -> Iterator[Section]:
        """One for each ## heading, with its paragraphs and blocks in their order."""
        section: Section | None = None
        lines = self.lines
        while at < len(lines):
            line, number = lines[at], at + 1
            if line.startswith("## "):
                if section is not None:
                    yield section
                section = Section(line[3:].strip(), number)
                at += 1
            elif line.startswith("```"):
                end = next((i for i in range(at + 1, len(lines)) if lines[i].strip().startswith("```")), None)
                if end is None:
                    self.wrong(number, "the block is not closed", "put a line ``` after it")
                    break
                self.fenced(section, line[3:].strip(), lines[at + 1 : end], number)
                at = end + 1
            elif line.strip().startswith(FENCES):
                self.wrong(number, f"{line.rstrip()!r} does not begin a block", "begin it with ```toml at the margin")
                fence = line.strip()[:3]
                end = next((i for i in range(at + 1, len(lines)) if lines[i].strip().startswith(fence)), at)
                at = end + 1
            elif not line.strip():
                at += 1
            else:
                end = at
                while end < len(lines) and (stripped := lines[end].strip()):
                    if stripped.startswith(FENCES) or lines[end].startswith("## "):
                        break
                    end += 1
                self.paragraphs(section, lines[at:end], number)
                at = end
        if section is not None:
            yield section

    def fenced(self, section: Section | None, kind: str, source: list[str], line: int) -> None:
        if kind not in ("toml", ""):
            self.wrong(line, f"a block of {kind}", "write ```toml for commands, ``` alone for a formula")
        elif section is None:
            self.wrong(line, "a block before the first step", "put it under a ## heading")
        elif not kind:
            self.formula(section, source, line)
        else:
            block = self.toml(source, line)
            if block is not None:
                section.parts.append((line, block))

    def formula(self, section: Section, source: list[str], line: int) -> None:
        """A block without a kind: formulas or lines of a program, with the indentation they have among each other."""
        table = next((one.strip() for one in source if _TABLE.fullmatch(one.strip())), None)
        if table is not None:
            self.wrong(line, f"{table} in a block without a kind", "write ```toml above commands")
            return
        lines = [one.rstrip() for one in dedent("\n".join(source)).split("\n") if one.strip()]
        for number, one in enumerate(lines, start=line + 1):
            self.report.proper(number, one)
        if lines:
            section.parts.append((line, FORMULA + "\n".join(lines)))
        else:
            self.wrong(line, "the block is empty", "write a formula in it, or ```toml above commands")

    def paragraphs(self, section: Section | None, lines: list[str], number: int) -> None:
        first = lines[0]
        if first.startswith("# ") and section is None:
            return  # the title again, for a code host
        if section is None:
            self.wrong(number, "text before the first step", "put it under a ## heading")
            return
        for i, line in enumerate(lines):
            sign = _NO_PLACE.match(line) or (_NO_PLACE_FIRST.match(line) if i == 0 else None)
            if sign or "![" in line:
                what = f"{sign[0].split()[0]!r}" if sign else "a picture"
                remedy = "write short sentences; ## begins the next step, - a list item"
                self.wrong(number + i, f"{what} is not allowed in a step", remedy)
                return
        text: list[str] = []
        for line in lines:
            item = re.match(r"\s*[-*] +(.*)", line)
            if item:
                text.append("• " + item[1].strip())
            elif text:
                text[-1] += " " + line.strip()
            else:
                text.append(line.strip())
        for paragraph in text:
            self.report.proper(number, paragraph)
            section.parts.append((number, paragraph))
