"""What a learner did in a lesson, counted: for the summary page, the closing page and a teacher's report.

>>> of(lesson, progress.of(lesson.slug)).mistakes
((3, Mistake("After how many steps is half of it gone?", "9 steps", "1.9 steps", "A step keeps …")),)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.lessons.lesson import Exercise, Lesson, Prediction, Step
from rnnviz.lessons.results import Mistake, counted

if TYPE_CHECKING:
    from rnnviz.lessons.progress import LessonProgress

_FIGURE = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Summary:
    """pages, questions, exercises: how many the lesson has. first, later, wrong: questions by their answers. alone,
    helped: exercises solved without and with hints; hints: how many were shown for those. skipped: questions and
    exercises. mistakes: first answers that were wrong, each with its page; left: pages whose question or exercise is
    open or skipped, with their headings."""

    is_finished: bool
    pages: int
    seen: int
    questions: int
    first: int
    later: int
    wrong: int
    exercises: int
    alone: int
    helped: int
    hints: int
    skipped: int
    mistakes: tuple[tuple[int, Mistake], ...]
    left: tuple[tuple[int, str], ...]

    @property
    def is_begun(self) -> bool:
        return self.seen > 0 or self.is_finished

    @property
    def in_words(self) -> str:
        """`8 of 9 pages, 3 of 4 questions right at first try, 1 exercise solved after 2 hints`"""
        parts = [f"{self.seen} of {counted(self.pages, 'page')}"]
        if self.questions:
            parts.append(f"{self.first} of {counted(self.questions, 'question')} right at first try")
        if self.exercises:
            parts.append(f"{self.alone + self.helped} of {counted(self.exercises, 'exercise')} solved")
        if self.helped:
            parts[-1] += f" ({self.helped} after {counted(self.hints, 'hint')})"
        return ", ".join(parts)


def of(lesson: Lesson, kept: LessonProgress) -> Summary:
    """Progress in steps that the lesson does not have any more does not count."""
    ids = [step.id for step in lesson.steps]
    questions = [step.id for step in lesson.steps if isinstance(step.task, Prediction)]
    exercises = [step.id for step in lesson.steps if isinstance(step.task, Exercise)]
    answers = [kept.answers[name] for name in questions if name in kept.answers]
    solved = [name for name in exercises if name in kept.solved]
    helped = [name for name in solved if kept.hints.get(name)]
    first = sum(answer.first_right for answer in answers)
    later = sum(answer.is_right and not answer.first_right for answer in answers)
    return Summary(
        is_finished=kept.finished,
        pages=len(ids), seen=sum(name in kept.seen for name in ids),
        questions=len(questions), first=first, later=later, wrong=len(answers) - first - later,
        exercises=len(exercises), alone=len(solved) - len(helped), helped=len(helped),
        hints=sum(kept.hints[name] for name in helped),
        skipped=sum(name in kept.skipped and name not in kept.answers for name in (*questions, *exercises)),
        mistakes=tuple(_mistakes(lesson, kept)), left=tuple(_left(lesson, kept)),
    )  # fmt: skip


def _mistakes(lesson: Lesson, kept: LessonProgress) -> Iterator[tuple[int, Mistake]]:
    for page, step in enumerate(lesson.steps, start=1):
        answer = kept.answers.get(step.id)
        if not isinstance(step.task, Prediction) or answer is None or answer.first_right:
            continue
        yield page, answer.mistake or _of_old(step, step.task, answer.given if answer.tries == 1 else "", answer.right)


def _of_old(step: Step, question: Prediction, given: str, right: str) -> Mistake:
    """The mistake of an answer that an older rnnviz saved, without the figures that were read then."""
    choice = None
    if question.choices and given.isdecimal() and 1 <= int(given) <= len(question.choices):
        choice = question.choices[int(given) - 1]
    words = choice.say if choice is not None else given
    why = choice.why if choice is not None else ""
    texts = (question.question, words, right, why)
    return Mistake(*(_FIGURE.sub("…", text) for text in texts))


def _left(lesson: Lesson, kept: LessonProgress) -> Iterator[tuple[int, str]]:
    for page, step in enumerate(lesson.steps, start=1):
        if step.task is not None and step.id not in kept.answers and step.id not in kept.solved:
            yield page, step.heading
