"""Opening a lesson of a course at the step where the learner left it."""

from __future__ import annotations

from collections.abc import Collection

from rnnviz.errors import InputError, short_repr
from rnnviz.lessons.course import Course
from rnnviz.lessons.lesson import Lesson
from rnnviz.lessons.progress import Progress
from rnnviz.lessons.reading import read
from rnnviz.lessons.run import LessonRun


def once_more(run: LessonRun) -> LessonRun:
    """A finished lesson opened at its first step again, with its answers and its tick."""
    return run.jump(0) if run.finished and run.is_last else run


def first_lesson(course: Course, progress: Progress, slug: str | None, panels: Collection[str]) -> LessonRun:
    """The lesson a session begins with: the requested one; else the last open one, or the one after it if it was
    finished; else the first. Raises InputError if it cannot be read."""
    slugs = [course.slug(file) for file in course.files]
    if slug is not None:
        return once_more(progress.resume(read_lesson(course, course.slug(course.file(slug)), panels)))
    last = progress.last if progress.last in slugs else slugs[0]
    at = slugs.index(last)
    run = progress.resume(read_lesson(course, last, panels))
    if run.finished and run.is_last and at + 1 < len(slugs):
        run = progress.resume(read_lesson(course, slugs[at + 1], panels))
    return once_more(run)


def lesson_at(course: Course, slug: str | None, step: int, panels: Collection[str]) -> LessonRun:
    """A lesson (None: the first) at a step, counted from 1, as nobody has worked in it. Raises InputError."""
    file = course.files[0] if slug is None else course.file(slug)
    lesson = read_lesson(course, course.slug(file), panels)
    if not 1 <= step <= len(lesson.steps):
        raise InputError(f"step: {step} is not one of the steps 1 to {len(lesson.steps)} of {course.slug(file)}")
    return LessonRun(lesson).jump(step - 1)


def read_lesson(course: Course, slug: str, panels: Collection[str]) -> Lesson:
    """Read a lesson. panels: the names it may open. Raises InputError with its first problem."""
    lesson, problems = read(course.file(slug))
    if lesson is None:
        first = problems[0]
        raise InputError(f"{first.path.name}, line {first.line}: {first.what}. rnnviz lessons check says more.")
    for step in lesson.steps:
        for name, argument in step.do + step.reveal:
            if name == "panel" and argument and argument not in panels:
                unknown = f"{lesson.path.name}, line {step.line}: unknown panel {short_repr(argument)}."
                raise InputError(f"{unknown} rnnviz lessons check says more.")
    return lesson
