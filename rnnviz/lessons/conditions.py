"""Conditions: a metric compared with a number, a word or another metric. Only the comparison is evaluated.

>>> condition("grad_ratio >= 1e-3")
>>> condition("horizon > 2 * start.horizon")
>>> condition("cell == 'lstm'")
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.errors import InputError
from rnnviz.views.metrics import METRICS, Reference, Value, called, parse, resolve, say, value

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

Start = Mapping[str, Value]  # the values of `start.` metrics when the question or exercise was opened

OPERATORS = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
    ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_SIGNS = {">=": "≥", "<=": "≤", "==": "=", "!=": "≠", ">": ">", "<": "<"}
_FINER = {True: (".1%", ".2%", ".3%"), False: (".4g", ".6g", ".9g", ".17g")}
_SHAPE = re.compile(r"\s*(.+?)\s*(>=|<=|==|!=|>|<)\s*(.+?)\s*")
_FORM = "write METRIC OP VALUE: grad_ratio >= 1e-3, horizon > 2 * start.horizon, or cell == 'lstm'"


@dataclass(frozen=True)
class Condition:
    """left OP times · right, where right is a metric, or a number, or a word."""

    left: Reference
    op: str
    right: Reference | float | str
    times: float = 1.0

    def references(self) -> tuple[Reference, ...]:
        return (self.left, self.right) if isinstance(self.right, Reference) else (self.left,)

    def holds(self, frame: Frame, start: Start) -> bool:
        """False where a metric is not defined."""
        left, right = value_of(self.left, frame, start), self.goal(frame, start)
        if left is None or right is None or isinstance(left, str) != isinstance(right, str):
            return False
        if left != left or right != right:  # nan is neither larger, smaller nor different
            return False
        return bool(OPERATORS[self.op](left, right))

    def goal(self, frame: Frame, start: Start) -> Value:
        """The right-hand side in this frame."""
        if not isinstance(self.right, Reference):
            return self.right
        found = value_of(self.right, frame, start)
        return found * self.times if isinstance(found, float) else found

    def describe(self, frame: Frame, start: Start, tick: str = "✓ ") -> str:
        """`✗ arrives at h₁ 2.1e-09, needs ≥ 0.001`; with a tick if it holds."""
        return f"{tick if self.holds(frame, start) else '✗ '}{self.missing(frame, start)}"

    def missing(self, frame: Frame, start: Start) -> str:
        """`right answers 35 %, needs ≥ 90 %`: the present and the required value."""
        here = say(self.left.name, value_of(self.left, frame, start))
        goal = self.goal(frame, start)
        is_typed = isinstance(self.right, float) and not METRICS[self.left.name].format.endswith("%")
        like = self.right.name if isinstance(self.right, Reference) else self.left.name
        wanted = f"{goal:g}" if is_typed else say(like, goal)
        if here == wanted:  # rounds to the required value but has not reached it
            exact = value_of(self.left, frame, start)
            finer = (say(self.left.name, exact, spec) for spec in _FINER[METRICS[self.left.name].format.endswith("%")])
            here = next((text for text in finer if text != wanted), here)
        return f"{called(self.left)} {here}, needs {_SIGNS[self.op]} {wanted}"

    def __str__(self) -> str:
        right = repr(self.right) if isinstance(self.right, str) else f"{self.right}"
        if isinstance(self.right, float):
            right = f"{self.right:g}"
        return f"{self.left} {self.op} {right if self.times == 1 else f'{self.times:g} * {right}'}"


def value_of(reference: Reference, frame: Frame, start: Start) -> Value:
    return start.get(str(reference)) if reference.at_start else value(frame, reference)


def remember(references: tuple[Reference, ...], frame: Frame) -> dict[str, Value]:
    """The present values of all metrics with `start.`."""
    return {str(r): value(frame, r.now) for r in references if r.at_start}


def condition(text: str) -> Condition:
    """Parse a condition. Raises InputError, with what to write instead."""
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is not a condition; {_FORM}")
    left, op, right = parse(match[1]), match[2], match[3]
    word = re.fullmatch(r"'([^']*)'|\"([^\"]*)\"", right)
    if METRICS[left.name].is_text:
        if op not in ("==", "!="):
            raise InputError(f"{text!r}: {left.name} is a word; compare it with == or !=")
        if word is None:
            raise InputError(f"{text!r}: {left.name} is a word; put the right side in quotes: {left} {op} '{right}'")
        return Condition(left, op, word[1] if word[1] is not None else word[2])
    if word is not None:
        raise InputError(f"{text!r}: {left.name} is a number; compare it with a number or another metric")
    number = _number(right)
    if number is not None:
        return Condition(left, op, number)
    times, star, name = right.rpartition("*")
    by = _number(times) if star else 1.0
    if by is None:
        raise InputError(f"{text!r}: {times.strip()!r} is not a number; {_FORM}")
    other = parse(name)
    if METRICS[other.name].is_text:
        raise InputError(f"{text!r}: {other.name} is a word and {left.name} a number; they cannot be compared")
    if other == left and by == 1.0:
        raise InputError(f"{text!r} compares a metric with itself; compare it with a number or start.{left.name}")
    return Condition(left, op, other, by)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Tolerance:
    """The largest accepted error of a typed number: an amount, a share of the answer, or a factor."""

    kind: str  # "amount", "share", "factor"
    size: float

    def accepts(self, given: float, right: float) -> bool:
        if not math.isfinite(right):
            return given == right
        match self.kind:
            case "amount":
                return abs(given - right) <= self.size + 1e-9 * abs(right)
            case "share":
                return abs(given - right) <= self.size * abs(right) + 1e-12
        return given * right > 0 and 1 / self.size <= given / right <= self.size

    def __str__(self) -> str:
        match self.kind:
            case "amount":
                return f"± {self.size:g}" if self.size else "exactly"
            case "share":
                return f"± {100 * self.size:.0f} %"
        return f"within a factor of {self.size:g}"


def tolerance(written: object) -> Tolerance:
    """A number, "20 %", or "x 3" for a factor. Raises InputError for anything else."""
    form = 'write a number, "20 %" of the answer, or "x 3" for a factor of 3'
    if isinstance(written, int | float) and not isinstance(written, bool) and 0 <= written < math.inf:
        return Tolerance("amount", float(written))
    if isinstance(written, str):
        share = re.fullmatch(r"\s*([0-9.]+)\s*%\s*", written)
        factor = re.fullmatch(r"\s*[x×]\s*([0-9.]+)\s*", written)
        size = _number((share or factor)[1]) if share or factor else None  # type: ignore[index]
        if share and size and size >= 100:
            raise InputError(f"tolerance: {written!r} accepts every number from 0 up; write less than 100 %")
        if share and size:
            return Tolerance("share", size / 100)
        if factor and size and size > 1:
            return Tolerance("factor", size)
    raise InputError(f"tolerance: {written!r} is not a tolerance; {form}")


def defined(reference: Reference, frame: Frame) -> bool:
    return resolve(frame, reference) is not None and value(frame, reference.now) is not None
