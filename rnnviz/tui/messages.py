"""What the app's threads report to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.run import LessonRun
    from rnnviz.player.player import Player


class PlayerReady(Message):
    """lesson: the course, its progress and the lesson to begin with; None for the plain score."""

    def __init__(self, player: Player, lesson: tuple[Course, Progress, LessonRun] | None = None) -> None:
        super().__init__()
        self.player = player
        self.lesson = lesson


class EngineReady(Message):
    """The compiled engine is in use from now on."""


class Noted(Message):
    """A message for the user from another thread."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Grown(Message):
    """There is more of what is open than was seen."""


class LessonNews(Message):
    """A lesson's file was saved or checked; take: shows it, on the app's thread."""

    def __init__(self, take: Callable[[], None]) -> None:
        super().__init__()
        self.take = take


class PlotsReady(Message):
    """plotext has been loaded."""
