"""The projector: shows a training while it runs, and its end, on the screen (see training_film.py)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic

from rnnviz.scene.commands import Command, Train
from rnnviz.tui.training_film import INTERVAL, OF_TRAINING, PICTURES, End, Film

if TYPE_CHECKING:
    from textual.timer import Timer

    from rnnviz.scene.frame import Progress
    from rnnviz.tui.stage import Stage


class Projector(Generic[End]):
    """finish: called with a training's end when its turn to be shown has come."""

    def __init__(self, stage: Stage, finish: Callable[[End], None]) -> None:
        self._stage, self._finish = stage, finish
        self.is_wanted = True  # whether trainings are shown while they run
        self._film: Film[End] | None = None
        self._timer: Timer | None = None

    def want(self, is_wanted: bool) -> None:
        self.is_wanted = is_wanted

    def load(self, command: Command) -> int:
        """Get ready to show a training, its loss curve open where nothing else is; how many pictures of it are
        wanted: none of what is no training, or a short one."""
        if not self.is_wanted or not isinstance(command, Train) or command.amount == "batch":
            return 0
        if self._stage.frame is not None and not self._stage.frame.learning.trains:
            return 0
        self._film = Film()
        self._timer = self._stage.set_interval(INTERVAL, self._next)
        if self._stage.view.panel is None and self._stage.has_room_for_film():
            self._stage.open_panel(OF_TRAINING)
        return PICTURES

    @property
    def is_loaded(self) -> bool:
        return self._film is not None

    @property
    def is_behind(self) -> bool:
        """Whether pictures are waiting to be shown."""
        return self._film is not None and self._film.is_behind

    @property
    def has_end(self) -> bool:
        """Whether the training is over but not yet shown to its end."""
        return self._film is not None and self._film.end is not None

    def add(self, progress: Progress) -> None:
        if self._film is not None:
            self._film.add(progress, time.monotonic())

    def ended(self, end: End) -> None:
        if self._film is not None:
            self._film.ended(end)
            self._next()

    def skip(self) -> bool:
        """To the end of the training, now if it is there already; whether there was anything to skip."""
        if self._film is None:
            return False
        self._film.skip()
        self._next()
        return True

    def unload(self) -> None:
        self._film = None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _next(self) -> None:
        film, player, now = self._film, self._stage.player, time.monotonic()
        if film is None or player is None:
            return
        if film.is_over(now):
            self.unload()
            assert film.end is not None
            self._finish(film.end)
            return
        progress = film.next(now)
        if progress is not None:
            self._stage.show(player.note(progress))
