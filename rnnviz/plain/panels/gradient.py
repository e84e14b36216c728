"""The gradient in sentences: ledger, triangle, time travel, the perturbed state, attention, other runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.glyphs import visible
from rnnviz.numbers import counted, factor, loss, percent, scientific, significant, steps
from rnnviz.plain.panels.base import Open, spread
from rnnviz.plain.rows import far, listed, named
from rnnviz.plain.words import VOICE
from rnnviz.scene.commands import Command, Measure
from rnnviz.words.row_name import symbol

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.views.ledger import Row


def _ledger_row(frame: Frame, t: int) -> str:
    from rnnviz.views import analysis, ledger

    table, gain = ledger.table(frame.scene, frame.loss_step), analysis.gain(frame.scene)
    at = None if table is None else table.row_of(t)
    if table is None or at is None:
        return ""
    row = table.rows[at]
    parts = [f"the gradient is {scientific(row.norm)}"]
    if at:
        split = "" if math.isnan(row.slope) or math.isnan(row.weight) else (
            f" (slope {factor(row.slope)} × weight {factor(row.weight)})")  # fmt: skip
        if not math.isnan(row.factor):
            parts.append(f"the step keeps {factor(row.factor)}{split}")
        if table.is_attended:
            parts.append(f"it adds up from {_ways(row)}")
        if not math.isnan(row.left):
            parts.append(f"{significant(row.left, 3)} of it is left")
        if not math.isnan(row.along):
            parts.append(f"along {table.highway} {scientific(row.along)}")
        if not math.isnan(row.open) and frame.cell.carry is not None:
            parts.append(f"the mean of {frame.cell.carry.label} is {factor(row.open)}")
        if gain is not None and not table.is_attended:  # with attention more than the loop brings
            parts.append(f"no gradient could keep more than {factor(float(gain[t]))}")
    return f"Step {frame.scene.time(t)}: {'; '.join(parts)}."


def _ways(row: Row) -> str:
    """`1.2e-07 from the next state, 0.012 as a value and 3.1e-04 through the score`"""
    loop, value, score, own = (scientific(figure) for figure in (row.loop, row.value, row.score, row.readout))
    readout = f", {own} through W hy" if row.readout else ""
    return f"{loop} from the next state, {value} as a value, {score} through the score{readout}"


def ledger_here(frame: Frame) -> str:
    """The row without the gradient, which the moment has."""
    if frame.reached is None:
        return ""
    _, _, why = _ledger_row(frame, frame.cursor.t).partition("; ")
    return f"{why[:1].upper()}{why[1:]}"


def ledger(frame: Frame, open: Open) -> list[str]:
    from rnnviz.nn.cell_table import CELLS
    from rnnviz.views import ledger
    from rnnviz.words.ledger import sentence

    table = ledger.table(frame.scene, frame.loss_step)
    if table is None:
        return ["The ledger is not worked out."]
    head = [sentence(table, frame.scene.gradient(table.loss_step), frame.scene.time)]
    no_split = None if table.is_attended else CELLS[table.cell].no_split
    here = table.row_of(frame.cursor.t) if frame.reached is not None else 0
    rows = [_ledger_row(frame, row.t) for row in table.rows[here or 0 :]]
    return [*head, *([no_split] if no_split else []), *rows]


def ledger_needs(frame: Frame) -> list[Command]:
    if not frame.scene.has_gradient(frame.loss_step):
        return []
    return [Measure("ledger", frame.loss_step), Measure("gain")]


def triangle(frame: Frame, open: Open) -> list[str]:
    """One line for each loss step: how much sets out, and how much is left at step 0 and at the cursor."""
    from rnnviz.views import analysis

    triangle = analysis.triangle(frame.scene)
    if triangle is None:
        return ["The triangle is not worked out."]
    t, lines = frame.cursor.t, []
    for k in reversed(frame.scene.loss_steps):
        row = [float(v) for v in triangle.norms[k, : k + 1]]
        there = f", at step {t} {scientific(row[t])}" if 0 < t < k else ""
        chosen = " This is the row that is shown." if k == frame.loss_step else ""
        start = f"{symbol(k, has_loss=frame.scene.has_loss)}: {scientific(row[k])} at step {k}"
        lines.append(f"{start}{there}, {scientific(row[0])} at step 0.{chosen}")
    what = "the error of each step" if frame.scene.has_loss else "the dependence of each state"
    return [f"How far back {what} reaches, {counted(len(lines), 'row')}, the last step first.", *lines]


def travel(frame: Frame, open: Open) -> list[str]:
    learning, epoch = frame.learning, frame.cursor.epoch
    if frame.horizons is None:
        return [f"{learning.unit.capitalize()} {learning.mark(epoch)}: loss {_known(learning.loss_at(epoch))}."]
    lines = [f"How far back the gradient reached, by {learning.unit}; here is {learning.unit} {learning.mark(epoch)}."]
    lags = frame.horizons.lags
    for at in spread(list(range(learning.places)), {epoch}):
        profile = frame.horizons.profiles.get(at)
        if profile is not None:
            left = percent(float(profile.kept[-1])) if len(profile.kept) else "nothing"
            lines.append(
                f"{learning.unit.capitalize()} {learning.mark(at)}: loss {_known(learning.loss_at(at))}, "
                f"1 % of the gradient is left after {far(profile.horizon, lags, fades=profile.fades)}, "
                f"{left} after {counted(len(profile.kept) - 1, 'step')}."
            )  # fmt: skip
    back, on = VOICE.say("[left]"), VOICE.say("[right]")
    return [*lines, f"While this is open, {back} goes to the {learning.unit} before and {on} to the next."]


def _known(value: float | None) -> str:
    return "not known" if value is None else loss(value)


def perturbed(frame: Frame, open: Open) -> list[str]:
    from rnnviz.views import perturbation
    from rnnviz.words.perturbation import foot

    found = perturbation.known(frame.scene, frame.cursor.t)
    if found is None:
        return ["The moved state is not followed."]
    states = "h and c are" if frame.scene.trace.c is not None else "h is"
    way = f"part of the way to the state of a sequence with answer {named(found.other_answer)}"
    lines = [f"At step {found.t}, {states} moved {way}."]
    for p, part in enumerate(found.parts):
        end = float(found.way[p, found.last])
        far = percent(end, 0) if math.isfinite(end) else "an unknown part"
        answer = named(found.answers[p])
        lines.append(f"Moved by {part} %: at step {found.last} it is {far} of the way off, and the answer is {answer}.")
    return [lines[0], foot(found, 10_000), *lines[1:]]


def attention(frame: Frame, open: Open) -> list[str]:
    from rnnviz.views.attention import step_in_view, weights
    from rnnviz.words.attention import formula

    k = step_in_view(frame)
    if not k:
        return ["No output looks back yet."]
    head = f"The weight of each state in a sum over all of them, {formula(frame, k)}."
    return [head, *listed("step", 1, [f"{w:.3g}" for w in weights(frame.scene, k).tolist()]), "They add up to 1."]


def attention_here(frame: Frame) -> str:
    from rnnviz.views.attention import step_in_view, weights

    k, t = step_in_view(frame), frame.cursor.t
    if not 1 <= t <= k:
        return ""
    return f"The attention to step {t} is {float(weights(frame.scene, k)[t - 1]):.3g}."


def compare(frame: Frame, open: Open) -> list[str]:
    from rnnviz.views.comparison import compared
    from rnnviz.words.comparison import gate_means

    rows = compared(frame)
    if not rows:
        return ["The others are not trained to this place."]
    lines = []
    for row in rows:
        gradient, last = row.gradient, row.gradient.loss_step or len(row.gradient.norms) - 1
        parts = [] if row.loss is None else [f"loss {loss(row.loss)}"]
        if frame.reached is not None and frame.cursor.t <= last:
            step = frame.scene.time(frame.cursor.t)
            parts.append(f"gradient at step {step} {scientific(float(gradient.norms[frame.cursor.t]))}")
        if gradient.half_life is not None:
            parts.append(f"half-life {steps(gradient.half_life, last)} steps")
        parts.append(f"1 % is left after {far(gradient.horizon, last, fades=gradient.fades)}")
        if gradient.lane is not None:
            lane = gradient.lane
            parts.append(f"along {lane.along} after {far(lane.horizon, last, fades=lane.fades)}")
        parts.append(f"{row.parameters:,} parameters")
        of = f", {row.what}" if row.what and row.what != row.name else ""
        here = " (this one)" if row.is_present else ""
        doubt = f"; {row.doubt}" if row.doubt else ""
        lines.append(f"{visible(row.name)}{here}{visible(of)}: {'; '.join(parts)}{doubt}.")
    if len(rows) == 1:
        lines.append(VOICE.say("Nothing else is here. [pin] pins this one, to compare others with it."))
    means = gate_means(frame)
    return [*lines, *([means] if means else [])]


def perturbed_needs(frame: Frame) -> list[Command]:
    from rnnviz.views import perturbation

    wanted = perturbation.needs(frame.scene, frame.cursor.t)
    return [] if wanted is None else [wanted]
