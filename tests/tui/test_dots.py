"""Dots of braille: where a point lies, what two styles in one cell are, and that nothing is drawn outside."""

import math

import pytest
from rich.style import Style

from rnnviz.sheet import Sheet
from rnnviz.tui.dots import Dots, around

RED, BLUE = Style(color="red"), Style(color="blue")


def drawn(dots: Dots) -> list[str]:
    sheet = Sheet(dots.width, dots.height)
    dots.paste(sheet, 0, 0)
    return ["".join(glyph for glyph, _ in row) for row in sheet.cells]


def test_each_of_the_eight_dots_of_a_cell_has_its_bit() -> None:
    for row in range(4):
        for column in range(2):
            dots = Dots(1, 1, (0, 1), (0, 3))
            dots.dot(column, 3 - row)
            bit = (0x40, 0x80)[column] if row == 3 else (1 << row) << (3 * column)
            assert drawn(dots) == [chr(0x2800 + bit)]


def test_corners_and_what_lies_outside() -> None:
    dots = Dots(4, 2, (-1, 1), (-1, 1))
    for x, y in ((-1, 1), (1, 1), (-1, -1), (1, -1), (0, 1.5), (1.5, 0), (math.nan, 0), (0, math.inf)):
        dots.dot(x, y)
    assert drawn(dots) == ["⠁  ⠈", "⡀  ⢀"]
    assert dots.cell(0, 1.5) is None
    assert not dots.mark(math.nan, 0, "●")


def test_a_line_has_no_gaps_and_a_mark_covers_its_dots() -> None:
    dots = Dots(5, 1, (0, 9), (0, 3))
    dots.path([(0, 3), (9, 3), (math.nan, 0), (0, 0)])
    assert drawn(dots) == ["⠉⠉⠉⠉⠉"]
    assert dots.mark(4, 1, "●")
    assert drawn(dots) == ["⠉⠉●⠉⠉"]


def test_the_later_style_colours_a_cell() -> None:
    dots = Dots(1, 1, (0, 1), (0, 3))
    dots.dot(0, 0, RED)
    dots.dot(1, 0, BLUE)
    sheet = Sheet(1, 1)
    dots.paste(sheet, 0, 0)
    assert sheet.cells[0][0] == ("⣀", BLUE)


@pytest.mark.parametrize(("xs", "ys"), [((-1, 1), (-1, 1)), ((0, 10), (0, 1)), ((0, 1), (0, 10))])
def test_equal_units_are_as_long_across_as_up(xs: tuple[float, float], ys: tuple[float, float]) -> None:
    dots = Dots(30, 10, xs, ys, equal=True)
    across, up = (dots.xs[1] - dots.xs[0]) / 30, (dots.ys[1] - dots.ys[0]) / 20
    assert across == pytest.approx(up)
    assert dots.xs[0] <= xs[0] < xs[1] <= dots.xs[1]
    assert dots.ys[0] <= ys[0] < ys[1] <= dots.ys[1]


@pytest.mark.parametrize("values", [[], [math.nan], [2.0], [0.0], [1e300, -1e300], [1.0, math.inf]])
def test_any_numbers_have_a_range(values: list[float]) -> None:
    low, high = around(values)
    assert low < high
    assert all(low <= v <= high for v in values if math.isfinite(v))
    Dots(3, 3, (low, high), (low, high), equal=True).line(low, low, high, high)
