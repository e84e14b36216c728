"""A report on learners for their teacher, as Markdown: what was seen, predicted and solved, and what was predicted
wrongly.

    of_one(course, learner)    one learner: a row for each lesson, then each wrong prediction
    of_many(course, learners)  a class: a row for each learner, then the questions that most predicted wrongly
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.glyphs import escaped
from rnnviz.lessons import summary
from rnnviz.lessons.course import OWN
from rnnviz.lessons.reading import read
from rnnviz.lessons.results import counted

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.lesson import Lesson
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.results import Mistake
    from rnnviz.lessons.summary import Summary

MOST_QUESTIONS = 20  # of those that a class predicted wrongly
_SIGN = re.compile(r"([\\`*_\[\]<>|#])")
_COLUMNS = ("pages seen", "right at first try", "right later", "wrong", "solved", "with hints", "left out")


@dataclass(frozen=True)
class Learner:
    name: str
    progress: Progress


def lessons_of(course: Course) -> list[Lesson]:
    """The lessons that can be read."""
    return [lesson for file in course.files if (lesson := read(file)[0]) is not None]


def of_one(course: Course, learner: Learner) -> Iterator[str]:
    lessons = lessons_of(course)
    done = [(lesson, summary.of(lesson, learner.progress.of(lesson.slug))) for lesson in lessons]
    begun = [(lesson, one) for lesson, one in done if one.is_begun]
    yield f"# {_text(learner.name)}: {_title(course)}"
    yield ""
    yield _in_all([one for _, one in done])
    yield ""
    yield _row("lesson", "finished", *_COLUMNS)
    yield _row(*["---"] * (len(_COLUMNS) + 2))
    for lesson, one in begun:
        yield _row(_text(lesson.name), "yes" if one.is_finished else "no", *_cells(one))
    if any(one.mistakes for _, one in begun):
        yield ""
        yield "## Predicted wrongly at the first try"
    for lesson, one in begun:
        yield from _mistakes(lesson, one)


def of_many(course: Course, learners: Sequence[Learner]) -> Iterator[str]:
    lessons = lessons_of(course)
    yield f"# {counted(len(learners), 'learner')}: {_title(course)}"
    yield ""
    yield _row("learner", "lessons finished", "last lesson", *_COLUMNS)
    yield _row(*["---"] * (len(_COLUMNS) + 3))
    wrong: Counter[tuple[int, int]] = Counter()
    answered: Counter[tuple[int, int]] = Counter()
    asked: dict[tuple[int, int], Mistake] = {}
    for learner in learners:
        done = [summary.of(lesson, learner.progress.of(lesson.slug)) for lesson in lessons]
        finished = f"{sum(one.is_finished for one in done)} of {len(lessons)}"
        last = next((lesson.name for lesson in lessons if lesson.slug == learner.progress.last), "")
        yield _row(_text(learner.name), finished, _text(last), *_cells(*done))
        for at, (lesson, one) in enumerate(zip(lessons, done, strict=True)):
            kept = learner.progress.of(lesson.slug)
            answered.update((at, n) for n, step in enumerate(lesson.steps, 1) if step.id in kept.answers)
            wrong.update((at, page) for page, _ in one.mistakes)
            asked.update({(at, page): mistake for page, mistake in one.mistakes})
    if wrong:
        yield ""
        yield "## Predicted wrongly most often"
        yield ""
    for place, times in sorted(wrong.items(), key=lambda item: (-item[1], item[0]))[:MOST_QUESTIONS]:
        name = f"{lessons[place[0]].number}.{place[1]}"
        mistake = asked[place]
        yield f"- {name}: {times} of {answered[place]}. {_text(mistake.question)} Right: {_text(mistake.right)}."


def _title(course: Course) -> str:
    return "the course of rnnviz" if course.name == OWN else f"the course in {_text(course.folder.resolve().name)}"


def _in_all(done: Sequence[Summary]) -> str:
    finished = sum(one.is_finished for one in done)
    questions = sum(one.first + one.later + one.wrong for one in done)
    return (
        f"{finished} of {counted(len(done), 'lesson')} finished, {sum(one.seen for one in done)} of "
        f"{counted(sum(one.pages for one in done), 'page')} seen. {sum(one.first for one in done)} of "
        f"{counted(questions, 'answered question')} right at the first try."
    )


def _cells(*done: Summary) -> tuple[str, ...]:
    """The numbers under _COLUMNS, of one lesson or of several together."""

    def total(name: str) -> int:
        return sum(getattr(one, name) for one in done)

    return (
        f"{total('seen')} of {total('pages')}", f"{total('first')} of {total('questions')}", f"{total('later')}",
        f"{total('wrong')}", f"{total('alone') + total('helped')} of {total('exercises')}", f"{total('helped')}",
        f"{total('skipped')}",
    )  # fmt: skip


def _mistakes(lesson: Lesson, done: Summary) -> Iterator[str]:
    if done.mistakes:
        yield ""
        yield f"### {_text(lesson.name)}"
        yield ""
    for page, mistake in done.mistakes:
        given = f" Answer: {_text(mistake.given)}." if mistake.given else ""
        line = f"- {lesson.number}.{page} {_text(mistake.question)}{given} Right: {_text(mistake.right)}."
        yield f"{line} {_text(mistake.why)}".rstrip()


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """A text of a lesson or of a file, in one line, with nothing in it that Markdown would take for a sign."""
    words = text.replace("**", "").replace("`", "").split()
    return _SIGN.sub(r"\\\1", " ".join(map(escaped, words)))
