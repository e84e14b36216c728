"""`rnnviz train`: layers, progress, loss curve and fit; or one JSON object."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table

from rnnviz import numbers
from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, Progress, notes, paragraph, print_json
from rnnviz.cli.session_flags import colors
from rnnviz.cli.speed import compiled_meanwhile
from rnnviz.experiment import forecast
from rnnviz.experiment.build import trace_of
from rnnviz.experiment.divergence import diverged
from rnnviz.experiment.evaluate import accuracy, fit, outputs
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Result, Run
from rnnviz.nn import Training
from rnnviz.nn.equations import Verdict
from rnnviz.tasks.catalog import info
from rnnviz.views import own_step
from rnnviz.views.reach import Reach, reach_of
from rnnviz.words import forecast as forecast_words
from rnnviz.words import reach as words

EXAMPLES = 5  # sequences described in words if there is no curve to draw


def run(options: Options) -> int:
    runs = [Run(options.experiments[0])]
    # every cell is built before the first is trained, so that an error appears at once
    runs += [Run(experiment, runs[0].task) for experiment in options.experiments[1:]]
    if options["json"]:
        objects = [as_json(train(ready)) for ready in runs]
        print_json(objects if len(objects) > 1 else objects[0])
        return 0
    out = Output(colors(options))
    notes(out, runs[0].task)
    results = []
    for ready in runs:
        summary(out, ready)
        start = time.perf_counter()
        result = train(ready)
        report(out, result, time.perf_counter() - start)
        results.append(result)
    if len(results) > 1:
        compare(out, results)
    return 0


def train(ready: Run) -> Result:
    """Train with a progress line. Ctrl-C raises a KeyboardInterrupt that names the last complete epoch."""
    epochs = ready.experiment.epochs
    progress = Progress(f"{ready.experiment.cell} epoch", epochs)
    done = 0

    def on_epoch(training: Training) -> None:
        nonlocal done
        done = training.epoch
        progress(done, newest(training.history))

    try:
        with compiled_meanwhile(ready.training, epochs):
            return ready.train(on_epoch)
    except KeyboardInterrupt:
        progress.clear()
        raise KeyboardInterrupt(f"stopped after epoch {done} of {epochs}") from None
    finally:
        progress.clear()


def newest(history: dict[str, list[float]]) -> str:
    names = {"loss": "loss", "val_loss": "validation"}
    return ", ".join(f"{names[key]} {numbers.loss(values[-1])}" for key, values in history.items() if values)


def as_json(result: Result) -> dict[str, Any]:
    """The result as the object that --json prints."""
    return {
        "experiment": result.experiment.to_dict(),
        "parameters": result.parameters,
        "notes": list(result.task.notes),
        "history": {key: result.history.get(key, []) for key in ("loss", "val_loss")},
        "baselines": forecast.as_json(forecast.compare(result.model, result.task)),
        "prediction": result.prediction,
        "targets": result.targets,
        "reach": None if (reach := first_reach(result)) is None else words.as_json(reach),
        **({} if (own := own_backward(result)) is None else {"own_backward": asdict(own)}),
    }


def first_reach(result: Result) -> Reach | None:
    """The reach of the first sequence, as the app shows it; None for a task that does not name the steps that its
    answers depend on."""
    return reach_of(trace_of(result.model, result.task), result.task, 0, result.experiment)


def own_backward(result: Result) -> Verdict | None:
    """What the backward pass of a person's own cell gives in the first sequence; None for a cell of ours."""
    is_own = result.model.spec.about_cell.is_own
    return own_step.make(trace_of(result.model, result.task)) if is_own else None


def summary(out: Output, ready: Run) -> None:
    """Print layers, output shapes and parameters, as Keras' model.summary() does."""
    model = ready.training.model
    table = Table(box=box.ASCII if out.ascii else box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title, justify in (("Layer (type)", "left"), ("Output shape", "left"), ("Parameters", "right")):
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    sizes = {"B": "None", "T": str(ready.experiment.seq_len)}
    for row in model.summary():
        shape = ", ".join(sizes.get(str(n), str(n)) for n in row.output_shape)
        table.add_row(f"{row.name} ({row.kind})", f"({shape})", f"{row.parameters:,}")
    table.add_section()
    table.add_row("Total", "", f"{model.parameter_count:,}")
    out.console.print(table)
    out.print()


def report(out: Output, result: Result, seconds: float) -> None:
    from rnnviz.charts import plots

    task, history = result.task, result.history
    color = out.console.color_system is not None and not out.console.no_color
    ink: dict[str, Any] = {"inks": plots.COLORS if color else plots.NO_COLORS, "ascii": out.ascii}
    epochs = len(history["loss"])
    done = f"{numbers.counted(epochs, 'epoch')} in {seconds:.2f} s: {newest(history)}"
    out.print(done if epochs else "not trained: 0 epochs")
    out.print()
    curve = plots.loss_curve(history["loss"], history["val_loss"], None, out.width, 12, baseline=task.baseline, **ink)
    out.print_sheet(curve)
    out.print()
    if task.series is not None and task.ends is not None:
        series, start = task.series.tolist(), int(task.ends[0])
        ahead, clean = fit(result.model, task).tolist(), [] if task.clean is None else task.clean.tolist()
        out.print("one step ahead: the network reads each window from the data")
        picture = plots.sine_fit(
            series, ahead, out.width, 12, start=start, clean=clean, known=task.predicted_points, **ink
        )
        out.print_sheet(picture)
        out.print()
        if task.fed and not result.model.spec.bidirectional:  # that reads nothing that it predicts
            start = int(task.ends[task.fed_from])
            out.print("self-fed: the network reads its own predictions as its next inputs")
            out.print_sheet(plots.self_fed(series, list(result.prediction), start, out.width, 12, **ink))
            out.print()
    found = forecast.compare(result.model, task)
    if task.has_words:
        examples(out, result)
    for line in paragraph(forecast_words.text(found) if found else "", out.width):
        out.print(line)
    reach = first_reach(result)
    for line in paragraph(f"reach: {words.text(reach)}" if reach else "", out.width):
        out.print(line)
    own = own_backward(result)
    for line in paragraph(f"backward: {own.about}" if own is not None else "", out.width):
        out.print(line)
    hint = advice(result)
    for line in paragraph(hint or "", out.width):
        out.print(line)


def examples(out: Output, result: Result) -> None:
    """Print a few sequences that the network was not trained on (if there are any), and how many answers are right."""
    task, first = result.task, result.task.n_train % len(result.task)
    some = range(first, min(first + EXAMPLES, len(task)))
    y = outputs(result.model, task, slice(some.start, some.stop))
    out.print("sequences the network was not trained on:" if first else "sequences the network was trained on:")
    for i in some:
        for line in paragraph(task.describe(i, y[i - first]), out.width, initial_indent="  ", subsequent_indent="    "):
            out.print(line)
    if task.loss == "cross_entropy":
        pairs = [
            (a, b) for predicted, true in zip(result.prediction, result.targets, strict=True)
            for a, b in zip(predicted, true, strict=True)
        ]  # fmt: skip
        right = sum(a == b for a, b in pairs)
        of_all = numbers.counted(len(pairs), "answer")
        out.print(f"  {right:,} of {of_all} right ({numbers.percent(right / len(pairs), 0)})")
    elif (share := accuracy(result.model, task)) is not None:
        out.print(f"  right signs: {numbers.percent(share, 0)}")


#: From NEAR times the loss of a guess on, a loss counts as near a guess; beyond ABOVE times, as above it.
NEAR, ABOVE = 0.9, 1.1


def advice(result: Result) -> str | None:
    """What to try if the training diverged, or if the network is still no better than a guess."""
    losses, guess, experiment = result.history["loss"], result.task.baseline, result.experiment
    if not losses:
        return None
    last, last_text = losses[-1], numbers.loss(losses[-1])
    recipe = dict(info(experiment.task).recipe)
    if diverged(losses, guess):
        above = f", far above a guess ({guess:.4g})" if math.isfinite(last) and guess is not None else ""
        clip = "" if experiment.clip_norm is not None else " --clip-norm 1"
        usual = dict(recipe).get("learning_rate", Experiment().learning_rate)
        smaller = min(experiment.learning_rate / 10, float(str(usual)))
        return f"The training diverged: the loss is {last_text}{above}. Try: --lr {smaller:g}{clip}"
    if not guess or not recipe or last < NEAR * guess:
        return None
    what = "still near a guess" if last <= ABOVE * guess else f"{last_text}, above a guess"
    flags = {"optimizer": "--optimizer", "learning_rate": "--lr", "batch_size": "--batch", "epochs": "--epochs"}
    new = [f"{flag} {recipe[name]}" for name, flag in flags.items() if getattr(experiment, name) != recipe[name]]
    return f"The loss is {what} ({guess:.4g}). Try: {' '.join(new) or f'--epochs {2 * experiment.epochs}'}"


def compare(out: Output, results: list[Result]) -> None:
    out.print()
    table = Table(box=box.ASCII if out.ascii else box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("cell")
    for title in ("parameters", "loss", "validation loss"):
        table.add_column(title, justify="right", no_wrap=True)
    for r in results:
        row = [numbers.loss(r.history[key][-1] if r.history[key] else None) for key in ("loss", "val_loss")]
        table.add_row(r.experiment.cell, f"{r.parameters:,}", *row)
    out.console.print(table)
