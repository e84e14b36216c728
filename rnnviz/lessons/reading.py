"""Reading a lesson: Markdown with TOML front matter and fenced toml blocks. See /lessons/README.md.

A file that is not right gives problems, each with its line and what to do; as many as can be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import SETTINGS, Experiment, found_from
from rnnviz.lessons.conditions import Condition, condition, tolerance
from rnnviz.lessons.cost import too_much
from rnnviz.lessons.lesson import ROWS, Choice, Do, Exercise, Lesson, Point, Prediction, Step
from rnnviz.lessons.lesson_file import LONGEST_TEXT, SourceError, source_lines, toml
from rnnviz.lessons.prose import lone_sign, quotes, wide_character
from rnnviz.views.metrics import METRICS, parse

T = TypeVar("T")

FRONT = {"title", "slug", "summary", "sources", "experiment", "introduces"}
TABLES = ("do", "point", "predict", "reveal", "exercise")
PREDICT = {"question", "choices", "answer", "tolerance", "unit", "hides"}
EXERCISE = {"goal", "solved", "locked", "hints", "solution"}
CHOICE = {"say", "if", "why"}
MOST_STEPS = 60
MOST_PROBLEMS = 50  # told of one file
HEADING = 66  # cells; a longer one is cut off on the screen
FENCES = ("```", "~~~")
# What Markdown knows and a step does not; the second list only where a paragraph begins.
_NO_PLACE = re.compile(r"#+\s+\S|\||>|!\[")
_NO_PLACE_FIRST = re.compile(r"#\S*|<\S*|\d+[.)]\s")
_FILE_NAME = re.compile(r"(\d+)-([a-z0-9]+(?:-[a-z0-9]+)*)\.md")


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong in a lesson, where, and what to do about it."""

    path: Path
    line: int
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")


class _TooManyError(Exception):
    """Enough is wrong to be told at once."""


def read(path: Path) -> tuple[Lesson | None, list[Problem]]:
    """The lesson, or None where it could not be made out, and all that is wrong with it."""
    reader = _Reader(path)
    lesson = None
    with suppress(_TooManyError):
        lesson = reader.lesson()
    return (None if reader.problems else lesson), sorted(reader.problems)


def readouts() -> Collection[str]:
    """What a question may hide."""
    from rnnviz.lessons.withheld import NAMES  # withheld.py knows runs, and those are made of what is read here

    return NAMES


def heading_id(heading: str) -> str:
    """`Half is gone` -> half-is-gone: what progress remembers a step by."""
    return re.sub(r"[^\w]+", "-", heading.lower()).strip("-") or "step"


@dataclass
class _Block:
    """A fenced block: its tables, and where its lines stand in the file."""

    tables: dict[str, Any]
    line: int
    source: list[str]

    def line_of(self, *keys: str) -> int:
        """Where a key stands; each further key is looked for after the one before."""
        at = 0
        for key in keys:
            sign = re.compile(rf"(^|[{{,\s\[.]){re.escape(key)}\s*[=\]]")
            at = next((i for i in range(at, len(self.source)) if sign.search(self.source[i])), at)
        return self.line + 1 + at


@dataclass
class _Section:
    heading: str
    line: int
    parts: list[tuple[int, str | _Block]] = field(default_factory=list)


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.lines: list[str] = []

    def wrong(self, line: int, what: str, remedy: str = "") -> None:
        self.problems.append(Problem(self.path, line, what, remedy))
        if len(self.problems) >= MOST_PROBLEMS:
            raise _TooManyError

    def attempt(self, line: int, make: Callable[[], T]) -> T | None:
        """What `make` makes; its InputError (what; remedy) becomes a problem at this line."""
        try:
            return make()
        except InputError as error:
            what, _, remedy = str(error).partition("; ")
            self.wrong(line, what, remedy or "write a value it can take; `rnnviz train --help` tells which")
            return None

    # -- the file ----------------------------------------------------------------------------------------

    def lesson(self) -> Lesson | None:
        name = _FILE_NAME.fullmatch(self.path.name)
        if name is None:
            self.wrong(1, f"{self.path.name} is not named like a lesson", "name it like 06-why-gradients-vanish.md")
            return None
        try:
            self.lines = lines = source_lines(self.path)
        except SourceError as error:
            self.wrong(error.line or 1, error.what, error.remedy)
            return None
        front, body = self.front(lines)
        if front is None:
            return None
        sections = list(self.sections(lines, body))
        if not sections:
            self.wrong(len(lines) or 1, "there is no step", "begin each step with a heading: ## What it is about")
        if len(sections) > MOST_STEPS:
            what = f"there are {len(sections):,} steps, and a lesson has at most {MOST_STEPS}"
            self.wrong(sections[MOST_STEPS].line, what, "make several lessons of it")
            return None
        head = self.head(front, name[2])
        steps = tuple(step for section in sections if (step := self.step(section)) is not None)
        self.same_names(steps)
        if self.problems or head is None:
            return None
        title, summary, experiment, sources = head
        introduces = front.tables.get("introduces", [])
        if not isinstance(introduces, list) or not all(isinstance(name, str) for name in introduces):
            line = front.line_of("introduces")
            self.wrong(line, "introduces is not a list of names", 'write introduces = ["gradient"]')
            return None
        lesson = Lesson(self.path, int(name[1]), name[2], title, summary, experiment, sources, steps, tuple(introduces))
        for step, what, remedy in too_much(lesson):
            self.wrong(self.line_with(1, "[experiment]") if step is None else step.line, what, remedy)
        return lesson

    def front(self, lines: list[str]) -> tuple[_Block | None, int]:
        """The front matter, and the line the body begins on (from 0)."""
        if not lines or lines[0].strip() != "+++":
            self.wrong(1, "there is no front matter", "begin the file with +++, title and summary as TOML, and +++")
            return None, 0
        end = next((i for i in range(1, len(lines)) if lines[i].strip() == "+++"), None)
        if end is None:
            self.wrong(1, "the front matter has no end", "put a line +++ after it")
            return None, 0
        return self.toml(lines[1:end], 1), end + 1

    def toml(self, source: list[str], line: int) -> _Block | None:
        """A block whose lines begin after line `line` (from 1)."""
        try:
            return _Block(toml(source), line, source)
        except SourceError as error:
            where = line + error.line
            if error.key:
                where = _Block({}, line, source).line_of(error.key)
            self.wrong(where, error.what, error.remedy)
            return None

    def sections(self, lines: list[str], at: int) -> Iterator[_Section]:
        """One for each ## heading, with its paragraphs and blocks in their order."""
        section: _Section | None = None
        while at < len(lines):
            line, number = lines[at], at + 1
            if line.startswith("## "):
                if section is not None:
                    yield section
                section = _Section(line[3:].strip(), number)
                at += 1
            elif line.startswith("```"):
                end = next((i for i in range(at + 1, len(lines)) if lines[i].strip().startswith("```")), None)
                if end is None:
                    self.wrong(number, "the block has no end", "put a line ``` after it")
                    break
                self.fenced(section, line[3:].strip(), lines[at + 1 : end], number)
                at = end + 1
            elif line.strip().startswith(FENCES):
                self.wrong(number, f"{line.rstrip()!r} begins no block", "begin it with ```toml at the margin")
                fence = line.strip()[:3]
                end = next((i for i in range(at + 1, len(lines)) if lines[i].strip().startswith(fence)), at)
                at = end + 1
            elif not line.strip():
                at += 1
            else:
                end = at
                while end < len(lines) and (told := lines[end].strip()):
                    if told.startswith(FENCES) or lines[end].startswith("## "):
                        break
                    end += 1
                self.paragraphs(section, lines[at:end], number)
                at = end
        if section is not None:
            yield section

    def fenced(self, section: _Section | None, kind: str, source: list[str], line: int) -> None:
        if kind != "toml":
            self.wrong(line, f"a block of {kind or 'no kind'}", "only ```toml blocks can stand in a lesson")
        elif section is None:
            self.wrong(line, "a block before the first step", "put it under a ## heading")
        else:
            block = self.toml(source, line)
            if block is not None:
                section.parts.append((line, block))

    def paragraphs(self, section: _Section | None, lines: list[str], number: int) -> None:
        first = lines[0]
        if first.startswith("# ") and section is None:
            return  # the title once more, for a code host
        if section is None:
            self.wrong(number, "text before the first step", "put it under a ## heading")
            return
        for i, line in enumerate(lines):
            sign = _NO_PLACE.match(line) or (_NO_PLACE_FIRST.match(line) if i == 0 else None)
            if sign or "![" in line:
                what = f"{sign[0].split()[0]!r}" if sign else "a picture"
                remedy = "write short sentences; ## begins the next step, - an item of a list"
                self.wrong(number + i, f"{what} has no place in a step", remedy)
                return
        text: list[str] = []
        for line in lines:
            item = re.match(r"\s*[-*] +(.*)", line)
            if item:
                text.append("• " + item[1].strip())
            elif text:
                text[-1] += " " + line.strip()
            else:
                text.append(line.strip())
        for paragraph in text:
            self.proper(number, paragraph)
            section.parts.append((number, paragraph))

    def proper(self, line: int, text: str) -> bool:
        """Whether a text can be shown: its quotes name metrics, its characters take one cell each."""
        if len(text) > LONGEST_TEXT:
            self.wrong(line, f"a text of {len(text):,} characters, and at most {LONGEST_TEXT:,} are read", "say less")
            return False
        wide = wide_character(text)
        if wide is not None:
            self.wrong(line, f"{wide!r} does not take one cell on a terminal", "use another character")
            return False
        sign = lone_sign(text)
        if sign is not None:
            self.wrong(line, f"{sign} without its partner", "close it, or leave it out")
            return False
        return self.attempt(line, lambda: quotes(text)) is not None

    def fixed(self, line: int, text: str, what: str) -> None:
        """A text that stands as it is written, where nothing is quoted from the frame."""
        if self.proper(line, text) and "{" in text:
            self.wrong(line, f"a figure in the {what}", "quote it in the step's text, which follows the network")

    # -- the front matter ----------------------------------------------------------------------------------

    def head(self, block: _Block, slug: str) -> tuple[str, str, Experiment, tuple[str, ...]] | None:
        front = block.tables
        self.known(front, FRONT, "front matter", block.line_of)
        for name in ("title", "summary"):
            if isinstance(front.get(name), str) and "{" in front[name]:
                self.wrong(block.line_of(name), f"a figure in the {name}", "quote it in a step, beside a network")
        given = front.get("slug", slug)
        if given != slug:
            self.wrong(block.line_of("slug"), f"slug {given!r} is not that of the file, {slug!r}", "make them agree")
        title = self.text(front, "title", block.line, block.line_of)
        summary = self.text(front, "summary", block.line, block.line_of)
        sources = front.get("sources")
        if not isinstance(sources, list) or not sources or not all(isinstance(s, str) and s.strip() for s in sources):
            self.wrong(
                block.line_of("sources"), "sources: a list of texts is missing",
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

    def settings(self, settings: Mapping[str, Any], block: _Block) -> Experiment | None:
        names = SETTINGS
        self.known(settings, names, "experiment", lambda name: block.line_of("experiment", name))
        good: dict[str, Any] = {}
        for name in (name for name in settings if name in names):
            line = block.line_of("experiment", name)
            if self.attempt(line, lambda name=name: Experiment(**{name: settings[name]})) is not None:  # type: ignore[misc]
                good[name] = settings[name]
        if len(good) < len(settings):
            return None
        return self.attempt(block.line_of("experiment"), lambda: Experiment(**good).beside(self.path.parent))

    def known(self, given: Mapping[str, Any], keys: Collection[str], where: str, line_of: Callable[[str], int]) -> None:
        for name in given:
            if name not in keys:
                close = get_close_matches(name, keys, n=1)
                hint = f"did you mean {close[0]}?" if close else f"keys: {', '.join(sorted(keys))}"
                self.wrong(line_of(name), f"unknown key {name!r} in {where}", hint)

    def text(self, table: Mapping[str, Any], key: str, line: int, line_of: Callable[[str], int]) -> str | None:
        value = table.get(key)
        if value is None:
            self.wrong(line, f"{key} is missing", f'add {key} = "…"')
            return None
        if not isinstance(value, str) or not value.strip():
            self.wrong(line_of(key), f"{key} is not a text", f'write {key} = "…"')
            return None
        return value.strip() if self.proper(line_of(key), value) else None

    # -- a step --------------------------------------------------------------------------------------------

    def step(self, section: _Section) -> Step | None:
        before: list[str] = []
        after: list[str] = []
        do: list[tuple[str, Any]] = []
        reveal: list[tuple[str, Any]] = []
        points: dict[bool, Point] = {}
        task: Prediction | Exercise | None = None
        if not section.heading:
            self.wrong(section.line, "the heading is empty", "write what the step is about: ## Half is gone")
        self.fixed(section.line, section.heading, "heading")
        if len(section.heading) > HEADING:
            self.wrong(section.line, f"the heading has {len(section.heading)} cells, and {HEADING} fit", "shorten it")
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
            self.wrong(section.line, f"step {section.heading!r} says nothing", "write a sentence or two under it")
        if task is not None and not after:
            kind = "answer" if isinstance(task, Prediction) else "solution"
            self.wrong(task.line, f"no explanation after the {kind}", "write it as text after the block")
        return Step(
            section.heading, heading_id(section.heading), section.line,
            tuple(before), tuple(do), points.get(False), task, tuple(after), tuple(reveal), points.get(True),
        )  # fmt: skip

    def commands(self, table: Mapping[str, Any], block: _Block, where: str) -> Do:
        from rnnviz.lessons.setup import Setup

        found: list[tuple[str, Any]] = []
        setup = Setup(Experiment())
        for name, argument in table.items():
            line = block.line_of(where, name)
            if name == "seek":  # whether there are steps to seek depends on the whole lesson, which check.py runs
                self.attempt(line, lambda a=argument: Setup(Experiment()).after((("seek", a),)))  # type: ignore[misc]
            else:
                self.attempt(line, lambda n=name, a=argument: setup.after(((n, a),)))  # type: ignore[misc]
            found.append((name, self.with_path(argument) if name == "settings" else argument))
        return tuple(found)

    def with_path(self, settings: Any) -> Any:
        """Settings whose source, if it is relative, is taken from the lesson's folder."""
        source = settings.get("source") if isinstance(settings, Mapping) else None
        if not isinstance(source, str) or source == "auto":
            return settings
        return {**settings, "source": found_from(self.path.parent, source)}

    def point(self, table: Mapping[str, Any], block: _Block) -> Point | None:
        self.known(table, {"at"}, "[point]", lambda name: block.line_of("point", name))
        at, line = table.get("at"), block.line_of("point", "at")
        if not isinstance(at, str) or (at not in ROWS and not at.startswith("panel:")):
            close = get_close_matches(str(at), ROWS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(ROWS)} or panel:NAME"
            self.wrong(line, f"[point] at = {at!r} is nothing on the screen", hint)
            return None
        return Point(at, line)

    def prediction(self, table: Mapping[str, Any], block: _Block) -> Prediction:
        def line_of(*keys: str) -> int:
            return block.line_of("predict", *keys)

        self.known(table, PREDICT, "[predict]", line_of)
        line = block.line_of("predict")
        question = self.text(table, "question", line, line_of) or ""
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
                off = self.attempt(line_of("tolerance"), lambda: tolerance(table["tolerance"]))
            else:
                self.wrong(line, "tolerance is missing", 'say how far off is right: 0, 2, "20 %" or "x 3"')
        unit = table.get("unit", "")
        if not isinstance(unit, str):
            self.wrong(line_of("unit"), "unit is not a text", 'write unit = "steps"')
        else:
            self.fixed(line_of("unit"), unit, "unit")
        hides = self.names(table.get("hides", []), "hides", readouts(), line_of)
        return Prediction(question, line, choices, answer, off, str(unit), hides)

    def names(self, given: Any, key: str, known: Collection[str], line_of: Callable[..., int]) -> tuple[str, ...]:
        """A list of names out of those that are known."""
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
            self.wrong(line, f"answer {name!r} is not a metric", 'name what the live frame shows, like "horizon"')
            return None
        reference = self.attempt(line, lambda: parse(name))
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
            self.known(entry, CHOICE, f"choice {i}", lambda name, line=line: line)  # type: ignore[misc]
            say = self.text(entry, "say", line, lambda name, line=line: line)  # type: ignore[misc]
            if say in [choice.say for choice in found]:
                self.wrong(line, f"choice {i} says the same as another: {say!r}", "say what sets it apart")
            if "if" not in entry:
                self.wrong(line, f"choice {i} does not say when it is right", 'add if = "METRIC OP VALUE"')
                continue
            holds = self.conditions(entry["if"], line)
            why = entry.get("why", "")
            if isinstance(why, str) and self.proper(line, why):
                found.append(Choice(say or "", holds, why))
            else:
                self.wrong(line, f"why of choice {i} is not a text", 'write why = "…"')
        return tuple(found)

    def line_with(self, start: int, text: str) -> int:
        return next((i + 1 for i in range(start - 1, len(self.lines)) if text in self.lines[i]), start)

    def conditions(self, given: Any, line: int) -> tuple[Condition, ...]:
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            self.wrong(line, f"{given!r} is not a condition", 'write "grad_ratio >= 1e-3", or a list of such texts')
            return ()
        made = (self.attempt(line, lambda text=text: condition(text)) for text in texts)  # type: ignore[misc]
        return tuple(c for c in made if c is not None)

    def exercise(self, table: Mapping[str, Any], block: _Block) -> Exercise:
        def line_of(*keys: str) -> int:
            return block.line_of("exercise", *keys)

        self.known(table, EXERCISE, "[exercise]", line_of)
        line = block.line_of("exercise")
        goal = self.text(table, "goal", line, line_of) or ""
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
                close = get_close_matches(str(name), names, n=1)
                hint = f"did you mean {close[0]}?" if close else f"settings: {', '.join(sorted(names))}"
                self.wrong(line_of("locked"), f"unknown setting {name!r} in locked", hint)
        hints = table.get("hints")
        if not isinstance(hints, list) or not all(isinstance(hint, str) and hint.strip() for hint in hints):
            self.wrong(line, "hints are missing", 'add hints = ["…", "…"]; hints = [] where there shall be none')
            hints = []
        for hint in hints:
            self.proper(self.line_with(line, hint), hint)
        return Exercise(goal, line, solved, tuple(map(str, locked)), tuple(hints), self.solutions(table, block, line))

    def solutions(self, table: Mapping[str, Any], block: _Block, line: int) -> tuple[Do, ...]:
        given = table.get("solution")
        if not isinstance(given, list) or not given or not all(isinstance(entry, dict) for entry in given):
            self.wrong(line, "no solution is known", "add [[exercise.solution]] with the commands of a right way")
            return ()
        return tuple(self.commands(entry, block, "exercise.solution") for entry in given)

    def same_names(self, steps: tuple[Step, ...]) -> None:
        known: dict[str, Step] = {}
        for step in steps:
            if step.id in known:
                self.wrong(
                    step.line, f"the heading {step.heading!r} is also that of line {known[step.id].line}",
                    "give each step its own: progress is kept by it",
                )  # fmt: skip
            known[step.id] = step
