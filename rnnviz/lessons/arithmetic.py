"""A number as a learner types it: `12`, `0,5`, `2e-3`, `20*20 + 20`, `1/3`, `ln 8`, `sqrt(2)`, `1.1^29`.

    >>> evaluate("20*20 + 2*20")
    440.0

Numbers, + - * / ^, brackets and ln, exp, sqrt; a function without brackets applies to the number after it. Nothing
else is understood, and typed text is never run as code.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from rnnviz.errors import InputError

LONGEST = 30  # characters
FUNCTIONS: dict[str, Callable[[float], float]] = {"ln": math.log, "exp": math.exp, "sqrt": math.sqrt}
#: The characters of arithmetic; while a question expects a number, one of STARTS begins it.
STARTS = "0123456789.,-+(√" + "".join(sorted({name[0] for name in FUNCTIONS}))
_SAME = {"×": "*", "·": "*", "÷": "/", "−": "-", "**": "^", "√": "sqrt "}
_NUMBER = r"(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:e[-+]?[0-9]+)?"
_TOKEN = re.compile(rf"\s*({_NUMBER}|[a-z]+|[-+*/^()])", re.IGNORECASE)


def evaluate(text: str) -> float:
    """The value of an expression. Raises InputError, with what to type instead, if it is no finite number."""
    try:
        number = _Sum(text).value()
    except (ValueError, ArithmeticError):  # OverflowError and ZeroDivisionError among them
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{text.strip()[:LONGEST]!r} is not a number; type one like 12, 0.5, 1e-3, 20*20 or ln 8.")
    return number


class _Sum:
    """A parser with the usual precedence, ^ from the right. Raises ValueError for an invalid expression."""

    def __init__(self, text: str) -> None:
        for sign, same in _SAME.items():
            text = text.replace(sign, same)
        if len(text) > 4 * LONGEST:
            raise ValueError(text)
        self.tokens: list[str] = []
        at, text = 0, text.strip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(text)
            self.tokens.append(match[1].lower())
            at = match.end()
        self.tokens.reverse()  # the next one is the last

    def value(self) -> float:
        found = self.sum()
        if self.tokens:
            raise ValueError(self.tokens[-1])
        return found

    def next_sign(self, signs: str) -> str:
        return self.tokens.pop() if self.tokens and self.tokens[-1] in tuple(signs) else ""

    def sum(self) -> float:
        found = self.product()
        while sign := self.next_sign("+-"):
            found = found + self.product() if sign == "+" else found - self.product()
        return found

    def product(self) -> float:
        found = self.signed()
        while sign := self.next_sign("*/"):
            found = found * self.signed() if sign == "*" else found / self.signed()
        return found

    def signed(self) -> float:
        if sign := self.next_sign("+-"):
            return self.signed() if sign == "+" else -self.signed()
        base = self.single()
        if not self.next_sign("^"):
            return base
        power = base ** self.signed()
        if isinstance(power, complex):
            raise ValueError("square root of a negative number")
        return float(power)

    def single(self) -> float:
        if not self.tokens:
            raise ValueError("the expression is incomplete")
        token = self.tokens.pop()
        if token in FUNCTIONS:
            return FUNCTIONS[token](self.single())
        if token == "(":
            found = self.sum()
            if not self.next_sign(")"):
                raise ValueError("a bracket is not closed")
            return found
        return float(token.replace(",", "."))
