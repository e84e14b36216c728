"""The corner: the free rows of a large screen, below a lesson's text. It holds what the lesson is about: panels that a
step names (`beside`), as far as they have something to show and give no answer away. They are pictures, not open
panels: no key is theirs, and a click opens one.

Where steps follow one another quickly, as of a held key, it is drawn at the first and then once in a MOMENT: up to half
of a step's processor time would go to pictures that nobody can read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rnnviz.glyphs import cut
from rnnviz.lessons.points import NEVER_BESIDE
from rnnviz.sheet import Sheet
from rnnviz.tui import keys, panels
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels import Panel
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from textual.timer import Timer

    from rnnviz.scene.frame import Frame

LEAST = 8  # rows of a picture, with its name
LEAST_SCORE = 16  # rows of a score above it
ENOUGH = 16  # rows of one that could be of any height, where others are to follow
MOMENT = 0.15  # seconds that it may be behind the score
_ABOUT = 12  # cells below which only its name is written
#: What a course that names nothing gets.
USUAL = ("words", "loss", "fit", "self-fed", "network", "weights", "summary")

#: Rows of a panel without what changes as a whole at each step: its bytes would make a step slow over SSH.
BRIEF: dict[str, Callable[[Frame], int]] = {
    "neuron": lambda frame: 4 + 2 * (1 + len(frame.cell.gates)) + (2 if frame.scene.H <= 4 else 0)
}

Place = tuple[Panel, int, int]  # first row and number of rows, the name's included


def chosen(frame: Frame, view: View, names: Sequence[str]) -> list[Panel]:
    """The panels of these names that have something to show; if there is none, the first of the usual ones."""

    def drawable(names: Iterable[str]) -> list[Panel]:
        known = (panels.BY_ID[name] for name in names if name in panels.BY_ID and name != view.panel)
        return [panel for panel in known if _shows(panel, frame, view)]

    return drawable(names) or drawable(USUAL if names else ())[:1]


def _shows(panel: Panel, frame: Frame, view: View) -> bool:
    if panel.id in NEVER_BESIDE or view.hides(*panel.shows) or panels.why_not(panel, frame) is not None:
        return False
    is_trained = bool(frame.learning.loss) or frame.cursor.epoch > 0
    return panel.opens_beside(frame) and (is_trained or panel not in panels.OF_TRAINED)


def places(shown: Sequence[Panel], frame: Frame, height: int) -> list[Place]:
    """How they divide the rows: each has those it can use, and the next ones what is left."""
    found: list[Place] = []
    y = 0
    for number, panel in enumerate(shown, start=1):
        left = height - y
        if left < LEAST and found:
            break
        rows_of = BRIEF.get(panel.id, panel.rows)
        needed = None if rows_of is None else rows_of(frame) + 1
        if needed is None:
            needed = left if number == len(shown) else max(ENOUGH, left // 2)
        rows = min(needed, left)
        if rows_of is None and left - rows < LEAST:
            rows = left
        found.append((panel, y, rows))
        y += rows
    return found


def rows_below(free: int) -> int:
    """The rows of a corner below the text, where score and corner share so many; 0 if the score needs them."""
    rows = min(free - LEAST_SCORE, max(LEAST, 2 * free // 5))
    return rows if rows >= LEAST else 0


def draw(
    found: Iterable[Place], frame: Frame | None, width: int, height: int, palette: Palette,
    paint: Callable[[Panel, int, int], Sheet],
) -> Sheet:  # fmt: skip
    """paint: draws a panel in so many cells and rows."""
    sheet = Sheet(width, height)
    for panel, y, rows in found:
        assert frame is not None
        sheet.paste(y, 0, _name(panel, frame, width, palette), 0, width)
        sheet.paste(y + 1, 0, paint(panel, width, rows - 1), 0, width)
    return sheet


def _name(panel: Panel, frame: Frame, width: int, palette: Palette) -> Sheet:
    """The line above a picture."""
    sheet = Sheet(width, 1)
    x = sheet.put(0, 1, panel.title, palette.accent) + 2
    if width - x - 1 >= _ABOUT:
        sheet.put(0, x, cut(keys.about(panel.id, panel.about, frame), width - x - 1), palette.faint)
    return sheet


def panel_at(found: Iterable[Place], y: int) -> str | None:
    """The panel whose picture is in this row."""
    return next((panel.id for panel, first, rows in found if first <= y < first + rows), None)


class Pace:
    """When the corner is drawn. later: calls a function after so many seconds; draw: draws the corner."""

    def __init__(self, later: Callable[[float, Callable[[], Any]], Timer], draw: Callable[[], Any]) -> None:
        self._later, self._draw = later, draw
        self._drawn = -MOMENT  # when it was drawn
        self._state: object = None
        self._timer: Timer | None = None  # none while it shows the present step

    @property
    def waits(self) -> bool:
        return self._timer is not None

    def is_due(self, state: object) -> bool:
        """Whether it is to be drawn now; else it will be, within a moment. state: what it follows at once, such as what
        a question hides; a step does not change it."""
        now = time.monotonic()
        left = self._drawn + MOMENT - now
        if state != self._state or left <= 0:
            self._begin(now)
            self._state = state
            return True
        if self._timer is None:
            self._timer = self._later(left, self.catch_up)
        return False

    def catch_up(self) -> None:
        """Draw now what waits."""
        if self._timer is not None:
            self._begin(time.monotonic())
            self._draw()

    def _begin(self, now: float) -> None:
        self._drawn = now
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
