"""Pictures of a running training, evenly spaced, and never so many that the training waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

AT_ONCE = 0.3  # seconds that pictures may take before they are weighed against the training
SHARE = 0.2  # of the time of a training that they may take beyond that

Picture = TypeVar("Picture")


class Album:
    """`room` pictures at most."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._taken = 0
        self._began = time.monotonic()
        self._spent = 0.0

    def picture(self, done: int, total: int, take: Callable[[], Picture]) -> Picture | None:
        """The picture after `done` of `total`, if its turn has come; None at the end, which is shown anyway."""
        if done >= total or done * self._room < total * (self._taken + 1):
            return None
        start = time.monotonic()
        if self._spent > AT_ONCE + SHARE * (start - self._began):
            return None
        self._taken = done * self._room // total
        picture = take()
        self._spent += time.monotonic() - start
        return picture
