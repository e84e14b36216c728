"""The closing page of a course: what the learner can now explain, what went wrong, and where to go next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnnviz.lessons.course import head
from rnnviz.lessons.reading import read
from rnnviz.lessons.results import DONE, counted

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.progress import Progress

#: Tools that no lesson needs, with their keys.
TOOLS = (
    "`[lesson_leave]` starts free play: no lesson, and every row, key and panel.",
    "`[code]` shows the code behind the picture, and the same model in PyTorch and Keras, ready to run.",
    "`[check]` runs a gradient check: this sequence's gradients against finite differences.",
    "`[travel]` shows the whole training: how far back the gradient reached in each epoch.",
    "`[pin]` pins the present settings, and `[compare]` compares them with what you change.",
    "`[commands]` finds any command by name; `rnnviz --help` lists the commands for your own networks and data.",
)


def is_over(course: Course, progress: Progress) -> bool:
    """Whether the last lesson has been finished."""
    return progress.of(course.slug(course.files[-1])).finished


def closing(course: Course, progress: Progress) -> Iterator[str]:
    """Paragraphs in the Markdown of lessons, with actions in brackets (see words/voice.py); an empty one is a space."""
    finished = [file for file in course.files if progress.of(course.slug(file)).finished]
    yield f"You have finished {len(finished)} of {counted(len(course.files), 'lesson')}."
    yield ""
    yield "**You can now explain**"
    for file in finished:
        title, summary = head(file)
        yield f"{title}: {summary}"
    missed = [line for file in course.files for line in _missed(course, progress, course.slug(file))]
    yield ""
    if missed:
        yield "**To try again**: open a step with `[contents]` and `[right]`; `[lesson_return]` asks its question again"
        yield from missed
    else:
        yield "You answered every question right at the first try and solved every exercise without a hint."
    yield ""
    yield "**Where to go next**"
    yield from TOOLS


def _missed(course: Course, progress: Progress, slug: str) -> Iterator[str]:
    """The questions and exercises of a lesson that were wrong, skipped or needed hints."""
    kept = progress.of(slug)
    if not (kept.answers or kept.solved or kept.skipped):
        return
    lesson, _ = read(course.file(slug))
    for number, step in enumerate(lesson.steps if lesson is not None else (), start=1):
        mark, how = kept.standing(step.id)
        if step.task is not None and how and mark != DONE:
            assert lesson is not None
            yield f"{lesson.number}.{number} {step.heading}: {how}"
