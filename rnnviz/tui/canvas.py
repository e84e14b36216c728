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

Cell = tuple[str, Style | None]
_BLANK: Cell = (" ", None)


class Sheet:
    """A grid of cells to write on. What does not fit is cut off; every glyph must be one cell wide."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(width, 0), max(height, 0)
        self.cells: list[list[Cell]] = [[_BLANK] * self.width for _ in range(self.height)]

    def put(self, y: int, x: int, text: str, style: Style | None = None) -> int:
        """Write text at row y, column x; the column after it."""
        if 0 <= y < self.height:
            row = self.cells[y]
            for i, char in enumerate(text):
                if 0 <= x + i < self.width:
                    row[x + i] = (char, style)
        return x + len(text)

    def paste(self, y: int, x: int, other: Sheet, start: int, end: int) -> None:
        """The columns start..end of another sheet, with its first row at y and column `start` at x."""
        end = min(end, start + self.width - x)
        for row, cells in enumerate(other.cells[: max(0, self.height - y)], start=y):
            if end > start:
                self.cells[row][x : x + end - start] = cells[start:end]

    def at(self, y: int, x: int) -> str:
        """The glyph that stands there; a blank outside."""
        return self.cells[y][x][0] if 0 <= y < self.height and 0 <= x < self.width else " "

    def right(self, y: int, text: str, style: Style | None = None) -> None:
        """Write text so that it ends at the right edge."""
        self.put(y, self.width - len(text), text, style)

    def plain(self) -> list[str]:
        return ["".join(char for char, _ in row) for row in self.cells]


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
        sheet = self._painter(*self.size)
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


def is_one_cell(text: str) -> bool:
    return cell_len(text) == len(text)
