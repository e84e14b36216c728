"""Follow what grows while it is open: a thread that looks once a second, and speaks only if there is something new."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

EVERY = 1.0  # seconds between two looks


class Follower:
    """has_news: a look that costs next to nothing. tell: called on the thread when there is something new."""

    def __init__(self, has_news: Callable[[], bool], tell: Callable[[], object]) -> None:
        self._has_news, self._tell = has_news, tell
        self._ended = Event()

    def start(self) -> None:
        Thread(target=self._look, daemon=True).start()

    def stop(self) -> None:
        self._ended.set()

    def _look(self) -> None:
        while True:
            if self._has_news():
                self._tell()
            if self._ended.wait(EVERY):
                return
