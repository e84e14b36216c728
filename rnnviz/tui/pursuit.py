"""The pursuit of a step's picture: one command after another, the same commands a user has.

pursuit.set_off(run, via)    # a quick command is done at once
pursuit.go_on()              # a slow one is waited for: the frame after it calls this again
                             # → arrived(), once the player stands where the run wants it
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from rnnviz.lessons.run import references
from rnnviz.lessons.setup import toward
from rnnviz.scene.commands import Back, Change, Cut, Go, Open, ShowSample, Train
from rnnviz.scene.cursor import Phase
from rnnviz.views.metrics import needs

if TYPE_CHECKING:
    from rnnviz.lessons.run import LessonRun
    from rnnviz.lessons.setup import Setup
    from rnnviz.scene.commands import Command
    from rnnviz.tui.stage import Stage

MOST = 60  # commands for one picture: more would be an endless loop


class Presenter(Protocol):
    """A lesson's autoplay, as the guide uses it (see autoplay.py)."""

    is_paused: bool

    def begin(self) -> None:
        """The lesson is open."""

    def handle_key(self, key: str) -> bool:
        """Handle any key; whether it was used."""

    def animate(self, target: Setup) -> bool:
        """Whether it moves to a picture step by step, to be seen."""

    def end(self) -> None:
        """The lesson is over."""


class Pursuit:
    def __init__(self, stage: Stage, arrived: Callable[[], None]) -> None:
        self._stage, self._arrived = stage, arrived
        self.presenter: Presenter | None = None  # leads through the lesson instead of the learner
        self.is_on = False
        self.is_sending = False  # a command comes from here, not from the user
        self.has_solved = False  # it reached a solution, not the lesson's own picture
        self._run: LessonRun | None = None  # the run whose picture is the target
        self._count = 0
        self._kinds: set[type[Command]] = set()  # of the commands sent
        self._via: Setup | None = None  # a network to visit first, which becomes the ghost
        self._goal: Setup | None = None  # a solution to go to instead of the run's picture
        self._stood_in = ""  # the lesson whose picture was reached last

    def be_led_by(self, presenter: Presenter) -> None:
        self.presenter = presenter

    def set_off(self, run: LessonRun, via: Setup | None) -> None:
        """To the picture of this run; go_on does it."""
        self._run, self._via, self._goal = run, via, None
        self.is_on, self._count, self._kinds = True, 0, set()

    def aim_at(self, goal: Setup) -> None:
        """To the solution of an exercise."""
        self._goal, self.is_on, self._count = goal, True, 0

    def stop(self) -> None:
        self.is_on = False

    def go_on(self) -> None:
        stage, run = self._stage, self._run
        while self.is_on and run is not None and stage.player is not None and stage.player.job is None:
            frame = stage.player.frame
            target = self._via or self._goal or run.target
            command = toward(frame, target, cursor=self._via is None and not run.keep_cursor)
            if command is None and self._via is not None:
                stage.settle(ghost=False)
                self._via, self._kinds = None, set()
                continue
            if command is None:  # the results that the question, grading or explanation needs come first
                command = needs(frame, references(run.step))
            if isinstance(command, Go) and self.presenter is not None and self.presenter.animate(target):
                return
            if command is None:
                self._arrive(run)
                return
            self._count += 1
            self._kinds.add(type(command))
            if self._count > MOST:
                self.is_on = False
                stage.say("Cannot set up this step's picture. Press [lesson_next] for the next step.")
                return
            self.send(command, is_watched=self._goes_on(run))

    def send(self, command: Command, *, is_watched: bool = True) -> None:
        # A paused performance says so until the presenter acts, and a step that was on its way arrives meanwhile.
        is_paused = self.presenter is not None and self.presenter.is_paused
        self.is_sending = True
        self._stage.send(command, is_watched=is_watched, keeps_notice=is_paused)
        self.is_sending = False

    def _arrive(self, run: LessonRun) -> None:
        self.is_on = False
        self._stood_in = run.lesson.slug
        self.has_solved, self._goal = self._goal is not None, None
        self._arrived()

    def _goes_on(self, run: LessonRun) -> bool:
        """Whether the network on the screen, in this lesson, is the one that is changed now, and not another that a
        step begins with."""
        return self._stood_in == run.lesson.slug and not self._kinds & {Back, Change, Cut, Open, ShowSample}

    @property
    def has_trained(self) -> bool:
        """Whether the way here led through training."""
        return Train in self._kinds

    def keeps_ghost(self, run: LessonRun, is_compared: bool) -> bool:
        """Whether the ghost stays: the bars of an answer are held against those of its question, where bars are
        drawn; but those of another step are no comparison for a network set up in this one."""
        is_new = bool(self._kinds & {Back, Change, Cut, Open, Train})
        is_answer = run.pending is not None or is_compared
        return (is_answer and Change in self._kinds and run.target.phase is Phase.BACKWARD) or not is_new
