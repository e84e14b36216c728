"""Idle: the end of a session in a kiosk that has no keys any more."""

from __future__ import annotations

import time

LOOK_EVERY = 10.0  # seconds between two looks at the clock


class Idle:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end()

    def end(self) -> None:
        """A key or the mouse: the session is in use."""
        self._since = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether the last key is too long ago."""
        return time.monotonic() - self._since >= self.seconds

    @property
    def words(self) -> str:
        minutes = self.seconds / 60
        return f"rnnviz: ended after {minutes:g} minute{'' if minutes == 1 else 's'} without a key"
