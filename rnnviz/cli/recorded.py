"""`rnnviz gradients RECORDING`: the gradients of a training elsewhere, as they are on the screen."""

from __future__ import annotations

from typing import Any

from rnnviz import numbers
from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, paragraph, print_json
from rnnviz.cli.trace_report import TraceReport, chosen_step, measure_gain, print_lags, print_one
from rnnviz.errors import InputError
from rnnviz.glyphs import visible
from rnnviz.player.kinds.recording import RecordingRun
from rnnviz.scene.commands import Measure
from rnnviz.scene.scene import Evidence, Scene
from rnnviz.views.prepare import prepare
from rnnviz.words import evidence as words
from rnnviz.words.row_name import symbol


def run(options: Options) -> int:
    assert options.recording is not None
    recorded = RecordingRun(options.recording)
    sample, many = options["sample"], len(recorded.task)
    if sample >= many:
        raise InputError(f"sample: {sample} is not one of the {many} sequences that were kept; choose 0 to {many - 1}")
    scene = prepare(recorded.scene(sample), Measure("evidence"))
    report = TraceReport(scene.trace, chosen_step(scene.trace, options["loss_step"]))
    measure_gain(report)
    if options["json"]:
        print_json(as_json(recorded, scene, report))
        return 0
    out = Output()
    print_head(out, recorded, scene, report)
    print_one(out, report)
    print_lags(out, report)
    return 0


def as_json(recorded: RecordingRun, scene: Scene, report: TraceReport) -> dict[str, Any]:
    part, spec, known = recorded.settings, scene.trace.spec, _evidence(scene)
    learning = recorded.learning()
    return {
        "recording": {
            "record": recorded.place[0] + 1,
            "records": learning.places,
            "step": part.step,
            "layer": part.layer,
            "level": part.level,
            "direction": part.direction,
            "cell": spec.cell,
            "hidden_size": spec.hidden_size,
            "input_size": spec.input_size,
            "seq_len": scene.T,
            "sample": scene.sample,
            "sequences": len(scene.task),
        },
        "loss": scene.loss,
        "evidence": {
            "agreement": known.agreement,
            "is_proved": known.is_proved,
            "framework": known.framework,
            "notes": list(known.notes),
            "compared_before": None
            if known.near is None
            else dict(zip(("step", "agreement"), known.near, strict=True)),
        },
        **report.figures(),
        "reach": None,
        "notes": [],
        "cannot": dict(recorded.cannot),
    }


def print_head(out: Output, recorded: RecordingRun, scene: Scene, report: TraceReport) -> None:
    spec, place = scene.trace.spec, recorded.learning().where(*recorded.place)
    size = f"{numbers.counted(spec.hidden_size, 'unit')}, {numbers.counted(scene.T, 'step')}"
    name = spec.about_cell.described(spec.activation)
    known = words.sentence(_evidence(scene))
    lines = [
        f"{visible(recorded.settings.title)}: {name}, {size}, {place}, loss {numbers.loss(scene.loss)}, "
        f"sequence {scene.sample + 1} of {len(scene.task)}",
        f"{symbol(report.loss_step)}: {words.which(report.loss_step)}",
        known[:1].upper() + known[1:],
    ]
    for text in lines:
        for line in paragraph(text, out.width):
            out.print(line)
    if not report.loss_step and len(scene.loss_steps) > 1:
        out.print("Each step adds its direct gradient, so it need not shrink. For one step: --loss-step K")
    out.print()


def _evidence(scene: Scene) -> Evidence:
    assert scene.evidence is not None  # it was prepared
    return scene.evidence
