"""A screen of one sheet, over everything: its title in the first row, its keys in the last."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.geometry import Size

from rnnviz.glyphs import cut
from rnnviz.sheet import Sheet
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.modal import Modal
from rnnviz.tui.palette import Palette
from rnnviz.tui.too_small import is_too_small


class SheetScreen(Modal):
    """A subclass draws; `repaint` has it drawn again."""

    DEFAULT_CSS = """
    SheetScreen { align: center middle; background: $background; }
    """

    legend = ""  # the keys in the last row

    def compose(self) -> ComposeResult:
        yield Canvas(self._drawn, id="contents")

    def _drawn(self, width: int, height: int) -> Sheet:
        """Empty where the notice that the window is too small covers it: `draw` has at least the smallest size."""
        return Sheet(width, height) if is_too_small(Size(width, height)) else self.draw(width, height)

    def draw(self, width: int, height: int) -> Sheet:
        raise NotImplementedError

    def framed(self, width: int, height: int, title: str, keys: str, palette: Palette) -> Sheet:
        """The sheet to draw on: rows 2 to height - 2 are free."""
        sheet = Sheet(width, height)
        sheet.put(0, 1, cut(title, width - 2), palette.accent)
        sheet.put(height - 1, 1, cut(keys, width - 2), palette.dim)
        self.legend = cut(keys, width - 2)
        return sheet

    def entry_at(self, event: events.Click) -> str:
        """The clicked entry of the last row, `esc close`, or "". Two blanks part the entries."""
        place = event.get_content_offset(event.widget) if event.widget is not None else None
        if event.widget is None or place is None or place.y != event.widget.size.height - 1:
            return ""
        at = place.x - 1
        before, after = self.legend[: max(at, 0)], self.legend[max(at, 0) :]
        if at < 0 or not after.strip() or after[:2].isspace():
            return ""
        return (before.rpartition("  ")[2] + after.partition("  ")[0]).strip()

    def repaint(self) -> None:
        self.query_one(Canvas).repaint()
