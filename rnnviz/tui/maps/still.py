"""A picture of a map, without the app: for a pipe, a file or a slide."""

from __future__ import annotations

from rnnviz.glyphs import cut
from rnnviz.maps.chart import Chart
from rnnviz.sheet import Sheet
from rnnviz.terminal import ascii_cells
from rnnviz.tui.maps import painter
from rnnviz.tui.maps.arrangement import BELOW, FOOT, GAP, HEAD
from rnnviz.tui.palette import Palette

WIDEST = 160  # cells of a picture whose size nobody chose
LEAST = 60  # for the words below it
HEADING = 2  # rows of a title
WIDE = ((8, 5), (30, 3), (60, 2))  # up to so many columns a tile takes so many cells


def size_of(chart: Chart, widest: int = WIDEST, *, headed: bool = True) -> tuple[int, int]:
    """The size that shows the whole map, with tiles as wide as their numbers or signs are. headed: with a title."""
    columns, rows, many = len(chart.x), len(chart.y), len(chart.planes)
    margin = max(map(len, chart.y.texts)) + 3
    wide = next((wide for most, wide in WIDE if columns <= most), 1)
    wide = max(1, min(wide, (widest - margin) // columns))
    beside = max(1, min(many, (widest - margin + GAP) // (columns * wide + GAP)))
    down = -(-many // beside)
    width = margin + beside * (columns * wide + GAP) - GAP
    return max(LEAST, width), HEADING * headed + down * (HEAD + rows + FOOT) + BELOW


def draw(chart: Chart, value: str, title: str, size: tuple[int, int], palette: Palette) -> Sheet:
    """The map, below its title if it has one."""
    width, height = size
    sheet = Sheet(width, height)
    sheet.put(0, 1, cut(title, width - 2), palette.accent)
    top = HEADING if title else 0
    sheet.paste(top, 0, painter.draw(chart, value, width, height - top, palette), 0, width)
    return sheet.with_glyphs(ascii_cells) if palette.ascii else sheet
