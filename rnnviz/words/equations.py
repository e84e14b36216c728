"""Equations written so that their sums can be checked by hand.

    h[3] = tanh( 0.71·x 0.41 + 0.52·h[7] -0.83 … 19 more: -0.073 ) = tanh(-0.214) = -0.211

Multiplying and adding the numbers on the screen gives the total on the screen, to its three digits. For that, one
term replaces all that are not written out: it is the shown total minus the shown terms, so it contains the smaller
terms and the rounding error of the larger ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnnviz.numbers import fixed
from rnnviz.views.neuron import Equation, Term

DIGITS = 3  # of totals and products
NAME_AND_VALUE = 10  # cells for both in a listed term


@dataclass(frozen=True)
class WrittenEquation:
    """A written equation: name, sum and result; the result is on its own line if it is `folded`."""

    name: str
    sum: str
    result: str
    folded: bool = False

    @property
    def text(self) -> str:
        return f"{self.name}{self.sum}{self.result}"


@dataclass(frozen=True)
class Line:
    """One listed term: weight · name value = product. A missing part is empty."""

    weight: str
    name: str
    value: str
    product: str


def write_equation(equation: Equation, room: int, *, fold: bool = False) -> WrittenEquation:
    """Write an equation on one line of `room` cells, with as many terms as fit: all of them to three digits, else some
    to two. `fold` allows a second line for the result if that makes room for more terms."""
    scale = 10.0**equation.power
    unit = f"e{equation.power:+03d}" if equation.power else ""
    total = plain(equation.total / scale)
    opening, closing = ("(", ")") if equation.function or unit else ("", "")
    name = f"{equation.name} = {equation.function}{opening}"
    closing += f"·1{unit}" if unit else ""
    result = f" = {equation.function}({total}) = {plain(equation.value)}" if equation.function else f" = {total}{unit}"
    short = room - len(name) - len(closing)
    written, count = _fitting(equation, short - len(result), scale, total)
    folded = False
    if fold and count < len(equation.terms):
        more, longer = _fitting(equation, short, scale, total)
        if longer > count:
            written, folded = more, True
    return WrittenEquation(name, written + closing, result, folded)


def _fitting(equation: Equation, room: int, scale: float, total: str) -> tuple[str, int]:
    """The part of the sum that fits, and its number of terms."""
    whole = len(equation.terms)
    if not whole:
        return "0", 0
    for digits, count in [(DIGITS, whole), *((2, n) for n in range(whole, -1, -1))]:
        if count * 6 <= room or count == 0:  # no term is shorter
            written = _sum(equation, count, digits, scale, total)
            if len(written) <= room:
                break
    return written, count


def _sum(equation: Equation, count: int, digits: int, scale: float, total: str) -> str:
    parts, shown = "", 0.0
    for number, term in enumerate(equation.terms[:count]):
        text, value, negative = _addend(term, digits, scale)
        parts += ("-" if negative else "") + text if number == 0 else f" {'-' if negative else '+'} {text}"
        shown += -value if negative else value
    rest = float(total) - shown if _is_plain(equation.total / scale) else math.nan
    left = len(equation.terms) - count
    if not left and (abs(rest) < 0.0005 or math.isnan(rest)):
        return parts
    more = f"{left} more:" if left else "rounding"
    return f"{parts} … {more} {fixed(rest)}".strip()


def _addend(term: Term, digits: int, scale: float) -> tuple[str, float, bool]:
    """(`0.71·x -0.41`, its value, whether it is subtracted): the sign of the leading number is separate."""
    value = term.value / scale
    if term.weight is None:
        size = plain(abs(value), digits)
        return f"{term.name} {size}", float(size), value < 0 and float(size) != 0
    weight, factor = plain(abs(term.weight), digits), plain(value, digits)
    negative = term.weight < 0 and float(weight) != 0
    return f"{weight}·{term.name} {factor}", float(weight) * float(factor), negative


def list_terms(equation: Equation, count: int) -> tuple[Line, ...]:
    """At most `count` lines, the products of which add up to the total of `write_equation` exactly."""
    scale = 10.0**equation.power
    total = equation.total / scale
    for shown in range(min(count, len(equation.terms)), -1, -1):
        left = len(equation.terms) - shown
        lines = [_line(term, scale) for term in equation.terms[:shown]]
        products = [term.product / scale for term in equation.terms[:shown]]
        if all(map(_is_plain, [total, *products])):
            rest = _thousandths(total) - sum(map(_thousandths, products))
            remainder = fixed(rest / 1000)
        else:
            rest, remainder = left, fixed(total - sum(products))
        if not left and not rest:
            return tuple(lines)
        if shown < count:
            return (*lines, Line("", f"… {left} more" if left else "… rounding", "", remainder))
    return ()


def _line(term: Term, scale: float) -> Line:
    product = fixed(term.product / scale)
    if term.weight is None:
        return Line("", term.name, "", product)
    room = NAME_AND_VALUE - max(4, len(term.name))  # a long name leaves less room for its value
    return Line(_within(6, term.weight), term.name, _within(room, term.value / scale).rjust(room), product)


def _within(cells: int, value: float) -> str:
    """`+0.412`, `-12.10`, `+123.4` in six cells: as many digits as fit, at least one."""
    digits = next((d for d in (3, 2) if len(fixed(value, d)) <= cells), 1)
    return fixed(value, digits)


def _thousandths(value: float) -> int:
    return int(f"{value:.3f}".replace(".", ""))


def _is_plain(value: float) -> bool:
    """Whether it is written with its digits, not as 1.2e+05, inf or nan."""
    return math.isfinite(value) and abs(value) < 1000


def plain(value: float, digits: int = DIGITS) -> str:
    """`0.41`, `-0.83`: a number without a plus sign, and never `-0.00`."""
    text = fixed(value, digits).removeprefix("+")
    return text.removeprefix("-") if _is_plain(value) and not float(text) else text
