"""Numbers on the screen: the exponent is that of the number, and widths hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz import numbers

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.floats(min_value=5e-324, max_value=1.7e308))
def test_the_exponent_is_never_rounded_away(value: float) -> None:
    shown = numbers.scientific(value)
    power = int(shown.partition("e")[2])
    assert power == numbers.exponent(value) == int(f"{value:.17e}".partition("e")[2])
    assert len(shown) == 7 + (abs(power) >= 100)


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [(1.76, 1, "1.8e+00"), (0.03296, 1, "3.3e-02"), (-0.000389, 1, "-3.9e-04"), (9.94e-5, 1, "9.9e-05"),
     (9.96e-5, 1, "9.9e-05"), (9.6e-5, 0, "9e-05"), (2.6e-5, 0, "3e-05"), (1.3491, 3, "1.349e+00")],
)  # fmt: skip
def test_it_rounds_and_cuts_only_where_the_exponent_would_change(value: float, digits: int, shown: str) -> None:
    assert numbers.scientific(value, digits) == shown


def test_what_is_no_number_says_so() -> None:
    assert numbers.scientific(0.0) == "0"
    assert numbers.scientific(math.inf) == "+inf"
    assert numbers.scientific(-math.inf) == "-inf"
    assert numbers.scientific(math.nan) == "nan"
    assert numbers.exponent(0.0) is None
    assert numbers.exponent(math.nan) is None


@given(st.floats(-99.4, 99.4))
def test_short_keeps_its_four_cells(value: float) -> None:
    assert len(numbers.short(value)) == 4


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.369, "+.37"), (-0.004, "+.00"), (1.0, "+1.0"), (-12.3, "-12."), (0.999, "+1.0")],
)
def test_short(value: float, shown: str) -> None:
    assert numbers.short(value) == shown


@given(st.floats(-999, 999))
def test_fixed_has_its_sign_and_digits(value: float) -> None:
    shown = numbers.fixed(value)
    assert shown[0] in "+-"
    assert abs(float(shown) - value) <= 0.0005 + 1e-9


def test_steps_beyond_the_sequence() -> None:
    assert numbers.steps(None, 10) == "all 10"
    assert numbers.steps(2.94, 10) == "2.9"


@given(finite)
def test_loss_is_always_short(value: float) -> None:
    assert len(numbers.loss(abs(value))) <= 8


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.6497, ".65"), (1.904, "1.9"), (12.3, "12"), (123.4, "123"), (2.3e6, "2e6"), (3e15, "3e15"), (math.nan, "nan")],
)
def test_brief_takes_four_cells_at_most(value: float, shown: str) -> None:
    assert numbers.brief(value) == shown
