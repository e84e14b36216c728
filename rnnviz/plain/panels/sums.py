"""What a moment is computed from, in sentences: neuron, network, model summary, code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rnnviz.numbers import counted, factor, fixed, scientific, subscript
from rnnviz.plain.panels.base import Open, Verbatim
from rnnviz.plain.words import VOICE

if TYPE_CHECKING:
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.views.neuron import Equation


_FACTOR = re.compile(r"·((?:tanh )?\S+) (-?[\d.]+(?:e[+-]\d+)?)")
_ADDEND = re.compile(r"(?:(?<=[-+] )|(?<=\())([a-z][\w\[\]']*) (-?[\d.]+(?:e[+-]\d+)?)(?=[ )])")


def _equation(equation: Equation) -> str:
    """With the name of a value behind it: 0.71 times 0.41 for x."""
    from rnnviz.words.equations import write_equation

    text = write_equation(equation, 100).text
    return _ADDEND.sub(r"\2 for \1", _FACTOR.sub(r"·\2 for \1", text)) + "."


def neuron(frame: Frame, open: Open) -> list[str]:
    from rnnviz.words.neuron import equations

    head, first, _ = equations(frame)
    return [VOICE.say(head), *map(_equation, first)]


def neuron_here(frame: Frame) -> str:
    from rnnviz.words.neuron import equations

    _, first, _ = equations(frame)
    return _equation(first[-1]) if first else ""


def network(frame: Frame, open: Open) -> list[str]:
    from rnnviz.views.diagram import node_at

    if open.page % 2:
        times = counted(frame.T, "time")
        folded = f"Folded: one box, used {times} with the same weights; its output h goes back into it."
        return [VOICE.say(f"{folded} [next] unrolls it."), *summary(frame, open)]
    number = "1 copy" if frame.T == 1 else f"{frame.T} copies"
    copies = f"{number} of one network with the same weights, each passes its state on."
    lines = [VOICE.say(f"Unrolled in time: {copies} [next] folds it into its loop.")]
    for t in range(max(0, frame.cursor.t - 1), min(frame.T, frame.cursor.t + 1) + 1):
        node = node_at(frame, t)
        if node is None:
            continue
        parts = []
        if node.h is not None:
            parts.append(f"the norm of h{subscript(t)} is {factor(node.h[-1])}")
        if node.from_before is not None and not frame.cut:
            parts.append(f"from the step before arrives {factor(node.from_before[-1])}")
        if node.from_below is not None:
            parts.append(f"from the input {factor(node.from_below[-1])}")
        if node.gradient is not None:
            parts.append(f"the gradient here is {scientific(node.gradient)}")
        lines.append(f"Step {t}: {'; '.join(parts)}." if parts else f"Step {t} is not read yet.")
    return [*lines, *(["The loop is cut: nothing arrives from the step before."] if frame.cut else [])]


def network_here(frame: Frame) -> str:
    return next((line for line in network(frame, Open()) if line.startswith(f"Step {frame.cursor.t}:")), "")


def summary(frame: Frame, open: Open) -> list[str]:
    model, task = frame.scene.model, frame.scene.task
    sizes = {"B": frame.learning.batch_size, "T": task.seq_len}
    rows = [row for row in model.summary() if row.name != "readout" or task.has_readout]
    lines = []
    for row in rows:
        shape = " by ".join(str(sizes.get(str(n), n)) for n in row.output_shape)
        lines.append(f"Layer {row.name}, {row.kind}: output {shape}, {counted(row.parameters, 'parameter')}.")
    for name, size in frame.scene.trace.spec.parameter_shapes.items():
        if task.has_readout or "readout" not in name:
            lines.append(f"{name.removeprefix('rnn.')}: {' by '.join(map(str, size))}.")
    return [f"{counted(sum(row.parameters for row in rows), 'parameter')} in {counted(len(rows), 'layer')}.", *lines]


def weights(frame: Frame, open: Open) -> list[str]:
    """The two numbers of W_hh, and the weights of the selected unit."""
    from rnnviz.views.weights import blocks
    from rnnviz.words.weights import of_W_hh

    unit = frame.cursor.unit
    rows = [f"{block.name}: {', '.join(fixed(float(weight)) for weight in block.values[unit])}."
            for block in blocks(frame.scene.trace)]  # fmt: skip
    return [
        *of_W_hh(frame.scene),
        f"The weights of unit {unit}, one for each unit or input that it receives from:",
        *rows,
    ]


def code(frame: Frame, open: Open) -> list[str]:
    from rnnviz.export.pages import COPIES, PAGES, text

    what, lines, start = text(frame, open.page % len(PAGES))
    onward = VOICE.say(f"[next] shows {PAGES[(open.page + 1) % len(PAGES)]}.")
    return [
        f"{PAGES[open.page % len(PAGES)]}: {what.removesuffix(COPIES)}. {onward}",
        *(Verbatim(line) for line in lines[start:]),
    ]


def eigenvalues(frame: Frame, open: Open) -> list[str]:
    """Of each matrix that there is here its lengths, what follows, and |λ| with the angle of the first ones."""
    from rnnviz.views import spectrum
    from rnnviz.views.metrics.gradients import mean_factor
    from rnnviz.words import spectrum as words

    lines = [f"Here {words.which_state(frame)}."] if words.which_state(frame) else []
    for matrix in spectrum.matrices(frame):
        found = spectrum.known(frame.scene, matrix)
        if found is None:
            continue
        lines.append(f"{words.name(frame, matrix)}: {words.follows(matrix, found)}")
        if found.spectrum is not None:
            lengths = words.lengths(found.spectrum).replace(" · ", ", ")
            lines.append(f"Its {lengths}; {words.departure(found.spectrum)}.")
            lines.append(f"Its eigenvalues, size and angle: {', '.join(words.entries(found.spectrum)[:8])}.")
    lyapunov, mean = spectrum.lyapunov(frame.scene), mean_factor(frame)
    rates = (words.exponents(lyapunov, mean, 8), words.compared(lyapunov, mean))
    return [*lines, *(text if text.endswith(".") else f"{text}." for text in rates if text)]


def eigenvalues_needs(frame: Frame) -> list[Command]:
    from rnnviz.views import spectrum

    return [*spectrum.all_needed(frame)]
