"""Verdict: does the gradient reach as far back as the task needs?

    >>> verdict(player.frame.scene).text
    'horizon 6.2 steps · this task needs 20: it cannot learn this yet'

It compares the lag at which 1 % of the last loss step's gradient is left (the horizon) with the task's lag: how
far back the farthest input lies that an answer needs. What the gradient does not reach it cannot teach. An LSTM
has two paths, through h and through its cell state; the one that reaches farther counts. Once nearly all answers
are right there is nothing left to teach, and it says so, however far the gradient reaches by then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.player import measure
from rnnviz.player.numbers import scientific, steps

if TYPE_CHECKING:
    from rnnviz.player.frame import Gradient, Scene

#: A gradient this many times larger at the lag than at the loss does not teach, it explodes.
EXPLODES = 1e3
#: From this share of right answers on a task counts as learnt.
LEARNT = 0.9
#: Right on fewer sequences than this may be luck.
ENOUGH = 10


@dataclass(frozen=True)
class Verdict:
    """lag: steps the task needs. horizon: steps the gradient reaches; None: beyond the `reach` steps there are.
    kept: ‖∂L_k/∂h_{k-lag}‖ / ‖∂L_k/∂h_k‖, how much of the gradient is left at the lag; nan if undefined.
    along: "h", or "c" for the cell state of an LSTM. right: share of right answers, where it is known."""

    lag: int
    horizon: float | None
    reach: int
    kept: float
    along: str = "h"
    right: float | None = None

    @property
    def is_learnt(self) -> bool:
        return self.right is not None and self.right >= LEARNT

    @property
    def can_learn(self) -> bool:
        if self.is_learnt:
            return True
        if not math.isfinite(self.kept) or self.kept > EXPLODES:
            return False
        return self.horizon is None or self.horizon >= self.lag

    @property
    def text(self) -> str:
        """One line of at most 70 cells."""
        needs = f"this task needs {self.lag}"
        through = " (c)" if self.along == "c" else ""
        reached = f"horizon {steps(self.horizon, self.reach)} steps{through} · {needs}"
        if self.right is not None and self.is_learnt:
            return f"{reached}: learnt, {100 * self.right:.0f} % right"
        if math.isnan(self.kept):
            return f"no horizon: the gradient is no number · {needs}: it cannot learn"
        if self.kept > EXPLODES:
            return f"the gradient explodes: × {scientific(self.kept)} over the {self.lag} steps this task needs"
        return f"{reached}: it {'can learn this' if self.can_learn else 'cannot learn this yet'}"


def verdict(scene: Scene) -> Verdict | None:
    """None for a task without a known lag."""
    if scene.task.lag is None:
        return None
    k = scene.last_loss_step
    gradient = scene.gradient(k)
    paths = [gradient]
    if gradient.highway is not None and gradient.highway.along == "c":
        paths.append(gradient.highway)
    # The first of equals, so that c is named only where it reaches farther.
    best = max(paths, key=lambda path: math.inf if path.horizon is None else path.horizon)
    kept = left(best, k, k - scene.task.lag)
    if math.isnan(kept):
        best, kept = gradient, left(gradient, k, k - scene.task.lag)
    right = measure.accuracy(scene) if measure.judged(scene) >= ENOUGH else None
    return Verdict(scene.task.lag, best.horizon, k, kept, best.along, right)


def left(gradient: Gradient, k: int, t: int) -> float:
    """norms[t] / norms[k]; nan where the gradient at k is 0, inf or nan, or nan at t."""
    start, there = float(gradient.norms[k]), float(gradient.norms[max(0, t)])
    return there / start if start > 0 and math.isfinite(start) else math.nan
