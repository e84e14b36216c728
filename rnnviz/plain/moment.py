"""The moment in sentences: where the network is, with the numbers of this step, and what comes next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.glyphs import visible
from rnnviz.numbers import counted, factor, fixed, loss, percent, scientific
from rnnviz.plain.rows import named
from rnnviz.plain.words import VOICE
from rnnviz.scene.cursor import Phase
from rnnviz.views.diagram import node_at
from rnnviz.words.directions import step_of
from rnnviz.words.narration import narrate, subjects
from rnnviz.words.row_name import symbol

if TYPE_CHECKING:
    from rnnviz.plain.mask import Mask
    from rnnviz.scene.frame import Frame


def moment(frame: Frame, mask: Mask, *, whole: bool = True) -> list[str]:
    """Sentences about this moment. whole: also what is the same at the step before, and what comes next."""
    phase = frame.cursor.phase
    hidden = mask.hides(*subjects(frame))
    first, second = ("", "") if hidden else narrate(frame, VOICE)
    if frame.scene.has_exploded and not hidden:
        return [_step(frame, mask), first, *([second] if whole else [])]
    if phase is Phase.FORWARD and frame.cursor.t > 0:
        is_end = frame.cursor.t == frame.T
        return [_step(frame, mask), *([first] if whole else []), *([second] if (whole or is_end) and second else [])]
    if phase is Phase.BACKWARD:
        if hidden:
            return [f"Going back in time: {step_of(frame)}.", mask.reason]
        return [_back(frame), first, *([second] if whole or frame.cursor.t == 0 else [])]
    where = (
        f"{step_of(frame).capitalize()}."
        if not frame.cursor.t
        else "The sequence is read to its end."
        if hidden
        else ""
    )
    return [text for text in (where, first, second) if text] or [mask.reason]


def _step(frame: Frame, mask: Mask) -> str:
    """The numbers of a step that was read."""
    scene, t, unit = frame.scene, frame.cursor.t, frame.cursor.unit
    if frame.cursor.phase is not Phase.FORWARD or t == 0:
        return f"{step_of(frame).capitalize()}."
    node = node_at(frame, t)
    assert node is not None
    parts = [] if scene.task.has_features else [f"the input is {named(node.x, scene.task.vocab)}"]
    if not mask.hides_step("state", t):
        parts.append(f"unit {unit} of the hidden state is {fixed(float(scene.trace.h[t, 0, unit]))}")
    if scene.task.has_readout and not mask.hides_step("output", t) and scene.task.loss == "mse":
        parts.append(f"the output is {node.y}")
        if t in scene.loss_steps and not mask.hides("judged"):
            parts.append(f"the target {fixed(float(scene.target_values[t - 1, 0]))}")
    guesses = () if mask.hides_step("output", t) else scene.guesses(t)[:1]
    parts += [
        f"the likeliest output is {named(label, scene.task.labels)}, {percent(share)}" for label, share in guesses
    ]
    return f"{step_of(frame).capitalize()}: {', '.join(parts)}."


def _back(frame: Frame) -> str:
    t, gradient, k = frame.cursor.t, frame.gradient, frame.loss_step
    value = float(gradient.norms[t])
    time, where = frame.scene.time, "On to" if frame.scene.reads_back else "Back at"
    name = symbol(None if k is None else time(k), has_loss=frame.scene.has_loss, t=time(t))
    if gradient.waits:
        return f"{where} step {time(t)}."
    kept = float(gradient.factors[t]) if t < (frame.T if k is None else k) else math.nan
    step = f", {factor(kept)} times that of step {time(t + 1)}" if value and not math.isnan(kept) else ""
    return f"{where} step {time(t)}: {name} is {scientific(value)}{step}."


def place_of(frame: Frame) -> str:
    """`Epoch 3 of 20, batch 2 of 33`; of a recording the record; "" for weights alone."""
    learning, cursor = frame.learning, frame.cursor
    if learning.trains:
        batch = f", batch {cursor.batch} of {learning.batches_per_epoch}" if cursor.batch else ""
        return (
            f"Epoch {cursor.epoch} of {learning.epochs}{batch}" if cursor.epoch or batch else "The network is untrained"
        )
    text = learning.where(cursor.epoch, cursor.batch)
    return text[:1].upper() + text[1:].replace("/", " of ").replace(" · step", ", training step")


def where(frame: Frame, mask: Mask) -> list[str]:
    """What is open, how far it is trained, its loss, and which sequence this is."""
    scene = frame.scene
    spec = scene.trace.spec
    cell = f"{frame.cell.title} with its loop cut" if frame.cut else frame.cell.described(spec.activation)
    layers = f" in each of {spec.num_layers} layers" if spec.num_layers > 1 else ""
    units = f"{counted(scene.H, 'unit')}{layers}"
    first = f"The network: {cell}, {units}; the task: {visible(scene.task.title)}, {counted(frame.T, 'step')}."
    place = place_of(frame)
    value = ""
    if scene.has_loss:
        value = "the loss is not known" if scene.loss is None else f"the loss of this sequence is {loss(scene.loss)}"
        value = "the loss waits for the answer" if mask.hides("loss") else value
    second = "; ".join(filter(None, [place, value, f"sequence {scene.sample + 1} of {len(scene.task)}"]))
    return [first, f"{second[:1].upper()}{second[1:]}."]
