"""Undo and redo: the moments before changes, each with everything needed to restore it.

    >>> history = History(first)
    >>> history.keep(before_the_change)        # then make the change
    >>> history.back(present)                  # the moment before it; `present` is kept for `forward`

Moving or training is not a change, but it is not lost either: undo keeps the present moment, and redo restores it.
The oldest moment is the first frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.player.kinds.run import Run
from rnnviz.scene.frame import Frame

#: About how much memory the past may hold, in bytes; the oldest changes are forgotten first.
BUDGET = 32_000_000


@dataclass(frozen=True, eq=False)
class Moment:
    """run: its place in training is the frame's epoch and batch.
    what: the change that led away from here, in words."""

    run: Run
    frame: Frame
    what: str = ""

    @property
    def bytes(self) -> int:
        """Approximate size of the frame's trace in bytes: pre-activations, states, gradients of every layer."""
        trace = self.frame.scene.trace
        gates = max(1, trace.pre.shape[-1] // trace.H)
        return int(8 * (3 * trace.spec.parameter_count + trace.T * trace.L * trace.H * (4 * gates + 6) + trace.T**2))

    def is_at(self, other: Frame) -> bool:
        """Whether `other` shows the same weights, sequence and gradient at the same place."""
        mine = self.frame
        return (
            mine.scene.trace is other.scene.trace and mine.cursor == other.cursor and mine.loss_step == other.loss_step
        )


class History:
    def __init__(self, first: Moment) -> None:
        self._first = first
        self._past: list[Moment] = []
        self._future: list[Moment] = []

    @property
    def undos(self) -> int:
        """How many changes can be undone."""
        return len(self._past)

    def keep(self, moment: Moment) -> None:
        """Store the present moment, right before a change; earlier undos can no longer be redone."""
        self._past.append(moment)
        self._future.clear()
        while len(self._past) > 1 and sum(kept.bytes for kept in self._past) > BUDGET:
            del self._past[0]

    def back(self, present: Moment) -> Moment | None:
        """The moment before the last change; before all of them the very first; None if that is the present."""
        if self._past:
            moment = self._past.pop()
        elif self._first.is_at(present.frame):
            return None
        else:
            moment = self._first
        self._future.append(present)
        return moment

    def forward(self, present: Moment) -> Moment | None:
        """The moment that the last `back` left; None if nothing was undone."""
        if not self._future:
            return None
        self._past.append(present)
        return self._future.pop()
