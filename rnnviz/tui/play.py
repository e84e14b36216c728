"""Playback: events follow one another by themselves, a number of steps per second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.scene.commands import Next
from rnnviz.scene.cursor import Phase
from rnnviz.tui.notice import Notice

if TYPE_CHECKING:
    from textual.timer import Timer

    from rnnviz.tui.stage import Stage

SPEEDS = (1.0, 2.0, 4.0, 8.0, 16.0)  # steps a second


class Playback:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._timer: Timer | None = None  # none while nothing plays

    @property
    def is_on(self) -> bool:
        return self._timer is not None

    def switch(self) -> None:
        """Play, or pause."""
        stage = self._stage
        if self.is_on:
            self.pause()
        elif stage.frame is not None:
            if stage.frame.cursor.phase is Phase.UPDATE:
                stage.send(Next())
            self._start()
            stage.look(playing=True)

    def pause(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
            self._stage.look(playing=False)

    def faster(self, by: int) -> None:
        now = self._stage.view.speed
        others = [speed for speed in SPEEDS if speed > now] if by > 0 else [speed for speed in SPEEDS if speed < now]
        speed = now if not others else min(others) if by > 0 else max(others)
        self._stage.look(speed=speed, notice=Notice(f"Press [play] to play {speed:g} steps a second."))
        if self.is_on:
            self._start()

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._stage.set_interval(1 / self._stage.view.speed, self._tick)

    def _tick(self) -> None:
        stage = self._stage
        if stage.player is None or stage.frame is None or stage.player.job is not None:
            return
        before = stage.frame.cursor
        if before.phase is not Phase.UPDATE:
            stage.send(Next())
        if stage.frame.cursor == before and stage.player.job is None:  # a run without an update ends here
            self.pause()
        if stage.frame.cursor.phase is Phase.UPDATE:  # the end; its last notice stays on the screen
            self.pause()
