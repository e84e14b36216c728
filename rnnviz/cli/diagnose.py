"""`rnnviz diagnose`: what is measured to be wrong with a training, a likely cause, and one thing to try."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rnnviz import numbers
from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, Progress, paragraph, print_json
from rnnviz.cli.speed import compiled_meanwhile
from rnnviz.diagnosis import from_recording, report
from rnnviz.diagnosis.diagnose import Diagnosis, diagnose
from rnnviz.diagnosis.from_experiment import examine
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.experiment.run import Run
from rnnviz.player.kinds.opening import NetworkOpening
from rnnviz.recordings.recording import Recording

#: The exit code of --strict if there is a finding.
FOUND = 3


def run(options: Options) -> int:
    commands: list[report.Command | None]
    if options.network is not None:
        diagnoses, commands = [of_network(options.network)], [None]
    elif options.recording is not None:
        diagnoses, commands = [of_recording(Path(options.recording.path))], [None]
    else:
        if any(experiment.bidirectional for experiment in options.experiments):
            raise InputError("bidirectional: the diagnosis knows no bidirectional networks; leave it out")
        diagnoses = [of_experiment(ready) for ready in _built(options)]
        commands = [partial(command_of, experiment) for experiment in options.experiments]
    if options["json"]:
        objects = [report.as_json(one, command) for one, command in zip(diagnoses, commands, strict=True)]
        print_json(objects if len(objects) > 1 else objects[0])
    else:
        out = Output()
        for number, (one, command) in enumerate(zip(diagnoses, commands, strict=True)):
            if number:
                out.print()
            print_one(out, one, command)
    return FOUND if options["strict"] and any(one.findings for one in diagnoses) else 0


def _built(options: Options) -> list[Run]:
    """Every cell is built before the first is trained, so that an error appears at once."""
    first = Run(options.experiments[0])
    return [first, *(Run(experiment, first.task) for experiment in options.experiments[1:])]


def of_experiment(ready: Run) -> Diagnosis:
    """Train with a progress line. Ctrl-C raises a KeyboardInterrupt that names the last complete update."""
    progress = Progress(f"{ready.experiment.cell} update", 0)
    updates = (0, 0)

    def on_updates(done: int, total: int, loss: float) -> None:
        nonlocal updates
        updates, progress.total = (done, total), total
        progress(done, f"loss {numbers.loss(loss)}")

    try:
        with compiled_meanwhile(ready.training, ready.experiment.epochs):
            return diagnose(examine(ready, on_updates))
    except KeyboardInterrupt:
        progress.clear()
        raise KeyboardInterrupt(f"stopped after update {updates[0]:,} of {updates[1]:,}") from None
    finally:
        progress.clear()


def of_network(opening: NetworkOpening) -> Diagnosis:
    """Read the weights and some sequences, with a progress line."""
    from rnnviz.diagnosis import from_network
    from rnnviz.player.kinds.network import NetworkRun

    progress = Progress("level", 0)

    def on_part(done: int, total: int) -> None:
        progress.total = total
        progress(done, "")

    try:
        return diagnose(from_network.examine(NetworkRun(opening), on_part))
    finally:
        progress.clear()


def of_recording(path: Path) -> Diagnosis:
    """Read it with a progress line. Ctrl-C raises a KeyboardInterrupt."""
    recording = Recording.open(path)
    progress = Progress("record", 0)

    def on_records(done: int, total: int) -> None:
        progress.total = total
        progress(done, "")

    try:
        return diagnose(from_recording.examine(recording, on_records))
    finally:
        progress.clear()


def print_one(out: Output, diagnosis: Diagnosis, command: report.Command | None) -> None:
    """The measured figures, every finding, and what was not judged."""
    say(out, diagnosis.evidence.title)
    for note in diagnosis.evidence.notes:
        say(out, note)
    for line in report.lines(diagnosis.evidence):
        say(out, line)
    out.print()
    for number, found in enumerate(diagnosis.findings, start=1):
        say(out, f"{number}. {report.titles(found)}")
        say(out, found.what, "   ")
        say(out, f"Likely cause: {found.cause}", "   ")
        say(out, f"To try: {found.remedy.about}", "   ")
        if command is not None and found.remedy.settings:
            say(out, f"rnnviz   {command(found.remedy.settings)}", "     ", 9)
        for name, line in (("PyTorch", found.remedy.pytorch), ("Keras", found.remedy.keras)):
            if line:
                say(out, f"{name:8} {line}", "     ", 9)
        say(out, f"Explained by: rnnviz lesson {found.lesson}", "   ")
        out.print()
    count = len(diagnosis.findings)
    say(out, numbers.counted(count, "finding") + "." if count else "No findings.")
    reasons: dict[str, list[str]] = {}
    for slug, reason in diagnosis.not_judged.items():
        reasons.setdefault(reason, []).append(report.TITLES[slug])
    for reason, titles in reasons.items():
        say(out, f"Not judged, because {reason}: {'; '.join(titles)}.")
    say(out, "A checklist for a network that does not learn: docs/my-lstm-does-not-learn.md")


def say(out: Output, text: str, indent: str = "", hanging: int = 0) -> None:
    for line in paragraph(text, out.width, initial_indent=indent, subsequent_indent=indent + " " * hanging):
        out.print(line)


def command_of(experiment: Experiment, settings: Mapping[str, Any]) -> str:
    """The command that diagnoses the experiment with these settings."""
    changed = experiment.with_(**settings)
    parts = ["rnnviz diagnose"]
    defaults = Experiment()
    for name, setting in SETTINGS.items():
        value = getattr(changed, name)
        if value == getattr(defaults, name):
            continue
        flag = setting.option
        if setting.kind is bool:
            parts.append(flag if value else flag.replace("--", "--no-", 1))
        else:
            text = f"{value:g}" if isinstance(value, float) else str(value)
            parts.append(f"{flag} {shlex.quote(text)}")
    return " ".join(parts)
