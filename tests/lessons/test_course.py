"""The course as it is written: every step points somewhere and asks for something, and no figure is typed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnviz.lessons.course import explained, find
from rnnviz.lessons.lesson import Exercise, Lesson, Prediction, Step
from rnnviz.lessons.reading import read
from rnnviz.lessons.run import texts

FILES = find().files

#: Figures a text may name: settings the lesson itself makes, bounds of a question, definitions and arithmetic.
GIVEN: dict[str, dict[str, str]] = {
    "back-through-time": {"1e-1": "how a number is written"},
    "why-gradients-vanish": {"0.7": "setting", "99 %": "definition of the horizon", "1 %": "definition of the horizon"},
    "exploding-gradients": {"0.95": "setting", "1.1": "setting", "1.5": "setting", "2.25": "1.5 · 1.5"},
    "short-term-memory": {"99 %": "definition of the horizon", "1 %": "the small change", "75 %": "the large one",
                          "1e-3": "bound", "1e-9": "bound", "1e-12": "bound"},
    "lstm": {"0.993": "σ(5)"},
    "gru": {"0.5": "σ(0)", "0.73": "σ(1)", "1 %": "bound"},
    "training-the-sine": {"0.1": "setting", "0.5": "setting"},
    "names": {"1 %": "bound"},
    "beyond": {"1 %": "bound", "50 %": "bound", "1e-3": "bound", "1e-6": "bound"},
    "watching-a-training": {"99 %": "definition of the horizon", "1 %": "bound"},
    "your-own-network": {"99 %": "definition of the horizon", "0.2": "bound"},
    "starting-weights": {"1.0": "setting", "1.2": "setting"},
    "the-first-bad-step": {"0.005": "setting", "0.01": "setting", "0.3": "setting", "0.5": "setting", "1.0": "setting"},
    "loss-curve-and-horizon": {"0.74": "14/20 + 6/160", "1.2": "setting", "0.01": "setting", "0.02": "setting"},
    "two-frameworks": {"0.01": "1 - 0.99", "0.1": "1 - 0.9", "0.99": "constant", "0.9": "constant", "1e-8": "constant",
                       "1e-7": "constant"},
    "towards-attention": {"1.3": "setting"},
    "linear-recurrences": {"0.9": "bound", "0.999": "bound", "0.5": "σ(0)", "1 %": "bound", "100 %": "all of it",
                           "25 %": "one of four letters", "10 %": "bound"},
    "eigenvalues-and-lengths": {"0.1": "bound", "0.95": "σ(3)"},
    "the-map": {"1 %": "definition of the horizon", "0.3": "setting", "1.2": "setting", "1.1": "setting"},
    "your-turn": {"1 %": "definition of the horizon"},
}  # fmt: skip
_FIGURE = re.compile(r"\d+(?:\.\d+|(?:\.\d+)?e[+-]?\d+| %|%)")
_KEY = re.compile(r"`[^`]+`|[→←↑↓]")


def steps() -> Iterator[tuple[Lesson, Step]]:
    for file in FILES:
        lesson, problems = read(file)
        assert lesson is not None, problems
        for step in lesson.steps:
            yield lesson, step


ALL = [pytest.param(lesson, step, id=f"{lesson.slug}/{step.id}") for lesson, step in steps()]


@pytest.mark.parametrize(("lesson", "step"), ALL)
def test_a_step_points_at_what_it_speaks_of(lesson: Lesson, step: Step) -> None:
    assert step.point is not None


@pytest.mark.parametrize(("lesson", "step"), ALL)
def test_a_step_has_something_to_do(lesson: Lesson, step: Step) -> None:
    assert step.task is not None or _KEY.search(" ".join(step.before))


@pytest.mark.parametrize(("lesson", "step"), ALL)
def test_no_figure_is_typed_in(lesson: Lesson, step: Step) -> None:
    given = GIVEN.get(lesson.slug, {})
    for text in texts(step):
        if isinstance(step.task, Exercise) and text == step.task.goal:
            continue  # what it asks for is written in its conditions
        typed = [figure for figure in _FIGURE.findall(re.sub(r"\{[^}]*\}", "", text)) if figure not in given]
        assert not typed, text


@pytest.mark.parametrize(("lesson", "step"), ALL)
def test_every_wrong_choice_says_why(lesson: Lesson, step: Step) -> None:
    if isinstance(step.task, Prediction) and step.task.choices:
        assert sum(not choice.why for choice in step.task.choices) == 1


@pytest.mark.parametrize(("lesson", "step"), ALL)
def test_a_choice_reads_well_after_right_and_no(lesson: Lesson, step: Step) -> None:
    """`✗ No: no.` and `✗ No: yes, all of them.` are said to who chose the other one."""
    if isinstance(step.task, Prediction):
        for choice in step.task.choices:
            assert not re.match(r"(yes|no|right|wrong)\b", choice.say), choice.say


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_sources_name_an_author_and_a_year(file: object) -> None:
    lesson = next(lesson for lesson, _ in steps() if lesson.path == file)
    assert len(lesson.sources) >= 2
    for source in lesson.sources:
        assert re.fullmatch(r"[A-Z].*\b(19|20)\d\d: .+", source), source


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_a_lesson_explains_completes_a_sentence(file: Path) -> None:
    assert 2 <= len(explained(file)) <= 4
    for text in explained(file):
        assert re.match(r"(why|how|what|when|which|where) ", text), text
        assert not text.endswith("."), text
