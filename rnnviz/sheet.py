"""A grid of cells: everything is drawn on one before it goes to a screen or a pipe.

sheet = Sheet(width, height)
sheet.put(0, 2, "h₃", palette.text)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import groupby, repeat
from operator import itemgetter

from rich.cells import cell_len
from rich.style import Style

from rnnviz import glyphs

Cell = tuple[str, Style | None]
_BLANK: Cell = (" ", None)
_GLYPH = itemgetter(0)
REST = ""  # what the second cell of a wide character holds


@lru_cache(maxsize=1024)
def cells_of(text: str) -> tuple[str, ...]:
    """The cells of a text; the second cell of a wide character is empty. All text on the screen passes through here."""
    out: list[str] = []
    for glyph, size in glyphs.glyphs(text):
        if cell_len(glyph) != size:  # a character this Python and this rich know differently
            glyph, size = glyphs.UNSEEN, 1
        out += [glyph] if size == 1 else [glyph, REST]
    return tuple(out)


class Sheet:
    """A grid of cells to write on. Text beyond the edge is cut off, and half a wide character becomes a blank."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(width, 0), max(height, 0)
        self.cells: list[list[Cell]] = [[_BLANK] * self.width for _ in range(self.height)]
        self.has_wide = False  # whether a character of two cells has been written

    def put(self, y: int, x: int, text: str, style: Style | None = None) -> int:
        """Write text at row y, column x. Returns the column after it."""
        entries = text if glyphs.is_plain(text) else cells_of(text)
        end = x + len(entries)
        first, last = max(x, 0), min(end, self.width)
        if 0 <= y < self.height and first < last:
            row = self.cells[y]
            if self.has_wide:
                _part(row, first)
                _part(row, last)
            row[first:last] = zip(entries[first - x : last - x], repeat(style), strict=False)
            if entries is not text and REST in entries:
                self.has_wide = True
                if row[first][0] == REST:
                    row[first] = (" ", style)
                if last < end and entries[last - x] == REST:
                    row[last - 1] = (" ", style)
        return end

    def paste(self, y: int, x: int, other: Sheet, start: int, end: int) -> None:
        """Copy the columns start..end of another sheet: its first row to row y, its column `start` to column x."""
        end = min(end, start + self.width - x)
        self.has_wide = self.has_wide or other.has_wide
        for row, cells in enumerate(other.cells[: max(0, self.height - y)], start=y):
            if end > start:
                _part(self.cells[row], x)
                _part(self.cells[row], x + end - start)
                self.cells[row][x : x + end - start] = cells[start:end]

    def with_glyphs(self, other: Callable[[str], str]) -> Sheet:
        """The same sheet, each cell's glyph changed into another one of the same width."""
        found = Sheet(self.width, self.height)
        found.has_wide = self.has_wide
        found.cells = [[(other(glyph), style) for glyph, style in row] for row in self.cells]
        return found

    def at(self, y: int, x: int) -> str:
        """The glyph in this cell; a blank outside the sheet."""
        return self.cells[y][x][0] if 0 <= y < self.height and 0 <= x < self.width else " "

    def is_free(self, y: int, x: int, n: int = 1) -> bool:
        """Whether nothing has been written to these cells, not even a blank. Cells outside the sheet are free."""
        return not 0 <= y < self.height or all(cell is _BLANK for cell in self.cells[y][max(0, x) : max(0, x + n)])

    def right(self, y: int, text: str, style: Style | None = None) -> None:
        """Write text so that it ends at the right edge."""
        self.put(y, self.width - glyphs.cells(text), text, style)

    def runs(self, y: int) -> list[tuple[str, Style | None]]:
        """Row y as (text, style) runs."""
        return [("".join(map(_GLYPH, run)), style) for style, run in groupby(self.cells[y], key=lambda cell: cell[1])]

    def plain(self) -> list[str]:
        return ["".join(map(_GLYPH, row)) for row in self.cells]


def _part(row: list[Cell], x: int) -> None:
    """Turn a wide character that spans columns x - 1 and x into two blanks, so that either side can be written."""
    if 0 < x < len(row) and row[x][0] == REST:
        row[x - 1], row[x] = (" ", row[x - 1][1]), (" ", row[x][1])
