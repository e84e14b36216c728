"""The ledger as a table: step by step back from a loss, what is left of its gradient, and who took the rest.

    t   ‖∂L₁₀/∂h‖   factor = slope × weight   left
    10  4.9091e-02                            1
    9   2.30e-02     0.47    0.85    0.55     0.46913

For a simple RNN each factor is what the activation's slope leaves times what the weights make of that. In an
LSTM or GRU the gradient has several ways back at once, so there is no such product; there the table follows the
way along the highway instead (see gradient.py). With attention each row is the sum of what comes from the next state
and of what the loss sends straight there (see ways.py). Without a loss the rows are norms of ∂h_k/∂h_t: no one vector
goes back, so there is no such product, either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnnviz.nn.ledger import Ledger, make_ledger
from rnnviz.scene.commands import Measure
from rnnviz.scene.scene import Scene
from rnnviz.views import ways
from rnnviz.views.zero_gradients import Zero, zero_at


@dataclass(frozen=True)
class Row:
    """The gradient at time t, and what the step from t+1 back to t did to it (nan in the first row).

    norm     ‖∂L_k/∂h_t‖
    factor   norm at t / norm at t+1
    slope    what the activation leaves of the gradient: ‖φ'(a) ⊙ g‖ / ‖g‖, simple RNN
    weight   what W_hh makes of that: ‖W_hhᵀ (φ' ⊙ g)‖ / ‖φ' ⊙ g‖, simple RNN; both nan with attention
    left     product of the factors so far: norm at t / norm at the loss step
    mean_slope   the slope's plain mean over the units: 1 - h² for tanh
    along    the gradient's norm on the highway
    open     the mean share of the old state that stays: f or z
    loop, value, score, readout  with attention: the ways that add up to the norm, see ways.py; else nan
    """

    t: int
    norm: float
    factor: float
    slope: float
    weight: float
    left: float
    mean_slope: float
    along: float
    open: float
    loop: float = math.nan
    value: float = math.nan
    score: float = math.nan
    readout: float = math.nan


@dataclass(frozen=True)
class Rate:
    """What a step keeps on average, from the loss step back to h of step `first`; of a simple RNN as slope × weight."""

    first: int
    mean: float
    slope: float | None = None
    weight: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows from the loss step (None: the total, from the end) back to t = 0. words/ledger.py sums it up in a sentence.

    rate     None where a figure is not finite
    zero     why the gradient is 0 from time zero_from back, where it is
    is_attended  the readout looks back, and the rows have their ways
    figures  the ledger itself, but for the gain, which takes longer (see analysis.gain)
    """

    cell: str
    loss_step: int | None
    has_loss: bool
    rows: tuple[Row, ...]
    highway: str | None
    rate: Rate | None
    zero_from: int
    zero: Zero | None
    figures: Ledger
    is_attended: bool = False

    def row_of(self, t: int) -> int | None:
        """Which row is that of time t; None if it has none."""
        at = self.rows[0].t - t
        return at if 0 <= at < len(self.rows) else None


def table(scene: Scene, loss_step: int | None) -> Table | None:
    """None while it is not known."""
    return scene.known.get(Measure("ledger", loss_step))


def make_table(scene: Scene, loss_step: int | None) -> Table:
    """Some matrix products as long as the sequence: slow for a large network."""
    trace, gradient = scene.trace, scene.gradient(loss_step)
    start = scene.last_loss_step if loss_step is None else loss_step
    ledger = make_ledger(
        trace.spec,
        trace.params,
        trace.forward,
        np.full(trace.T, np.nan),
        grad_h=gradient.states if scene.has_loss else None,
        norms=gradient.norms,
        start=start,
    )
    lane = gradient.highway
    parts = ways.along(trace, gradient)
    carry = trace.spec.about_cell.carry

    def row(t: int) -> Row:
        def of_step(values: np.ndarray) -> float:
            return float(values[t]) if t < start else math.nan

        return Row(
            t=t,
            norm=float(gradient.norms[t]),
            factor=of_step(ledger.factor),
            slope=of_step(ledger.slope_share) if parts is None else math.nan,
            weight=of_step(ledger.weight_share) if parts is None else math.nan,
            left=float(ledger.product[t]),
            mean_slope=of_step(ledger.slope),
            along=math.nan if lane is None else float(lane.norms[t]),
            open=math.nan if carry is None else of_step(carry.share(scene.gate_means[carry.gate])),
            **{} if parts is None else {name: float(getattr(parts, name)[t]) for name in ways.NAMES},
        )

    rows = tuple(row(t) for t in range(start, -1, -1))
    zeros = np.flatnonzero(gradient.norms[: start + 1] == 0)
    if parts is not None and len(zeros) <= zeros.max(initial=0):  # not all the way back: attention reaches on
        zeros = zeros[:0]
    zero_from = int(zeros[-1]) if len(zeros) else -1
    return Table(
        cell=trace.spec.cell,
        loss_step=loss_step,
        has_loss=scene.has_loss,
        rows=rows,
        highway=None if lane is None else lane.along,
        rate=_rate(scene, ledger, start),
        zero_from=zero_from,
        zero=zero_at(scene, loss_step, zero_from) if len(zeros) and loss_step is not None else None,
        figures=ledger,
        is_attended=parts is not None,
    )


def _rate(scene: Scene, ledger: Ledger, start: int) -> Rate | None:
    if start == 0 or not np.isfinite(ledger.product[: start + 1]).all():
        return None
    first = min(1, start - 1)  # h₀ is given: what the steps to h₁ keep counts, as in the metric mean_factor
    mean = float(ledger.product[first]) ** (1 / (start - first))
    if not scene.trace.spec.about_cell.splits or not scene.has_loss or scene.trace.spec.readout != "linear":
        return Rate(first, mean)
    slope, weight = (_mean_factor(share[first:start]) for share in (ledger.slope_share, ledger.weight_share))
    return Rate(first, mean, slope, weight)


def _mean_factor(shares: np.ndarray) -> float:
    """The factor that, taken at every step, has the same product."""
    with np.errstate(all="ignore"):
        return float(np.exp(np.log(shares).mean()))
