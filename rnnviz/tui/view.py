"""View: the app's own state beside the frame. Immutable, like the frame."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.tui.notice import Notice

USUAL_SPEED = 4.0  # steps a second


@dataclass(frozen=True)
class View:
    """panel, page, row: which panel is open, which of its pages, and which row is chosen or scrolled to.
    prompt: the number being typed. sequence: the sequence being typed, None while none is.
    saving: the name of a file being typed, None while none is; overwrites: enter may overwrite it.
    copying: the list of what can be copied, while a key is awaited; None otherwise.
    typing: what is being typed into the panel, None while nothing is;
    finding: the typed text searches the panel; it is not a value.
    locked: settings that an open exercise locks.
    masked, masked_from, masked_until: names of what a question asks for (see lessons/masking.py), the first time step
    whose states and outputs that is, and the number of the step that asks, if that is still to come.
    introduced: what the lessons have introduced so far (see lessons/introductions.py); None: everything.
    feature: the number of a step's input that is written out; input_gradient: ∂L/∂x is shown in place of the input.
    presenting: the presenter's layout: more space, and no keys in the last row.
    playing, speed: whether the story plays by itself, and at how many steps a second. notice: what the line below the
    score says to the person, None for the moment in words."""

    panel: str | None = None
    page: int = 0
    row: int = 0
    feature: int = 0
    input_gradient: bool = False
    prompt: str | None = None
    sequence: str | None = None
    saving: str | None = None
    overwrites: bool = False
    copying: str | None = None
    playing: bool = False
    speed: float = USUAL_SPEED
    presenting: bool = False
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
        """Whether the lessons so far have introduced this name; without a course they have."""
        return self.introduced is None or name in self.introduced

    def hides(self, *names: str) -> bool:
        """Whether one of these figures gives away the answer to an open question."""
        return not self.masked.isdisjoint(names)

    @property
    def waits(self) -> str:
        """The text shown in place of a masked figure."""
        return f"after page {self.masked_until}" if self.masked_until else ANSWER_FIRST

    def hides_step(self, name: str, t: int) -> bool:
        """Whether this figure is hidden in the column of time step t."""
        return t >= self.masked_from and name in self.masked


ANSWER_FIRST = "answer first"
EVERYTHING = View()
