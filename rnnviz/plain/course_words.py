"""The course in sentences: its lessons with the learner's progress, the pages of one, and what a search finds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz.lessons.closing_page import is_over
from rnnviz.lessons.course import BROKEN, head
from rnnviz.lessons.prose import plain
from rnnviz.plain.glossary import names
from rnnviz.plain.words import VOICE
from rnnviz.words.glossary import terms_in

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.pages import Page
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.run import LessonRun
    from rnnviz.lessons.searching import Index


def contents(course: Course, progress: Progress, run: LessonRun) -> list[str]:
    """How to open a lesson or a page, and a line for each lesson."""
    lines = []
    for file in course.files:
        title, summary = head(file)
        kept = progress.of(course.slug(file))
        far = f": {kept.done} of {kept.steps} pages" if kept.steps else ""
        tally = f", {kept.tally}" if kept.tally else ""
        here = " (open)" if file == run.lesson.path else ""
        number = file.stem.partition("-")[0].lstrip("0") or "0"
        whole = f"Lesson {number}, {title}{here}{far}{tally}."
        lines.append(f"Lesson {number} {BROKEN}." if summary == BROKEN else whole)
    end = " [closing] reads the closing page." if is_over(course, progress) else ""
    how = (
        "[lesson] and a number open one, [page] and a number a page of this one, [search] and words find pages, "
        "[replay] asks the questions of this lesson again, [lesson_summary] sums it up, [reset] forgets its progress."
    )
    return [VOICE.say(how + end), *lines]


def pages(run: LessonRun) -> list[str]:
    """A line for each page of the lesson, with its result."""
    lines = []
    for number, step in enumerate(run.lesson.steps, start=1):
        result = replace(run, at=number - 1, is_retry=False).standing[1]
        here = " (here)" if number - 1 == run.at else ""
        lines.append(f"Page {number}: {step.heading}{here}{f', {result}' if result else ''}.")
    return lines


def terms(shown: Page) -> list[str]:
    """The terms of the glossary on a page."""
    found = terms_in(" ".join([shown.heading, *map(plain, shown.lines)]))
    how = VOICE.say("[glossary] and a term explain it, also one of another page.")
    return [names(found), how] if found else [f"This page has no term of the glossary. {how}"]


def place(which: str) -> tuple[str, int | None]:
    """A lesson and its page: `6.3` and `lstm 2` name one, `lstm` and `6` do not."""
    lesson, sign, page = which.replace(".", " ").rpartition(" ")
    return (lesson.strip(), int(page)) if sign and page.isdecimal() and len(page) < 7 else (which, None)


def found(index: Index, words: str, progress: Progress) -> list[str]:
    """What a search finds, and how to open it."""
    if not words:
        return [VOICE.say("Type [search] and words: the lessons and pages that hold them all are read.")]
    some = index.find(words, progress)
    if not some:
        return ["No term, lesson or page holds all of these words."]
    lines = [f"{one.kind.capitalize()} {one.name}." for one in some]
    return [VOICE.say("[lesson] and its number open one, such as lesson 6 or lesson 6.3."), *lines]
