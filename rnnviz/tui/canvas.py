"""Canvas: a widget that is given lines and sends only the cells that changed. Over SSH that is most of speed.

sheet = Sheet(width, height)
sheet.put(0, 2, "h₃", palette.text)
Canvas(lambda width, height: sheet, id="score")
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from rnnviz import glyphs

Cell = tuple[str, Style | None]
_BLANK: Cell = (" ", None)
_REST = ""  # what the second cell of a wide character holds


@lru_cache(maxsize=4096)
def cells_of(text: str) -> tuple[str, ...]:
    """What a text puts into cells, one entry each: a wide character and then nothing. The one way onto the screen."""
    out: list[str] = []
    for glyph, size in glyphs.glyphs(text):
        if cell_len(glyph) != size:  # a character this Python and this rich know differently
            glyph, size = glyphs.UNSEEN, 1
        out += [glyph] if size == 1 else [glyph, _REST]
    return tuple(out)


class Sheet:
    """A grid of cells to write on. What does not fit is cut off, and half a wide character is a blank."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(width, 0), max(height, 0)
        self.cells: list[list[Cell]] = [[_BLANK] * self.width for _ in range(self.height)]
        self.has_wide = False  # whether a character of two cells has been written

    def put(self, y: int, x: int, text: str, style: Style | None = None) -> int:
        """Write text at row y, column x; the column after it."""
        entries = text if glyphs.is_plain(text) else cells_of(text)
        end = x + len(entries)
        first, last = max(x, 0), min(end, self.width)
        if 0 <= y < self.height and first < last:
            row = self.cells[y]
            if self.has_wide:
                _part(row, first)
                _part(row, last)
            for at in range(first, last):
                row[at] = (entries[at - x], style)
            if entries is not text and _REST in entries:
                self.has_wide = True
                if row[first][0] == _REST:
                    row[first] = (" ", style)
                if last < end and entries[last - x] == _REST:
                    row[last - 1] = (" ", style)
        return end

    def paste(self, y: int, x: int, other: Sheet, start: int, end: int) -> None:
        """The columns start..end of another sheet, with its first row at y and column `start` at x."""
        end = min(end, start + self.width - x)
        self.has_wide = self.has_wide or other.has_wide
        for row, cells in enumerate(other.cells[: max(0, self.height - y)], start=y):
            if end > start:
                _part(self.cells[row], x)
                _part(self.cells[row], x + end - start)
                self.cells[row][x : x + end - start] = cells[start:end]

    def at(self, y: int, x: int) -> str:
        """The glyph that stands there; a blank outside."""
        return self.cells[y][x][0] if 0 <= y < self.height and 0 <= x < self.width else " "

    def right(self, y: int, text: str, style: Style | None = None) -> None:
        """Write text so that it ends at the right edge."""
        self.put(y, self.width - glyphs.cells(text), text, style)

    def plain(self) -> list[str]:
        return ["".join(char for char, _ in row) for row in self.cells]


def _part(row: list[Cell], x: int) -> None:
    """So that what follows can be written up to or from column x on: a wide character across it becomes blanks."""
    if 0 < x < len(row) and row[x][0] == _REST:
        row[x - 1], row[x] = (" ", row[x - 1][1]), (" ", row[x][1])


def spans(old: list[Cell], new: list[Cell], join: int = 5) -> list[tuple[int, int]]:
    """The stretches (start, end) in which two rows differ; stretches closer than `join` cells become one,
    since moving the cursor costs more bytes than a few cells."""
    found: list[list[int]] = []
    for x, (a, b) in enumerate(zip(old, new, strict=True)):
        if a is not b and a != b:
            if found and x - found[-1][1] < join:
                found[-1][1] = x + 1
            else:
                found.append([x, x + 1])
    for stretch in found:  # never half a wide character: its second half may be as it was
        stretch[1] += stretch[1] < len(new) and new[stretch[1]][0] == _REST
    return [(start, end) for start, end in found]


def strip(row: list[Cell], cuts: list[tuple[int, int]], base: Style) -> Strip:
    """A row as segments of one style each, also cut where a changed stretch begins and ends."""
    edges = {edge for cut in cuts for edge in cut}
    chars = [char for char, _ in row]
    segments = []
    start, now = 0, row[0][1] if row else None
    for x, (_, style) in enumerate(row):
        if x in edges or (style is not now and style != now):
            if x > start:
                segments.append(Segment("".join(chars[start:x]), _over(base, now)))
            start, now = x, style
    segments.append(Segment("".join(chars[start:]), _over(base, now)))
    return Strip(segments, len(row))


@lru_cache(maxsize=1024)
def _over(base: Style, style: Style | None) -> Style:
    return base + style if style else base


class Canvas(Widget):
    """Draws what its painter, given its width and height, puts on a Sheet."""

    can_focus = False

    def __init__(self, painter: Callable[[int, int], Sheet], *, id: str) -> None:
        super().__init__(id=id)
        self._painter = painter
        self._sheet = Sheet(0, 0)
        self._cuts: dict[int, list[tuple[int, int]]] = {}
        self._strips: dict[int, Strip] = {}  # of the rows as they are
        self._base = Style.null()

    def on_resize(self) -> None:
        self.repaint()

    def repaint(self) -> None:
        """Ask the painter again, and send what has changed."""
        sheet = self._painter(*self.size) if self.size else Sheet(*self.size)
        old, self._sheet = self._sheet, sheet
        base, self._base = self._base, self.rich_style
        self._cuts = {}
        if (old.width, old.height) != (sheet.width, sheet.height) or base != self._base:
            self._strips = {}
            self.refresh()
            return
        regions = []
        for y, (before, after) in enumerate(zip(old.cells, sheet.cells, strict=True)):
            if before == after:
                continue
            self._strips.pop(y, None)
            self._cuts[y] = spans(before, after)
            regions += [Region(start, y, end - start, 1) for start, end in self._cuts[y]]
        if regions:
            self.refresh(*regions)

    def plain(self) -> list[str]:
        """What it shows, without colours, a line a row."""
        return self._sheet.plain()

    def render_line(self, y: int) -> Strip:
        if y not in self._strips:
            row = self._sheet.cells[y] if y < self._sheet.height else []
            line = strip(row, self._cuts.get(y, []), self._base)
            self._strips[y] = line.adjust_cell_length(self.size.width, self._base)
        return self._strips[y]
