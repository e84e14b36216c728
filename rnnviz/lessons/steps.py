"""Reads a section of a lesson as a step: its prose, its commands and its question."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any

from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.experiment.setting import meant
from rnnviz.lessons.conditions import Condition, condition, tolerance
from rnnviz.lessons.lesson import Choice, Do, Exercise, Point, Prediction, Step
from rnnviz.lessons.markdown import Block, Section
from rnnviz.lessons.openings import OPENINGS, with_own_files
from rnnviz.lessons.points import POINTS
from rnnviz.lessons.report import Report
from rnnviz.player.kinds.opening import Opening
from rnnviz.views.metrics import METRICS, parse

TABLES = ("do", "point", "predict", "reveal", "exercise")
PREDICT = {"question", "choices", "answer", "tolerance", "unit", "hides"}
EXERCISE = {"goal", "solved", "locked", "hints", "solution"}
CHOICE = {"say", "if", "why"}


def readouts() -> Collection[str]:
    """The names that a question may hide."""
    from rnnviz.lessons.masking import (
        NAMES,
    )  # not above: masking.py imports runs, which are made of the records read here

    return NAMES


def heading_id(heading: str) -> str:
    """`Half is gone` -> half-is-gone: the id of a step in the saved progress."""
    return re.sub(r"[^\w]+", "-", heading.lower()).strip("-") or "step"


class StepReader:
    def __init__(self, report: Report, lines: list[str]) -> None:
        self.report, self.wrong, self.lines = report, report.wrong, lines

    def step(self, section: Section) -> Step | None:
        before: list[str] = []
        after: list[str] = []
        do: list[tuple[str, Any]] = []
        reveal: list[tuple[str, Any]] = []
        points: dict[bool, Point] = {}
        task: Prediction | Exercise | None = None
        if not section.heading:
            self.wrong(section.line, "the heading is empty", "write what the step is about: ## Half is gone")
        self.report.fixed(section.line, section.heading, "heading")
        for line, part in section.parts:
            if isinstance(part, str):
                (after if task else before).append(part)
                continue
            if not part.tables:
                self.wrong(line, "the block is empty", f"begin it with one of [{'], ['.join(TABLES)}]")
            for name, table in part.tables.items():
                at = part.line_of(name)
                if name not in TABLES:
                    close = get_close_matches(name, TABLES, n=1)
                    hint = f"did you mean [{close[0]}]?" if close else f"blocks: [{'], ['.join(TABLES)}]"
                    self.wrong(at, f"unknown block [{name}]", hint)
                elif not isinstance(table, dict):
                    self.wrong(at, f"{name} is not a table", f"write [{name}] and its keys below it")
                elif name == "do":
                    if isinstance(task, Prediction):
                        self.wrong(at, "[do] after [predict]", "put it before, or write [reveal] for what follows")
                    elif task is not None:
                        self.wrong(at, "[do] after [exercise]", "put it before: the solved state is the learner's own")
                    do.extend(self.commands(table, part, "do"))
                elif name == "reveal":
                    if not isinstance(task, Prediction):
                        self.wrong(at, "[reveal] without a question", "put it after [predict], or write [do]")
                    reveal.extend(self.commands(table, part, "reveal"))
                elif name == "point":
                    point = self.point(table, part)
                    if point is not None and (task is not None) in points:
                        self.wrong(at, "a second [point] at once", "point at one thing; the next step at another")
                    elif point is not None:
                        points[task is not None] = point
                elif task is not None:
                    self.wrong(at, "a second question in one step", "give it a ## heading of its own")
                else:
                    task = self.prediction(table, part) if name == "predict" else self.exercise(table, part)
        if not before and task is None:
            self.wrong(section.line, f"step {section.heading!r} has no text", "write a sentence or two under it")
        if task is not None and not after:
            kind = "answer" if isinstance(task, Prediction) else "solution"
            self.wrong(task.line, f"the {kind} has no explanation", "write it as text after the block")
        return Step(
            section.heading, heading_id(section.heading), section.line,
            tuple(before), tuple(do), points.get(False), task, tuple(after), tuple(reveal), points.get(True),
        )  # fmt: skip

    def commands(self, table: Mapping[str, Any], block: Block, where: str) -> Do:
        from rnnviz.lessons.setup import Setup

        found: list[tuple[str, Any]] = []
        setup = Setup(Experiment())
        for name, argument in table.items():
            line = block.line_of(where, name)
            if name == "settings":
                argument = self.report.attempt(line, lambda a=argument: self.with_path(a))  # type: ignore[misc]
            if name in OPENINGS:
                made = OPENINGS[name]
                argument = self.report.attempt(line, lambda a=argument, m=made: m(self.report.path.parent, a))  # type: ignore[misc]
            elif name == "record":  # whether one is shown depends on the whole lesson, which check.py runs
                shown = Setup(Experiment(), opened=Opening(""))
                self.report.attempt(line, lambda s=shown, a=argument: s.after((("record", a),)))  # type: ignore[misc]
            elif name == "seek":  # as are the steps to seek
                self.report.attempt(line, lambda a=argument: Setup(Experiment()).after((("seek", a),)))  # type: ignore[misc]
            else:
                self.report.attempt(line, lambda n=name, a=argument: setup.after(((n, a),)))  # type: ignore[misc]
            found.append((name, argument))
        return tuple(found)

    def with_path(self, settings: Any) -> Any:
        """The settings, with relative paths resolved in the lesson's folder."""
        if not isinstance(settings, Mapping):
            return settings
        left_open = {name: value for name, value in settings.items() if value == "auto"}
        return {**with_own_files(self.report.path.parent, settings), **left_open}

    def point(self, table: Mapping[str, Any], block: Block) -> Point | None:
        self.report.known(table, {"at"}, "[point]", lambda name: block.line_of("point", name))
        at, line = table.get("at"), block.line_of("point", "at")
        if at is None:
            self.wrong(line, "[point] lacks at", f"write at = and one of {', '.join(POINTS)} or panel:NAME")
            return None
        if not isinstance(at, str) or (at not in POINTS and not at.startswith("panel:")):
            close = get_close_matches(str(at), POINTS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(POINTS)} or panel:NAME"
            self.wrong(line, f"[point] at = {at!r} is not on the screen", hint)
            return None
        return Point(at, line)

    def prediction(self, table: Mapping[str, Any], block: Block) -> Prediction:
        def line_of(*keys: str) -> int:
            return block.line_of("predict", *keys)

        self.report.known(table, PREDICT, "[predict]", line_of)
        line = block.line_of("predict")
        question = self.report.text(table, "question", line, line_of) or ""
        choices = self.choices(table["choices"], line_of) if "choices" in table else ()
        answer = None
        off = None
        if "choices" in table:
            for key in ("answer", "tolerance", "unit"):
                if key in table:
                    self.wrong(line_of(key), f"{key} beside choices", "a choice is right where its `if` holds")
        elif "answer" not in table:
            self.wrong(line, "the question has no answer", 'add answer = "METRIC", or choices with an `if` each')
        else:
            answer = self.metric(table["answer"], line_of("answer"))
            if "tolerance" in table:
                off = self.report.attempt(line_of("tolerance"), lambda: tolerance(table["tolerance"]))
            else:
                self.wrong(line, "tolerance is missing", 'write tolerance = 0, 2, "20 %" or "x 3"')
        unit = table.get("unit", "")
        if not isinstance(unit, str):
            self.wrong(line_of("unit"), "unit is not a string", 'write unit = "steps"')
        else:
            self.report.fixed(line_of("unit"), unit, "unit")
        hides = self.names(table.get("hides", []), "hides", readouts(), line_of)
        return Prediction(question, line, choices, answer, off, str(unit), hides)

    def names(self, given: Any, key: str, known: Collection[str], line_of: Callable[..., int]) -> tuple[str, ...]:
        """A list of known names."""
        if not isinstance(given, list):
            self.wrong(line_of(key), f"{key} is not a list", f'write {key} = ["{min(known)}"]')
            return ()
        for name in given:
            if not isinstance(name, str) or name not in known:
                close = get_close_matches(str(name), known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"names: {', '.join(sorted(known))}"
                self.wrong(line_of(key), f"unknown name {name!r} in {key}", hint)
        return tuple(map(str, given))

    def metric(self, name: Any, line: int) -> Any:
        if not isinstance(name, str):
            self.wrong(line, f"answer {name!r} is not a metric", 'name a metric of the live frame, like "horizon"')
            return None
        reference = self.report.attempt(line, lambda: parse(name))
        if reference is not None and METRICS[reference.name].is_text:
            self.wrong(line, f"{reference.name} is a word, and the answer is a number", "offer choices instead")
        return reference

    def choices(self, given: Any, line_of: Callable[..., int]) -> tuple[Choice, ...]:
        if not isinstance(given, list) or not 2 <= len(given) <= 4:
            self.wrong(line_of("choices"), "choices needs two to four entries", 'each { say = "…", if = "…" }')
            return ()
        found: list[Choice] = []
        for i, entry in enumerate(given, start=1):
            line = line_of("choices")
            if isinstance(entry, dict) and isinstance(entry.get("say"), str):
                line = self.line_with(line_of("choices"), entry["say"])
            if not isinstance(entry, dict):
                self.wrong(line, f"choice {i} is not a table", 'write { say = "…", if = "…" }')
                continue
            self.report.known(entry, CHOICE, f"choice {i}", lambda name, line=line: line)  # type: ignore[misc]
            say = self.report.text(entry, "say", line, lambda name, line=line: line)  # type: ignore[misc]
            if say in [choice.say for choice in found]:
                self.wrong(line, f"choice {i} repeats another choice: {say!r}", "write a different choice")
            if "if" not in entry:
                self.wrong(line, f"choice {i} does not say when it is right", 'add if = "METRIC OP VALUE"')
                continue
            holds = self.conditions(entry["if"], line)
            why = entry.get("why", "")
            if isinstance(why, str) and self.report.proper(line, why):
                found.append(Choice(say or "", holds, why))
            else:
                self.wrong(line, f"why of choice {i} is not a string", 'write why = "…"')
        return tuple(found)

    def line_with(self, start: int, text: str) -> int:
        return next((i + 1 for i in range(start - 1, len(self.lines)) if text in self.lines[i]), start)

    def conditions(self, given: Any, line: int) -> tuple[Condition, ...]:
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            self.wrong(line, f"{given!r} is not a condition", 'write "grad_ratio >= 1e-3", or a list of conditions')
            return ()
        made = (self.report.attempt(line, lambda text=text: condition(text)) for text in texts)  # type: ignore[misc]
        return tuple(c for c in made if c is not None)

    def exercise(self, table: Mapping[str, Any], block: Block) -> Exercise:
        def line_of(*keys: str) -> int:
            return block.line_of("exercise", *keys)

        self.report.known(table, EXERCISE, "[exercise]", line_of)
        line = block.line_of("exercise")
        goal = self.report.text(table, "goal", line, line_of) or ""
        solved: tuple[Condition, ...] = ()
        if "solved" in table:
            solved = self.conditions(table["solved"], line_of("solved"))
        else:
            self.wrong(line, "the exercise does not say when it is solved", 'add solved = ["METRIC OP VALUE"]')
        locked = table.get("locked", [])
        names = SETTINGS
        if not isinstance(locked, list):
            self.wrong(line_of("locked"), "locked is not a list", 'write locked = ["seq_len"]')
            locked = []
        for name in locked:
            if not isinstance(name, str) or name not in names:
                close = meant(str(name), names)
                hint = f"did you mean {close}?" if close else f"settings: {', '.join(sorted(names))}"
                self.wrong(line_of("locked"), f"unknown setting {name!r} in locked", hint)
        hints = table.get("hints")
        if not isinstance(hints, list) or not all(isinstance(hint, str) and hint.strip() for hint in hints):
            self.wrong(line, "hints are missing", 'add hints = ["…", "…"]; write hints = [] for none')
            hints = []
        for hint in hints:
            self.report.proper(self.line_with(line, hint), hint)
        return Exercise(goal, line, solved, tuple(map(str, locked)), tuple(hints), self.solutions(table, block, line))

    def solutions(self, table: Mapping[str, Any], block: Block, line: int) -> tuple[Do, ...]:
        given = table.get("solution")
        if not isinstance(given, list) or not given or not all(isinstance(entry, dict) for entry in given):
            self.wrong(line, "the exercise has no solution", "add [[exercise.solution]] with its commands")
            return ()
        return tuple(self.commands(entry, block, "exercise.solution") for entry in given)
