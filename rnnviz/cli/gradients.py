"""`rnnviz gradients`: how much of one step's gradient remains at each time step before it, as log bars.

 t   ‖∂L₁₀/∂h‖  kept  gain
10     4.9e-02              ████████████████
 9     2.3e-02  0.48  1.00  █████████████▍
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from rnnviz import numbers
from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, Progress, notes, paragraph, print_json
from rnnviz.cli.trace_report import Bars, TraceReport, chosen_step, measure_gain, norm_text, print_lags, print_one
from rnnviz.errors import InputError
from rnnviz.experiment.build import build_task, resolved, task_in_view
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import gradients
from rnnviz.nn import Training
from rnnviz.nn.cell_table import CELLS
from rnnviz.player.kinds.experiment import ExperimentRun, cannot
from rnnviz.player.player import typed_into
from rnnviz.tasks import Task
from rnnviz.tasks.catalog import info
from rnnviz.views import own_step
from rnnviz.views.reach import Reach, first_used, reach_of
from rnnviz.words import reach as words
from rnnviz.words.row_name import symbol


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
            "notes": [*([self.task.typed.about] if self.task.typed else []), *self.task.notes],
            "cannot": dict(cannot(self.experiment)),
            **({} if (found := own_step.make(self.trace)) is None else {"own_backward": asdict(found)}),
        }


def run(options: Options) -> int:
    if options.network is not None:
        from rnnviz.cli.network import run as run_network

        return run_network(options)
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
    if reports[0].task.typed is not None:
        out.print(f"The sequence is {reports[0].task.typed.about}.")
    notes(out, reports[0].task)
    if len(reports) == 1:
        print_one(out, reports[0])
        print_rest(out, reports[0])
    else:
        print_several(out, reports)
    return 0


def before_training(experiment: Experiment, options: Options) -> GradientReport:
    """The report of the untrained network. A step or sequence that does not exist raises InputError here, before any
    training."""
    experiment = resolved(experiment)
    task = build_task(experiment)
    if task_in_view(experiment, task) is not task:
        raise InputError("view_direction: this report is of the forward direction; the app draws the backward one")
    if options["input"] is not None:
        if options["after_epochs"]:
            raise InputError("input: it is read by the untrained network; leave --after-epochs out")
        run = typed_into(ExperimentRun(experiment), options["input"])
        task, trace = run.task, run.scene(0).trace
        return GradientReport(trace, chosen_step(trace, options["loss_step"]), experiment, task, 0)
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
    second = f"{symbol(step)}: how much {whose} changes with the hidden state at step t"
    for line in (*paragraph(first, out.width), *paragraph(second, out.width)):
        out.print(line)
    if not step:
        out.print("Each step adds its own error, so it need not shrink. For one step: --loss-step K")
    out.print()


def name(experiment: Experiment) -> str:
    return CELLS[experiment.cell].described(experiment.activation)


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
        print_rest(out, report, f"{report.experiment.cell:>{longest}}  ")


def print_rest(out: Output, report: GradientReport, title: str = "") -> None:
    """Print half-life and horizon; what a truncated update leaves out, and the reach."""
    print_lags(out, report, title)
    found = own_step.make(report.trace)
    for line in paragraph(f"{title}backward: {found.about}", out.width) if found is not None else ():
        out.print(line)
    if report.loss_step is None:
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
