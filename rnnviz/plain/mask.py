"""What is left out while a question is open, or before a lesson has introduced it: as on the screen of the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.lessons.masking import masked

if TYPE_CHECKING:
    from rnnviz.lessons.run import LessonRun
    from rnnviz.scene.frame import Frame


@dataclass(frozen=True)
class Mask:
    """names, since, until: see lessons/masking.py. introduced: None for everything."""

    names: frozenset[str] = frozenset()
    since: int = 0
    until: int = 0
    introduced: frozenset[str] | None = None

    def hides(self, *names: str) -> bool:
        """Whether one of these figures gives away the answer to an open question."""
        return not self.names.isdisjoint(names)

    def hides_step(self, name: str, t: int) -> bool:
        return t >= self.since and name in self.names

    def knows(self, name: str) -> bool:
        return self.introduced is None or name in self.introduced

    @property
    def reason(self) -> str:
        if self.until:
            return f"Page {self.until} asks for it; it comes after that."
        return "Answer the open question first: this would give the answer away."


NOTHING = Mask()


def of(run: LessonRun | None, frame: Frame, introduced: frozenset[str] | None) -> Mask:
    if run is None or run.is_free_play:
        return NOTHING
    found = masked(run, frame)
    return Mask(found.names, found.since, found.until, introduced)
