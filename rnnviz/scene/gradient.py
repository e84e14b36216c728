"""Gradient: one row of the score, ‖∂L/∂h_t‖ step by step back in time, with what is measured about it; or, of a network
whose loss is not known, ‖∂h_k/∂h_t‖."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.nn.metrics import fades, fading_lag
from rnnviz.nn.types import Array, ReadOnly, frozen


@dataclass(frozen=True, eq=False)
class Gradient(ReadOnly):
    """One gradient row: ‖∂L_k/∂h_t‖ for t = 0..T, of the loss of step k alone or (k None) of all steps.

    norms    (T+1,)
    factors  (T+1,)  factors[t] = norms[t] / norms[t+1], what the step from t+1 back to t keeps; nan at T
    half_life, horizon  lags in steps at which 50 % and 1 % are left; None if not within this sequence. A decay that is
             far from exponential has no half-life (see nn.metrics), though half of it may be gone
    states   (T+1, B, H): the gradient on the states themselves, whose norms these are; without a loss ‖∂h_k/∂h_t,i‖ of
             each unit i
    along    "h", or the way it is about: "c" of an LSTM, "z" of a GRU, "loop" (see views/gradient.py)
    highway  the same on the highway of a gated cell; a simple RNN has none
    loop     of one loss with attention: the same as far as it came back through the loop alone, from h_k
    frobenius  without a loss: the same row by its Frobenius norms, where `norms` has the largest singular values
    waits    it is not worked out yet; its norms are nan
    """

    loss_step: int | None
    norms: Array
    factors: Array
    half_life: float | None
    horizon: float | None
    states: Array
    along: str = "h"
    highway: Gradient | None = None
    frobenius: Gradient | None = None
    loop: Gradient | None = None
    waits: bool = False

    @classmethod
    def waiting(cls, T: int, H: int, loss_step: int | None) -> Gradient:
        nothing = frozen(np.full(T + 1, np.nan))
        states = np.broadcast_to(np.nan, (T + 1, 1, H))
        return cls(loss_step, nothing, nothing, None, None, states, waits=True)

    @property
    def lane(self) -> Gradient | None:
        """The row that is drawn as a line beside it: the loop alone where attention is another way, or the highway."""
        return self.highway if self.loop is None else self.loop

    @property
    def half_gone(self) -> float | None:
        """The lag at which 50 % are left, whatever the decay is like."""
        if self.half_life is not None:
            return self.half_life
        return fading_lag(self.norms[: (len(self.norms) if self.loss_step is None else self.loss_step + 1)], 0.5)

    @property
    def grows(self) -> bool:
        """Whether more of it arrives at t = 0 than sets out, without half of it ever being gone."""
        start = float(self.norms[-1 if self.loss_step is None else self.loss_step])
        return self.half_gone is None and bool(self.norms[0] > 1.005 * start > 0)

    @property
    def fades(self) -> bool:
        """Whether it is known where 1 % is left, or that more is left throughout: not of a gradient that is 0 from
        the start, and not where inf or nan comes first."""
        return fades(self.norms[: (len(self.norms) if self.loss_step is None else self.loss_step + 1)])
