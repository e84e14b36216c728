"""Which files were saved, and a thread that checks them, one at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from rnnviz.workshop.exercise import Exercise
from rnnviz.workshop.exercises import EXERCISES
from rnnviz.workshop.result import ERROR, Result
from rnnviz.workshop.running import Stop

#: What identifies a version of a file: when it was written, its length, and which file it is (an editor may replace
#: it). None: there is none.
Version = tuple[int, int, int] | None


def version(path: Path) -> Version:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


class Saves:
    """Finds the files of a folder that were saved since the last look.

    An editor may write a file in several steps, or replace it. So a changed file counts only when a second look finds
    it as it was at the first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = {one: version(folder / one.file) for one in EXERCISES}
        self._changing: dict[Exercise, Version] = {}

    @property
    def is_settling(self) -> bool:
        """Whether a file has changed, and a second look should follow soon."""
        return bool(self._changing)

    def look(self) -> list[Exercise]:
        """The exercises whose files were saved, or have gone, the one saved last at the end."""
        saved = []
        for one in EXERCISES:
            now = version(self._folder / one.file)
            if now == self._known[one]:
                self._changing.pop(one, None)
            elif one in self._changing and self._changing[one] == now:
                del self._changing[one]
                self._known[one] = now
                saved.append(one)
            else:
                self._changing[one] = now
        return sorted(saved, key=lambda one: self._known[one] or (0, 0, 0))


class Checker:
    """Checks files in a thread of its own, in the order of the requests; `done` is called there with each result."""

    def __init__(self, check: Callable[[Exercise, Stop], Result], done: Callable[[Exercise, Result], None]) -> None:
        self._check, self._done = check, done
        self._wanted: list[Exercise] = []
        self._now: Exercise | None = None
        self._stop = Stop()
        self._ends = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="workshop", daemon=True)
        self._thread.start()

    def request(self, exercise: Exercise, at_once: bool = False) -> None:
        """Check this file next; with `at_once`, what is being checked is dropped for it."""
        with self._news:
            if exercise in self._wanted:
                self._wanted.remove(exercise)
            if not at_once:
                if exercise is not self._now:
                    self._wanted.append(exercise)
            else:
                if self._now is not None:
                    if self._now is not exercise:
                        self._wanted.insert(0, self._now)
                    self._stop.set()
                self._wanted.insert(0, exercise)
            self._news.notify()

    def is_checking(self, exercise: Exercise) -> bool:
        with self._news:
            return exercise is self._now or exercise in self._wanted

    def end(self) -> None:
        """Stop at once, with what is running, and wait for it."""
        with self._news:
            self._ends = True
            self._stop.set()
            self._news.notify()
        self._thread.join(5)

    def _work(self) -> None:
        while True:
            with self._news:
                while not self._wanted and not self._ends:
                    self._news.wait()
                if self._ends:
                    return
                self._now, self._stop = self._wanted.pop(0), Stop()
                exercise, stop = self._now, self._stop
            try:
                result = self._check(exercise, stop)
            except OSError as error:
                result = Result(exercise, ERROR, f"The file could not be run: {error.strerror or error}.")
            with self._news:
                self._now = None
                dropped = stop.is_set
            if not dropped:
                self._done(exercise, result)
