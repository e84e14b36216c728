"""Canvas: a widget that draws a sheet and sends only the cells that changed, which is what makes it fast over SSH.

Canvas(lambda width, height: sheet, id="score")
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from rnnviz.sheet import REST, Cell, Sheet


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
    for stretch in found:  # never half a wide character, even if its second half is unchanged
        stretch[1] += stretch[1] < len(new) and new[stretch[1]][0] == REST
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
        """Paint again, and send the cells that changed."""
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
        """The text it shows, without colours, one string per row."""
        return self._sheet.plain()

    def render_line(self, y: int) -> Strip:
        if y not in self._strips:
            row = self._sheet.cells[y] if y < self._sheet.height else []
            line = strip(row, self._cuts.get(y, []), self._base)
            self._strips[y] = line.adjust_cell_length(self.size.width, self._base)
        return self._strips[y]
