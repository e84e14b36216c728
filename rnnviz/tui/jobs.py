"""Commands on their way to the player: a quick one is carried out at once, a slow one as a job on its own thread.

In a kiosk a job gives way to other sessions, and is stopped after a while.

A job of a moment is waited for, and its result shown at once. While a job may still end soon it shows no progress, and
keys wait until it has ended: they act on its result.

jobs.send(Train("all"))      # → JobReported, JobReported, …, JobDone, posted by the thread
jobs.reported(progress)      # the screen hands them over, on its own thread
jobs.done(message)
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING

from textual.message import Message

from rnnviz.errors import AlreadyThereError, InputError
from rnnviz.experiment.experiment import in_labels
from rnnviz.scene.commands import Command, Follow, Measure, SaveModel, Train, TypeSequence
from rnnviz.tui.projector import Projector

if TYPE_CHECKING:
    from rnnviz.player.jobs import Job
    from rnnviz.scene.frame import Progress
    from rnnviz.tui.stage import Stage

MOMENT = 0.01  # seconds to wait for the result of a job
SOON = 0.1  # seconds within which a job ends soon
REPORT_EVERY = 0.05  # seconds between two progress messages
NICE = 15  # of a job in a kiosk, on Linux: its thread computes when no other session needs the processor
TOO_LONG = "Stopped after {:.0f} s: others compute here, too. Nothing is lost; press the same key to continue."
NO_MEMORY = "This does not fit in the memory of this session. Earlier changes cannot be undone now."


class JobReported(Message):
    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress


class JobDone(Message):
    def __init__(self, job: Job, error: BaseException | None) -> None:
        super().__init__()
        self.job = job
        self.error = error

    def forget_error(self) -> None:
        """Let the error go, and what its traceback holds of the job."""
        self.error = None


class KeysReleased(Message):
    """Waiting keys may be handled now."""


class Jobs:
    """post: passes a message from a thread to the screen, whose methods run on its own thread only."""

    def __init__(self, stage: Stage, post: Callable[[Message], object]) -> None:
        self._stage, self._post = stage, post
        self._over: dict[Job, JobDone] = {}  # finished jobs whose result has not been shown
        self._holds_until = 0.0
        self._limit: float | None = None  # seconds of a job in a kiosk
        self._stopped: Job | None = None  # because it took longer
        self.projector: Projector[JobDone] = Projector(stage, self._finish)

    def limit(self, seconds: float) -> None:
        """From now on a job gives way to other sessions, and is stopped after so many seconds."""
        self._limit = seconds

    def send(self, command: Command, *, is_watched: bool, keeps_notice: bool) -> None:
        """Send a command. A watched training is shown epoch by epoch; another command to train skips to its end."""
        stage = self._stage
        if stage.player is None:
            return
        if stage.player.is_slow(command) and self.projector.skip() and isinstance(command, Train):
            return
        is_asked = not isinstance(command, Measure | Follow)  # by the user
        if is_asked and not keeps_notice:
            stage.hush()
        try:
            job = stage.player.begin(command)
        except InputError as error:
            stage.warn(in_labels(str(error)))
            return
        if job is not None:
            pictures = self.projector.load(command) if is_watched else 0
            thread = Thread(target=self._work, args=(job, pictures), daemon=True)
            thread.start()
            if self._limit is not None:
                stage.set_timer(self._limit, lambda: self._stop_late(job))
            if not self.projector.is_loaded:
                thread.join(MOMENT)
                if job in self._over:
                    self.done(self._over[job])
                    return
                if is_asked:
                    self._holds_until = time.monotonic() + SOON
                    stage.set_timer(SOON, lambda: self._post(KeysReleased()))
        stage.show(stage.player.frame)

    @property
    def holds_keys(self) -> bool:
        player = self._stage.player
        return player is not None and player.job is not None and time.monotonic() < self._holds_until

    def cancel(self) -> bool:
        """Stop the running job, or skip to the end of a training that is still being shown; whether there was one."""
        player = self._stage.player
        if self.projector.has_end:
            return self.projector.skip()
        if player is None or player.job is None:
            return False
        player.job.cancel()
        return True

    def _stop_late(self, job: Job) -> None:
        player = self._stage.player
        if player is not None and player.job is job and job not in self._over:
            self._stopped = job
            job.cancel()

    def _work(self, job: Job, pictures: int) -> None:
        """On a thread."""
        if self._limit is not None:
            _give_way()
        last = time.monotonic() + SOON - REPORT_EVERY

        def report(progress: Progress) -> None:
            nonlocal last
            if progress.seen is not None or time.monotonic() - last >= REPORT_EVERY:
                last = time.monotonic()
                self._post(JobReported(progress))

        error: BaseException | None = None
        try:
            job.run(report, pictures)
        except BaseException as raised:
            error = raised
        end = self._over[job] = JobDone(job, error)
        self._post(end)

    def reported(self, progress: Progress) -> None:
        player = self._stage.player
        if self.projector.is_loaded and progress.seen is not None:
            self.projector.add(progress)
        elif player is not None and not self.projector.is_behind:
            self._stage.show(player.note(progress))

    def done(self, end: JobDone) -> None:
        player = self._stage.player
        was_seen = self._over.pop(end.job, None) is None  # it was waited for
        if was_seen or (player is not None and player.job is not None and end.job is not player.job):  # or gave way
            return
        if self.projector.is_loaded and end.error is None:
            self.projector.ended(end)
        else:
            self.projector.unload()
            self._finish(end)

    def _finish(self, end: JobDone) -> None:
        player = self._stage.player
        assert player is not None
        if self._holds_until:
            self._holds_until = 0.0
            self._post(KeysReleased())
        frame = player.finish(end.job)
        if isinstance(end.error, MemoryError) and self._limit is not None:
            end.forget_error()
            self._stage.show(player.out_of_memory(), warning=NO_MEMORY)
        elif isinstance(end.error, InputError):
            self._stage.show(frame, warning=in_labels(str(end.error)))
            if isinstance(end.job.command, TypeSequence):  # what was typed stays, to be corrected
                self._stage.look(sequence=end.job.command.text)
            elif isinstance(end.job.command, SaveModel):
                is_there = isinstance(end.error, AlreadyThereError)
                self._stage.look(saving=end.job.command.path, overwrites=is_there)
        elif end.error is not None:
            raise end.error
        elif end.job is self._stopped and self._limit is not None:
            self._stage.show(frame, warning=TOO_LONG.format(self._limit))
        else:
            self._stage.show(frame)


def _give_way() -> None:
    """Lower the priority of this thread; elsewhere than on Linux it would be that of the process."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
