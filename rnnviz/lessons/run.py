"""The run of a lesson: its step, answers and solved exercises. Immutable, without a terminal or a clock.

A run does not touch the network. Its `target` is the state the network should have; the caller brings it there:

    run = LessonRun(lesson)
    run = run.arrive(arrive(player, run.target))      # the step's picture stands
    run = run.submit("2")                              # an answer; target may now be another: the reveal
    run = run.arrive(arrive(player, run.target))      # graded on that frame
    run = run.observe(player.do(Change(...)))         # an exercise is checked on every frame
    run = run.next()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.arithmetic import evaluate
from rnnviz.lessons.conditions import Condition, Start, remember, value_of
from rnnviz.lessons.lesson import Exercise, Lesson, Prediction, Step
from rnnviz.lessons.prose import filled, first_sentences, quotes
from rnnviz.lessons.results import Answer, Mistake, standing
from rnnviz.lessons.setup import CURSOR, Setup
from rnnviz.views.metrics import Reference, Value, say

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

BRIEF = 150  # characters of an explanation in a list of mistakes


@dataclass(frozen=True)
class LessonRun:
    """answers, hints (number shown), starts (values of `start.` metrics), solved and skipped: by step id.

    is_set_up  the present step's picture has been reached at least once
    is_free_play  the learner explores without the lesson
    pending   an answer given, not yet graded
    wording   the open question as the learner read it, when it was answered
    is_retry  the present question or exercise is asked again; its last result counts until the next
    again     the lesson is replayed: steps that are still to be asked again, with the hints shown since
    faults    what is wrong with the lesson's file since this version of it was read
    keep_cursor  the cursor may stay where the learner has it: the step does not move it
    """

    lesson: Lesson
    at: int = 0
    answers: Mapping[str, Answer] = field(default_factory=dict)
    hints: Mapping[str, int] = field(default_factory=dict)
    starts: Mapping[str, Start] = field(default_factory=dict)
    solved: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()
    finished: bool = False
    is_set_up: bool = False
    is_free_play: bool = False
    pending: str | None = None
    wording: str = ""
    is_retry: bool = False
    again: Mapping[str, int] = field(default_factory=dict)
    keep_cursor: bool = False
    faults: tuple[str, ...] = ()

    # -- state -------------------------------------------------------------------------------------------

    @property
    def step(self) -> Step:
        return self.lesson.steps[self.at]

    @property
    def task(self) -> Prediction | Exercise | None:
        return self.step.task

    @property
    def answer(self) -> Answer | None:
        """The answer to this step's question; None while it is open."""
        return None if self.is_retry else self.answers.get(self.step.id)

    @property
    def is_done(self) -> bool:
        """Whether the step has no task, or it is answered or solved."""
        is_solved = self.step.id in self.solved and not self.is_retry
        return self.task is None or self.answer is not None or is_solved

    @property
    def is_last(self) -> bool:
        return self.at == len(self.lesson.steps) - 1

    @property
    def open_question(self) -> Prediction | None:
        return self.task if isinstance(self.task, Prediction) and not self.is_done and not self.pending else None

    @property
    def open_exercise(self) -> Exercise | None:
        return self.task if isinstance(self.task, Exercise) and not self.is_done else None

    @property
    def start(self) -> Start:
        return self.starts.get(self.step.id, {})

    @property
    def hints_given(self) -> tuple[str, ...]:
        exercise = self.task
        return exercise.hints[: self._hint_count] if isinstance(exercise, Exercise) else ()

    @property
    def _hint_count(self) -> int:
        return (self.again if self.is_retry else self.hints).get(self.step.id, 0)

    @property
    def standing(self) -> tuple[str, str]:
        """Mark and words for the result of this step's question or exercise so far."""
        step = self.step.id
        return standing(
            self.answers.get(step), is_solved=step in self.solved, hints=self.hints.get(step, 0),
            is_skipped=step in self.skipped,
        )  # fmt: skip

    @property
    def target(self) -> Setup:
        """The setup of network and cursor for this step."""
        return setup_of(self.lesson, self.at, revealed=self.pending is not None or self.answer is not None)

    # -- what the learner does -----------------------------------------------------------------------------

    def next(self, frame: Frame | None = None) -> LessonRun:
        """Go to the next step; after the last the lesson is finished. An open task counts as skipped."""
        is_answered = self.is_done or self.is_retry
        run = self if is_answered else replace(self, skipped=self.skipped | {self.step.id})
        if run.is_last:
            return replace(run, finished=True)
        return run.jump(run.at + 1, frame)

    def previous(self) -> LessonRun:
        return self.jump(self.at - 1)

    def jump(self, at: int, frame: Frame | None = None) -> LessonRun:
        """Go to a step. With the present frame, the cursor stays if the step does not move it."""
        at = min(max(at, 0), len(self.lesson.steps) - 1)
        is_retry = self.lesson.steps[at].id in self.again
        run = replace(
            self, at=at, is_set_up=False, is_free_play=False, pending=None, is_retry=is_retry, keep_cursor=False
        )
        do = self.lesson.steps[at].do + (self.lesson.steps[at].reveal if run.answer else ())
        return replace(run, keep_cursor=_may_stay(run.target, do, frame))

    def restore(self) -> LessonRun:
        """End free play: the step's picture is the target again."""
        return replace(self, is_free_play=False, is_set_up=False, keep_cursor=False)

    def retry(self) -> LessonRun:
        """Ask the present question again, with its picture before the answer."""
        if not isinstance(self.task, Prediction) or self.answer is None:
            return self
        return replace(self, is_retry=True, is_free_play=False, is_set_up=False, keep_cursor=False)

    def replay(self) -> LessonRun:
        """The lesson once more from its first step: what has a result is asked again, and the result counts until there
        is a new one."""
        return replace(self, again=dict.fromkeys((*self.answers, *self.solved), 0)).jump(0)

    def explore(self) -> LessonRun:
        """Start free play."""
        return replace(self, is_free_play=True)

    def reset(self) -> LessonRun:
        """The lesson from its beginning, without progress."""
        return LessonRun(self.lesson)

    def submit(self, given: str, frame: Frame | None = None) -> LessonRun:
        """Answer the open question; the answer is graded when `target` is reached. Raises InputError for an answer that
        is no choice or no number."""
        question = self.open_question
        if question is None:
            return self
        if question.choices:
            if not given.isdecimal() or not 1 <= int(given) <= len(question.choices):
                raise InputError(f"Choose 1 to {len(question.choices)}.")
        else:
            evaluate(given)
        run = replace(self, pending=given, is_set_up=False, wording=self._as_read(question.question, frame))
        return replace(run, keep_cursor=_may_stay(run.target, self.step.reveal, frame))

    def show_hint(self) -> LessonRun:
        """Show one more hint."""
        exercise = self.open_exercise
        if exercise is None:
            return self
        shown = {self.step.id: min(self._hint_count + 1, len(exercise.hints))}
        return (
            replace(self, again={**self.again, **shown})
            if self.is_retry
            else replace(self, hints={**self.hints, **shown})
        )

    # -- what the network shows ----------------------------------------------------------------------------

    def arrive(self, frame: Frame) -> LessonRun:
        """The frame shows the target: store the `start.` metrics, or grade the answer."""
        run = replace(self, is_set_up=True, seen=self.seen | {self.step.id})
        if self.pending is not None:
            return run._graded(frame)
        if run.is_done and self.step.id in self.starts:
            return run
        return replace(run, starts={**self.starts, self.step.id: remember(tuple(references(self.step)), frame)})

    def observe(self, frame: Frame) -> LessonRun:
        """Check any frame: mark the exercise as solved if the frame solves it."""
        if self.open_exercise is None or not self.is_set_up or frame.job is not None or not self.holds(frame):
            return self
        run = replace(self, solved=self.solved | {self.step.id}, skipped=self.skipped - {self.step.id})
        if not self.is_retry:
            return run
        return replace(run, hints={**self.hints, self.step.id: self._hint_count}, **run._without_retry)

    def holds(self, frame: Frame) -> bool:
        """Whether all conditions of the exercise hold in this frame and no locked setting has changed."""
        exercise = self.task
        if not isinstance(exercise, Exercise) or self.broken(frame):
            return False
        return all(c.holds(frame, self.start) for c in exercise.solved)

    def broken(self, frame: Frame) -> tuple[str, ...]:
        """Locked settings of this exercise that have changed."""
        exercise = self.task
        if not isinstance(exercise, Exercise):
            return ()
        kept = self.target.experiment
        now = frame.requested or frame.experiment
        if now is None:
            return ()
        return tuple(name for name in exercise.locked if _differs(name, now, kept, frame))

    def _graded(self, frame: Frame) -> LessonRun:
        question, given = self.task, self.pending
        assert isinstance(question, Prediction)
        assert given is not None
        answer = grade(question, given, frame, self.start)
        before = None if self.step.id in self.again else self.answers.get(self.step.id)
        if before is not None:
            answer = replace(answer, tries=before.tries + 1, first_right=before.first_right, mistake=before.mistake)
        elif answer.is_right:
            answer = replace(answer, first_right=True)
        else:
            answer = replace(answer, mistake=self._mistake(question, answer, frame))
        answers, skipped = {**self.answers, self.step.id: answer}, self.skipped - {self.step.id}
        return replace(self, answers=answers, pending=None, wording="", skipped=skipped, **self._without_retry)

    @property
    def _without_retry(self) -> dict[str, Any]:
        """The fields that end the present question's being asked again."""
        return {"is_retry": False, "again": {k: v for k, v in self.again.items() if k != self.step.id}}

    def _mistake(self, question: Prediction, answer: Answer, frame: Frame) -> Mistake:
        """A wrong answer as the learner read it. A number has no why of its own: the step's explanation begins with it,
        and a sentence or two are enough for a list of mistakes."""
        choice = question.choices[int(answer.given) - 1] if question.choices else None
        unit = f" {question.unit}" if question.unit else ""
        given = choice.say if choice is not None else f"{answer.given}{unit}"
        why = self._as_read((choice.why if choice is not None else "") or "".join(self.step.after[:1]), frame)
        if choice is None or not choice.why:
            why = first_sentences(why, BRIEF)
        question_text = self.wording or self._as_read(question.question, None)
        return Mistake(question_text, self._as_read(given, frame), self._as_read(answer.right, frame), why)

    def _as_read(self, text: str, frame: Frame | None) -> str:
        """A text of the lesson with its figures of this frame; without a frame … in their place."""
        return filled(
            text,
            lambda reference, spec: (
                "…" if frame is None else say(reference.name, value_of(reference, frame, self.start), spec)
            ),
        )


def _may_stay(target: Setup, do: tuple[tuple[str, object], ...], frame: Frame | None) -> bool:
    return frame is not None and target.same_network(frame) and not any(name in CURSOR for name, _ in do)


def _differs(name: str, now: Experiment, kept: Experiment, frame: Frame) -> bool:
    """Whether a setting differs; one left to the task counts with the task's value."""
    if getattr(now, name) == getattr(kept, name):
        return False
    return getattr(kept, name) is None or getattr(frame.experiment, name) != getattr(kept, name)


def setup_of(lesson: Lesson, at: int, *, revealed: bool) -> Setup:
    """The sum of all commands up to step `at`, with its reveal if `revealed`."""
    return _setup_of(_Same(lesson), at, revealed)


class _Same:
    """A lesson as a key: the same object. To hash one by what it says takes longer than what is looked up."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson

    def __hash__(self) -> int:
        return id(self.lesson)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.lesson is other.lesson


@lru_cache(maxsize=256)
def _setup_of(key: _Same, at: int, revealed: bool) -> Setup:
    lesson = key.lesson
    setup = Setup(lesson.experiment)
    for i, step in enumerate(lesson.steps[: at + 1]):
        setup = setup.after(step.do)
        if i < at or revealed:
            setup = setup.after(step.reveal)
    return setup


def grade(question: Prediction, given: str, frame: Frame, start: Start) -> Answer:
    """Grade an answer on this frame."""
    if question.choices:
        right = [i for i, c in enumerate(question.choices) if all(h.holds(frame, start) for h in c.holds)]
        return Answer(given, int(given) - 1 in right, " or ".join(question.choices[i].say for i in right))
    assert question.answer is not None
    assert question.tolerance is not None
    found: Value = value_of(question.answer, frame, start)
    if not isinstance(found, float):
        return Answer(given, False, say(question.answer.name, found))
    unit = f" {question.unit}" if question.unit else ""
    return Answer(given, question.tolerance.accepts(evaluate(given), found), say(question.answer.name, found) + unit)


def right_answer(question: object, frame: Frame, start: Start) -> str:
    """The right answer in this frame, as a learner enters it."""
    assert isinstance(question, Prediction)
    for i, choice in enumerate(question.choices, start=1):
        if all(condition.holds(frame, start) for condition in choice.holds):
            return str(i)
    found = value_of(question.answer, frame, start) if question.answer is not None else None
    return f"{found:.6g}" if isinstance(found, float) else "1"


def references(step: Step) -> Iterator[Reference]:
    """Every metric that a step quotes or compares, `start.` ones included."""
    yield from (reference for text in texts(step) for reference, _ in quotes(text))
    for condition in conditions(step):
        yield from condition.references()
    if isinstance(step.task, Prediction) and step.task.answer is not None:
        yield step.task.answer


def texts(step: Step) -> Iterator[str]:
    yield from step.before
    yield from step.after
    if isinstance(step.task, Prediction):
        yield step.task.question
        for choice in step.task.choices:
            yield from (choice.say, choice.why)
    elif isinstance(step.task, Exercise):
        yield step.task.goal
        yield from step.task.hints


def conditions(step: Step) -> Iterator[Condition]:
    if isinstance(step.task, Prediction):
        for choice in step.task.choices:
            yield from choice.holds
    elif isinstance(step.task, Exercise):
        yield from step.task.solved
