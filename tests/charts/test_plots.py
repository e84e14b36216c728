"""The plots hold their size, survive every number, and say what they cannot draw."""

import math
import re
import subprocess
import sys

import pytest

from rnnviz.charts import plots as charts
from rnnviz.charts.plots import COLORS, NO_COLORS

INF, NAN = math.inf, math.nan

SERIES = [math.sin(k / 4) for k in range(50)]
NUMBERS = {
    "usual": [0.5, 0.2, 0.1, 0.08],
    "empty": [],
    "one": [0.3],
    "nan": [0.5, NAN, 0.4, NAN],
    "all nan": [NAN, NAN, NAN],
    "inf": [0.5, INF, -INF, 0.3],
    "zero": [0.0, 0.0, 0.0],
    "equal": [0.7, 0.7, 0.7],
    "huge": [1e-300, 1e300, 1.0],
    "largest": [-1.7e308, 1.7e308],
    "tiny": [1e-320, 5e-324],
    "negative": [-1.0, -2.0],
}
SIZES = [(0, 0), (1, 1), (2, 1), (1, 5), (7, 2), (12, 3), (20, 4), (33, 5), (60, 12)]
LARGE = pytest.param((200, 50), marks=pytest.mark.slow)


def sheets(values, width, height, **options):
    loss_curve, sine_fit, self_fed = charts.loss_curve, charts.sine_fit, charts.self_fed
    return [
        loss_curve(values, values[:-1], 2, width, height, baseline=0.5, **options),
        loss_curve([0.1, 0.2], values, None, width, height, **options),
        sine_fit(SERIES, values, width, height, start=10, clean=SERIES, **options),
        sine_fit(values, [], width, height, **options),
        self_fed(SERIES, values, 10, width, height, **options),
        self_fed(values, values, 1, width, height, **options),
    ]


def text(sheet):
    return "\n".join(sheet.plain())


def loss_curve(*args, **options):
    return text(charts.loss_curve(*args, **options))


def self_fed(*args, **options):
    return text(charts.self_fed(*args, **options))


@pytest.mark.parametrize("size", [*SIZES, LARGE], ids=str)
@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS.keys())
def test_every_plot_has_exactly_the_size_it_is_asked_for(values, size):
    width, height = size
    for options in ({"inks": COLORS}, {"inks": NO_COLORS}, {"ascii": True}):
        for sheet in sheets(values, width, height, **options):
            assert [len(row) for row in sheet.cells] == [width] * height
            assert {len(row) for row in sheet.plain()} <= {width}


def test_without_colour_there_is_no_style_and_in_ascii_only_ascii():
    for values in NUMBERS.values():
        plain = sheets(values, 60, 12, inks=NO_COLORS)
        assert {style for sheet in plain for row in sheet.cells for _, style in row} == {None}
        assert all(text(sheet).isascii() for sheet in sheets(values, 60, 12, ascii=True))


def test_training_validation_and_axes_have_an_ink_each():
    sheet = charts.loss_curve([0.5, 0.2, 0.1], [0.6, 0.3, 0.2], 2, 60, 12)
    inks = {style for row in sheet.cells for glyph, style in row if glyph != " "}
    assert inks == {None, COLORS.primary, COLORS.secondary, COLORS.quiet}


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ([0.5, 0.4, NAN, NAN], "loss not finite from epoch 3"),
        ([INF, 1.0], "loss not finite from epoch 1"),
        ([], "no epochs yet"),
    ],
)
def test_what_cannot_be_drawn_is_said(loss, words):
    assert words in loss_curve(loss, [], None, 60, 10)


def test_a_validation_loss_that_is_not_finite_is_said():
    assert "validation not finite from epoch 2" in loss_curve([1.0, 1.0], [1.0, NAN], None, 60, 10)


def test_a_gap_is_left_where_a_value_is_not_finite():
    whole = loss_curve([1.0] * 9, [], None, 60, 10).split("\n")[4:6]
    gap = loss_curve([1.0] * 4 + [NAN] + [1.0] * 4, [], None, 60, 10).split("\n")[4:6]
    assert sum(row.count(" ") for row in gap) > sum(row.count(" ") for row in whole)


def test_a_loss_of_zero_is_left_out_and_does_not_stretch_the_scale():
    with_zero = loss_curve([1.0, 0.0, 0.5], [], None, 60, 10).split("\n")
    without = loss_curve([1.0, NAN, 0.5], [], None, 60, 10).split("\n")
    assert [row for row in with_zero if "not finite" not in row][:8] == without[:8]


def test_a_lower_loss_stands_lower():
    rows = loss_curve([1.0, 0.1, 0.01], [], None, 60, 12).split("\n")[1:-1]
    drawn = [(r, c) for r, row in enumerate(rows) for c, sign in enumerate(row) if "⠀" < sign <= "⣿"]
    assert min(drawn, key=lambda cell: cell[1])[0] == min(r for r, _ in drawn)
    assert max(drawn, key=lambda cell: cell[1])[0] == max(r for r, _ in drawn)


def test_ticks_of_the_loss_are_true_values_at_their_height():
    rows = loss_curve([1.0, 0.0001], [], None, 60, 20).split("\n")
    ticks = {float(m[1]): r for r, row in enumerate(rows) if (m := re.match(r" *([0-9.e+-]+)╶", row))}
    assert set(ticks) >= {1.0, 0.1, 0.01, 0.001, 0.0001}
    gaps = [ticks[10.0**-k] - ticks[10.0 ** -(k - 1)] for k in range(1, 5)]
    assert max(gaps) - min(gaps) <= 1
    assert gaps[0] > 0


def test_a_loss_of_1e_12_is_not_written_as_zero():
    text = loss_curve([1e-11, 1e-12], [], None, 60, 12)
    assert "1e-12" in text
    assert "0.0000" not in text


def test_curves_differ_by_shape_and_the_legend_names_them():
    text = loss_curve([0.5, 0.4, 0.3], [0.9, 0.8, 0.7], None, 70, 12)
    assert "━━ training 0.3" in text
    assert "•• validation 0.7" in text
    below = "".join(text.split("\n")[1:])
    assert "•" in below
    assert any("⠀" < sign <= "⣿" for sign in below)


def test_the_cursor_names_its_epoch():
    assert "▲12" in loss_curve([0.5] * 20, [], 12, 60, 10)


@pytest.mark.parametrize(
    ("epoch", "words"),
    [(0, "training •• validation"), (1, "training 0.5 •• validation 0.75"), (2, "training 0.25 •• validation 0.6"),
     (3, "training 0.125 •• validation 0.6"), (None, "training 0.125 •• validation 0.6")],
)  # fmt: skip
def test_the_values_in_the_legend_are_those_at_the_cursor(epoch, words):
    legend = loss_curve([0.5, 0.25, 0.125], [0.75, 0.6], epoch, 60, 8).splitlines()[0]
    assert " ".join(legend.split()).endswith(words)


def test_the_mark_stands_where_the_network_starts_to_feed_on_itself():
    rows = self_fed([-1.0, 1.0] * 25, [0.5] * 40, 10, 60, 12).split("\n")
    assert any("from here it feeds on itself" in row for row in rows)
    column = next(row.index("│") for row in rows if "│" in row)
    first = min(c for row in rows[1:-1] for c, sign in enumerate(row) if "⠀" < sign <= "⣿")
    assert abs(first - column) <= 1


def test_the_marks_label_is_whole_where_the_right_has_no_room():
    text = self_fed([-1.0, 1.0] * 25, [0.5] * 10, 40, 60, 12)
    assert re.search("from here it feeds on itself ?│", text)


def test_a_prediction_that_runs_away_does_not_flatten_the_data():
    text = self_fed(SERIES, [10.0**k for k in range(40)], 10, 60, 12)
    tops = [r for r, row in enumerate(text.split("\n")) if "•" in row and r]
    assert max(tops) - min(tops) >= 3


def test_no_textual_and_no_plotext_before_the_first_plot():
    code = (
        "import sys, rnnviz.charts.plots as p; a = 'plotext' in sys.modules;"
        "p.loss_curve([1.0], []); print(a, 'textual' in sys.modules, 'plotext' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == [
        "False",
        "False",
        "True",
    ]


@pytest.mark.parametrize("epochs", [5, 20, 100, 400])
def test_training_and_validation_are_both_seen_where_they_are_alike(epochs):
    loss = [1 / (1 + 0.1 * e) for e in range(epochs)]
    for width, height in ((40, 5), (60, 12)):
        rows = loss_curve(loss, loss, None, width, height).split("\n")[1:-1]
        shown = "".join(rows)
        assert shown.count("•") >= min(epochs, 9)
        assert sum(0x2800 < ord(c) < 0x2900 for c in shown) >= shown.count("•")
