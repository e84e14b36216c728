"""Training, seen: one picture after another at a pace the eye can follow, while the loss curve grows.

A training of 20 epochs takes some hundredths of a second. Its job hands over some pictures of the network on its
way; they are shown over two seconds at most. A training that takes longer is shown as it goes and ends when it
ends: nobody waits for a film of it.

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

PICTURES = 20  # at most, of one training
SECONDS = 2.0  # what a whole film takes at most, where the training itself takes no longer
INTERVAL = SECONDS / PICTURES
OF_TRAINING = "loss"  # the panel that is opened beside it
LEAST_ROWS = 5  # of that panel, to be a curve

End = TypeVar("End")


class Film(Generic[End]):
    """`end` is what the training left when it was over; None before that."""

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
        """The picture whose turn it is. Once skipped, or late, only the newest has one."""
        if self.is_skipped or (self._began is not None and now - self._began > SECONDS):
            while len(self._waiting) > 1:
                self._waiting.popleft()
        return self._waiting.popleft() if self._waiting else None

    @property
    def is_behind(self) -> bool:
        """Whether pictures wait for their turn: news of the training would be ahead of them."""
        return bool(self._waiting)

    def ended(self, end: End) -> None:
        self.end = end

    def skip(self) -> None:
        self.is_skipped = True

    def is_over(self, now: float) -> bool:
        """Whether it is time to show how the training ended. The last picture is that end itself."""
        if self.end is None:
            return False
        return self.is_skipped or not self._waiting or (self._began is not None and now - self._began >= SECONDS)
