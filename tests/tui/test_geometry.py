"""Where things stand in the score, for every size, number of units and number of steps."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rnnviz.tui.geometry import GUTTER, SIDE, columns, rows

heights = st.integers(min_value=6, max_value=120)
units = st.integers(min_value=1, max_value=300)
steps = st.integers(min_value=1, max_value=3000)
shown = st.tuples(st.booleans(), st.booleans())
cells = st.sampled_from([((), False), (("f", "i", "g", "o"), True), (("z", "r", "n"), False)])


def stretches(place) -> list[tuple[int, int]]:
    """(first, end) of every row, from top to bottom."""
    several = [place.input, *place.gates.values(), place.cell, place.hidden, place.output, place.gradient]
    found = [(first, first + n) for first, n in filter(None, several)]
    return [*found, *((y, y + 1) for y in (place.exponent, place.time) if y is not None)]


@given(heights, units, units, st.booleans(), cells, st.tuples(st.booleans(), st.booleans()), shown)
def test_rows_follow_one_another_and_fill_the_height_at_most(height, H, unit, pair, cell, curves, gradient_and_reach):
    gradient, reach = gradient_and_reach
    place = rows(
        height + reach, H, min(unit, H - 1), pair=pair, gates=cell[0], cell=cell[1], curves=curves, gradient=gradient,
        reach=reach,
    )  # fmt: skip
    found = stretches(place)
    assert found[0][0] == 0
    assert all(start < end for start, end in found), "every quantity has a row"
    assert all(end == start for (_, end), (start, _) in pairwise(found)), "no gap, no overlap"
    assert found[-1][1] <= height
    assert place.reach == (height if reach else None), "the last row is its own"


@given(heights, units, units, st.booleans(), cells)
def test_the_chosen_unit_is_in_view(height, H, unit, pair, cell):
    unit = min(unit, H - 1)
    place = rows(height, H, unit, pair=pair, gates=cell[0], cell=cell[1])
    assert 0 <= place.first_unit <= unit < place.first_unit + place.units <= H
    assert place.units <= place.hidden[1] * place.units_per_row
    assert place.cell is None or place.cell[1] == place.hidden[1], "c and h show the same units"


def test_eighty_by_twenty_four_shows_all_units_of_the_keras_recipe_and_all_gates_of_an_lstm():
    assert rows(20, 20, 0).units == 20
    place = rows(20, 20, 0, gates=("f", "i", "g", "o"), cell=True)
    assert list(place.gates) == ["f", "i", "g", "o"]
    assert place.cell is not None


def test_at_eighty_by_twenty_four_curves_have_the_rows_to_look_like_one():
    place = rows(20, 20, 0)
    assert place.input[1] >= 2
    assert place.output[1] >= 3
    lesson = rows(14, 8, 0, gradient=False)  # before a lesson has said what a gradient is
    assert min(lesson.input[1], lesson.output[1]) >= 4
    assert lesson.gradient is lesson.exponent is None


def test_symbols_leave_the_rows_of_curves_to_the_gradient():
    assert rows(20, 20, 0, curves=(False, False)).gradient[1] > rows(20, 20, 0).gradient[1]


def test_with_an_open_panel_the_forget_gate_is_the_last_to_go():
    for height, left in ((11, ["f", "i"]), (10, ["f"]), (9, [])):
        assert list(rows(height, 20, 0, gates=("f", "i", "g", "o"), cell=True).gates) == left


def test_tall_windows_give_each_gate_a_second_row():
    place = rows(46, 20, 0, gates=("f", "i", "g", "o"), cell=True)
    assert {n for _, n in place.gates.values()} == {2}
    assert place.units == 20


@given(st.integers(min_value=GUTTER + SIDE + 1, max_value=400), steps, steps)
def test_columns_leave_the_side_its_room_and_hold_the_cursor(width, T, t):
    t = min(t, T)
    cols = columns(width, T, t)
    assert cols.left == GUTTER
    assert cols.end <= width - SIDE
    assert t in cols
    assert cols.first >= 0
    assert cols.first + cols.count <= T + 1
    assert cols.x(t) + cols.width <= cols.end


@given(st.integers(min_value=60, max_value=200), st.integers(min_value=1, max_value=600))
def test_a_window_of_steps_moves_by_more_than_one_so_that_the_picture_stands_still(width, T):
    firsts = [columns(width, T, t).first for t in range(T + 1)]
    moves = sum(a != b for a, b in pairwise(firsts))
    assert moves <= 2 * (T + 1) / max(1, width - GUTTER - SIDE) + 2


def test_few_steps_make_wide_columns_with_a_gap_between_them():
    cols = columns(80, 10, 0)
    assert (cols.width, cols.bar, cols.count) == (4, 3, 11)
