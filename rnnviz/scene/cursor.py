"""Where we are: three nested levels (epoch, batch, time step), and which of the four moves we are making."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The four moves of training."""

    FORWARD = "forward"
    LOSS = "loss"
    BACKWARD = "backward"
    UPDATE = "update"


@dataclass(frozen=True)
class Cursor:
    """Where we are: three nested levels, and within a sequence the phase and the time step.

    epoch  0..  completed epochs      batch  0..batches-1  completed batches of this epoch
    t      0..T  steps read so far (forward), or the step whose gradient was reached last (backward)
    unit   0..H-1  the unit that is looked at
    """

    epoch: int = 0
    batch: int = 0
    phase: Phase = Phase.FORWARD
    t: int = 0
    unit: int = 0

    def place(self, T: int) -> int:
        """The story as one line: 0..T reads, T+1 is the loss, T+2..2T+2 walks back, 2T+3 updates."""
        match self.phase:
            case Phase.FORWARD:
                return self.t
            case Phase.LOSS:
                return T + 1
            case Phase.BACKWARD:
                return 2 * T + 2 - self.t
            case Phase.UPDATE:
                return 2 * T + 3


def phase_and_step(place: int, T: int) -> tuple[Phase, int]:
    """The inverse of Cursor.place."""
    if place <= T:
        return Phase.FORWARD, place
    if place == T + 1:
        return Phase.LOSS, T
    if place <= 2 * T + 2:
        return Phase.BACKWARD, 2 * T + 2 - place
    return Phase.UPDATE, 0
