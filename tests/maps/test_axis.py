"""Axes: which values a text stands for, and what is refused."""

import pytest

from rnnviz.errors import InputError
from rnnviz.maps.axis import MOST_VALUES, Axis


def test_a_range_has_its_ends_and_even_steps():
    axis = Axis.parse("gain=0.25:2:8")
    assert (axis.setting, axis.scale, len(axis)) == ("gain", "linear", 8)
    assert (axis.values[0], axis.values[-1]) == (0.25, 2.0)
    assert axis.values == pytest.approx([0.25 + 0.25 * k for k in range(8)])


def test_a_logarithmic_range_has_even_factors():
    axis = Axis.parse("learning_rate=log:0.001:1:4")
    assert axis.values == (0.001, 0.01, 0.1, 1.0)


def test_whole_numbers_are_rounded_and_come_once():
    assert Axis.parse("lag=5:10:4").values == (5, 7, 8, 10)
    assert Axis.parse("lag=1:3:20").values == (1, 2, 3)
    assert Axis.parse("lag=log:1:100:3").values == (1, 10, 100)


def test_a_finer_grid_has_the_very_values_of_the_coarse_one():
    for coarse, fine in (("gain=0.25:2:8", "gain=0.25:2:15"), ("lr=log:1e-3:1:6", "lr=log:1e-3:1:11")):
        assert set(Axis.parse(coarse).values) <= set(Axis.parse(fine).values)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("gain=0.5,1,2", (0.5, 1.0, 2.0)),
        ("gain = 2, 0.5, 2", (0.5, 2.0)),
        ("hidden=8,16", (8, 16)),
        ("--lr=0.1", (0.1,)),
        ("forget-bias=-1,0", (-1.0, 0.0)),
        ("optimizer=sgd,adam", ("sgd", "adam")),
        ("loop=on,off", (True, False)),
    ],
)
def test_a_list_by_name_or_flag(text, values):
    assert Axis.parse(text).values == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no axis; write a setting and its values, such as gain=0.25:2:24"),
        ("gain", "is no axis"),
        ("=1,2", "is no axis"),
        ("gian=1,2", "unknown setting 'gian'; did you mean gain?"),
        ("zebra=1,2", "unknown setting 'zebra'"),
        ("gain=", "gain: '' has an empty value"),
        ("gain=1,,2", "has an empty value"),
        ("gain=a,b", "gain: 'a' is not a number"),
        ("gain=0:1", "gain: a range is LOW:HIGH:COUNT"),
        ("gain=0:1:2:3", "gain: a range is LOW:HIGH:COUNT"),
        ("gain=log:1:2", "gain: a range is LOW:HIGH:COUNT"),
        ("gain=0:nan:3", "gain: 'nan' is not a number"),
        ("gain=0:1:1", "gain: '1' is not how many values; use 2 to 1,000"),
        ("gain=0:1:-3", "is not how many values"),
        ("gain=0:1:1001", f"at most {MOST_VALUES:,} are possible"),
        ("gain=0:1:99999999999999999999", "is not how many values"),
        ("gain=2:1:3", "gain: 2:1 is no range; the first number is the smaller one"),
        ("gain=log:0:1:3", "gain: a logarithmic axis begins above 0, not at 0"),
        ("gain=0:1000:3", "gain: 1000 is out of range; it must be at least 0 and at most 100"),
        ("lag=0:5:3", "lag: 0 is out of range"),
        ("optimizer=1:2:3", "optimizer: has no range; list its values, such as optimizer=sgd,"),
        ("optimizer=sgd,sdg", "optimizer: 'sdg' is unknown; choose from"),
        ("cell=rnn,lstm", "cell: cells stand side by side; name them with --cell rnn,lstm"),
        ("seed=1,2", "seed: seeds are the repeats of each point; say how many with --seeds"),
        ("source=a.txt", "source: text file is neither a number nor a choice, so it can be no axis"),
        ("spectral_radius=auto,1", "spectral_radius: an axis needs values"),
        ("\x1b[31m=1", "unknown setting"),
    ],
)
def test_what_is_no_axis_is_one_clear_line(text, words):
    with pytest.raises(InputError) as error:
        Axis.parse(text)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 700
