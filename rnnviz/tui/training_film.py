"""The film of a training: one picture after another at a pace the eye can follow, while the loss curve grows.

A training of 20 epochs takes some hundredths of a second. Its job delivers a few pictures of the network while it
trains; they are shown within at most two seconds. A longer training is shown while it runs, and its film ends with it.

    >>> film = Film()
    >>> film.add(progress, now=0.0)     # by the job, as fast as it trains
    >>> film.next(now=0.0)              # by a timer: the picture whose turn it is, or None
    >>> film.ended(done)                # the training is over
    >>> film.is_over(now=2.5)           # and so is the film: show how it ended
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from rnnviz.scene.frame import Progress

PICTURES = 20  # the most pictures of one training
SECONDS = 2.0  # seconds of a film at most, unless the training takes longer
INTERVAL = SECONDS / PICTURES
OF_TRAINING = "loss"  # the panel that opens for it
LEAST_ROWS = 5  # rows of that panel that a curve needs

End = TypeVar("End")


class Film(Generic[End]):
    """`end`: the message of the finished training; None before."""

    def __init__(self) -> None:
        self._waiting: deque[Progress] = deque()
        self._began: float | None = None
        self.end: End | None = None
        self.is_skipped = False

    def add(self, progress: Progress, now: float) -> None:
        if self._began is None:
            self._began = now
        self._waiting.append(progress)

    def next(self, now: float) -> Progress | None:
        """The next picture to show, or None; after a skip, or when late, only the newest."""
        if self.is_skipped or (self._began is not None and now - self._began > SECONDS):
            while len(self._waiting) > 1:
                self._waiting.popleft()
        return self._waiting.popleft() if self._waiting else None

    @property
    def is_behind(self) -> bool:
        """Whether pictures are waiting, so that progress messages would be ahead of them."""
        return bool(self._waiting)

    def ended(self, end: End) -> None:
        self.end = end

    def skip(self) -> None:
        self.is_skipped = True

    def is_over(self, now: float) -> bool:
        """Whether it is time to show the end of the training, which is the last picture."""
        if self.end is None:
            return False
        return self.is_skipped or not self._waiting or (self._began is not None and now - self._began >= SECONDS)
