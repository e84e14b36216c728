"""What the environment says of the terminal, and what the terminal says itself: its size, its encoding, its colours."""

from __future__ import annotations

import pytest

from rnnviz.terminal import LARGEST, USUAL
from tests.terminal.app import RNNVIZ, ready, rnnviz
from tests.terminal.driver import Terminal

FROZEN = {"COLUMNS": "80", "LINES": "24"}


def quit_clean(t: Terminal) -> None:
    t.keys("q")
    assert t.exit_code() == 0
    assert t.left_behind() == []


@pytest.mark.slow
def test_exported_columns_and_lines_do_not_freeze_the_size():
    with rnnviz("--free", columns=100, rows=30, env=FROZEN) as t:
        t.wait_for(ready)
        assert t.screen()[29]
        t.resize(140, 40)
        t.wait_for(lambda rows: "? keys" in rows[39] and max(map(len, rows)) > 100)
        quit_clean(t)


@pytest.mark.slow
def test_the_commands_are_as_wide_as_their_terminal():
    for environment in ({}, FROZEN, {"COLUMNS": "7", "LINES": "0"}):
        with Terminal([*RNNVIZ, "gradients", "--steps", "30"], columns=110, rows=60, env=environment) as t:
            assert t.exit_code() == 0
            assert max(map(len, t.screen())) > 100


@pytest.mark.slow
@pytest.mark.parametrize("in_band", [False, True])
def test_a_window_of_any_size_is_drawn_at_most_500_by_200(in_band):
    with rnnviz("--free", columns=1, rows=1, in_band_resize=in_band) as t:
        t.settle()
        for columns, rows in ((65535, 65535), (0, 0), (65535, 1), (1, 65535), (0, 24)):
            t._emulator.resize(min(max(columns, 1), 600), min(max(rows, 1), 300))
            t.columns, t.rows = columns, rows
            t._set_size()
            if in_band:
                t._reply(f"\x1b[48;{rows};{columns};{rows * 16};{columns * 8}t")
            t.settle(0.5, timeout=60)
        t.resize(90, 30)
        t.wait_for(ready, timeout=60)
        quit_clean(t)


@pytest.mark.slow
def test_a_huge_window_can_be_left():
    with rnnviz("--free", columns=65535, rows=65535) as t:
        t._emulator.resize(600, 300)
        t.watch(3.0)
        t.signal(15)
        assert t.exit_code() == 143


def test_sizes_are_clamped_and_nothing_is_the_usual():
    from rnnviz.terminal import clamped

    assert clamped(65535, 65535) == LARGEST
    assert clamped(0, 0) == USUAL
    assert clamped(1, 0) == (1, USUAL[1])
    assert clamped(500, 200) == (500, 200)


NO_UNICODE = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "koi8-r": {"PYTHONIOENCODING": "koi8-r"},
    "C": {"LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("encoding", ["C", pytest.param("latin-1", marks=pytest.mark.slow)])
@pytest.mark.parametrize("colours", ["256", pytest.param("none", marks=pytest.mark.slow)])
def test_without_unicode_the_picture_is_ascii_and_one_line_says_so(encoding, colours):
    with rnnviz("--steps", "20", colours=colours, env=NO_UNICODE[encoding]) as t:
        t.wait_for(ready)
        t.wait_for("Drawing in ASCII")
        t.press(*["right"] * 24)
        rows = t.screen()
        assert t.raw.isascii()
        assert sum(row.count("?") for row in rows) == 1  # the key that shows the keys
        assert [row.index("unit") for row in rows if "unit" in row[50:]] == [54] * 10  # columns stand as they stood
        t.press("?")
        assert t.raw.isascii()
        t.press("escape")
        quit_clean(t)


def test_ascii_takes_the_cells_it_stands_for():
    from rich.cells import cell_len

    from rnnviz.terminal import ascii_cells, ascii_words

    for text in (
        "h₁₀ ≤ ∂L/∂h, ŷ − x²",
        "┏━┓┃╭─╮│╰╯╶╌",
        "▁▂▃▄▅▆▇█▀▐▓⠉⠒⠤⣀⣿",
        "Ü é ñ ż",
        "雪の朝",
        "💡",
        "e\u0301x\u200d",
    ):
        assert ascii_cells(text).isascii()
        assert len(ascii_cells(text)) == cell_len(text), text
    assert len({ascii_cells(mark) for mark in "▲△▽▼+-0"}) == 7
    assert len({ascii_cells(mark) for mark in "▁▂▃▄▅▆▇█"}) == 8
    assert ascii_words("≤ 5 …") == "<= 5 ..."


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "256"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "none"),
        ({"TERM": "xterm", "NO_COLOR": "0", "COLORTERM": "truecolor"}, "none"),
        ({"TERM": "unknown"}, "standard"),
        ({"TERM": "nobody-knows-it"}, "standard"),
        ({"TERM": "linux"}, "standard"),
        ({}, "standard"),
        ({"TERM": "unknown", "COLORTERM": "24bit"}, "truecolor"),
        ({"TERM": "screen-256color"}, "256"),
        ({"TERM": "xterm-direct"}, "truecolor"),
        ({"TERM": "xterm", "TEXTUAL_COLOR_SYSTEM": "nonsense"}, "standard"),
    ],
)
def test_how_many_colours(environment, expected):
    from rnnviz.terminal import colors

    assert colors(environment) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "has", "has_not"),
    [
        ({"TERM": "xterm-256color", "NO_COLOR": "", "COLORTERM": None}, b"[38;5;", b"[38;2;"),
        ({"TERM": "unknown", "COLORTERM": None}, b"\x1b[96", b"8;2;"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, b"\x1b[1m", b"8;5;"),
    ],
)
def test_what_is_sent_has_those_colours(env, has, has_not):
    with rnnviz("--free", env=env) as t:
        t.wait_for(ready)
        t.press("right", "right")
        assert has in t.raw.replace(b"\x1b[1;", b"\x1b[").replace(b"\x1b[0;", b"\x1b[") or has in t.raw
        assert has_not not in t.raw
        quit_clean(t)
