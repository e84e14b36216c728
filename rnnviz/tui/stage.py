"""The stage: what those who act on the screen know of it, and all they know.

The guide of a lesson, its autoplay, the menus, jobs and playing get the screen as a Stage. So none of them imports the
screen that holds them, and none writes into it: what changes there changes by a method with a name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from textual.screen import ModalScreen
    from textual.timer import Timer

    from rnnviz.player.player import Player
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.palette import Palette
    from rnnviz.tui.view import View


class Stage(Protocol):
    # what there is to see
    @property
    def player(self) -> Player | None: ...
    @property
    def frame(self) -> Frame | None: ...
    @property
    def view(self) -> View: ...
    @property
    def palette(self) -> Palette: ...
    @property
    def moment_rows(self) -> int:
        """Rows in which the moment is put into words, beside a lesson."""

    # what the player does
    def send(self, command: Command, *, is_watched: bool = True, keeps_notice: bool = False) -> None:
        """A command to the player: done at once, or as a job. A training that is watched is shown on its way;
        keeps_notice: what the screen says to the person stays."""

    def settle(self, *, ghost: bool) -> None:
        """What led here was not the person's doing (see Player.settle); not drawn yet."""

    def pause(self) -> None:
        """Stop playing."""

    @property
    def shows_film(self) -> bool:
        """Whether a training is over, and only still shown."""

    def skip_film(self) -> bool:
        """To the end of a training that is shown; whether there was one."""

    # what the screen does
    def show(self, frame: Frame, warning: str = "") -> None:
        """Another frame, and what went wrong on the way to it."""

    def look(self, **changes: Any) -> None:
        """Change the view, and draw."""

    def say(self, text: str) -> None:
        """News for the person, in place of the moment in words."""

    def warn(self, text: str) -> None:
        """Likewise something that went wrong or cannot be done."""

    def hush(self) -> None:
        """Take back what was said; not drawn yet."""

    def draw(self) -> None:
        """Draw everything that has changed."""

    def share_out(self) -> None:
        """Share out the rows anew between score, lesson and open panel."""

    def open_panel(self, panel: str | None) -> None:
        """Open a panel by its id; None closes it."""

    def open_screen(self, screen: ModalScreen[None]) -> None:
        """Open a menu or page over everything."""

    def show_lessons(self) -> None:
        """Open the menu of the course."""

    def has_room_for_film(self) -> bool:
        """Whether the loss curve, opened below the score, would be one."""

    # timers
    def set_timer(self, delay: float, callback: Callable[[], Any]) -> Timer: ...
    def set_interval(self, interval: float, callback: Callable[[], Any]) -> Timer: ...
