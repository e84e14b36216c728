"""The gradients of one sequence as log bars, whatever run it is of.

 t   ‖∂L₁₀/∂h‖  kept  gain
10     4.9e-02              ████████████████
 9     2.3e-02  0.48  1.00  █████████████▍
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnnviz import numbers
from rnnviz.cli.output import Output, Progress
from rnnviz.errors import InputError
from rnnviz.nn import Trace, half_life, horizon
from rnnviz.nn.metrics import fades, lasting_horizon
from rnnviz.nn.readout import attends
from rnnviz.views.gradient import gradient_of
from rnnviz.views.zero_gradients import Zero, zeros
from rnnviz.words.zero_gradients import clause

A_MOMENT = 0.5  # seconds without a progress line


@dataclass(frozen=True)
class TraceReport:
    """The gradients of one sequence, and what is printed about them."""

    trace: Trace
    loss_step: int | None  # None: the total over all loss steps

    @cached_property
    def norms(self) -> list[float]:
        """‖∂L/∂h_t‖ for t = 0..T."""
        return [float(v) for v in self.trace.grad_norm(self.loss_step)]

    @property
    def last(self) -> int:
        """The step where the walk back begins: the loss step, or the last step."""
        return self.loss_step or self.trace.T

    @cached_property
    def half_life(self) -> float | None:
        if not self.loss_step or attends(self.trace.spec):
            return None
        return half_life(np.array(self.norms[: self.last + 1]))

    @cached_property
    def horizon(self) -> float | None:
        of = lasting_horizon if attends(self.trace.spec) else horizon
        return of(np.array(self.norms[: self.last + 1])) if self.loss_step else None

    @cached_property
    def by_loop(self) -> list[float] | None:
        """The same norms of what the loop alone would bring, where attention is another way; None elsewhere."""
        loop = gradient_of(self.trace, self.loss_step).loop if self.loss_step else None
        return None if loop is None else [float(v) for v in loop.norms]

    def factor(self, t: int) -> float:
        """‖∂L/∂h_t‖ / ‖∂L/∂h_t+1‖: the factor of the step from t + 1 back to t."""
        before, now = self.norms[t + 1], self.norms[t]
        return now / before if before else math.nan

    @property
    def loop_horizon(self) -> float | None:
        return None if self.by_loop is None else horizon(np.array(self.by_loop[: self.last + 1]))

    @cached_property
    def zeros(self) -> list[Zero | None]:
        """For t = 0..T the reason for a gradient of exactly 0; None if it is not 0."""
        return zeros(self.trace, gradient_of(self.trace, self.loss_step))

    def figures(self) -> dict[str, Any]:
        """By the names that they have in JSON."""
        ledger = self.trace.ledger_of(self.loss_step)
        return {
            "loss_step": self.loss_step or "total",
            "grad_norm": self.norms,
            "gain": ledger.gain,
            "slope": ledger.slope,
            "factor": ledger.factor,
            "half_life": self.half_life,
            "horizon": self.horizon,
            **({} if self.by_loop is None else {"loop_norm": self.by_loop, "loop_horizon": self.loop_horizon}),
            "zero_because": [None if zero is None else clause(zero) for zero in self.zeros],
        }


def measure_gain(report: TraceReport) -> None:
    """Measure the gain of each step. For a long sequence, a line on stderr shows the progress after a moment."""
    trace, began = report.trace, time.monotonic()
    progress = Progress(f"{trace.spec.cell} gain, step", trace.T)

    def on_step(done: int, _: int) -> None:
        if time.monotonic() - began > A_MOMENT:
            progress(done, "")

    try:
        trace.measure_gain(on_step)
    finally:
        progress.clear()


def chosen_step(trace: Trace, requested: int | str | None) -> int | None:
    """The loss step for --loss-step: the last one by default, None for "total". Raises InputError if it has no loss."""
    if requested is None:
        return trace.loss_steps[-1]
    if requested == "total":
        return None
    if requested not in trace.loss_steps:
        steps = trace.loss_steps
        known = f"{steps[0]} to {steps[-1]}" if len(steps) > 2 else " or ".join(map(str, steps))
        raise InputError(f"loss_step: step {requested} carries no loss; choose {known}")
    return int(requested)


def print_one(out: Output, report: TraceReport) -> None:
    """One row per time step: norm, the factor that the step back kept, the Jacobian's gain, the slope, a bar."""
    ledger = report.trace.ledger_of(report.loss_step)
    bars = Bars(report.norms[: report.last + 1], out.width - 39, out.ascii)
    out.print("    t      norm   kept   gain  slope   " + bars.scale())
    for t in range(report.last, -1, -1):
        kept = numbers.factor(report.factor(t)) if t < report.last and report.norms[t + 1] != 0 else ""
        gain, slope = (numbers.factor(float(v[t - 1])) if t else "" for v in (ledger.gain, ledger.slope))
        slope = "" if report.trace.spec.about_cell.is_own else slope
        norm = norm_text(report, t)
        out.print(f"{t:5} {norm:>9} {kept:>6} {gain:>6} {slope:>6}   {bars.bar(report.norms[t])}".rstrip())
    out.print()


def print_lags(out: Output, report: TraceReport, title: str = "") -> None:
    """Print the half-life, if defined, and the horizon: after how many steps back 50 % and 1 % of the gradient remain;
    and the reason for a gradient of 0."""
    for at in range(report.last, -1, -1):
        zero = report.zeros[at]
        if zero is not None and (at == report.last or report.zeros[at + 1] != zero):
            out.print(f"{title}0 from t = {at} back: {clause(zero)}")
    if report.loss_step is None:
        return
    beyond = report.last
    half = numbers.steps(report.half_life, beyond)
    half = "" if report.half_life is None else f"half-life (50 % left) {half:>6} steps    "
    unit = "step" if report.horizon is None and beyond == 1 else "steps"
    if fades(report.norms[: report.last + 1]):
        out.print(f"{title}{half}horizon (1 % left) {numbers.steps(report.horizon, beyond):>6} {unit}")
        if report.by_loop is not None and fades(report.by_loop[: report.last + 1]):
            out.print(f"{title}through the loop alone: horizon {numbers.steps(report.loop_horizon, beyond):>6} {unit}")
    elif report.norms[report.last] != 0:  # the reason for a 0 is printed above
        out.print(f"{title}no half-life and no horizon: the gradient is inf or nan at some step")


def norm_text(report: TraceReport, t: int) -> str:
    """The norm as text; "underflow" for a 0 that was too small for float64."""
    zero = report.zeros[t]
    return "underflow" if zero is not None and zero.kind == "underflow" else numbers.scientific(report.norms[t])


class Bars:
    """Bars on one log scale for all the norms, between whole powers of ten; a bar is empty at the lower one."""

    def __init__(self, norms: list[float], width: int, ascii: bool) -> None:
        logs = [math.log10(v) for v in norms if v > 0 and math.isfinite(v)]
        self.low = math.floor(min(logs, default=-1.0))
        self.high = max(math.ceil(max(logs, default=0.0)), self.low + 1)
        self.width = max(1, width)
        self.ascii = ascii

    def scale(self) -> str:
        """The values at the two ends of a bar."""
        low, high = f"1e{self.low:+03d}", f"1e{self.high:+03d}"
        if self.width < len(low) + len(high) + 1:
            return low[: self.width]
        return low + high.rjust(self.width - len(low))

    def bar(self, norm: float) -> str:
        if math.isnan(norm):
            return "?"
        if math.isinf(norm):
            return ("#" if self.ascii else "█") * (self.width - 1) + (">" if self.ascii else "▶")
        if norm == 0:
            return ""
        share = (math.log10(norm) - self.low) / (self.high - self.low)
        eighths = max(1, round(share * self.width * 8))
        if self.ascii:
            return "#" * max(1, round(eighths / 8))
        return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
