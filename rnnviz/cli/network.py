"""`rnnviz gradients WEIGHTS`: how far the last state of a network from a file depends on earlier ones."""

from __future__ import annotations

import time
from typing import Any

from rnnviz import numbers
from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, Progress, paragraph, print_json
from rnnviz.cli.trace_report import A_MOMENT, TraceReport, chosen_step, measure_gain, print_lags, print_one
from rnnviz.errors import InputError
from rnnviz.glyphs import visible
from rnnviz.player.kinds.network import NetworkRun
from rnnviz.player.player import typed_into
from rnnviz.scene.scene import Scene
from rnnviz.words.row_name import FROBENIUS, LARGEST, symbol

#: What grad_norm and factor are of, by whether a loss is known.
NORMS = {
    True: "gradient of the loss of loss_step by h at each time step",
    False: "largest singular value of the Jacobian of h at loss_step by h at each time step",
}


def run(options: Options) -> int:
    assert options.network is not None
    network = NetworkRun(options.network)
    if options["input"] is not None:
        if options["sample"]:
            raise InputError("input: it is read in place of the first sequence; leave --sample out")
        network = typed_into(network, options["input"])  # type: ignore[assignment]
    sample, many = options["sample"], len(network.task)
    if sample >= many:
        raise InputError(f"sample: {sample} is not one of the {many} sequences; choose 0 to {many - 1}")
    if options["loss_step"] == "total" and not network.has_loss:
        raise InputError("loss_step: without a loss there is no total; choose a step")
    scene = network.scene(sample)
    report = TraceReport(scene.trace, chosen_step(scene.trace, options["loss_step"]))
    if network.has_loss is False:
        _take_singular_values(report)
    measure_gain(report)
    if options["json"]:
        print_json(as_json(network, scene, report))
        return 0
    out = Output()
    print_head(out, network, scene, report)
    print_one(out, report)
    print_lags(out, report)
    return 0


def _take_singular_values(report: TraceReport) -> None:
    """They take a while for a large network: after a moment a line on stderr shows the progress."""
    progress, began = Progress("singular values, step", report.last), time.monotonic()

    def on_step(done: int, _: int) -> None:
        if time.monotonic() - began > A_MOMENT:
            progress(done, "")

    try:
        report.trace.sensitivity_of(report.last, on_step)
    finally:
        progress.clear()


def as_json(network: NetworkRun, scene: Scene, report: TraceReport) -> dict[str, Any]:
    part, spec, layer, file = network.settings, scene.trace.spec, network.layer, network.file
    return {
        "network": {
            "file": file.path,
            "format": file.format,
            "layer": part.layer,
            "level": part.level,
            "direction": part.direction,
            "cell": spec.cell,
            "activation": spec.activation,
            "hidden_size": spec.hidden_size,
            "input_size": spec.input_size,
            "seq_len": scene.T,
            "sample": scene.sample,
            "sequences": len(scene.task),
            "reads": scene.describe(answered=False),
            "readout": network.readout,
            "norm": NORMS[network.has_loss],
            "doubts": [{"what": one.what, "taken": one.taken, "flag": one.flag} for one in layer.doubts],
        },
        "loss": scene.loss,
        **report.figures(),
        "frobenius": None if network.has_loss else scene.trace.sensitivity_of(report.last).h.frobenius,
        "reach": None,
        "notes": [*scene.task.notes, *file.notes, *layer.notes],
        "cannot": dict(network.cannot),
    }


def print_head(out: Output, network: NetworkRun, scene: Scene, report: TraceReport) -> None:
    spec, k = scene.trace.spec, report.last
    size = f"{numbers.counted(spec.hidden_size, 'unit')}, {numbers.counted(scene.T, 'step')}"
    if network.has_loss:
        whose = f"the loss of step {report.loss_step}" if report.loss_step else "the total loss"
        row = f"{symbol(report.loss_step)}: how much {whose} changes with the hidden state at step t"
    else:
        row = (
            f"With weights alone there is no loss. {symbol(k, has_loss=False)}: what h{numbers.subscript(k)} moves by, "
            f"at most, for a move of h at step t by 1 ({LARGEST} of the Jacobian; --json has {FROBENIUS}, too)"
        )
    loss = f", loss {numbers.loss(scene.loss)}" if network.has_loss else ""
    lines = [
        f"{visible(network.settings.title)}: {spec.about_cell.described(spec.activation)}, {size}, "
        f"{scene.describe(answered=False)[0].lower()}{scene.describe(answered=False)[1:]}{loss}",
        row,
        *scene.task.notes,
        *network.file.notes,
        *network.layer.notes,
    ]
    for text in lines:
        for line in paragraph(text, out.width):
            out.print(line)
    out.print()
