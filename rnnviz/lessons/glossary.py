"""Where the course defines each term of the glossary, and the glossary as a page beside the lessons.

python -m rnnviz.lessons.glossary > lessons/glossary.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rnnviz.lessons.course import find, head
from rnnviz.lessons.prose import spans
from rnnviz.words.glossary import term
from rnnviz.words.terms import TERMS, Term

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course


@dataclass(frozen=True)
class Place:
    """A page of a lesson; page counts from 1."""

    file: Path
    page: int
    heading: str

    @property
    def lesson(self) -> int:
        return int(self.file.stem.partition("-")[0])

    @property
    def name(self) -> str:
        return f"lesson {self.lesson}, page {self.page}: {self.heading}"


def places(course: Course) -> dict[str, Place]:
    """By the name of a term: the first page that sets it in bold."""
    found: dict[str, Place] = {}
    for file in course.files:
        for place, text in _pages(file):
            for part, style in spans(text):
                one = term(part) if style == "bold" else None
                if one is not None:
                    found.setdefault(one.name, place)
    return found


def _pages(file: Path) -> Iterator[tuple[Place, str]]:
    """Each page's own text, without its blocks, on one line."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):  # a broken lesson defines nothing
        return
    for page, section in enumerate(re.split(r"^## ", text, flags=re.MULTILINE)[1:], start=1):
        heading, _, body = section.partition("\n")
        words = re.sub(r"^```.*?^```$", "", body, flags=re.MULTILINE | re.DOTALL)
        yield Place(file, page, heading.strip()), " ".join(words.split())


def definition(one: Term) -> Iterator[str]:
    """The definition and the related terms, a paragraph each, in the Markdown of lessons."""
    yield one.about
    if one.see:
        yield f"See also: {', '.join(one.see)}."


def page(course: Course) -> str:
    """The whole glossary in Markdown."""
    found = places(course)
    lines = [
        "# Glossary",
        "",
        "The terms of the course. In the app the glossary begins with those of the open page.",
        "",
    ]
    for one in TERMS:
        symbol = f" ({one.symbol})" if one.symbol else ""
        where = found.get(one.name)
        link = f" [{head(where.file)[0]}]({where.file.name})." if where is not None else ""
        lines += [f"**{one.name}**{symbol}: {' '.join(definition(one))}{link}", ""]
    return "\n".join(lines[:-1]) + "\n"


if __name__ == "__main__":
    print(page(find()), end="")
