"""Keeps the progress of whoever learns, and says what stands in the way of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.run import LessonRun
    from rnnviz.tui.stage import Stage

TRY_AGAIN = 1.0  # seconds until progress that could not be kept is tried again


class ProgressKeeper:
    def __init__(self, stage: Stage, progress: Progress) -> None:
        self._stage, self._progress = stage, progress
        self._said: list[str] = []
        self._is_trying = False  # a timer runs that tries again

    def keep(self, run: LessonRun) -> None:
        self._progress.keep(run)
        self._see_to_it()

    def forget(self, slug: str) -> None:
        """One lesson as if it had never been opened."""
        self._progress.forget(slug)
        self._see_to_it()

    def _see_to_it(self) -> None:
        """What another program's lock kept from being written is tried again, until it is."""
        self.warn()
        if self._progress.is_late and not self._is_trying:
            self._is_trying = True
            self._stage.set_timer(TRY_AGAIN, self._try_again)

    def _try_again(self) -> None:
        self._is_trying = False
        self._progress.flush()
        self._see_to_it()

    def warn(self) -> None:
        """What went wrong with keeping progress, said once."""
        fresh = [note for note in self._progress.notes if note not in self._said]
        if fresh:
            self._said += fresh
            self._stage.warn(fresh[-1])
