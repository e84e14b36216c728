"""`rnnviz gradients`: how much of one step's gradient remains at each time step before it, as log bars.

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
from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, Progress, notes, paragraph, print_json
from rnnviz.errors import InputError
from rnnviz.experiment.build import build_task, resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import gradients
from rnnviz.nn import Trace, Training, half_life, horizon
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.metrics import fades
from rnnviz.player.kinds.experiment import cannot
from rnnviz.tasks import Task
from rnnviz.tasks.catalog import info
from rnnviz.views.gradient import gradient_of
from rnnviz.views.reach import Reach, first_used, reach_of
from rnnviz.views.zero_gradients import Zero, zeros
from rnnviz.words import reach as words
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
        return half_life(np.array(self.norms[: self.last + 1])) if self.loss_step else None

    @cached_property
    def horizon(self) -> float | None:
        return horizon(np.array(self.norms[: self.last + 1])) if self.loss_step else None

    def factor(self, t: int) -> float:
        """‖∂L/∂h_t‖ / ‖∂L/∂h_t+1‖: the factor of the step from t + 1 back to t."""
        before, now = self.norms[t + 1], self.norms[t]
        return now / before if before else math.nan

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
            "zero_because": [None if zero is None else clause(zero) for zero in self.zeros],
        }


@dataclass(frozen=True)
class GradientReport(TraceReport):
    """The gradients of one experiment."""

    experiment: Experiment
    task: Task
    sample: int

    @cached_property
    def reach(self) -> Reach | None:
        """The reach of the last loss step; None if the task does not name the steps that its answer depends on."""
        return reach_of(self.trace, self.task, self.sample, self.experiment)

    def as_json(self) -> dict[str, Any]:
        return {
            "experiment": self.experiment.to_dict(),
            **self.figures(),
            "reach": None if self.reach is None else words.as_json(self.reach),
            "notes": list(self.task.notes),
            "cannot": dict(cannot(self.experiment)),
        }


def run(options: Options) -> int:
    if options.recording is not None:
        from rnnviz.cli.recorded import run as run_recorded

        return run_recorded(options)
    reports = [before_training(experiment, options) for experiment in options.experiments]
    if options["after_epochs"]:
        reports = [after_training(report, options) for report in reports]
    for report in reports:
        measure_gain(report)
    if options["json"]:
        objects = [report.as_json() for report in reports]
        print_json(objects if len(objects) > 1 else objects[0])
        return 0
    out = Output()
    print_head(out, reports, options)
    notes(out, reports[0].task)
    if len(reports) == 1:
        print_one(out, reports[0])
    else:
        print_several(out, reports)
    return 0


def before_training(experiment: Experiment, options: Options) -> GradientReport:
    """The report of the untrained network. A step or sequence that does not exist raises InputError here, before any
    training."""
    experiment = resolved(experiment)
    task = build_task(experiment)
    trace = gradients(experiment, options["sample"], task=task)
    return GradientReport(trace, chosen_step(trace, options["loss_step"]), experiment, task, options["sample"])


def after_training(report: GradientReport, options: Options) -> GradientReport:
    """The same report after `after_epochs` epochs of training, with a progress line."""
    experiment = report.experiment
    progress = Progress(f"{experiment.cell} epoch", options["after_epochs"])

    def on_epoch(training: Training) -> None:
        progress(training.epoch, f"loss {numbers.loss(training.history['loss'][-1])}")

    try:
        trace = gradients(experiment, options["sample"], options["after_epochs"], on_epoch, report.task)
    finally:
        progress.clear()
    return GradientReport(trace, report.loss_step, experiment, report.task, options["sample"])


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


def print_head(out: Output, reports: list[GradientReport], options: Options) -> None:
    e, trace = reports[0].experiment, reports[0].trace
    cells = ", ".join(name(report.experiment) for report in reports)
    trained = (
        f"after {numbers.counted(options['after_epochs'], 'epoch')}" if options["after_epochs"] else "before training"
    )
    layers = f" × {e.num_layers} layers" if e.num_layers > 1 else ""
    first = f"{cells}, {numbers.counted(e.hidden_size, 'unit')}{layers}, {info(e.task).title}, "
    first += f"{numbers.counted(trace.T, 'step')}, {trained}"
    step = reports[0].loss_step
    whose = f"the loss of step {step}" if step else "the total loss"
    norm = f"‖∂L{numbers.subscript(step) if step else ''}/∂h‖"
    second = f"{norm}: how much {whose} changes with the hidden state at step t"
    for line in (*paragraph(first, out.width), *paragraph(second, out.width)):
        out.print(line)
    if not step:
        out.print("Each step adds its own error, so it need not shrink. For one step: --loss-step K")
    out.print()


def name(experiment: Experiment) -> str:
    return CELLS[experiment.cell].described(experiment.activation)


def print_one(out: Output, report: TraceReport) -> None:
    """One row per time step: norm, the factor that the step back kept, the Jacobian's gain, the slope, a bar."""
    ledger = report.trace.ledger_of(report.loss_step)
    bars = Bars(report.norms[: report.last + 1], out.width - 39, out.ascii)
    out.print("    t      norm   kept   gain  slope   " + bars.scale())
    for t in range(report.last, -1, -1):
        kept = numbers.factor(report.factor(t)) if t < report.last and report.norms[t + 1] != 0 else ""
        gain, slope = (numbers.factor(float(v[t - 1])) if t else "" for v in (ledger.gain, ledger.slope))
        norm = norm_text(report, t)
        out.print(f"{t:5} {norm:>9} {kept:>6} {gain:>6} {slope:>6}   {bars.bar(report.norms[t])}".rstrip())
    out.print()
    print_lags(out, report)


def print_several(out: Output, reports: list[GradientReport]) -> None:
    """One column of bars per cell, all on one scale."""
    room = (out.width - 5) // len(reports) - 12
    norms = [v for report in reports for v in report.norms[: report.last + 1]]
    bars = Bars(norms, max(4, room), out.ascii)
    width = bars.width
    out.print(" " * 5 + "".join(f"{report.experiment.cell:>10} {'':{width}} " for report in reports).rstrip())
    out.print(" " * 5 + "".join(f"{'':10} {bars.scale():{width}} " for _ in reports).rstrip())
    for t in range(max(report.last for report in reports), -1, -1):
        row = "".join(f"{norm_text(report, t):>10} {bars.bar(report.norms[t]):{width}} " for report in reports)
        out.print(f"{t:5}{row}".rstrip())
    out.print()
    longest = max(4, *(len(report.experiment.cell) for report in reports))
    for report in reports:
        print_lags(out, report, f"{report.experiment.cell:>{longest}}  ")


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
    elif report.norms[report.last] != 0:  # the reason for a 0 is printed above
        out.print(f"{title}no half-life and no horizon: the gradient is inf or nan at some step")
    if not isinstance(report, GradientReport):
        return
    print_truncation(out, report, title)
    if report.reach is not None and report.loss_step == report.reach.loss_step:
        for line in paragraph(f"{title}reach: {words.text(report.reach)}", out.width):
            out.print(line)


def print_truncation(out: Output, report: GradientReport, title: str) -> None:
    """Print which steps a truncated update uses, if the walk goes farther back."""
    first = first_used(report.last, report.experiment.truncation(), report.task.seq_len)
    if first > 1:
        steps = f"steps {first} to {report.last}" if first < report.last else f"step {first}"
        text = f"{title}truncated: the update uses only {steps}; the walk above continues beyond"
        for line in paragraph(text, out.width):
            out.print(line)


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
