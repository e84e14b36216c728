"""The history of the horizon: how far back the last step's error reaches, after each epoch of training. Lag × epoch.

    kept[e, lag] = ‖∂L_T/∂h_{T-lag}‖ / ‖∂L_T/∂h_T‖, with the weights after epoch e

A horizon that grows while the network learns is a line that moves down this picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rnnviz.nn.types import Array, ReadOnly


@dataclass(frozen=True, eq=False)
class Profile(ReadOnly):
    """One epoch: kept (k+1,) by lag 0..k, and its horizon in steps (None: beyond the sequence, if it fades at
    all: see nn.metrics.fades)."""

    kept: Array
    horizon: float | None
    fades: bool = True


@dataclass(frozen=True, eq=False)
class HorizonHistory:
    """What is known of one sequence, by epoch."""

    sample: int
    profiles: Mapping[int, Profile]

    @property
    def lags(self) -> int:
        return max((len(profile.kept) for profile in self.profiles.values()), default=1) - 1
