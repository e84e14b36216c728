"""What a session begins with: a player at its place, and the lesson that leads, if there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rnnviz.experiment import cost
from rnnviz.kiosk import REFUSED
from rnnviz.lessons.course import find
from rnnviz.lessons.opening import first_lesson, lesson_at
from rnnviz.lessons.progress import InMemory, progress_of
from rnnviz.numbers import counted
from rnnviz.player.player import Player, open_player
from rnnviz.player.present import NOTHING
from rnnviz.tui import panels

if TYPE_CHECKING:
    from rnnviz.experiment.experiment import Experiment
    from rnnviz.lessons.course import Course, Start
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.run import LessonRun
    from rnnviz.player.kinds.opening import NetworkOpening, Opening
    from rnnviz.session import Session
    from rnnviz.tui.place import Place

Lesson = tuple["Course", "Progress", "LessonRun"]


def begin(
    source: Experiment | Opening | NetworkOpening | None,
    start: Start | None,
    typed: str | None,
    place: Place | None,
    session: Session,
    say: Callable[[str], None],
) -> tuple[Player, Lesson | None]:
    """The player, and the course, its progress and the lesson to begin with; None for the plain score. say: hears
    of what takes long. Raises InputError for what cannot be opened, and for a place that the run does not have."""
    lesson = None if start is None else _read_lesson(start, session)
    refused = NOTHING
    if session.kiosk is not None:
        cost.restrict(session.kiosk.bytes, session.kiosk.seconds)
        refused = REFUSED
    if lesson is not None:
        source, place = lesson[2].target.source, None
    player = open_player(
        source, live=True, typed=typed, into=(place and place.sequence) or 1, say=say, refused=refused
    )  # fmt: skip
    if place is not None:
        if place.train and player.frame.experiment is not None:
            cost.fit(player.frame.experiment.with_(epochs=place.train))
            say(f"Training {counted(place.train, 'epoch')} …")
        for command in place.commands(lambda: player.frame):
            player.do(command)
        player.settle(ghost=False)
    return player, lesson


def _read_lesson(start: Start, session: Session) -> Lesson:
    """The lesson to begin with: the one asked for, else where the learner left. Raises InputError."""
    course = find(start.folder)
    if start.step is not None:
        return course, InMemory(course.name), lesson_at(course, start.slug, start.step, panels.BY_ID)
    progress = progress_of(course.name, session.kiosk)
    return course, progress, first_lesson(course, progress, start.slug, panels.BY_ID)
