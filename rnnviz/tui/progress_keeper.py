"""Saves the learner's progress, and reports why it cannot be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.run import LessonRun
    from rnnviz.tui.stage import Stage

TRY_AGAIN = 1.0  # seconds until the next attempt to save progress


class ProgressKeeper:
    def __init__(self, stage: Stage, progress: Progress) -> None:
        self._stage, self._progress = stage, progress
        self._said: list[str] = []
        self._is_trying = False  # whether a timer is set for another attempt

    def keep(self, run: LessonRun) -> None:
        self._progress.keep(run)
        self._see_to_it()

    def forget(self, slug: str) -> None:
        """One lesson as if it had never been opened."""
        self._progress.forget(slug)
        self._see_to_it()

    def _see_to_it(self) -> None:
        """Try again later while another program holds the lock."""
        self.warn()
        if self._progress.is_late and not self._is_trying:
            self._is_trying = True
            self._stage.set_timer(TRY_AGAIN, self._try_again)

    def _try_again(self) -> None:
        self._is_trying = False
        self._progress.flush()
        self._see_to_it()

    def warn(self) -> None:
        """Show once what went wrong with saving progress."""
        fresh = [note for note in self._progress.notes if note not in self._said]
        if fresh:
            self._said += fresh
            self._stage.warn(fresh[-1])
