"""The closing page on the screen: after the last lesson, and from the contents."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from rnnviz.lessons.closing_page import closing
from rnnviz.lessons.prose import Line, wrapped
from rnnviz.sheet import Sheet
from rnnviz.tui.lesson_view import put
from rnnviz.tui.sheet_screen import SheetScreen
from rnnviz.tui.voice import MEASURE, VOICE

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.progress import Progress
    from rnnviz.tui.stage import Stage


class ClosingScreen(SheetScreen):
    """↑↓ scroll, L shows the lessons, esc closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "close", show=False),
        Binding("L", "contents", "lessons", show=False),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("up,k", "scroll(-1)", "up", show=False),
        Binding("pagedown,space", "scroll(10)", "down", show=False),
        Binding("pageup", "scroll(-10)", "up", show=False),
    ]

    def __init__(self, stage: Stage, course: Course, progress: Progress) -> None:
        super().__init__()
        self.stage, self.top = stage, 0
        self.paragraphs = list(closing(course, progress))

    def draw(self, width: int, height: int) -> Sheet:
        palette = self.stage.palette
        lines = self._lines(min(width - 2, MEASURE.width))
        room = max(1, height - 4)
        self.top = min(max(0, self.top), max(0, len(lines) - room))
        more = "↑↓ scroll  " if len(lines) > room else ""
        sheet = self.framed(width, height, "The end of the course", f"{more}L lessons  esc close", palette)
        for y, line in enumerate(lines[self.top : self.top + room], start=2):
            put(sheet, y, 1, line, palette)
        below = len(lines) - room - self.top
        if below > 0:
            sheet.right(height - 1, f"↓{below} ", palette.faint)
        return sheet

    def _lines(self, width: int) -> list[Line]:
        return [
            line for text in self.paragraphs for line in (wrapped(VOICE.say(text), width, indent=2) if text else [[]])
        ]

    def on_click(self, event: events.Click) -> None:
        entries: dict[str, Callable[[], object]] = {"L lessons": self.action_contents, "esc close": self.dismiss}
        do = entries.get(self.entry_at(event))
        if do is not None:
            do()

    def on_mouse_scroll_down(self) -> None:
        self.action_scroll(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_scroll(-1)

    def action_scroll(self, by: int) -> None:
        self.top += by
        self.repaint()

    def action_contents(self) -> None:
        self.dismiss()
        self.stage.show_lessons()
