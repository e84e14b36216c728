"""Job: a slow command, which its caller may run on another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rnnviz.player.kinds.run import Report
from rnnviz.scene.commands import Command

#: Makes the result of a job the present.
Show = Callable[[], None]


class Job:
    """`run` does the work and reports progress; `cancel` stops it and keeps the work done so far. `work` returns a
    function that makes the result the present."""

    def __init__(self, command: Command, work: Callable[[Command, Job, Report], Show]) -> None:
        self.command = command
        self.pictures = 0
        self.result: Show | None = None
        self._work = work
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def run(self, report: Report = lambda progress: None, pictures: int = 0) -> None:
        """`pictures`: how many of the reports of a training show the network on its way, at most.
        Raises InputError, with nothing changed, if the command cannot be carried out."""
        self.pictures = pictures
        self.result = self._work(self.command, self, report)
