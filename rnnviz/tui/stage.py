"""The stage: the interface of the screen for everything that acts on it.

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
    # what is shown
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
        """Rows of narration beside a lesson."""

    # what the player does
    def send(self, command: Command, *, is_watched: bool = True, keeps_notice: bool = False) -> None:
        """Send the player a command: carried out at once, or as a job. A watched training is shown while it runs;
        keeps_notice: what the screen says to the person stays."""

    def settle(self, *, ghost: bool) -> None:
        """Forget that commands led here: the user did not send them (see Player.settle); not drawn yet."""

    def pause(self) -> None:
        """Stop playing."""

    @property
    def shows_film(self) -> bool:
        """Whether a training is over but not yet shown to its end."""

    def skip_film(self) -> bool:
        """Skip to the end of a training that is being shown; whether there was one."""

    # what the screen does
    def show(self, frame: Frame, warning: str = "") -> None:
        """Show another frame, and a warning."""

    def look(self, **changes: Any) -> None:
        """Change the view, and draw."""

    def say(self, text: str) -> None:
        """Show a notice in place of the narration."""

    def warn(self, text: str) -> None:
        """Show a warning in place of the narration."""

    def hush(self) -> None:
        """Remove the notice; not drawn yet."""

    def draw(self) -> None:
        """Draw everything that has changed."""

    def share_out(self) -> None:
        """Divide the rows again among score, lesson and open panel."""

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
