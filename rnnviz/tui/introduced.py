"""What the lessons so far have introduced; while a lesson is open, the screen shows nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.lessons.course import introduced
from rnnviz.lessons.introductions import keys_named, tools
from rnnviz.tui import panels
from rnnviz.tui.keys import ACTIONS, INTRODUCED, face

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.run import LessonRun

#: What a key has been introduced with, by its face.
_OF_KEYS = {
    **{face(action.keys[0]): INTRODUCED[action.id] for action in ACTIONS if action.id in INTRODUCED},
    **{panel.key: panel.id for panel in panels.ALL if panel.key},
}


class Introduced:
    def __init__(self, course: Course) -> None:
        self._course = course
        #: By the lesson's slug and what it introduces, which may change with its file: its own and those before it.
        self._until: dict[tuple[str, tuple[str, ...]], frozenset[str] | None] = {}

    def names(self, run: LessonRun) -> frozenset[str] | None:
        """What the lessons have introduced; to that this step's panel and the keys it names or takes. None:
        everything."""
        at = (run.lesson.slug, run.lesson.introduces)
        if at not in self._until:
            self._until[at] = introduced(self._course.files, run.lesson.path)
        known = self._until[at]
        if known is None:
            return None
        of_keys = {_OF_KEYS[face] for face in keys_named(run) if face in _OF_KEYS}
        return known | of_keys | {*tools(run), *filter(None, [run.target.panel])}
