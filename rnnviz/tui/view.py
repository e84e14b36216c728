"""View: what the app itself remembers beside the frame. Immutable, like the frame."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.tui.notice import Notice


@dataclass(frozen=True)
class View:
    """panel, page, row: which panel is open, which of its pages, and which row is chosen or scrolled to.
    prompt: the number being typed. typing: what is being typed into the panel, None while nothing is;
    finding: as letters of what is looked for there, not as a value.
    locked: settings that an open exercise keeps as they are.
    masked, masked_from, masked_until: names of what a question asks for (see lessons/withheld.py), the first time step
    whose states and outputs that is, and the number of the step that asks, if that is still to come.
    introduced: what the lessons have introduced so far (see lessons/introductions.py); None: everything.
    playing, speed: whether the story plays by itself, and at how many steps a second. notice: what the line below the
    score says to the person, None for the moment in words."""

    panel: str | None = None
    page: int = 0
    row: int = 0
    prompt: str | None = None
    playing: bool = False
    speed: float = 4.0
    notice: Notice | None = None
    typing: str | None = None
    finding: bool = False
    locked: tuple[str, ...] = ()
    masked: frozenset[str] = frozenset()
    masked_from: int = 0
    masked_until: int = 0
    introduced: frozenset[str] | None = None
    plots: bool = False  # plotext has been loaded

    def knows(self, name: str) -> bool:
        """Whether the lessons so far have introduced it; without a course everything is known."""
        return self.introduced is None or name in self.introduced

    def hides(self, *names: str) -> bool:
        """Whether one of these answers a question that is still open."""
        return not self.masked.isdisjoint(names)

    @property
    def waits(self) -> str:
        """What stands in place of what is masked."""
        return f"after step {self.masked_until}" if self.masked_until else ANSWER_FIRST

    def hides_step(self, name: str, t: int) -> bool:
        """The same of what stands in the column of a time step."""
        return t >= self.masked_from and name in self.masked


ANSWER_FIRST = "answer first"
EVERYTHING = View()
