"""The picture of a map: each tile a colour and a sign, the values on the axes, and the line where horizon = lag.

   tanh RNN          LSTM
40 0  0  0 _5        0  3 ███
20 0  2 _7 ███       5 ███ ███      7: 70 % of the seeds have learnt, █: all of them
10 5 _██ ███ ███   ███ ███ ███
   0.7   1.0         0.7   1.0
"""

from __future__ import annotations

import math

from rich.style import Style

from rnnviz import numbers
from rnnviz.glyphs import cells, cut
from rnnviz.maps.chart import VALUES, Chart
from rnnviz.sheet import Sheet
from rnnviz.tui.maps.arrangement import WITH_TEXT, Arrangement, Place, arrange
from rnnviz.tui.maps.tiles import ALL, Looks
from rnnviz.tui.palette import Palette, on


def draw(chart: Chart, value: str, width: int, height: int, palette: Palette, cursor: Place | None = None) -> Sheet:
    """The map on a sheet of this size; cursor: the tile that is chosen."""
    sheet = Sheet(width, height)
    here = cursor or Place()
    way = arrange(chart, width, height, here)
    for n in way.planes:
        _plane(sheet, chart, value, n, way, palette, cursor)
    _axes(sheet, chart, way, palette, width)
    sheet.put(way.bottom + 1, 1, cut(legend(chart, value, way.wide >= WITH_TEXT), width - 2), palette.dim)
    return sheet


def _plane(
    sheet: Sheet, chart: Chart, value: str, n: int, way: Arrangement, palette: Palette, cursor: Place | None
) -> None:
    plane, (top, left) = chart.planes[n], way.corner(n)
    is_here = cursor is not None and cursor.plane == n
    title = cut(plane.title, len(way.columns) * way.wide)
    sheet.put(top - 1, left, title, palette.accent if is_here else palette.text)
    looks = Looks(value, chart.span(value) if value != "share" else None, palette, way.wide)
    for row, y in enumerate(reversed(way.rows)):
        shown = [looks.of(tile) for tile in plane.tiles[y][way.columns.start : way.columns.stop]]
        for part in range(way.high):
            cells = [cell for look in shown for cell in (look.middle if part == way.high // 2 else look.around)]
            sheet.cells[top + row * way.high + part][left : left + len(cells)] = cells
    if chart.lag_is_y:
        _line_across(sheet, plane.border, n, way)
    elif chart.lag_is_y is False:
        _line_up(sheet, plane.border, n, way)
    at = None if cursor is None else way.where(cursor)
    if at is not None and is_here:
        _mark(sheet, at, way, palette)
    _ticks(sheet, chart, n, way, palette, cursor)


# -- the line where horizon = lag: below it, or left of it, the horizon is at least the lag -------------------


def _line_across(sheet: Sheet, border: tuple[int | None, ...], n: int, way: Arrangement) -> None:
    before: int | None = None
    for x in way.columns:
        end, last = border[x], before
        before = end
        at = None if end is None else way.where(Place(n, x, max(0, end + 1)))
        if at is not None:
            _underline(sheet, at[0] + way.high - 1, at[1], way.wide)
        if end is None or last is None or way.wide < 3:
            continue
        for y in range(min(end, last) + 1, max(end, last) + 1):
            step = way.where(Place(n, x, y))
            for row in range(way.high if step is not None else 0):
                assert step is not None
                _rule(sheet, step[0] + row, step[1], "│")


def _line_up(sheet: Sheet, border: tuple[int | None, ...], n: int, way: Arrangement) -> None:
    for y in way.rows:
        end = border[y] if border else None
        at = None if end is None else way.where(Place(n, max(0, end + 1), y))
        for row in range(way.high if at is not None else 0):
            assert at is not None
            _rule(sheet, at[0] + row, at[1], "│")


def _underline(sheet: Sheet, y: int, left: int, wide: int) -> None:
    """The line below a tile: under its sign, which a full tile keeps in its middle, and in the cells around it."""
    for x in range(left, left + wide):
        glyph = sheet.at(y, x)
        keeps = glyph not in " █" or (glyph == ALL and wide > 1 and x == left + (wide - 1) // 2)
        _rule(sheet, y, x, glyph if keeps or (wide == 1 and glyph == " ") else "_")


def _rule(sheet: Sheet, y: int, x: int, glyph: str) -> None:
    """A piece of the line in this cell, or a sign with the line below it, in an ink for its ground."""
    before, style = sheet.cells[y][x]
    style = style or Style.null()
    if glyph == ALL:
        return
    if before == ALL and style.bgcolor is not None:
        style = Style(color=on(style.bgcolor.get_truecolor().hex), bgcolor=style.bgcolor)
    elif before == ALL and not style.bgcolor:
        style += Style(reverse=True)
    sheet.put(y, x, glyph, style + Style(bold=True, underline=glyph != "│"))


def _mark(sheet: Sheet, at: tuple[int, int], way: Arrangement, palette: Palette) -> None:
    """The cursor: brackets around the tile where there is room, and reversed in any case."""
    top, left = at
    row = top + way.high // 2
    for x in range(left, left + way.wide):
        sheet.put(row, x, sheet.at(row, x), palette.accent + Style(reverse=True))
    if way.wide > 2:
        sheet.put(row, left, "[", palette.accent + Style(reverse=True))
        sheet.put(row, left + way.wide - 1, "]", palette.accent + Style(reverse=True))


# -- around them ---------------------------------------------------------------------------------------


def _ticks(sheet: Sheet, chart: Chart, n: int, way: Arrangement, palette: Palette, cursor: Place | None) -> None:
    top, left = way.corner(n)
    below = top + len(way.rows) * way.high
    here = cursor if cursor is not None and cursor.plane == n else None
    taken: list[tuple[int, int]] = []

    def tick(x: int, style: Style) -> None:
        label = chart.x.texts[x]
        middle = left + (x - way.columns.start) * way.wide + way.wide // 2
        start = max(left, min(middle - len(label) // 2, left + len(way.columns) * way.wide - len(label)))
        if all(start >= end + 1 or start + len(label) + 1 <= begin for begin, end in taken):
            taken.append((start, start + len(label)))
            sheet.put(below, start, label, style)

    if here is not None and here.x in way.columns:
        tick(here.x, palette.accent)
    widest = max(map(len, chart.x.texts))
    every = max(1, -(-(widest + 1) // way.wide))
    for x in way.columns[::every]:
        tick(x, palette.dim)
    if (n - way.planes.start) % way.beside:
        return
    for y in way.rows:
        at = way.where(Place(n, way.columns.start, y))
        assert at is not None
        is_here = cursor is not None and cursor.y == y and way.planes.start <= cursor.plane
        label = chart.y.texts[y].rjust(way.margin - 2)
        sheet.put(at[0] + way.high // 2, 1, label, palette.accent if is_here else palette.dim)


def _axes(sheet: Sheet, chart: Chart, way: Arrangement, palette: Palette, width: int) -> None:
    x = sheet.put(way.bottom, 1, f"→ {chart.x.label}", palette.text)
    if chart.y.label:
        x = sheet.put(way.bottom, x + 3, f"↑ {chart.y.label}", palette.text)
    parts = [
        f"{ruler} {shown[0]} to {shown[-1]} of {len(axis)}"
        for ruler, axis, shown in (
            ("columns", chart.x, _count(way.columns)), ("rows", chart.y, _count(way.rows)),
        )
        if len(way.columns if axis is chart.x else way.rows) < len(axis)
    ]  # fmt: skip
    if len(way.planes) < len(chart.planes):
        parts.append(f"cells {way.planes.start + 1} to {way.planes.stop} of {len(chart.planes)}")
    more = " · ".join(parts)
    if more and x + cells(more) + 3 < width:
        sheet.right(way.bottom, f"{more} ", palette.dim)


def _count(shown: range) -> tuple[int, int]:
    return shown.start + 1, shown.stop


def legend(chart: Chart, value: str, has_text: bool) -> str:
    """What the signs mean; has_text: the tiles have their numbers."""
    name, span = VALUES[value], None if value == "share" else chart.span(value)
    if value == "share":
        several = "3/4: 3 of 4 seeds learnt" if chart.seeds > 1 else "✓ learnt, ✗ not"
        words = several if has_text else "0 none, 5 half, █ all seeds learnt"
    elif has_text:
        words = f"{name}, median" if chart.seeds > 1 else name
    else:
        ends = "" if span is None else f": 0 is {numbers.brief(span[0])}, 9 is {numbers.brief(span[1])}, on a log scale"
        words = f"{name}{ends}"
    tiles = [tile for plane in chart.planes for row in plane.tiles for tile in row]
    is_endless = value != "share" and any(getattr(tile, value) == math.inf for tile in tiles)
    more = {
        "∞ diverged" if value == "loss" else "∞ all steps": is_endless,
        "_ horizon = lag": chart.has_line,
        "· not yet": any(tile.done == 0 for tile in tiles),
        "! failed": not has_text and any(tile.failed for tile in tiles),
    }
    return "   ".join([words, *(text for text, applies in more.items() if applies)])
