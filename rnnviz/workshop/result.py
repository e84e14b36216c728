"""The result of checking one file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rnnviz.nn.types import Array
from rnnviz.workshop.exercise import Exercise, Quantity

SOLVED, UNWRITTEN, WRONG, ERROR, STOPPED, MISSING = "solved", "unwritten", "wrong", "error", "stopped", "missing"


@dataclass(frozen=True)
class Score:
    """What a picture of the time steps shows.

    rows   for each quantity whether each of its rows is right, one value if it has no time axis; None: it cannot be
           compared
    first  the quantity that differs first; row: its first row that does, None if it has no time axis
    yours  the learner's numbers of it; None if they cannot be compared. exact: the exact ones
    """

    rows: tuple[tuple[Quantity, tuple[bool | None, ...]], ...]
    first: Quantity
    row: int | None
    yours: Array | None
    exact: Array


@dataclass(frozen=True)
class Result:
    """The result of checking one file.

    status    one of the six above
    headline  the result in a sentence
    details   more lines, to be shown as they are
    place     the quantity that differs first, or is not written yet, by its name in the file; "" if there is none
    step      its time step, if it has one
    as_if     the known mistake that gives the same numbers, to complete "as if …"; "" if none does
    line      of the file, where the error is
    score     for the picture; None if nothing could be compared, and if all is right
    printed   what the file printed
    """

    exercise: Exercise
    status: str
    headline: str
    details: tuple[str, ...] = ()
    place: str = ""
    step: int | None = None
    as_if: str = ""
    line: int | None = None
    score: Score | None = None
    printed: tuple[str, ...] = ()

    @property
    def is_solved(self) -> bool:
        return self.status == SOLVED

    def with_printed(self, printed: tuple[str, ...]) -> Result:
        return replace(self, printed=printed)
