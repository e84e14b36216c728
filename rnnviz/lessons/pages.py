"""The text of a lesson's present page, in lines of a given width. The screen draws them and the checker counts them.

prose                          on entering a step
prose, question, choices       while a question is open (or the number being typed)
verdict, explanation           once it is answered
prose, goal, conditions        while an exercise is open; hints take the prose's place
solved, explanation            once it is solved, while the solution is on the screen
! what is wrong, before all    while the lesson's file is watched and has faults
prose, goal, solved before     after that: the step was restored, or the network changed
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.experiment.experiment import SETTINGS
from rnnviz.glyphs import wrap
from rnnviz.lessons.conditions import value_of
from rnnviz.lessons.lesson import Exercise, Point, Prediction
from rnnviz.lessons.prose import Line, wrapped
from rnnviz.lessons.run import LessonRun
from rnnviz.views.metrics import Reference, say
from rnnviz.words.voice import Voice

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

#: A voice without a limit on the length of a line.
UNBROKEN = Voice(10_000)


@dataclass(frozen=True)
class Page:
    """heading: above the lines. point: what they point at. standing: the result of the step's question or exercise so
    far, in a few words; empty before the first answer."""

    heading: str
    lines: tuple[Line, ...]
    point: Point | None
    standing: str = ""


def page(
    run: LessonRun, frame: Frame | None, voice: Voice = UNBROKEN, typed: str = "", *, in_rows: bool = True
) -> Page:
    """The page of the present step, in lines of the voice. typed: the number typed so far. in_rows: choices stand side
    by side if they fit."""
    step = run.step

    def quote(reference: Reference, spec: str | None) -> str:
        if frame is None or not run.is_set_up:
            return "…"
        return say(reference.name, value_of(reference, frame, run.start), spec)

    def set_(text: str, indent: int = 0) -> list[Line]:
        return wrapped(voice.say(text), voice.room, quote, indent)

    prose = [line for text in step.before for line in set_(text)]
    point = step.point
    lines: list[Line]
    if isinstance(step.task, Prediction):
        if run.answer is None:
            lines = prose + question_lines(run, step.task, voice.room if in_rows else 0, typed, set_)
        else:
            lines = [line for text in verdict(run) for line in set_(text, 2)]
            lines += [line for text in step.after for line in set_(text)]
            point = step.point_after or point
    elif isinstance(step.task, Exercise):
        if run.is_done and frame is not None and run.is_set_up and not run.holds(frame):
            lines = (
                prose + set_(f"**▸ {step.task.goal}**", 2) + wrapped(voice.say(solved_before(run, frame)), voice.room)
            )
        elif run.is_done:
            lines = set_("**✓ Done.** " + step.after[0]) if step.after else set_("**✓ Done.**")
            lines += [line for text in step.after[1:] for line in set_(text)]
            point = step.point_after or point
        else:
            hints = run.hints_given
            if hints:
                prose = set_(f"**Hint {len(hints)} of {len(step.task.hints)}.** {hints[-1]}")
            lines = prose + set_(f"**▸ {step.task.goal}**", 2)
            if frame is not None and run.is_set_up:
                lines += wrapped(voice.say(status(run, frame)), voice.room)
    else:
        lines = prose
    faults: list[Line] = [[(row, "warn")] for text in run.faults for row in wrap(f"! {text}", voice.room)]
    return Page(step.heading, (*faults, *lines), point, "again" if run.is_retry else run.standing[1])


def question_lines(run: LessonRun, question: Prediction, width: int, typed: str, set_: object) -> list[Line]:
    """The question, then its choices, side by side if they fit, or the number being typed."""
    lines: list[Line] = set_(f"**▸ {question.question}**", 2)  # type: ignore[operator]
    if run.pending is not None:
        return [*lines, [("…", "")]]
    if not question.choices:
        unit = f" {question.unit}" if question.unit else ""
        off = f"  ({question.tolerance})" if question.tolerance is not None else ""
        return [*lines, [("  ", ""), (f"{typed}▏", "typed"), (unit, ""), (off, "quiet")]]
    each: list[list[Line]] = [set_(f"`{i}` {c.say}", 4) for i, c in enumerate(question.choices, 1)]  # type: ignore[operator]
    side = sum(sum(len(t) for t, _ in entry[0]) + 3 for entry in each) - 1
    if all(len(entry) == 1 for entry in each) and side <= width:
        row: Line = [("  ", "")]
        for i, entry in enumerate(each):
            row += [("   ", "")] * (i > 0) + entry[0]
        return [*lines, row]
    return lines + [[("  ", ""), *line] if i == 0 else line for entry in each for i, line in enumerate(entry)]


def verdict(run: LessonRun) -> list[str]:
    """Whether the answer was right, the right answer, and why the chosen one is wrong."""
    question, answer = run.task, run.answer
    assert isinstance(question, Prediction)
    assert answer is not None
    if answer.is_right:
        late = f" at try {answer.tries}" if answer.tries > 1 and not answer.first_right else ""
        return [f"**✓ Right{late}: {answer.right}.**"]
    if not question.choices:
        return [f"**✗ Your answer: {answer.given}. Right: {answer.right}.**"]
    chosen = question.choices[int(answer.given) - 1]
    first = f"**✗ No: {answer.right}.**"
    return [f"{first} {chosen.why}" if chosen.why else first]


def unfinished(run: LessonRun) -> str:
    """What the step asks for before the next one; "" where it is done, has been skipped, or is asked again."""
    if run.is_done or run.is_retry or run.step.id in run.skipped:
        return ""
    question = run.open_question
    if question is None:
        return "Solve this first"
    return f"Answer first, 1 to {len(question.choices)}" if question.choices else "Type a number first"


def no_hint(run: LessonRun) -> str:
    """Why there is no hint to show; "" if there is one."""
    if run.open_exercise is None:
        return "No hint here: only exercises have hints."
    return "" if run.open_exercise.hints else "This exercise has no hints."


def status(run: LessonRun, frame: Frame) -> str:
    """The conditions of the open exercise, each with its present and its required value."""
    exercise = run.task
    assert isinstance(exercise, Exercise)
    kept = locked_changes(run, frame)
    tick = "" if run.target.has_weights_of(frame) else "✓ "  # no tick for a condition that held from the start
    return f"✗ {kept}" if kept else " · ".join(c.describe(frame, run.start, tick) for c in exercise.solved)


def solved_before(run: LessonRun, frame: Frame) -> str:
    """A line for an exercise that was solved before: the conditions that do not hold now."""
    exercise = run.task
    assert isinstance(exercise, Exercise)
    missing = [c.missing(frame, run.start) for c in exercise.solved if not c.holds(frame, run.start)]
    return f"✓ solved before · {locked_changes(run, frame) or 'now ' + ', '.join(missing)}"


def locked_changes(run: LessonRun, frame: Frame) -> str:
    """A line for locked settings that were changed; empty if none was."""
    kept = {name: getattr(run.target.experiment, name) for name in run.broken(frame)}
    settings = ", ".join(f"{SETTINGS[name].label} at {SETTINGS[name].show(value)}" for name, value in kept.items())
    return f"locked by this exercise: {settings}; [lesson_return] resets" if kept else ""
