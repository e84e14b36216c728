"""Cells as SVG: each where it is, in its colours, blocks and Braille as shapes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.style import Style

from rnnviz.sheet import Sheet
from rnnviz.tui.films.headless import IN_PICTURES, studio
from rnnviz.tui.palette import VGA
from rnnviz.tui.pictures.markup import HEIGHT, WIDTH, boxes
from rnnviz.tui.pictures.picture import Picture, ink
from rnnviz.tui.pictures.svg import svg
from tests.tui.pictures import Cell, grid

RED, BLUE = (255, 0, 0), (0, 0, 255)


def drawn(sheet: Sheet, colors: str = "truecolor") -> dict[tuple[int, int], Cell]:
    return grid(svg(Picture(sheet, colors, "#121212", "#e0e0e0"), "title"))


def test_each_cell_is_where_it_is() -> None:
    sheet = Sheet(20, 3)
    sheet.put(1, 3, "ab  c", Style(color="#ff0000", bgcolor="#0000ff", bold=True))
    sheet.put(2, 17, "▄⡀", Style(color="#ff0000"))
    sheet.put(0, 5, "語x")
    cells = drawn(sheet)
    assert {at for at, cell in cells.items() if cell.ground == BLUE} == {(1, x) for x in range(3, 8)}
    assert {at: cell.glyph for at, cell in cells.items() if cell.glyph != " "} == {
        (1, 3): "a", (1, 4): "b", (1, 7): "c", (0, 5): "語", (0, 7): "x",
    }  # fmt: skip
    assert cells[1, 3].colour == RED
    assert "700" in cells[1, 3].marks
    assert cells[2, 17].boxes == {(0.0, 10.0, WIDTH, 10.0)}
    assert len(cells[2, 18].boxes) == 1
    assert {cell.colour for at, cell in cells.items() if at[0] == 2} == {RED}


def test_markup_is_escaped_and_one_blank_is_kept() -> None:
    sheet = Sheet(30, 1)
    sheet.put(0, 0, "a <b> & c", Style())
    text = svg(Picture(sheet, "truecolor", "#121212", "#e0e0e0"), "<script>", "a & b")
    assert ">a &lt;b&gt; &amp; c</text>" in text
    assert "<title>&lt;script&gt;</title><desc>a &amp; b</desc>" in text


@pytest.mark.parametrize(
    ("glyph", "area"),
    [("█", 1.0), ("▀", 0.5), ("▁", 0.125), ("▇", 0.875), ("▌", 0.5), ("▐", 0.5), ("▙", 0.75), ("▞", 0.5), ("⣿", 0.36)],
)
def test_a_block_covers_its_part_of_the_cell(glyph: str, area: float) -> None:
    found = boxes(glyph)
    assert found is not None
    assert sum(width * height for _, _, width, height in found) / (WIDTH * HEIGHT) == pytest.approx(area)
    assert all(x >= 0 and y >= 0 and x + w <= WIDTH and y + h <= HEIGHT for x, y, w, h in found)


@pytest.mark.parametrize(("theme", "ground"), [("dark", "#000000"), ("light", "#ffffff")])
async def test_with_sixteen_colours_the_ground_is_black_or_white(theme: str, ground: str) -> None:
    async with studio(session=replace(IN_PICTURES, colors="standard", theme=theme)) as made:
        picture = made.picture()
        assert (picture.ground, picture.text) == (ground, {"#000000": "#ffffff", "#ffffff": "#000000"}[ground])
        used = set(re.findall(r"#[0-9a-f]{6}", svg(picture, "").partition("<g ")[2]))
        assert used <= set(VGA)


def test_letters_are_text() -> None:
    assert not [glyph for glyph in "aé語∂‖→▾ " if boxes(glyph) is not None]


def test_colours_are_as_many_as_asked_for() -> None:
    style = Style(color="#5fafff", bgcolor="#121212", reverse=True)
    seen = {colors: ink(style, colors, "#e0e0e0", "#121212") for colors in ("truecolor", "256", "standard", "none")}
    assert (seen["truecolor"].color, seen["truecolor"].ground) == ("#121212", "#5fafff")
    assert seen["none"].ground == "#e0e0e0", "reversed without colours"
    assert len({one.ground for one in seen.values()}) >= 2
