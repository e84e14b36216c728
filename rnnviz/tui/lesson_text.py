"""A lesson's text on the screen: drawing, scrolling and clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.lessons.pages import page
from rnnviz.sheet import Sheet
from rnnviz.tui.lesson_view import choices_in, draw, measure, scrolled

if TYPE_CHECKING:
    from rnnviz.lessons.run import LessonRun
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.notice import Notice
    from rnnviz.tui.palette import Palette


class LessonText:
    def __init__(self) -> None:
        self.top = 0  # the first visible line
        self._below, self._page = 0, 1

    def sheet(
        self, run: LessonRun, frame: Frame | None, width: int, height: int, palette: Palette, *, typed: str,
        note: Notice | None,
    ) -> Sheet:  # fmt: skip
        lines = page(run, frame, measure(width), typed).lines
        self.top, _, self._below = scrolled(len(lines), height - 1, self.top)
        self._page = max(1, height - 2)
        return draw(run, frame, width, height, palette, typed=typed, note=note, top=self.top)

    def scroll(self, by: int, lines: int | None = None) -> None:
        """Scroll by pages, or by a number of lines."""
        self.top = max(0, self.top + by * (lines or self._page))

    def to_top(self) -> None:
        self.top = 0

    def can_scroll(self, by: int) -> bool:
        """Whether there is text below (1) or above (-1) the visible lines."""
        return self._below > 0 if by > 0 else by < 0 < self.top

    def choice_at(self, run: LessonRun, frame: Frame | None, x: int, y: int, width: int, typed: str) -> str | None:
        """The digit of the choice at this cell; a choice may take several lines."""
        line, cell = y - 1 + self.top, x - 1
        starts = choices_in(run, page(run, frame, measure(width), typed).lines)
        before = [digit for at, start, digit in starts if (at, start) <= (line, cell)]
        return before[-1] if y >= 1 and before and line >= starts[0][0] else None
