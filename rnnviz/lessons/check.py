"""Checks of lessons that need the network, which reading.py does not have.

The checker enters every step, gives every answer, reads every hint, tries every solution and measures every page.
`rnnviz lessons check` prints each problem with file, line and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from itertools import pairwise
from math import isfinite
from pathlib import Path

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import SETTINGS
from rnnviz.lessons.conditions import Condition, defined, value_of
from rnnviz.lessons.course import introduced, is_lesson
from rnnviz.lessons.introductions import NAMES, unknown
from rnnviz.lessons.lesson import Do, Exercise, Lesson, Point, Prediction, Step
from rnnviz.lessons.lesson_file import source_lines
from rnnviz.lessons.measure import Measure
from rnnviz.lessons.pages import page
from rnnviz.lessons.points import NEVER_BESIDE, ROWS
from rnnviz.lessons.prose import plain, quotes
from rnnviz.lessons.reading import read
from rnnviz.lessons.report import Problem
from rnnviz.lessons.run import LessonRun
from rnnviz.lessons.setup import END, Setup, arrive
from rnnviz.player.player import Player, open_player
from rnnviz.scene.frame import Frame
from rnnviz.views.metrics import AXES, METRICS, Reference, Value
from rnnviz.words.voice import Voice


def check(paths: Iterable[Path], panels: Collection[str], measure: Measure) -> list[Problem]:
    """All problems of these lesson files; panels: the names of the panels."""
    problems: list[Problem] = []
    lessons: list[Lesson] = []
    for path in paths:
        lesson, found = read(path)
        problems += found
        if lesson is not None:
            lessons.append(lesson)
            try:
                problems += check_lesson(lesson, panels, measure)
            except MemoryError:
                what = "this lesson does not fit in memory"
                problems.append(Problem(path, 1, what, "use fewer units, layers, steps or sequences"))
    known: dict[tuple[Path, str], Lesson] = {}
    for lesson in sorted(lessons, key=lambda lesson: lesson.number):
        same = known.setdefault((lesson.path.parent, lesson.slug), lesson)
        if same is not lesson:
            what = f"{same.path.name} has the same slug, {lesson.slug!r}"
            problems.append(Problem(lesson.path, 1, what, "give each lesson its own; progress is stored under it"))
    for one, two in pairwise(sorted(lessons, key=lambda lesson: lesson.number)):
        if one.path.parent == two.path.parent and one.number == two.number:
            what = f"{one.path.name} has the same number, {two.number}"
            problems.append(Problem(two.path, 1, what, "give each lesson its own; lessons are sorted by file name"))
    return sorted(problems)


def check_lesson(lesson: Lesson, panels: Collection[str], measure: Measure) -> list[Problem]:
    """The problems of a lesson that could be read."""
    return sorted(set(_Checker(lesson, panels, measure).problems()))


class _Checker:
    def __init__(self, lesson: Lesson, panels: Collection[str], measure: Measure) -> None:
        self.lesson, self.panels, self.measure = lesson, panels, measure
        self.source = source_lines(lesson.path)
        files = tuple(file for file in lesson.path.parent.iterdir() if is_lesson(file))
        self.known = introduced(files, lesson.path)
        self.quoted: dict[Reference, tuple[Value, str]] = {}  # figures of earlier pages, each with its heading

    def problem(self, line: int, what: str, remedy: str = "") -> Problem:
        return Problem(self.lesson.path, line, what, remedy)

    def line_of(self, text: str, after: int) -> int:
        """The first line with this text from a line on; that line if there is none."""
        return next((i + 1 for i in range(after - 1, len(self.source)) if text in self.source[i]), after)

    def problems(self) -> Iterator[Problem]:
        at = self.line_of("introduces", 1)
        for name in unknown(self.lesson.introduces, self.panels):
            close = get_close_matches(name, [*NAMES, *self.panels], n=1)
            remedy = f"did you mean {close[0]}?" if close else f"names: {', '.join((*NAMES, *self.panels))}"
            yield self.problem(at, f"unknown name {name!r} in introduces", remedy)
        try:
            player = open_player(self.lesson.experiment)
        except InputError as error:
            what, _, remedy = str(error).partition("; ")
            line = self.line_of(f"{what.partition(':')[0]} =", self.line_of("[experiment]", 1))
            yield self.problem(line, f"this experiment cannot run: {what}", remedy or "change its settings")
            return
        run = LessonRun(self.lesson)
        for i, step in enumerate(self.lesson.steps):
            if len(step.heading) > self.measure.heading:
                what = f"the heading has {len(step.heading)} cells; {self.measure.heading} fit"
                yield self.problem(step.line, what, "shorten it")
            try:
                run = run.jump(i)
                target = run.target
                frame = arrive(player, target)
            except InputError as error:
                what, _, remedy = str(error).partition("; ")
                yield self.problem(step.line, f"step {step.heading!r} cannot be set up: {what}", remedy)
                return
            run = run.arrive(frame)
            yield from self.places(step.do, step.line, target, frame)
            yield from self.point(step.point, target, frame)
            yield from self.stage(run, frame, (*step.before, *_texts_before(step)))
            if isinstance(step.task, Prediction):
                yield from self.prediction(run, player, step.task)
            elif isinstance(step.task, Exercise):
                yield from self.exercise(run, player, step.task)

    # -- commands ------------------------------------------------------------------------------------------

    def places(self, do: Do, start: int, target: Setup, frame: Frame) -> Iterator[Problem]:
        """Whether the steps, units and panels that these commands name exist."""
        commands = dict(do)

        def line(name: str) -> int:
            return self.line_of(f"{name} =", start)

        if "seek" in commands and frame.T < target.t < END:
            yield self.problem(line("seek"), f"seek: there is no step {target.t}", f"the sequence has 0 to {frame.T}")
        if "unit" in commands and target.unit >= frame.scene.H:
            yield self.problem(line("unit"), f"unit: there is no unit {target.unit}", f"use 0 to {frame.scene.H - 1}")
        if "record" in commands and frame.learning.places < target.record < END:
            what = f"record: there is no record {target.record}"
            yield self.problem(line("record"), what, f"the recording has 1 to {frame.learning.places}")
        if "loss_step" in commands and isinstance(target.loss_step, int):
            having = frame.scene.loss_steps
            if target.loss_step not in having:
                some = ", ".join(map(str, having[:6])) + (", …" if len(having) > 6 else "")
                yield self.problem(line("loss_step"), f"step {target.loss_step} carries no loss", f"these do: {some}")
        if "beside" in commands:
            yield from self.beside(target, frame, line("beside"))
        if "panel" in commands and target.panel and target.panel not in self.panels:
            yield self.problem(line("panel"), f"unknown panel {target.panel!r}", f"panels: {', '.join(self.panels)}")

    def beside(self, target: Setup, frame: Frame, line: int) -> Iterator[Problem]:
        for name in target.beside:
            if name not in self.panels:
                close = get_close_matches(name, self.panels, n=1)
                hint = f"did you mean {close[0]}?" if close else f"panels: {', '.join(self.panels)}"
                yield self.problem(line, f"unknown panel {name!r} in beside", hint)
            elif name in NEVER_BESIDE:
                what = f"panel {name!r} cannot stand beside a step: {NEVER_BESIDE[name]}"
                yield self.problem(line, what, f'open it: [do] panel = "{name}"')

    def point(self, point: Point | None, target: Setup, frame: Frame) -> Iterator[Problem]:
        """Whether the row or panel pointed at is visible on the smallest screen."""
        if point is None:
            return
        kind, _, name = point.at.partition(":")
        row = ROWS.get(point.at)
        missing = row.why_not(frame) if row is not None else None
        if kind == "panel" and name not in self.panels:
            yield self.problem(point.line, f"unknown panel {name!r}", f"panels: {', '.join(self.panels)}")
        elif kind == "panel" and target.panel != name:
            yield self.problem(point.line, f"panel {name!r} is not open here", f'open it: [do] panel = "{name}"')
        elif missing is not None:
            yield self.problem(point.line, f"there is no row {point.at!r}: {missing[0]}", missing[1])
        elif row is not None and row.introduced and self.known is not None and row.introduced not in self.known:
            remedy = f'add "{row.introduced}" to the introduces of this lesson, or of one before'
            yield self.problem(point.line, f"row {point.at!r} is not introduced yet", remedy)
        elif target.panel and row is not None and row.gives_way:
            what = f"no room for row {point.at!r} beside an open panel"
            yield self.problem(point.line, what, "point at another row, or close the panel")

    # -- texts ---------------------------------------------------------------------------------------------

    def stage(self, run: LessonRun, frame: Frame, texts: Iterable[str], what: str = "the text") -> Iterator[Problem]:
        """One stage of a step: its figures are defined, and it fits."""
        step = run.step
        for text in texts:
            for reference, _ in quotes(text):
                found = value_of(reference, frame, run.start)
                self.quoted[reference] = found, step.heading
                if found is None:
                    line = self.line_of("{" + str(reference), step.line)
                    remedy = _outside(reference, frame) or "quote another metric, or set it up"
                    yield self.problem(line, f"{reference} is not defined here", remedy)
        width = self.measure.width
        shown = page(run, frame, Voice(width))
        allowed = self.measure.lines_with_panel if run.target.panel else self.measure.lines
        if len(shown.lines) > allowed:
            lines = f"{len(shown.lines)} lines of {width} cells; {allowed} fit"
            why = " beside an open panel" if run.target.panel else ""
            yield self.problem(step.line, f"{what} of {step.heading!r} is too long: {lines}{why}", "shorten it")
        elif any(len(plain(line)) > width for line in shown.lines):
            yield self.problem(step.line, f"a word of {step.heading!r} is too long for a line", "split it")

    # -- questions ---------------------------------------------------------------------------------------

    def prediction(self, run: LessonRun, player: Player, question: Prediction) -> Iterator[Problem]:
        answers = [str(i + 1) for i in range(len(question.choices))] or ["0", "-1e9"]
        before = player.frame
        try:
            frame = arrive(player, run.submit(answers[0]).target)
        except InputError as error:
            what, _, remedy = str(error).partition("; ")
            what = f"the step after the answer cannot be set up: {what}"
            yield self.problem(question.line, what, remedy or "change [reveal]")
            return
        yield from self.places(run.step.reveal, question.line, run.submit(answers[0]).target, frame)
        for reference in _references_of(question):
            if not reference.at_start and not defined(reference, frame):
                line = self.line_of(str(reference), question.line)
                remedy = _outside(reference, frame) or "choose another metric"
                yield self.problem(line, f"{reference} is not defined here", remedy)
                return
        yield from self.point(run.step.point_after, run.submit(answers[0]).target, frame)
        if question.answer is not None:
            yield from self.number(run, question, question.answer, before, frame)
        if question.choices:
            right = [c for c in question.choices if all(h.holds(frame, run.start) for h in c.holds)]
            if len(right) != 1:
                which = "no choice is" if not right else " and ".join(repr(c.say) for c in right) + " are"
                yield self.problem(question.line, f"{which} right on the live frame", "make exactly one `if` hold")
        for answer in answers:
            done = run.submit(answer).arrive(frame)
            why = [choice.why for choice in question.choices[int(answer) - 1 : int(answer)]] if question.choices else []
            yield from self.stage(done, frame, (*why, *run.step.after), f"the text after answer {answer}")

    def number(
        self, run: LessonRun, question: Prediction, answer: Reference, before: Frame, frame: Frame
    ) -> Iterator[Problem]:
        """Whether a learner can type the answer, and the text does not give it away."""
        line = self.line_of("answer", question.line)
        right = value_of(answer, frame, run.start)
        if isinstance(right, float) and not isfinite(right):
            yield self.problem(line, f"{answer} is {right} here: a learner cannot type that", "choose another metric")
        texts = (run.step.heading, *run.step.before, question.question)
        quoted = [reference for text in texts for reference, _ in quotes(text)]
        if answer in quoted and value_of(answer, before, run.start) == right:
            where = self.line_of("{" + str(answer), run.step.line)
            yield self.problem(where, f"{answer} gives the answer away", "quote it after the question")
        elif answer in self.quoted and self.quoted[answer][0] == right and self.quoted[answer][1] != run.step.heading:
            what = f"the page {self.quoted[answer][1]!r} gives the answer away: it quotes {answer}"
            yield self.problem(line, what, "quote it after the question, or change the network first")

    # -- exercises ---------------------------------------------------------------------------------------

    def exercise(self, run: LessonRun, player: Player, exercise: Exercise) -> Iterator[Problem]:
        line = exercise.line
        for condition in exercise.solved:
            reason = unreachable(condition, exercise.locked, player.frame)
            if reason:
                yield self.problem(self.line_of("solved", line), f"{condition} can never hold: {reason[0]}", reason[1])
                return
        if run.observe(player.frame).is_done:
            yield self.problem(line, "the exercise is already solved at its start", "raise the goal, or change [do]")
            return
        for _ in exercise.hints:
            run = run.show_hint()
            yield from self.stage(run, player.frame, (run.hints_given[-1],), "a hint")
        for i, solution in enumerate(exercise.solutions, start=1):
            where = self.line_of("[[exercise.solution]]", line)
            for _ in range(i - 1):
                where = self.line_of("[[exercise.solution]]", where + 1)
            try:
                frame = arrive(player, run.target.after(solution))
            except InputError as error:
                what, _, remedy = str(error).partition("; ")
                yield self.problem(where, f"solution {i} cannot be carried out: {what}", remedy or "correct it")
                continue
            broken = run.broken(frame)
            solved = run.observe(frame)
            if broken:
                yield self.problem(where, f"solution {i} changes {', '.join(broken)}", "unlock it, or keep its value")
            elif not solved.is_done:
                lacking = [c for c in exercise.solved if not c.holds(frame, run.start)]
                missing = "; ".join(c.describe(frame, run.start) for c in lacking)
                remedy = "correct it, or lower the goal"
                if any(value_of(c.left, frame, run.start) is None for c in lacking):
                    remedy = 'add what defines it: train = "all" trains, phase = "backward" goes back'
                yield self.problem(where, f"solution {i} does not solve it ({missing})", remedy)
            else:
                yield from self.point(run.step.point_after, run.target.after(solution), frame)
                yield from self.stage(solved, frame, run.step.after, "the text after the solution")
                yield from self.stage(solved, arrive(player, run.target), (), "the text shown after it was solved once")
            arrive(player, run.target)


def _outside(reference: Reference, frame: Frame) -> str:
    """Where an index must lie, if this one lies elsewhere."""
    for given, axis in zip(reference.index, METRICS[reference.name].axes, strict=False):
        first, last = AXES[axis](frame)
        if isinstance(given, int) and not first <= (last + 1 + given if given < 0 else given) <= last:
            return f"index {given} lies outside {first} to {last}"
    return ""


def _texts_before(step: Step) -> Iterator[str]:
    """The texts of a step's question or exercise before it is answered."""
    if isinstance(step.task, Prediction):
        yield step.task.question
        yield from (choice.say for choice in step.task.choices)
    elif isinstance(step.task, Exercise):
        yield step.task.goal


def _references_of(question: Prediction) -> Iterator[Reference]:
    if question.answer is not None:
        yield question.answer
    for choice in question.choices:
        for condition in choice.holds:
            yield from condition.references()


def unreachable(condition: Condition, locked: Collection[str], frame: Frame) -> tuple[str, str] | None:
    """Why a condition can never hold, and what to do; None if it may hold."""
    metric = METRICS[condition.left.name]
    if metric.setting is not None and metric.setting in locked:
        return f"{metric.setting} is locked", "unlock it, or compare another metric"
    if not isinstance(condition.right, float):
        if isinstance(condition.right, str) and metric.setting is not None:
            choices = _limits(metric.setting)[2]
            if choices and condition.right not in choices:
                return f"{metric.setting} is one of {', '.join(choices)}", "compare it with one of these"
        return None
    low, high, _ = _limits(metric.setting) if metric.setting else (metric.low, metric.high, ())
    wanted, op = condition.right, condition.op
    too_high = wanted > high or (wanted == high and op == ">")
    too_low = wanted < low or (wanted == low and op == "<")
    if (op in (">=", ">", "==") and too_high) or (op in ("<=", "<", "==") and too_low):
        return f"{metric.name} lies in {low:g} to {high:g}", "write a value in that range"
    return None


def _limits(setting: str) -> tuple[float, float, tuple[str, ...]]:
    one = SETTINGS[setting]
    low = one.low if one.low is not None else one.above
    high = one.high if one.high is not None else one.below
    return (-math.inf if low is None else low), (math.inf if high is None else high), tuple(one.choices)
