"""The page at the end of a lesson, and the one at the end of a course: what the learner can now explain, what went
wrong, and where to go next. Paragraphs in the Markdown of lessons, with actions in brackets (see words/voice.py); an
empty one is a space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnnviz.lessons import summary
from rnnviz.lessons.course import explained, head
from rnnviz.lessons.reading import read
from rnnviz.lessons.results import counted

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.lesson import Lesson
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.results import Mistake
    from rnnviz.lessons.summary import Summary

#: Tools that no lesson needs, with their keys.
TOOLS = (
    "`[lesson_leave]` starts free play: no lesson, and every row, key and panel.",
    "`[code]` shows the code behind the picture, and the same model in PyTorch and Keras, ready to run.",
    "`[check]` runs a gradient check: this sequence's gradients against finite differences.",
    "`[travel]` shows the whole training: how far back the gradient reached in each epoch.",
    "`[pin]` pins the present settings, and `[compare]` compares them with what you change.",
    "`[commands]` finds any command by name; `rnnviz --help` lists the commands for your own networks and data.",
)
CAN = "**You can now explain**"
WILL = "**At the end of this lesson you can explain**"
WRONGLY = "**What you predicted wrongly**"
NEXT = "**Where to go next**"
NOTHING_WRONG = "You answered every question right at the first try."


def is_over(course: Course, progress: Progress) -> bool:
    """Whether the last lesson has been finished."""
    return progress.of(course.slug(course.files[-1])).finished


def after(course: Course, slug: str) -> str | None:
    """The slug of the lesson after this one; None after the last, or if the course has no such lesson any more."""
    slugs = [course.slug(file) for file in course.files]
    at = slugs.index(slug) + 1 if slug in slugs else len(slugs)
    return slugs[at] if at < len(slugs) else None


def lesson_closing(course: Course, progress: Progress, lesson: Lesson) -> Iterator[str]:
    """The page at the end of a lesson."""
    kept = progress.of(lesson.slug)
    done = summary.of(lesson, kept)
    yield f"{done.in_words[0].upper()}{done.in_words[1:]}."
    yield ""
    yield CAN if kept.finished else WILL
    yield from (f"• {text}" for text in lesson.explains or (lesson.summary,))
    yield ""
    yield from _went_wrong(lesson, done)
    yield ""
    yield NEXT
    following = after(course, lesson.slug)
    if following is None:
        yield "`[lesson_next]` opens the closing page of the course."
    else:
        file = course.file(following)
        title, about = head(file)
        number = file.stem.partition("-")[0].lstrip("0") or "0"
        yield f"`[lesson_next]` opens lesson {number}, {title}: {about}"
    yield "`[replay]` replays this lesson: its questions are asked again, and each result counts until a new one."


def closing(course: Course, progress: Progress) -> Iterator[str]:
    """The page at the end of the course."""
    finished = [file for file in course.files if progress.of(course.slug(file)).finished]
    yield f"You have finished {len(finished)} of {counted(len(course.files), 'lesson')}."
    yield ""
    yield CAN
    for file in finished:
        title, about = head(file)
        yield f"{title}: {'; '.join(explained(file)) or about}"
    yield ""
    wrong = [line for file in course.files for line in _of_lesson(course, progress, course.slug(file))]
    if wrong:
        yield f"{WRONGLY}, and what is left (`[contents]` and `[right]` open a page, `[lesson_return]` asks again)"
        yield from wrong
    else:
        yield f"{NOTHING_WRONG[:-1]} and solved every exercise."
    yield ""
    yield NEXT
    yield from TOOLS


def _of_lesson(course: Course, progress: Progress, slug: str) -> Iterator[str]:
    kept = progress.of(slug)
    if not (kept.answers or kept.solved or kept.skipped):
        return
    lesson, _ = read(course.file(slug))
    if lesson is None:
        return
    done = summary.of(lesson, kept)
    yield from (f"• {lesson.number}.{page} {in_a_line(mistake)}" for page, mistake in done.mistakes)
    yield from (f"• {lesson.number}.{page} {heading}: left out" for page, heading in done.left)


def _went_wrong(lesson: Lesson, done: Summary) -> Iterator[str]:
    if done.mistakes:
        yield WRONGLY
        yield from (f"• {lesson.number}.{page} {in_a_line(mistake)}" for page, mistake in done.mistakes)
    elif done.first == done.questions:
        yield NOTHING_WRONG
    if done.left:
        yield "**Left out**"
        yield from (f"• {lesson.number}.{page} {heading}" for page, heading in done.left)


def in_a_line(mistake: Mistake) -> str:
    """The question, the answer, the right one, and why, in one paragraph."""
    given = f" Your answer: {mistake.given}." if mistake.given else ""
    return f"{mistake.question}{given} Right: {mistake.right}. {mistake.why}".strip()
