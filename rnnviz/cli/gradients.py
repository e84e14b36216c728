"""`rnnviz gradients`: what is left of one step's gradient at every time step before it, as log bars.

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
from rnnviz.tasks import Task
from rnnviz.tasks.catalog import info
from rnnviz.views.gradient import gradient_of
from rnnviz.views.reach import Reach, first_used, reach_of
from rnnviz.views.zero_gradients import Zero, zeros
from rnnviz.words import reach as words
from rnnviz.words.zero_gradients import clause

A_MOMENT = 0.5  # seconds that need no progress line


@dataclass(frozen=True)
class Told:
    """The gradients of one experiment, ready to be written."""

    experiment: Experiment
    task: Task
    trace: Trace
    sample: int
    loss_step: int | None  # None: the total over all loss steps

    @cached_property
    def norms(self) -> list[float]:
        """‖∂L/∂h_t‖ for t = 0..T."""
        return [float(v) for v in self.trace.grad_norm(self.loss_step)]

    @property
    def last(self) -> int:
        """Where the walk back begins: the loss step, or the end."""
        return self.loss_step or self.trace.T

    @cached_property
    def half_life(self) -> float | None:
        return half_life(np.array(self.norms[: self.last + 1])) if self.loss_step else None

    @cached_property
    def horizon(self) -> float | None:
        return horizon(np.array(self.norms[: self.last + 1])) if self.loss_step else None

    def factor(self, t: int) -> float:
        """‖∂L/∂h_t‖ / ‖∂L/∂h_t+1‖: what the step from t + 1 back to t keeps."""
        before, now = self.norms[t + 1], self.norms[t]
        return now / before if before else math.nan

    @cached_property
    def zeros(self) -> list[Zero | None]:
        """For t = 0..T why the gradient is exactly 0 there, where it is."""
        return zeros(self.trace, gradient_of(self.trace, self.loss_step))

    @cached_property
    def reach(self) -> Reach | None:
        """Of the last loss step, where the task says what its answer depends on."""
        return reach_of(self.trace, self.task, self.sample, self.experiment)

    def as_json(self) -> dict[str, Any]:
        ledger = self.trace.ledger_of(self.loss_step)
        return {
            "experiment": self.experiment.to_dict(),
            "loss_step": self.loss_step or "total",
            "grad_norm": self.norms,
            "gain": ledger.gain,
            "slope": ledger.slope,
            "factor": ledger.factor,
            "half_life": self.half_life,
            "horizon": self.horizon,
            "reach": None if self.reach is None else words.as_json(self.reach),
            "zero_because": [None if zero is None else clause(zero) for zero in self.zeros],
            "notes": list(self.task.notes),
        }


def run(options: Options) -> int:
    told = [untrained(experiment, options) for experiment in options.experiments]
    if options["after_epochs"]:
        told = [trained(t, options) for t in told]
    for one_told in told:
        measure_gain(one_told)
    if options["json"]:
        objects = [t.as_json() for t in told]
        print_json(objects if len(objects) > 1 else objects[0])
        return 0
    out = Output()
    head(out, told, options)
    notes(out, told[0].task)
    if len(told) == 1:
        one(out, told[0])
    else:
        several(out, told)
    return 0


def untrained(experiment: Experiment, options: Options) -> Told:
    """What is asked for before training, so that a step or a sequence that is not there is told before it too."""
    experiment = resolved(experiment)
    task = build_task(experiment)
    trace = gradients(experiment, options["sample"], task=task)
    return Told(experiment, task, trace, options["sample"], chosen_step(trace, options["loss_step"]))


def trained(told: Told, options: Options) -> Told:
    experiment = told.experiment
    progress = Progress(f"{experiment.cell} epoch", options["after_epochs"])

    def on_epoch(training: Training) -> None:
        progress(training.epoch, f"loss {numbers.loss(training.history['loss'][-1])}")

    try:
        trace = gradients(experiment, options["sample"], options["after_epochs"], on_epoch, told.task)
    finally:
        progress.clear()
    return Told(experiment, told.task, trace, options["sample"], told.loss_step)


def measure_gain(told: Told) -> None:
    """A long sequence takes a while: after a moment a line on stderr shows the progress."""
    trace, began = told.trace, time.monotonic()
    progress = Progress(f"{told.experiment.cell} gain, step", trace.T)

    def report(done: int, _: int) -> None:
        if time.monotonic() - began > A_MOMENT:
            progress(done, "")

    try:
        trace.measure_gain(report)
    finally:
        progress.clear()


def chosen_step(trace: Trace, asked: int | str | None) -> int | None:
    if asked is None:
        return trace.loss_steps[-1]
    if asked == "total":
        return None
    if asked not in trace.loss_steps:
        steps = trace.loss_steps
        known = f"{steps[0]} to {steps[-1]}" if len(steps) > 2 else " and ".join(map(str, steps))
        raise InputError(f"loss_step: step {asked} carries no loss; the steps that do: {known}")
    return int(asked)


def head(out: Output, told: list[Told], options: Options) -> None:
    e, trace = told[0].experiment, told[0].trace
    cells = ", ".join(name(t.experiment) for t in told)
    trained = (
        f"after {numbers.counted(options['after_epochs'], 'epoch')}" if options["after_epochs"] else "before training"
    )
    layers = f" × {e.num_layers} layers" if e.num_layers > 1 else ""
    first = f"{cells}, {numbers.counted(e.hidden_size, 'unit')}{layers}, {info(e.task).title}, "
    first += f"{numbers.counted(trace.T, 'step')}, {trained}"
    step = told[0].loss_step
    whose = f"the loss of step {step}" if step else "the total loss"
    norm = f"‖∂L{numbers.subscript(step) if step else ''}/∂h‖"
    second = f"{norm}: how much {whose} changes with the hidden state at step t"
    for line in (*paragraph(first, out.width), *paragraph(second, out.width)):
        out.print(line)
    if not step:
        out.print("Every step adds its own error, so it need not shrink. One alone: --loss-step K")
    out.print()


def name(experiment: Experiment) -> str:
    return CELLS[experiment.cell].described(experiment.activation)


def one(out: Output, told: Told) -> None:
    """One row a time step: norm, what the step back kept of it, the Jacobian's gain, a bar."""
    ledger = told.trace.ledger_of(told.loss_step)
    bars = Bars(told.norms[: told.last + 1], out.width - 39, out.ascii)
    out.print("    t      norm   kept   gain  slope   " + bars.scale())
    for t in range(told.last, -1, -1):
        kept = numbers.factor(told.factor(t)) if t < told.last and told.norms[t + 1] != 0 else ""
        gain, slope = (numbers.factor(float(v[t - 1])) if t else "" for v in (ledger.gain, ledger.slope))
        norm = written(told, t)
        out.print(f"{t:5} {norm:>9} {kept:>6} {gain:>6} {slope:>6}   {bars.bar(told.norms[t])}".rstrip())
    out.print()
    lags(out, told)


def several(out: Output, told: list[Told]) -> None:
    """One column of bars a cell, all on one scale."""
    room = (out.width - 5) // len(told) - 12
    every = [v for t in told for v in t.norms[: t.last + 1]]
    bars = Bars(every, max(4, room), out.ascii)
    width = bars.width
    out.print(" " * 5 + "".join(f"{t.experiment.cell:>10} {'':{width}} " for t in told).rstrip())
    out.print(" " * 5 + "".join(f"{'':10} {bars.scale():{width}} " for _ in told).rstrip())
    for t in range(max(one.last for one in told), -1, -1):
        row = "".join(f"{written(one, t):>10} {bars.bar(one.norms[t]):{width}} " for one in told)
        out.print(f"{t:5}{row}".rstrip())
    out.print()
    longest = max(4, *(len(one.experiment.cell) for one in told))
    for one in told:
        lags(out, one, f"{one.experiment.cell:>{longest}}  ")


def lags(out: Output, told: Told, title: str = "") -> None:
    """Half-life, where it has one, and horizon: after how many steps back 50 % and 1 % of the gradient are left; and
    why it is 0."""
    for at in range(told.last, -1, -1):
        zero = told.zeros[at]
        if zero is not None and (at == told.last or told.zeros[at + 1] != zero):
            out.print(f"{title}0 from t = {at} back: {clause(zero)}")
    if told.loss_step is None:
        return
    beyond = told.last
    half = numbers.steps(told.half_life, beyond)
    half = "" if told.half_life is None else f"half-life (50 % left) {half:>6} steps    "
    unit = "step" if told.horizon is None and beyond == 1 else "steps"
    if fades(told.norms[: told.last + 1]):
        out.print(f"{title}{half}horizon (1 % left) {numbers.steps(told.horizon, beyond):>6} {unit}")
    elif told.norms[told.last] != 0:  # a 0 has its reason above
        out.print(f"{title}no half-life and no horizon: the gradient is not finite everywhere")
    used(out, told, title)
    if told.reach is not None and told.loss_step == told.reach.loss_step:
        for line in paragraph(f"{title}reach: {words.text(told.reach)}", out.width):
            out.print(line)


def used(out: Output, told: Told, title: str) -> None:
    """Where the walk goes on beyond what a truncated update uses of it: where that ends."""
    first = first_used(told.last, told.experiment.truncation(), told.task.seq_len)
    if first > 1:
        steps = f"steps {first} to {told.last}" if first < told.last else f"step {first}"
        text = f"{title}truncated: the update uses {steps} only; the walk above goes on all the same"
        for line in paragraph(text, out.width):
            out.print(line)


def written(told: Told, t: int) -> str:
    """The norm; a 0 that was too small for float64 says so, any other 0 is one."""
    zero = told.zeros[t]
    return "underflow" if zero is not None and zero.kind == "underflow" else numbers.scientific(told.norms[t])


class Bars:
    """Bars on a log scale that all the norms share: whole powers of ten, an empty bar at the lower end."""

    def __init__(self, norms: list[float], width: int, ascii: bool) -> None:
        logs = [math.log10(v) for v in norms if v > 0 and math.isfinite(v)]
        self.low = math.floor(min(logs, default=-1.0))
        self.high = max(math.ceil(max(logs, default=0.0)), self.low + 1)
        self.width = max(1, width)
        self.ascii = ascii

    def scale(self) -> str:
        """What the two ends of a bar mean."""
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
