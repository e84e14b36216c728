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
WIDE = ((8, 5), (30, 3), (60, 2))  # up to so many columns a tile takes so many cells


def size_of(chart: Chart) -> tuple[int, int]:
    """The size at which the whole map can be read: a tile as wide as its number is, or its sign."""
    columns, rows = len(chart.x), len(chart.y)
    wide = next((wide for most, wide in WIDE if columns <= most), 1)
    margin = max(map(len, chart.y.texts)) + 3
    beside = len(chart.planes)
    while beside > 1 and margin + beside * (columns * wide + GAP) > WIDEST:
        beside -= 1
    down = -(-len(chart.planes) // beside)
    return max(60, margin + beside * (columns * wide + GAP)), 2 + down * (HEAD + rows + FOOT) + BELOW


def in_ascii(sheet: Sheet) -> Sheet:
    """The same sheet in ASCII, cell by cell."""
    found = Sheet(sheet.width, sheet.height)
    for y, row in enumerate(sheet.cells):
        found.cells[y] = [(ascii_cells(glyph), style) for glyph, style in row]
    return found


def draw(chart: Chart, value: str, title: str, size: tuple[int, int], palette: Palette) -> Sheet:
    width, height = size
    sheet = Sheet(width, height)
    sheet.put(0, 1, cut(title, width - 2), palette.accent)
    sheet.paste(2, 0, painter.draw(chart, value, width, height - 2, palette), 0, width)
    return sheet
