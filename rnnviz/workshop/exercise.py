"""An exercise as a record: what the learner's function is given, what it should return, and the known mistakes.

exercise = EXERCISES[4]
case = exercise.case(Sizes(T=8, I=2, H=3, O=2), rng)
case.arguments["W_hh"], case.exact["grad_h"]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rnnviz.nn.types import Array

FILES = Path(__file__).parent / "files"
SOLUTIONS = FILES / "solutions"


class Sizes(NamedTuple):
    """T steps, I inputs, H units, O outputs."""

    T: int
    I: int  # noqa: E741
    H: int
    O: int  # noqa: E741

    @property
    def in_one_step(self) -> Sizes:
        return Sizes(1, self.I, self.H, self.O)

    def __str__(self) -> str:
        return f"T = {self.T}, I = {self.I}, H = {self.H}, O = {self.O}"


#: Of the first cases, which have fixed seeds; the first is the one that a report most often shows. One more case has
#: sizes and a seed that differ at each check.
SIZES = (Sizes(8, 2, 3, 2), Sizes(1, 1, 1, 1), Sizes(2, 3, 4, 1), Sizes(5, 1, 2, 3), Sizes(6, 4, 5, 2))


@dataclass(frozen=True)
class Quantity:
    """One of the values that the function returns.

    name    in the learner's file
    symbol  on the screen; of one with a time axis without its index
    first   the time step of its first row; None: it has no time axis
    """

    name: str
    symbol: str
    first: int | None = None


@dataclass(frozen=True)
class Case:
    """arguments  of the function, by name, in its order; exact: what it should return, by the quantities' names"""

    arguments: Mapping[str, Array | float]
    exact: Mapping[str, Array]
    sizes: Sizes


@dataclass(frozen=True)
class Mistake:
    """A known mistake, as changes of the solution's text: the program that it makes is run, and its numbers are
    compared with the learner's.

    as_if    completes "as if …"
    changes  (text of the solution, text in its place)
    """

    as_if: str
    changes: tuple[tuple[str, str], ...]


def mistake(as_if: str, *changes: tuple[str, str]) -> Mistake:
    return Mistake(as_if, changes)


@dataclass(frozen=True)
class Exercise:
    """stem        of its file, `05_bptt`
    title       in a list
    function    the name of the learner's function
    quantities  what it returns, in its order
    groups      the order in which they are compared: those of one group together, step by step
    backward    whether the steps of a group are compared from the last to the first
    case        (sizes, random numbers) -> a Case; None: the exact numbers come from the learner's own step
    mistakes    the known ones
    hints       each says more than the one before
    solved      what the solution shows, in a sentence or two
    """

    stem: str
    title: str
    function: str
    quantities: tuple[Quantity, ...]
    groups: tuple[tuple[str, ...], ...]
    case: Callable[[Sizes, np.random.Generator], Case] | None
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    solved: str
    backward: bool = False

    @property
    def file(self) -> str:
        """`05_bptt.py`"""
        return self.stem + ".py"

    @property
    def number(self) -> str:
        """`05`"""
        return self.stem[:2]

    def quantity(self, name: str) -> Quantity:
        return next(one for one in self.quantities if one.name == name)

    def template(self) -> str:
        """The file as the learner gets it."""
        return (FILES / self.file).read_text(encoding="utf-8")

    def solution(self) -> str:
        return (SOLUTIONS / self.file).read_text(encoding="utf-8")

    def cases(self, seed: int) -> list[Case]:
        """The fixed cases, and one of sizes and numbers drawn from the seed."""
        assert self.case is not None
        fixed = [self.case(sizes, np.random.default_rng(n)) for n, sizes in enumerate(SIZES)]
        rng = np.random.default_rng([seed, 1])
        drawn = Sizes(*(int(rng.integers(low, high)) for low, high in ((2, 10), (1, 5), (2, 7), (1, 5))))
        return [*fixed, self.case(drawn, rng)]


def outputs(exercise: Exercise, returned: Any) -> dict[str, Array]:
    """What a solution returns, by the quantities' names."""
    values = returned if len(exercise.quantities) > 1 else (returned,)
    return {one.name: np.asarray(value) for one, value in zip(exercise.quantities, values, strict=True)}
