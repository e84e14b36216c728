"""A thread that checks files, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rnnviz.workshop.exercise import Exercise
from rnnviz.workshop.result import ERROR, Result
from rnnviz.workshop.running import Stop


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
