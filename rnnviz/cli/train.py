"""`rnnviz train`: layers, progress, loss curve and fit; or one JSON object."""

from __future__ import annotations

import math
import time
from typing import Any

from rich import box
from rich.table import Table

from rnnviz import numbers
from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, Progress, notes, paragraph, print_json
from rnnviz.cli.speed import compiled_meanwhile
from rnnviz.experiment.build import trace_of
from rnnviz.experiment.evaluate import fit, outputs
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Result, Run
from rnnviz.nn import Training
from rnnviz.tasks.catalog import info
from rnnviz.views.reach import Reach, reach_of
from rnnviz.words import reach as words

EXAMPLES = 5  # sequences told in words where there is no curve to draw


def run(options: Options) -> int:
    runs = [Run(options.experiments[0])]
    # every cell is built before the first is trained: what one cannot be is told at once
    runs += [Run(experiment, runs[0].task) for experiment in options.experiments[1:]]
    if options["json"]:
        objects = [told(trained(ready)) for ready in runs]
        print_json(objects if len(objects) > 1 else objects[0])
        return 0
    out = Output()
    notes(out, runs[0].task)
    results = []
    for ready in runs:
        summary(out, ready)
        start = time.perf_counter()
        result = trained(ready)
        report(out, result, time.perf_counter() - start)
        results.append(result)
    if len(results) > 1:
        compare(out, results)
    return 0


def trained(ready: Run) -> Result:
    """Trains with a progress line. Ctrl-C raises KeyboardInterrupt that says how far it came."""
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


def told(result: Result) -> dict[str, Any]:
    """The result as JSON has it."""
    return {
        "experiment": result.experiment.to_dict(),
        "parameters": result.parameters,
        "notes": list(result.task.notes),
        "history": {key: result.history.get(key, []) for key in ("loss", "val_loss")},
        "prediction": result.prediction,
        "targets": result.targets,
        "reach": None if (found := reached(result)) is None else words.as_json(found),
    }


def reached(result: Result) -> Reach | None:
    """Of the first sequence, as the app shows it; None for a task that does not say what its answers depend on."""
    return reach_of(trace_of(result.model, result.task), result.task, 0, result.experiment)


def summary(out: Output, ready: Run) -> None:
    """Layers, output shapes and parameters, as Keras' model.summary() shows them."""
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
    if task.series is not None and task.clean is not None:
        series, start = task.series.tolist(), task.seq_len
        ahead = fit(result.model, task).tolist()
        out.print("one step ahead: every window is read from the data")
        picture = plots.sine_fit(series, ahead, out.width, 12, start=start, clean=task.clean.tolist(), **ink)
        out.print_sheet(picture)
        out.print()
        out.print("fed by itself: every point it says becomes its next input")
        out.print_sheet(plots.self_fed(series, list(result.prediction), start, out.width, 12, **ink))
    else:
        examples(out, result)
    found = reached(result)
    for line in paragraph(f"reach: {words.text(found)}" if found else "", out.width):
        out.print(line)
    hint = advice(result)
    for line in paragraph(hint or "", out.width):
        out.print(line)


def examples(out: Output, result: Result) -> None:
    """A few sequences it was not trained on (if there are any), and how many of the answers are right."""
    task, first = result.task, result.task.n_train % len(result.task)
    shown = range(first, min(first + EXAMPLES, len(task)))
    y = outputs(result.model, task, slice(shown.start, shown.stop))
    out.print("sequences it was not trained on:" if first else "sequences it was trained on:")
    for i in shown:
        for line in paragraph(task.say(i, y[i - first]), out.width, initial_indent="  ", subsequent_indent="    "):
            out.print(line)
    if task.loss == "cross_entropy":
        pairs = [
            (a, b) for said, true in zip(result.prediction, result.targets, strict=True)
            for a, b in zip(said, true, strict=True)
        ]  # fmt: skip
        right = sum(a == b for a, b in pairs)
        of_all = numbers.counted(len(pairs), "answer")
        out.print(f"  {right:,} of {of_all} right ({numbers.percent(right / len(pairs), 0)})")


#: The loss is that of a guess from this share of it on, and above it from that share on.
NEAR, ABOVE = 0.9, 1.1
#: So many times the loss of a guess, after training, is a training that diverges, if it was less after the first epoch;
#: no network starts from so large a loss as HUGE.
DIVERGES, HUGE = 10.0, 1e6


def diverged(losses: list[float], guess: float | None) -> bool:
    last = losses[-1]
    grew = guess is not None and last > DIVERGES * guess and last > losses[0]
    return not math.isfinite(last) or last > HUGE or grew


def advice(result: Result) -> str | None:
    """What to try when the training diverged, or a task is still no better than a guess."""
    losses, guess, experiment = result.history["loss"], result.task.baseline, result.experiment
    if not losses:
        return None
    last, told = losses[-1], numbers.loss(losses[-1])
    recipe = dict(info(experiment.task).recipe)
    if diverged(losses, guess):
        above = f", far above a guess ({guess:.4g})" if math.isfinite(last) and guess is not None else ""
        clip = "" if experiment.clip_norm is not None else " --clip-norm 1"
        usual = dict(recipe).get("learning_rate", Experiment().learning_rate)
        smaller = min(experiment.learning_rate / 10, float(str(usual)))
        return f"The training diverged: the loss is {told}{above}. Try: --lr {smaller:g}{clip}"
    if not guess or not recipe or last < NEAR * guess:
        return None
    what = "still near a guess" if last <= ABOVE * guess else f"{told}, above a guess"
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
