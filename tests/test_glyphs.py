"""Strings from outside as cells: widths, cuts, and nothing that steers a terminal."""

from __future__ import annotations

import sys

import pytest
from rich.cells import cell_len
from rich.style import Style

from rnnviz import glyphs
from rnnviz.sheet import Sheet, cells_of
from rnnviz.tui.canvas import spans, strip

#: A text of every kind, and its cells as they should be seen.
KINDS = {
    "wide": ("雪の朝", "雪の朝"),
    "combining, of its own": ("\u0301a", "◌\u0301a"),
    "combining, composed": ("e\u0301", "é"),
    "a tower of marks": ("z" + "\u0301" * 40, "ź\u0301\u0301"),
    "an emoji of three, joined": ("👨\u200d👩\u200d👧", "👨👩👧"),
    "a picture in place of a sign": ("❤\ufe0f", "❤"),
    "a flag": ("🇩🇪", "DE"),
    "a skin tone": ("👍🏽", "👍"),
    "a keycap": ("1\ufe0f\u20e3", "1"),
    "zero width": ("a\u200bb", "a·b"),
    "escape": ("a\x1b[31mb", "a·[31mb"),
    "eight-bit controls": ("\x9b31m\x90\x85", "·31m··"),
    "marks and overrides of direction": ("\u202eabc\u2066\u200f", "·abc··"),
    "right to left": ("שלום", "שלום"),
    "line ends": ("a\nb\rc\u2028d\u2029e", "a↵b·c·d·e"),
    "half of a pair": ("\ud83d", "·"),
    "private, unassigned": ("\ue000\U000e0fff", "··"),
    "spaces": ("a\u00a0b\u2009c\u3000d", "a b c·d"),
    "Hangul letters": ("\u1112\u1161\u11ab\u1161", "한·"),
    "a hexagram": ("䷀", "·"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_seen_of_a_text(kind: str) -> None:
    text, seen = KINDS[kind]
    assert "".join(glyph for glyph, _ in glyphs.glyphs(text)) == seen
    assert glyphs.cells(text) == cell_len(seen)


@pytest.mark.parametrize("codes", [
    range(0x500), range(0x500, 0x20000, 37),
    pytest.param(range(sys.maxunicode + 1), marks=pytest.mark.slow),
], ids=("Latin", "some", "all"))  # fmt: skip
def test_every_character_can_be_seen_and_has_the_toolkits_width(codes: range) -> None:
    for code in codes:
        entries = cells_of(f"a{chr(code)}")
        assert cell_len("".join(entries)) == len(entries), hex(code)
        assert all(entry.isprintable() for entry in entries), hex(code)


def test_a_text_is_cut_between_characters() -> None:
    for room, left in ((6, "雪の朝"), (5, "雪の…"), (4, "雪…"), (3, "雪…"), (2, "…"), (1, "…"), (0, "")):
        assert glyphs.cut("雪の朝", room) == left
    assert glyphs.clip("雪の朝", 5) == "雪の"
    assert glyphs.cut_before("/home/雪の朝.txt", 10) == "…の朝.txt"
    assert glyphs.ljust("雪", 4) == "雪  "
    assert glyphs.rjust("雪", 4) == "  雪"


def test_lines_break_at_spaces_and_a_long_word_anywhere() -> None:
    assert glyphs.wrap("雪の朝 鳥が庭で歌う", 6) == ["雪の朝", "鳥が庭", "で歌う"]
    assert all(len(line) <= 10 for line in glyphs.wrap("a" * 35, 10))
    assert glyphs.wrap("one two", -2) == list("onetwo")
    assert glyphs.lines_at_most("one two three four", 9, 1) == ["one two…"]
    assert glyphs.lines_at_most("one two", 9, 1) == ["one two"]


def test_a_line_of_the_command_line_is_one_line_and_bounded() -> None:
    assert glyphs.one_line("a\x1b[2J \n b\u202e\x9b") == "a\\x1b[2J b\\u202e\\x9b"
    path = "/x" * 2500
    assert len(glyphs.one_line(f"{path}: cannot be read")) < 250
    assert glyphs.one_line(path).endswith("/x")
    assert len(glyphs.one_line("word " * 5000)) <= glyphs.LONGEST_LINE


def test_a_wide_character_takes_two_cells_of_the_grid_and_is_never_halved() -> None:
    sheet = Sheet(6, 1)
    assert sheet.put(0, 0, "雪の朝") == 6
    assert sheet.plain() == ["雪の朝"]
    sheet.put(0, 1, "x")  # over the second half of the first
    assert sheet.plain() == [" xの朝"]
    sheet.put(0, 4, "y")  # over the first half of the last
    assert sheet.plain() == [" xのy "]
    sheet.put(0, 5, "雪")  # half of it beyond the edge
    assert sheet.plain() == [" xのy "]
    sheet.put(0, -1, "雪ab")
    assert sheet.plain() == [" ab y "]
    other = Sheet(4, 1)
    other.put(0, 0, "ab朝")
    row = Sheet(6, 1)
    row.put(0, 1, "雪の")
    row.paste(0, 2, other, 0, 2)
    assert row.plain() == ["  ab  "]


def test_a_changed_stretch_holds_whole_characters() -> None:
    before, after = Sheet(6, 1), Sheet(6, 1)
    before.put(0, 1, "雪")
    after.put(0, 1, "鳥")
    assert spans(before.cells[0], after.cells[0]) == [(1, 3)]
    line = strip(after.cells[0], Style.null())
    assert line.cell_length == 6 == sum(cell_len(segment.text) for segment in line)
