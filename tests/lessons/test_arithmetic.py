"""A number typed as a sum, a root or a logarithm; everything else refused in one line."""

from __future__ import annotations

import math

import pytest

from rnnviz.errors import InputError
from rnnviz.lessons.arithmetic import evaluate


@pytest.mark.parametrize(
    ("typed", "number"),
    [("12", 12), ("0,5", 0.5), (".5", 0.5), (",5", 0.5), ("5.", 5), ("-3", -3), ("2e-3", 0.002), ("1E3", 1000),
     ("20*20", 400), ("20+20*20 + 20+20+1", 461), ("1/3", 1 / 3), ("10-2-3", 5), ("2/4/2", 0.25), ("2^3^2", 512),
     ("-2^2", -4), ("2^-1", 0.5), ("2**3", 8), ("1.1^29", 1.1**29), ("(1+2)*3", 9), ("ln 8", math.log(8)),
     ("ln8", math.log(8)), ("ln(8)/2", math.log(8) / 2), ("ln 8/2", math.log(8) / 2), ("-ln 0.125", math.log(8)),
     ("exp(1)", math.e), ("exp -1", None), ("sqrt 2", math.sqrt(2)), ("√2", math.sqrt(2)), ("0.7 × 2", 1.4),
     ("3 − 1", 2), ("sqrt sqrt 16", 2), ("LN 8", math.log(8)), (" 7 ", 7)],
)  # fmt: skip
def test_what_a_learner_types_is_a_number(typed: str, number: float | None) -> None:
    if number is None:
        with pytest.raises(InputError):
            evaluate(typed)
    else:
        assert evaluate(typed) == pytest.approx(number)


@pytest.mark.parametrize(
    "typed",
    ["", " ", "-", "e", "ln", "ln ln", "1/0", "ln 0", "sqrt -1", "(-8)^0.5", "9^9^9^9", "0^-1", "1e999", "nan", "inf",
     "2 3", "1,2,3", "(1", "1)", "()", "*2", "20 x 20", "abs(1)", "__import__('os')", "exit()", "1;2", "1_000", "0x10",
     "(" * 5000, "-" * 5000 + "1", "9" * 5000, "٣", "½"],
)  # fmt: skip
def test_everything_else_is_refused_in_one_line(typed: str) -> None:
    with pytest.raises(InputError, match="is not a number; type one like"):
        evaluate(typed)
