"""Reading a lesson file: Markdown with TOML front matter and fenced toml blocks. See /lessons/README.md.

report.py    the problems, each with its line and what to do
markdown.py  lines → front matter and sections
steps.py     a section → a step
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rnnviz.errors import short_repr
from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.experiment.experiment_file import without_own_cell
from rnnviz.experiment.setting import meant
from rnnviz.lessons.cost import too_much
from rnnviz.lessons.lesson import Lesson, Step
from rnnviz.lessons.lesson_file import SourceError, source_lines
from rnnviz.lessons.markdown import Block, Markdown
from rnnviz.lessons.openings import with_own_files
from rnnviz.lessons.report import Problem, Report, TooManyError
from rnnviz.lessons.steps import StepReader

FRONT = {"title", "slug", "summary", "sources", "experiment", "introduces", "explains"}
MOST_STEPS = 60
MOST_EXPLAINED, LONGEST_EXPLAINED = 4, 100  # entries of explains, and characters of one
_FILE_NAME = re.compile(r"(\d+)-([a-z0-9]+(?:-[a-z0-9]+)*)\.md")


def read(path: Path) -> tuple[Lesson | None, list[Problem]]:
    """The lesson, or None if it could not be read, and all its problems."""
    report = Report(path)
    lesson = None
    with suppress(TooManyError):
        lesson = _LessonReader(path, report).lesson()
    return (None if report.problems else lesson), sorted(report.problems)


class _LessonReader:
    def __init__(self, path: Path, report: Report) -> None:
        self.path, self.report, self.wrong = path, report, report.wrong

    def lesson(self) -> Lesson | None:
        name = _FILE_NAME.fullmatch(self.path.name)
        if name is None:
            self.wrong(1, f"{self.path.name} is not named like a lesson", "name it like 06-why-gradients-vanish.md")
            return None
        try:
            lines = source_lines(self.path)
        except SourceError as error:
            self.wrong(error.line or 1, error.what, error.remedy)
            return None
        markdown, reader = Markdown(self.report, lines), StepReader(self.report, lines)
        front, body = markdown.front()
        if front is None:
            return None
        sections = list(markdown.sections(body))
        if not sections:
            self.wrong(len(lines) or 1, "the lesson has no steps", "begin each step with a heading: ## Its topic")
        if len(sections) > MOST_STEPS:
            what = f"the lesson has {len(sections):,} steps; the limit is {MOST_STEPS}"
            self.wrong(sections[MOST_STEPS].line, what, "split it into several lessons")
            return None
        head = self.head(front, name[2])
        steps = tuple(step for section in sections if (step := reader.step(section)) is not None)
        self.same_names(steps)
        if self.report.problems or head is None:
            return None
        title, summary, experiment, sources = head
        introduces = front.tables.get("introduces", [])
        if not isinstance(introduces, list) or not all(isinstance(name, str) for name in introduces):
            line = front.line_of("introduces")
            self.wrong(line, "introduces is not a list of names", 'write introduces = ["gradient"]')
            return None
        explains = self.explains(front)
        if self.report.problems:
            return None
        lesson = Lesson(
            self.path, int(name[1]), name[2], title, summary, experiment, sources, steps, tuple(introduces), explains
        )
        for step, what, remedy in too_much(lesson):
            self.wrong(reader.line_with(1, "[experiment]") if step is None else step.line, what, remedy)
        return lesson

    def head(self, block: Block, slug: str) -> tuple[str, str, Experiment, tuple[str, ...]] | None:
        front = block.tables
        self.report.known(front, FRONT, "front matter", block.line_of)
        for name in ("title", "summary"):
            if isinstance(front.get(name), str) and "{" in front[name]:
                self.wrong(block.line_of(name), f"a figure in the {name}", "quote it in a step, beside a network")
        given = front.get("slug", slug)
        if given != slug:
            self.wrong(block.line_of("slug"), f"slug {given!r} differs from the file's, {slug!r}", "make them agree")
        title = self.report.text(front, "title", block.line, block.line_of)
        summary = self.report.text(front, "summary", block.line, block.line_of)
        sources = front.get("sources")
        if not isinstance(sources, list) or not sources or not all(isinstance(s, str) and s.strip() for s in sources):
            self.wrong(
                block.line_of("sources"), "sources is missing or not a list of strings",
                'add sources = ["Bengio, Simard and Frasconi 1994: …"]',
            )  # fmt: skip
        settings = front.get("experiment", {})
        if not isinstance(settings, dict):
            self.wrong(block.line_of("experiment"), "experiment is not a table", "write [experiment] and settings")
            return None
        experiment = self.settings(settings, block)
        if experiment is None or title is None or summary is None or not isinstance(sources, list):
            return None
        return title, summary, experiment, tuple(map(str, sources))

    def explains(self, front: Block) -> tuple[str, ...]:
        """What a learner can explain after the lesson: short clauses, without figures."""
        found = front.tables.get("explains", [])
        line = front.line_of("explains")
        if not isinstance(found, list) or not all(isinstance(text, str) and text.strip() for text in found):
            self.wrong(line, "explains is not a list of strings", 'write explains = ["why a gradient vanishes"]')
            return ()
        if len(found) > MOST_EXPLAINED:
            self.wrong(line, f"explains has {len(found)} entries; the limit is {MOST_EXPLAINED}", "keep the main ones")
        for text in found:
            at = front.line_of_text(text, line)
            self.report.fixed(at, text, "explains")
            if text[:1].isupper() or text.rstrip().endswith("."):
                what = f"the entry of explains {short_repr(text)} is a sentence of its own"
                self.wrong(at, what, 'continue "You can now explain …": a small letter first, no full stop')
            if len(text) > LONGEST_EXPLAINED:
                what = f"an entry of explains has {len(text)} characters; the limit is {LONGEST_EXPLAINED}"
                self.wrong(at, what, "shorten it")
        return tuple(text.strip() for text in found)

    def settings(self, settings: Mapping[str, Any], block: Block) -> Experiment | None:
        names, folder = SETTINGS, self.path.parent
        for name in settings:
            if name not in names:
                close = meant(name, names)
                hint = f"did you mean {close}?" if close else f"settings: {', '.join(sorted(names))}"
                self.wrong(block.line_of("experiment", name), f"unknown setting {name!r} in experiment", hint)
        good: dict[str, Any] = {}
        for name in (name for name in settings if name in names):
            line = block.line_of("experiment", name)
            given = {name: settings[name]}
            found = self.report.attempt(line, lambda given=given: with_own_files(folder, without_own_cell(given)))  # type: ignore[misc]
            if found is not None and self.report.attempt(line, lambda found=found: Experiment(**found)) is not None:  # type: ignore[misc]
                good |= found
        if len(good) < len(settings):
            return None
        return self.report.attempt(block.line_of("experiment"), lambda: Experiment(**good))

    def same_names(self, steps: tuple[Step, ...]) -> None:
        known: dict[str, Step] = {}
        for step in steps:
            if step.id in known:
                self.wrong(
                    step.line, f"the heading {step.heading!r} is also used in line {known[step.id].line}",
                    "give each step its own; progress is stored under it",
                )  # fmt: skip
            known[step.id] = step
