"""`rnnviz data FILE`: what was understood of a file or folder, and a plot, before anything is trained."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np

from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, paragraph, print_json
from rnnviz.cli.session_flags import colors
from rnnviz.errors import InputError
from rnnviz.experiment import forecast
from rnnviz.experiment.build import build_task, resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.glyphs import cut, ljust, visible
from rnnviz.numbers import counted
from rnnviz.tasks import Task
from rnnviz.tasks.own import Decisions
from rnnviz.tasks.own.decisions import NAMES
from rnnviz.tasks.own.understood import Understood, read

BARS = 20  # classes or characters that have a bar
HEIGHT = 12


def run(options: Options) -> int:
    try:
        return _run(options)
    except InputError as error:  # the file is no flag here
        raise InputError(str(error).removeprefix("data: ")) from None


def _run(options: Options) -> int:
    data = options["file"]
    settings = {name: value for name in NAMES if (value := options[name]) is not None}
    understood = read(data, Decisions(**settings))
    experiment = Experiment(data=data, seq_len=options["steps"], **settings)
    if options["json"]:
        print_json(as_json(understood, build_task(resolved(experiment))))
        return 0
    out = Output(colors(options))
    for line in understood.lines():
        _write(out, line)
    try:
        task = build_task(resolved(experiment))
    except InputError:
        out.print()
        raise
    for note in task.notes:
        if note not in understood.notes:
            _write(out, note)
    for line in _about(task):
        _write(out, line)
    out.print()
    _plot(out, task)
    out.print()
    out.print(f"{_command(data, settings, options['steps'])} opens it in the app.")
    return 0


def _command(data: str, settings: dict[str, Any], steps: int | None) -> str:
    """The command that opens the data with the same decisions."""
    words = ["rnnviz", "--data", data] + ([] if steps is None else ["--steps", str(steps)])
    for name, value in settings.items():
        words += [f"--{'' if value else 'no-'}{name}"] if isinstance(value, bool) else [f"--{name}={value}"]
    return cut(visible(shlex.join(words)), 500)


def as_json(understood: Understood, task: Task) -> dict[str, Any]:
    """What --json prints."""
    return {
        "path": str(understood.path),
        "kind": understood.kind,
        "task": task.name,
        "facts": list(understood.facts),
        "columns": [asdict(column) for column in understood.columns],
        "notes": list(dict.fromkeys((*understood.notes, *task.notes))),
        "sequences": len(task),
        "training": task.n_train,
        "steps": task.seq_len,
        "inputs": task.input_size,
        "outputs": task.output_size,
        "classes": dict(_counts(task)) if task.has_own_data and task.labels else None,
        "season": forecast.season(task),
        "guess": task.baseline,
        "last_value": forecast.last_value_loss(task, slice(task.n_train)),
    }


def _write(out: Output, text: str) -> None:
    for line in paragraph(text, out.width, subsequent_indent="  "):
        out.print(line)


def _about(task: Task) -> list[str]:
    """The task that it becomes, in sentences."""
    validation = len(task) - task.n_train
    lines = [
        f"task {task.name}: {counted(len(task), 'sequence')} of {counted(task.seq_len, 'step')}, {task.n_train:,} for "
        f"training and {validation:,} for validation; {counted(task.input_size, 'input')}, "
        f"{counted(task.output_size, 'output')}."
    ]
    if task.series is not None:
        found = forecast.season(task)
        lines.append("The training part has no season." if found is None else f"A season has {counted(found, 'step')}.")
    return lines


def _counts(task: Task) -> list[tuple[str, int]]:
    """How many sequences each class has, the largest first."""
    last = task.loss_mask.shape[1] - 1 - task.loss_mask[:, ::-1].argmax(axis=1)
    counts = np.bincount(task.targets[np.arange(len(task)), last], minlength=len(task.labels))
    return sorted(zip(task.labels, counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))


def _plot(out: Output, task: Task) -> None:
    from rnnviz.charts import plots

    if task.series is not None:
        color = out.console.color_system is not None and not out.console.no_color
        inks = plots.COLORS if color else plots.NO_COLORS
        scale = task.scales[0]  # type: ignore[attr-defined]
        values = [scale.back(value) if math.isfinite(value) else math.nan for value in task.series.tolist()]
        out.print(f"{scale.name}, row by row")
        out.print_sheet(plots.sine_fit(values, (), out.width, HEIGHT, known=(), ascii=out.ascii, inks=inks))
    elif task.labels:
        if task.continues:
            counts = Counter("".join("".join(task.tokens(i)) for i in range(len(task)))).most_common()
            named = [("a space" if symbol == " " else visible(symbol), count) for symbol, count in counts]
            _bars(out, named, "character")
        else:
            _bars(out, _counts(task), "class")


def _bars(out: Output, counts: list[tuple[str, int]], what: str) -> None:
    width = min(20, max(len(name) for name, _ in counts))
    most = counts[0][1]
    room = out.width - width - 12
    sign = "#" if out.ascii else "█"
    for name, count in counts[:BARS]:
        out.print(
            f"{ljust(cut(name, width), width)} {count:>8,} {sign * max(1, round(room * count / most)) if count else ''}"
        )
    if len(counts) > BARS:
        out.print(f"and {len(counts) - BARS:,} more, each with {counts[BARS][1]:,} or fewer; a bar is a {what}")
