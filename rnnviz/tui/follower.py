"""Follow what grows or is saved while it is open: a thread that looks once a second, say, and speaks only if there is
something new."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

EVERY = 1.0  # seconds between two looks


class Follower:
    """has_news: a look that costs next to nothing. tell: called on the thread when there is something new. every:
    seconds between two looks."""

    def __init__(self, has_news: Callable[[], bool], tell: Callable[[], object], every: float = EVERY) -> None:
        self._has_news, self._tell, self._every = has_news, tell, every
        self._ended = Event()

    def start(self) -> None:
        Thread(target=self._look, daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _look(self) -> None:
        while True:
            if self._has_news():
                self._tell()
            if self._ended.wait(self._every):
                return
