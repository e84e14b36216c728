"""Find lessons and pages of a course by words.

    >>> Index(course).find("update gate", progress)[0]
    Found("gru", 0, "update gate (10.1 One state, two gates)", "The gate of a GRU that …", "term")

A term of the glossary is found by its name, a lesson by its title, summary and what it explains, a page by its heading,
text and question. The explanation of a question or exercise is searched once the learner has done it: nothing gives an
answer away. Files are split into pages here without their experiments being checked, which takes a fifth of the time of
reading them as lessons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnviz.lessons.course import BROKEN, explained, head
from rnnviz.lessons.glossary import places
from rnnviz.lessons.lesson_file import SourceError, source_lines
from rnnviz.lessons.markdown import Block, Markdown
from rnnviz.lessons.prose import plain, spans
from rnnviz.lessons.report import Report, TooManyError
from rnnviz.lessons.steps import heading_id
from rnnviz.words.glossary import spellings, term

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.progress import Progress

LONGEST = 100  # characters of what is searched for
_FIGURE = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Found:
    """A lesson (page None) or one of its pages, counted from 0, and its name in a list. about: a line on it. kind:
    lesson, page, or term: a page that defines one."""

    slug: str
    page: int | None
    name: str
    about: str
    kind: str


@dataclass(frozen=True)
class _Page:
    id: str
    heading: str
    open: str  # what everyone may read
    later: str  # what is read after the answer or solution


@dataclass(frozen=True)
class _Lesson:
    slug: str
    number: str
    title: str
    summary: str
    about: str
    pages: tuple[_Page, ...]


class Index:
    """The words of a course, read once."""

    def __init__(self, course: Course) -> None:
        self._lessons = [_lesson(course.slug(file), file) for file in course.files]
        self._terms = [*_terms(course)]

    def find(self, words: str, progress: Progress) -> list[Found]:
        """The terms, then the lessons and pages that hold all of these words, in the order of the course; without words
        all lessons."""
        wanted = [_flat(word) for word in words.split()]
        found = [place for names, place in self._terms if wanted and _holds(wanted, names)]
        for lesson in self._lessons:
            kept = progress.of(lesson.slug)
            title = f"{lesson.number} {lesson.title}"
            if _holds(wanted, f"{title} {lesson.about}"):
                found.append(Found(lesson.slug, None, title, lesson.summary, "lesson"))
            for at, page in enumerate(lesson.pages if wanted else ()):
                is_done = page.id in kept.answers or page.id in kept.solved
                text = f"{page.heading} {page.open} {page.later if is_done else ''}"
                if _holds(wanted, text):
                    name = f"{lesson.number}.{at + 1} {page.heading}"
                    about = f"{lesson.title}: {_around(page.open, wanted)}"
                    found.append(Found(lesson.slug, at, name, about, "page"))
        return found


def _terms(course: Course) -> Iterator[tuple[str, Found]]:
    """The names of each term that the course defines, and the page that does."""
    for name, place in places(course).items():
        one = term(name)
        if one is not None:
            about = f"{one.name} ({place.lesson}.{place.page} {place.heading})"
            yield " ".join(spellings(one)), Found(course.slug(place.file), place.page - 1, about, one.about, "term")


def _flat(text: str) -> str:
    return text.casefold()


def _holds(wanted: list[str], text: str) -> bool:
    flat = _flat(text)
    return all(word in flat for word in wanted)


def _around(text: str, wanted: list[str]) -> str:
    """The sentence of a text with the first of these words; its first sentence if none is there."""
    sentences = text.replace("? ", ".  ").split(". ")
    return next((s for word in wanted for s in sentences if word in _flat(s)), sentences[0]).strip()


def _lesson(slug: str, file: Path) -> _Lesson:
    title, summary = head(file)
    number = file.stem.partition("-")[0].lstrip("0") or "0"
    about = " ".join(("" if summary == BROKEN else summary, *explained(file)))
    return _Lesson(slug, number, title, summary, about, tuple(_pages(file)))


def _pages(file: Path) -> Iterator[_Page]:
    try:
        lines = source_lines(file)
        report = Report(file)
        start = next((i for i in range(1, len(lines)) if lines[i].strip() == "+++"), -1) + 1
        sections = list(Markdown(report, lines).sections(start))
    except (SourceError, TooManyError):
        return
    for section in sections:
        texts: tuple[list[str], list[str]] = ([], [])
        is_later = False
        for _, part in section.parts:
            if isinstance(part, Block):
                texts[0].extend(_questions(part.tables))
                is_later = is_later or bool({"predict", "exercise"} & part.tables.keys())
            else:
                texts[is_later].append(part)
        yield _Page(heading_id(section.heading), section.heading, *(_plain(" ".join(one)) for one in texts))


def _questions(tables: dict[str, Any]) -> Iterator[str]:
    """The question with its choices, and the goal, of a block."""
    for name, key in (("predict", "question"), ("exercise", "goal")):
        table = tables.get(name)
        if isinstance(table, dict):
            yield str(table.get(key, ""))
            choices = table.get("choices")
            yield from (
                (str(c.get("say", "")) for c in choices if isinstance(c, dict)) if isinstance(choices, list) else ()
            )


def _plain(text: str) -> str:
    return plain(spans(_FIGURE.sub("…", text)))
