"""Canvas: a widget that draws a sheet and sends only the cells that changed, which is what makes it fast over SSH.

Canvas(lambda width, height: sheet, id="score")

A step changes cells and no layout. So where its screen is on top, a canvas writes them to the glass itself (glass.py):
Textual's compositor would draw the same rows again for the same cells, at four times the processor time. Everything
else it draws as of any widget, from `render_lines`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset, Region
from textual.strip import Strip
from textual.widget import Widget

from rnnviz.sheet import REST, Cell, Sheet
from rnnviz.tui import glass
from rnnviz.tui.compact_update import Codes, codes
from rnnviz.tui.held_frames import Frames
from rnnviz.tui.rich_private import color_system


def spans(old: list[Cell], new: list[Cell], join: int = glass.JOIN) -> list[tuple[int, int]]:
    """The stretches (start, end) in which two rows differ, never with half a wide character, even if its second half
    is unchanged."""
    found = glass.spans(old, new, join)
    return [(start, end + (end < len(new) and new[end][0] == REST)) for start, end in found]


def strip(row: list[Cell], base: Style) -> Strip:
    """A row as segments of one style each."""
    chars = [char for char, _ in row]
    segments = []
    start, now = 0, row[0][1] if row else None
    for x, (_, style) in enumerate(row):
        if style is not now and style != now:
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
        self._base: Style | None = None  # of this widget; None: to be looked up
        self._looks: dict[Style | None, Codes] = {}  # of the styles on it

    def on_resize(self) -> None:
        self.repaint()

    def notify_style_update(self) -> None:
        """Textual's call after a change of theme."""
        self._base = None
        super().notify_style_update()

    def repaint(self) -> None:
        """Paint again, and send the cells that changed."""
        sheet = self._painter(*self.size) if self.size else Sheet(*self.size)
        old, self._sheet = self._sheet, sheet
        if (old.width, old.height) != (sheet.width, sheet.height) or self._base is None:
            self._base, self._looks = self.rich_style, {}
            self.refresh()
            return
        changed = [
            (y, stretch)
            for y, (before, after) in enumerate(zip(old.cells, sheet.cells, strict=True))
            if before != after
            for stretch in spans(before, after)
        ]
        if not changed:
            return
        frames: Frames | None = getattr(self.app, "frames", None)
        place = self._place() if frames is not None and frames.accepts(self.screen) else None
        if frames is None or place is None:
            self.refresh(*(Region(start, y, end - start, 1) for y, (start, end) in changed))
            return
        for y, (start, end) in changed:
            frames.glass.put(place.y + y, place.x + start, self._cells(sheet.cells[y][start:end]))
        frames.send_soon()

    def _place(self) -> Offset | None:
        """Where on the screen it is, if all of it is there."""
        region = self.region
        return region.offset if region.size == self.size and self.screen.size.region.contains_region(region) else None

    def _cells(self, row: list[Cell]) -> list[glass.Cell]:
        """A stretch of the sheet as it looks in this terminal."""
        found = []
        last: Style | None = None
        look = self._look(None)
        for glyph, style in row:
            if style is not last:
                last, look = style, self._look(style)
            found.append(glass.cell(glyph, look))
        return found

    def _look(self, style: Style | None) -> Codes:
        if style not in self._looks:
            (segment,) = self._filtered(Strip([Segment("x", _over(self.base, style))]))
            self._looks[style] = codes(segment.style, color_system(self.app.console))
        return self._looks[style]

    @property
    def base(self) -> Style:
        if self._base is None:
            self._base, self._looks = self.rich_style, {}
        return self._base

    def _filtered(self, strip: Strip) -> Strip:
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, self.background_colors[1])
        return strip

    def plain(self) -> list[str]:
        """The text it shows, without colours, one string per row."""
        return self._sheet.plain()

    def render_line(self, y: int) -> Strip:
        row = self._sheet.cells[y] if y < self._sheet.height else []
        return self._filtered(strip(row, self.base)).adjust_cell_length(self.size.width, self.base)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Textual would keep the lines, and not hear of the cells that were written past it."""
        return [self.render_line(y).crop(crop.x, crop.right) for y in range(crop.y, crop.bottom)]
