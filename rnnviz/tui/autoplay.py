"""Autoplay: a lesson that runs by itself, for a talk: it moves, predicts, reveals and solves. Any key pauses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from rnnviz.lessons.pages import page
from rnnviz.lessons.prose import plain
from rnnviz.scene.commands import Next, Previous
from rnnviz.scene.cursor import Cursor, Phase
from rnnviz.tui.keys import BY_KEY

if TYPE_CHECKING:
    from rnnviz.lessons.setup import Setup
    from rnnviz.tui.guide import Guide

PER_WORD = 0.33  # seconds to read a word aloud
AT_LEAST = 2.5  # seconds a page is shown at least
STEPS_A_SECOND = 10.0  # between two steps through time
LOOK = 0.1  # seconds between two looks whether a training is over


class Timers(Protocol):
    def set_timer(self, delay: float, callback: Callable[[], None]) -> Stoppable: ...


class Stoppable(Protocol):
    def stop(self) -> None: ...


class Autoplay:
    def __init__(self, guide: Guide, speed: float, timers: Timers | None = None, look: float = LOOK) -> None:
        """timers, look: in place of those of the screen, for a film, which has a clock of its own."""
        self.guide, self.speed, self._look = guide, speed, look
        self._timers: Timers = timers or guide.stage
        self.is_paused = False
        self.is_over = False
        self._timer: Stoppable | None = None
        self._is_walking = False

    def begin(self) -> None:
        """Leave the time to read the page, from the moment at which its picture stands."""
        if self._is_walking or self.is_over:
            return
        if self.guide.is_busy:
            self._later(self._look, self.begin)
        else:
            self._later(self._reading(), self._go_on)

    def handle_key(self, key: str) -> bool:
        """Any key pauses; after that the key of `play` continues, and all other keys work as usual."""
        if self.is_over:
            return False
        if not self.is_paused:
            self.is_paused = True
            if self._timer is not None:
                self._timer.stop()
            self.guide.stage.say("Paused. Press [play] to continue; all other keys work as usual.")
            return BY_KEY.get(key) != "quit"
        if BY_KEY.get(key) == "play":
            self.is_paused = self._is_walking = False
            self.guide.restore()
            self.begin()
            return True
        return False

    def end(self) -> None:
        self.is_over = True
        self.guide.stage.say("The lesson is over. Press [contents] for all lessons, [quit] to quit.")

    def animate(self, target: Setup) -> bool:
        """Whether it moves to the target step by step, to be seen; if so it calls the guide again on arrival."""
        frame = self.guide.stage.frame
        if frame is None or self.is_paused or target.phase is Phase.UPDATE:
            return False
        t = frame.T if target.phase is Phase.LOSS else min(target.t, frame.T)
        here, there = frame.cursor.place(frame.T), Cursor(phase=target.phase, t=t).place(frame.T)
        if here == there or frame.cursor.phase is Phase.UPDATE:
            return False
        self._is_walking = True
        self._later(1 / STEPS_A_SECOND, lambda: self._walk(there))
        return True

    def _walk(self, there: int) -> None:
        frame = self.guide.stage.frame
        if frame is None:
            return
        here = frame.cursor.place(frame.T)
        if here != there:
            self.guide.pursuit.send(Next() if here < there else Previous())
            self._later(1 / STEPS_A_SECOND, lambda: self._walk(there))
        else:
            self._is_walking = False
            self.guide.pursuit.go_on()
            self.begin()

    def _go_on(self) -> None:
        guide, run = self.guide, self.guide.run
        if run is None or self.is_over:
            return
        exercise = run.open_exercise
        if run.open_question is not None:
            guide.answer("1")  # graded right
        elif exercise is not None and len(run.hints_given) < len(exercise.hints):
            guide.hint()
        elif exercise is not None:
            guide.solve()
        else:
            guide.next()
        self.begin()

    def _reading(self) -> float:
        run = self.guide.run
        if run is None:
            return AT_LEAST
        words = sum(len(plain(line).split()) for line in page(run, self.guide.stage.frame).lines)
        return max(AT_LEAST, words * PER_WORD)

    def _later(self, seconds: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.stop()
        if not self.is_paused:
            self._timer = self._timers.set_timer(seconds / self.speed, then)
