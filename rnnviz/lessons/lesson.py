"""The records of a lesson: steps of prose, each with its commands and its question. reading.py reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.conditions import Condition, Tolerance
from rnnviz.views.metrics import Reference

Do = tuple[tuple[str, Any], ...]  # command, argument; carried out in this order


@dataclass(frozen=True)
class Point:
    """What the step points at: one of points.POINTS, or panel:NAME."""

    at: str
    line: int


@dataclass(frozen=True)
class Choice:
    """A choice. It is right if its conditions hold; `why` is shown to a learner who chose it wrongly."""

    say: str
    holds: tuple[Condition, ...]
    why: str = ""


@dataclass(frozen=True)
class Prediction:
    """A question before the reveal: choices, or a number that is compared with a metric. hides: names of further
    figures to mask (see masking.py)."""

    question: str
    line: int
    choices: tuple[Choice, ...] = ()
    answer: Reference | None = None
    tolerance: Tolerance | None = None
    unit: str = ""
    hides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """A goal to reach: all conditions hold, and no locked setting has changed.

    solutions  known solutions, each a Do; the checker tries every one
    """

    goal: str
    line: int
    solved: tuple[Condition, ...]
    locked: tuple[str, ...]
    hints: tuple[str, ...]
    solutions: tuple[Do, ...]


@dataclass(frozen=True)
class Step:
    """before, do, point: text, commands and pointer on entering. after, reveal, point_after: the same once the question
    is answered or the exercise solved."""

    heading: str
    id: str
    line: int
    before: tuple[str, ...] = ()
    do: Do = ()
    point: Point | None = None
    task: Prediction | Exercise | None = None
    after: tuple[str, ...] = ()
    reveal: Do = ()
    point_after: Point | None = None


@dataclass(frozen=True)
class Lesson:
    """explains: what a learner can explain after it, each the rest of "You can now explain …"."""

    path: Path
    number: int
    slug: str
    title: str
    summary: str
    experiment: Experiment
    sources: tuple[str, ...]
    steps: tuple[Step, ...]
    introduces: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.number} {self.title}"
