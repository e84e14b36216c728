"""The page at the end of a lesson and the one at the end of the course on the screen: after the last step, and from the
contents."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import events
from textual.binding import Binding, BindingType

from rnnviz.lessons.closing_page import after, closing, lesson_closing
from rnnviz.lessons.prose import Line, wrapped
from rnnviz.sheet import Sheet
from rnnviz.tui.lesson_view import put
from rnnviz.tui.sheet_screen import SheetScreen
from rnnviz.tui.voice import KEYS, MEASURE, VOICE

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.lesson import Lesson
    from rnnviz.lessons.progress import Progress
    from rnnviz.tui.stage import Stage


class Leader(Protocol):
    """What the page needs of the guide, which opens it."""

    stage: Stage
    course: Course
    progress: Progress

    def open(self, slug: str) -> None: ...
    def replay(self, slug: str) -> None: ...
    def close(self) -> None: ...


class ClosingScreen(SheetScreen):
    """↑↓ scroll, L shows the lessons, esc closes; at the end of a lesson n opens the next one and r replays it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close", show=False),
        Binding("enter", "onward", "next", show=False),
        Binding("n", "onward", "next", show=False, id="lesson_next"),
        Binding("r", "replay", "replay", show=False, id="lesson_return"),
        Binding("L", "contents", "lessons", show=False, id="contents"),
        Binding("down,j", "scroll(1)", "down", show=False),
        Binding("up,k", "scroll(-1)", "up", show=False),
        Binding("pagedown,space", "scroll(10)", "down", show=False),
        Binding("pageup", "scroll(-10)", "up", show=False),
    ]

    def __init__(self, guide: Leader, lesson: Lesson | None) -> None:
        """lesson: at whose end; None: at the end of the course."""
        super().__init__()
        self.guide, self.lesson, self.top = guide, lesson, 0
        course, progress = guide.course, guide.progress
        paragraphs = closing(course, progress) if lesson is None else lesson_closing(course, progress, lesson)
        self.paragraphs = [text.replace("[replay]", "[lesson_return]") for text in paragraphs]

    def draw(self, width: int, height: int) -> Sheet:
        palette = self.guide.stage.palette
        lines = self._lines(min(width - 2, MEASURE.width))
        room = max(1, height - 4)
        self.top = min(max(0, self.top), max(0, len(lines) - room))
        title = "The end of the course" if self.lesson is None else f"{self.lesson.name}: summary"
        keys = "  ".join(self._entries())
        if len(lines) > room and len(keys) < width - 24:
            keys = f"↑↓ scroll  {keys}"
        sheet = self.framed(width, height, title, keys, palette)
        for y, line in enumerate(lines[self.top : self.top + room], start=2):
            put(sheet, y, 1, line, palette)
        above, below = self.top, len(lines) - room - self.top
        marks = [f"↑{above}"] * (above > 0) + [f"↓{below}"] * (below > 0)
        sheet.right(height - 1, f"{' '.join(marks)} ", palette.accent if below > 0 else palette.faint)
        return sheet

    def _lines(self, width: int) -> list[Line]:
        return [
            line for text in self.paragraphs for line in (wrapped(VOICE.say(text), width, indent=2) if text else [[]])
        ]

    def _entries(self) -> dict[str, Callable[[], object]]:
        """The entries of the last row, and what a click on them does."""
        always: dict[str, Callable[[], object]] = {
            f"{KEYS['contents']} lessons": self.action_contents,
            "esc close": self.dismiss,
        }
        if self.lesson is None:
            return always
        onward = "closing page" if after(self.guide.course, self.lesson.slug) is None else "next lesson"
        return {
            f"{KEYS['lesson_next']} {onward}": self.action_onward,
            f"{KEYS['lesson_return']} replay": self.action_replay, **always,
        }  # fmt: skip

    def on_click(self, event: events.Click) -> None:
        do = self._entries().get(self.entry_at(event))
        if do is not None:
            do()

    def on_mouse_scroll_down(self) -> None:
        self.action_scroll(1)

    def on_mouse_scroll_up(self) -> None:
        self.action_scroll(-1)

    def action_scroll(self, by: int) -> None:
        self.top += by
        self.repaint()

    def action_onward(self) -> None:
        """Open the lesson after this one; after the last one the closing page of the course, which closes."""
        self.dismiss()
        if self.lesson is None:
            return
        following = after(self.guide.course, self.lesson.slug)
        if following is None:
            self.guide.close()
        else:
            self.guide.open(following)

    def action_replay(self) -> None:
        if self.lesson is not None:
            self.dismiss()
            self.guide.replay(self.lesson.slug)

    def action_contents(self) -> None:
        self.dismiss()
        self.guide.stage.show_lessons()
