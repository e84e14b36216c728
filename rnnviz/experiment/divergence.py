"""When a training has diverged."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: A run diverged if its loss ends above DIVERGES times the loss of a guess and above its own loss after the first
#: epoch, or above HUGE, where no network starts.
DIVERGES, HUGE = 10.0, 1e6


def diverged(losses: Sequence[float], guess: float | None) -> bool:
    """Whether a training with these losses, one an epoch (at least one), has diverged. guess: the loss of the best
    constant answer."""
    last = losses[-1]
    grew = guess is not None and last > DIVERGES * guess and last > losses[0]
    return not math.isfinite(last) or last > HUGE or grew
