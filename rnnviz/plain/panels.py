"""The panels of the app in sentences and lists of numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rnnviz.experiment.experiment import SETTINGS
from rnnviz.glyphs import visible
from rnnviz.numbers import counted, factor, fixed, loss, percent, scientific, significant, steps, subscript
from rnnviz.plain.rows import listed, named
from rnnviz.plain.words import VOICE
from rnnviz.scene.commands import Alone, Back, Command, Compare, Measure, Pin, Seek, ShowGradient, Survey, Train
from rnnviz.words.no_panel import no_perturbation, no_self_fed, no_series, no_triangle, no_words
from rnnviz.words.row_name import symbol

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.views.neuron import Equation

POINTS = 8  # of a curve


class Verbatim(str):
    """A line that is to be copied: a program, not a sentence."""

    __slots__ = ()


class Paragraph(str):
    """A line of a lesson, which ends as its author wrote it."""

    __slots__ = ()


@dataclass(frozen=True)
class Open:
    """The open panel: its page, its chosen knob, the settings that an open exercise locks."""

    panel: str = ""
    page: int = 0
    knob: str = "gain"
    locked: tuple[str, ...] = ()


Say = Callable[["Frame", Open], list[str]]


@dataclass(frozen=True)
class Panel:
    """say: its sentences. about: what it is for. shows: the figures it tells (see lessons/masking.py).
    why_not: why there is nothing here. needs: commands that work out what it tells.
    here: one sentence about this moment, after each step while it is open. acts: what an action does while it is open.
    on_close: a command to send when it closes."""

    say: Say
    about: str
    shows: frozenset[str] = frozenset()
    why_not: Callable[[Frame], str | None] = lambda frame: None
    needs: Callable[[Frame], list[Command]] = lambda frame: []
    here: Callable[[Frame], str] = lambda frame: ""
    acts: Mapping[str, Callable[[Frame], Command]] = field(default_factory=dict)
    on_close: Command | None = None


def why_not(name: str, frame: Frame) -> str | None:
    """Why a panel has nothing here: this kind of run has nothing like it, or it has nothing yet."""
    return frame.cannot.get(name) or PANELS[name].why_not(frame)


# -- the gradient ----------------------------------------------------------------------------------------


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
        if not math.isnan(row.left):
            parts.append(f"{significant(row.left, 3)} of it is left")
        if not math.isnan(row.along):
            parts.append(f"along {table.highway} {scientific(row.along)}")
        if not math.isnan(row.open) and frame.cell.carry is not None:
            parts.append(f"the mean of {frame.cell.carry.label} is {factor(row.open)}")
        if gain is not None:
            parts.append(f"no gradient could keep more than {factor(float(gain[t]))}")
    return f"Step {t}: {'; '.join(parts)}."


def _ledger_here(frame: Frame) -> str:
    """The row without the gradient, which the moment has."""
    _, _, why = _ledger_row(frame, frame.cursor.t).partition("; ")
    return f"{why[:1].upper()}{why[1:]}"


def _ledger(frame: Frame, open: Open) -> list[str]:
    from rnnviz.nn.cell_table import CELLS
    from rnnviz.views import ledger
    from rnnviz.words.ledger import sentence

    table = ledger.table(frame.scene, frame.loss_step)
    if table is None:
        return ["The ledger is not worked out."]
    head = [sentence(table, frame.scene.gradient(table.loss_step))]
    no_split = CELLS[table.cell].no_split
    here = table.row_of(frame.cursor.t) if frame.reached is not None else 0
    rows = [_ledger_row(frame, row.t) for row in table.rows[here or 0 :]]
    return [*head, *([no_split] if no_split else []), *rows]


def _ledger_needs(frame: Frame) -> list[Command]:
    if not frame.scene.has_gradient(frame.loss_step):
        return []
    return [Measure("ledger", frame.loss_step), Measure("gain")]


def _triangle(frame: Frame, open: Open) -> list[str]:
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


def _loss_step(by: int) -> Callable[[Frame], Command]:
    def choose(frame: Frame) -> Command:
        having = frame.scene.loss_steps
        if frame.loss_step not in having:
            return ShowGradient("last")
        return ShowGradient(having[min(max(having.index(frame.loss_step) + by, 0), len(having) - 1)])

    return choose


def _travel(frame: Frame, open: Open) -> list[str]:
    learning, epoch = frame.learning, frame.cursor.epoch
    lines = [f"{learning.unit.capitalize()} {learning.mark(epoch)}: loss {_known(learning.loss_at(epoch))}."]
    if frame.horizons is None:
        return lines
    lags = frame.horizons.lags
    for at in _some(list(range(learning.places)), {epoch}):
        profile = frame.horizons.profiles.get(at)
        if profile is not None:
            left = percent(float(profile.kept[-1])) if len(profile.kept) else "nothing"
            lines.append(
                f"{learning.unit.capitalize()} {learning.mark(at)}: loss {_known(learning.loss_at(at))}, "
                f"1 % of the gradient is left after {_steps(profile.horizon, lags, profile.fades)}, "
                f"{left} after {counted(len(profile.kept) - 1, 'step')}."
            )  # fmt: skip
    back, on = VOICE.say("[left]"), VOICE.say("[right]")
    return [*lines, f"While this is open, {back} goes to the {learning.unit} before and {on} to the next."]


def _steps(value: float | None, lags: int, fades: bool) -> str:
    if value is None:
        return f"more than {counted(lags, 'step')}" if fades else "no number of steps, since it does not fade"
    return f"{steps(value, lags)} steps"


def _known(value: float | None) -> str:
    return "not known" if value is None else loss(value)


def _perturbed(frame: Frame, open: Open) -> list[str]:
    from rnnviz.views import perturbation
    from rnnviz.words.perturbation import foot

    found = perturbation.known(frame.scene, frame.cursor.t)
    if found is None:
        return ["The moved state is not followed."]
    states = "h and c" if frame.scene.trace.c is not None else "h"
    way = f"part of the way to the state of a sequence with answer {visible(found.other_answer)}"
    lines = [f"At step {found.t}, {states} is moved {way}."]
    for p, part in enumerate(found.parts):
        end = float(found.way[p, found.last])
        far = percent(end, 0) if math.isfinite(end) else "an unknown part"
        answer = visible(found.answers[p])
        lines.append(f"Moved by {part} %: at step {found.last} it is {far} of the way off, and the answer is {answer}.")
    return [*lines, foot(found, 10_000)]


def _attention(frame: Frame, open: Open) -> list[str]:
    from rnnviz.views.attention import attention

    k = frame.scene.last_loss_step
    weights = [float(w) for w in attention(frame.scene.trace.h[1 : k + 1, 0])]
    head = f"The weight of each state in a sum over all of them, αₜ = softmax( h{subscript(k)} · hₜ / √H )."
    return [head, *listed("step", 1, [f"{w:.3g}" for w in weights]), "They add up to 1."]


def _attention_here(frame: Frame) -> str:
    from rnnviz.views.attention import attention

    k, t = frame.scene.last_loss_step, frame.cursor.t
    if not 1 <= t <= k:
        return ""
    return f"The attention to step {t} is {float(attention(frame.scene.trace.h[1 : k + 1, 0])[t - 1]):.3g}."


def _compare(frame: Frame, open: Open) -> list[str]:
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
            parts.append(f"gradient at step {frame.cursor.t} {scientific(float(gradient.norms[frame.cursor.t]))}")
        if gradient.half_life is not None:
            parts.append(f"half-life {steps(gradient.half_life, last)} steps")
        parts.append(f"1 % is left after {_steps(gradient.horizon, last, gradient.fades)}")
        if gradient.highway is not None:
            lane = gradient.highway
            parts.append(f"along {lane.along} after {_steps(lane.horizon, last, lane.fades)}")
        parts.append(f"{row.parameters:,} parameters")
        of = f", {row.what}" if row.what and row.what != row.name else ""
        here = " (this one)" if row.is_present else ""
        doubt = f"; {row.doubt}" if row.doubt else ""
        lines.append(f"{visible(row.name)}{here}{visible(of)}: {'; '.join(parts)}{doubt}.")
    if len(rows) == 1:
        lines.append(VOICE.say("Nothing else is here. [pin] pins this one, to compare others with it."))
    means = gate_means(frame)
    return [*lines, *([means] if means else [])]


# -- the sums ----------------------------------------------------------------------------------------------


_FACTOR = re.compile(r"·(\S+) (-?[\d.]+(?:e[+-]\d+)?)")
_ADDEND = re.compile(r"(?<=[-+(] )([a-z][\w\[\]']*) (-?[\d.]+(?:e[+-]\d+)?)(?=[ )])")


def _equation(equation: Equation) -> str:
    """With the name of a value behind it: 0.71 times 0.41 for x."""
    from rnnviz.words.equations import write_equation

    text = write_equation(equation, 160).text
    return _ADDEND.sub(r"\2 for \1", _FACTOR.sub(r"·\2 for \1", text)) + "."


def _neuron(frame: Frame, open: Open) -> list[str]:
    from rnnviz.words.neuron import equations

    head, first, _ = equations(frame)
    return [VOICE.say(head), *map(_equation, first)]


def _neuron_here(frame: Frame) -> str:
    from rnnviz.words.neuron import equations

    _, first, _ = equations(frame)
    return _equation(first[-1]) if first else ""


def _network(frame: Frame, open: Open) -> list[str]:
    from rnnviz.views.diagram import node_at

    if open.page % 2:
        folded = f"Folded: one box, used {frame.T} times with the same weights; its output h goes back into it."
        return [VOICE.say(f"{folded} [next] unrolls it."), *_summary(frame, open)]
    copies = f"{frame.T} copies of one network with the same weights, each passes its state on."
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


def _network_here(frame: Frame) -> str:
    return next((line for line in _network(frame, Open()) if line.startswith(f"Step {frame.cursor.t}:")), "")


def _summary(frame: Frame, open: Open) -> list[str]:
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


def _code(frame: Frame, open: Open) -> list[str]:
    from rnnviz.export.pages import PAGES, text

    what, lines, start = text(frame, open.page % len(PAGES))
    onward = VOICE.say(f"[next] shows {PAGES[(open.page + 1) % len(PAGES)]}.")
    return [
        f"{PAGES[open.page % len(PAGES)]}: {VOICE.say(what)}. {onward}",
        *(Verbatim(line) for line in lines[start:]),
    ]


# -- the whole training and series -----------------------------------------------------------------------


def _some(places: list[int], always: set[int] | None = None) -> list[int]:
    """At most some of the places, evenly spaced, the first and the last among them."""
    if len(places) <= POINTS:
        return places
    at = {round(i * (len(places) - 1) / (POINTS - 1)) for i in range(POINTS)}
    return sorted({places[i] for i in at} | (always or set()))


def _shape(values: list[float]) -> str:
    """How a curve goes, in a sentence."""
    finite = [v for v in values if math.isfinite(v)]
    if len(finite) < len(values):
        return "It is not finite everywhere."
    low = min(range(len(values)), key=values.__getitem__)
    first, last, least = values[0], values[-1], values[low]
    if last <= least * 1.02:
        share = last / first if first else math.nan
        return f"It falls to {percent(share)} of its first value." if share < 0.98 else "It hardly changes."
    if low == 0:
        return f"It rises, to {factor(last / first)} times its first value." if first else "It rises."
    return f"It falls to {loss(least)} at {low + 1}, and rises again to {loss(last)}."


def _loss(frame: Frame, open: Open) -> list[str]:
    learning = frame.learning
    if not learning.loss:
        none = (
            VOICE.say("Nothing is trained yet: [epoch] trains one epoch.")
            if learning.trains
            else "No losses are known."
        )
        return [none]
    lines = []
    first_curve = "Training loss" if learning.trains else "Recorded loss"
    for name, values in ((first_curve, learning.loss), ("Validation loss", learning.val_loss)):
        if not values:
            continue
        first = 1 if learning.trains else 0
        some = ", ".join(f"{learning.mark(at + first)}: {loss(values[at])}" for at in _some(list(range(len(values)))))
        lines.append(f"{name} by {learning.unit}, {some}. {_shape(list(values))}")
    baseline = frame.scene.task.baseline
    if baseline is not None:
        lines.append(f"The best constant answer has a loss of {loss(baseline)}.")
    return lines


def _fit(frame: Frame, open: Open) -> list[str]:
    from rnnviz.words import forecast

    scene = frame.scene
    outcome, series = scene.outcome, scene.task.series
    if outcome is None or outcome.fit is None or series is None:
        return ["The fit is not worked out."]
    start = len(series) - len(outcome.fit)
    pairs = [
        f"point {start + at}: series {fixed(float(series[start + at]))}, network {fixed(float(outcome.fit[at]))}"
        for at in _some(list(range(len(outcome.fit))))
    ]
    lines = [f"The series and its prediction one step ahead, at some points. {'; '.join(pairs)}."]
    if outcome.baselines is not None:
        text = forecast.text(outcome.baselines)
        lines.append(text)
    return lines


def _self_fed(frame: Frame, open: Open) -> list[str]:
    scene = frame.scene
    outcome, series, task = scene.outcome, scene.task.series, scene.task
    if outcome is None or outcome.prediction is None or series is None:
        return ["The prediction is not worked out."]
    start = len(series) - len(outcome.prediction) if task.ends is None else int(task.ends[task.fed_from])
    count = min(len(outcome.prediction), len(series) - start)
    pairs = [
        f"point {start + at}: series {fixed(float(series[start + at]))}, network {fixed(float(outcome.prediction[at]))}"
        for at in _some(list(range(count)))
    ]
    return [f"From point {start} on the network reads its own output. {'; '.join(pairs)}."]


def _words(frame: Frame, open: Open) -> list[str]:
    scene, t = frame.scene, frame.cursor.t
    lines = [f"{scene.describe(answered=frame.read == frame.T)}."]
    if scene.outcome is not None and scene.outcome.continuation is not None:
        lines.append(f'Continued by the network: "{visible(scene.outcome.continuation)}".')
    if not 1 <= t <= frame.read:
        return [*lines, "Predictions appear after the first step."]
    if scene.probabilities is not None:
        judged = t in scene.loss_steps
        some = "; ".join(f"{named(label)} {percent(share)}" for label, share in scene.guesses(t)[:10])
        right = f" The right answer is {visible(scene.answer(t))}." if judged else ""
        lines.append(f"Prediction after step {t}, which has {'a' if judged else 'no'} loss: {some}.{right}")
    return lines


def _diagnosis(frame: Frame, open: Open) -> list[str]:
    from rnnviz.diagnosis.paragraphs import paragraphs

    return [text if text.endswith((".", "!")) else f"{text}." for text, _ in paragraphs(frame)] or ["Not diagnosed."]


def _diagnosis_needs(frame: Frame) -> list[Command]:
    from rnnviz.diagnosis import of_scene

    return [of_scene.wanted(frame)]


# -- the knobs ---------------------------------------------------------------------------------------------


def knobs_here(frame: Frame, locked: tuple[str, ...]) -> list[str]:
    """The names of the settings that do something here, in the order of the app's list."""
    from rnnviz.experiment.experiment import BY_GROUP
    from rnnviz.views.knobs import why_not as no_knob

    alive = [one.name for one in BY_GROUP if no_knob(frame, one.name) is None]
    return sorted(alive, key=lambda name: name in locked)


def knob_line(frame: Frame, name: str, locked: tuple[str, ...] = ()) -> str:
    """Its value, what it means and what it can be."""
    from rnnviz.views.knobs import range_of, value_of
    from rnnviz.views.knobs import why_not as no_knob

    one = SETTINGS[name]
    label = f"{one.label[:1].upper()}{one.label[1:]}"
    reason = no_knob(frame, name)
    if reason is not None:
        return f"{label} has no effect here: {reason}."
    if name in locked:
        return f"{label} is {visible(value_of(frame, name))}, locked by this exercise."
    return f"{label} is {visible(value_of(frame, name))}: {one.help}. Possible: {range_of(frame, name)}."


def _knobs(frame: Frame, open: Open) -> list[str]:
    from rnnviz.views.knobs import value_of

    alive = knobs_here(frame, open.locked)
    parts = [f"{SETTINGS[name].label} {visible(value_of(frame, name))}" for name in alive if name not in open.locked]
    how = VOICE.say(
        "Type a knob and its value, such as gain 1.5; a knob alone describes it. While this is open, [unit_up] and "
        "[unit_down] choose one, [left] and [right] turn it."
    )  # fmt: skip
    locked = ", ".join(SETTINGS[name].label for name in open.locked)
    lines = [how, f"Chosen: {knob_line(frame, open.knob, open.locked)}", *listed_words("Knobs", parts)]
    return [*lines, *([f"Locked by this exercise: {locked}."] if locked else [])]


def listed_words(what: str, parts: list[str]) -> list[str]:
    return [f"{what}: {', '.join(parts[at : at + 8])}." for at in range(0, len(parts), 8)]


def _outcome(frame: Frame) -> list[Command]:
    return [] if frame.scene.outcome is not None else [Measure("outcome")]


_OF_GRADIENT = frozenset(("gradient", "ledger", "gates"))

PANELS: dict[str, Panel] = {
    "fit": Panel(_fit, "the series, and its prediction one step ahead", frozenset(("fit",)), no_series, _outcome),
    "self-fed": Panel(
        _self_fed, "the network reading its own output", frozenset(("self-fed",)), no_self_fed, _outcome
    ),
    "words": Panel(
        _words, "sequence and answer, with probabilities", frozenset(("output", "judged", "baseline")), no_words,
        _outcome,
    ),
    "loss": Panel(_loss, "training and validation loss per epoch", frozenset(("history", "baseline"))),
    "travel": Panel(
        _travel, "how far back the gradient reached, by epoch", frozenset(("history", "gradient")),
        needs=lambda frame: [Survey()],
        acts={"left": lambda frame: Back("epoch"), "right": lambda frame: Train("epoch"),
              "unit_up": lambda frame: Back("batch"), "unit_down": lambda frame: Train("batch")},
    ),
    "neuron": Panel(
        _neuron, "one unit's value as a sum you can check by hand",
        frozenset(("state", "gradient", "ledger", "output", "gates", "weights")), here=_neuron_here,
    ),
    "ledger": Panel(
        _ledger, "why the gradient shrinks, step by step", _OF_GRADIENT, needs=_ledger_needs,
        here=lambda frame: _ledger_here(frame) if frame.reached is not None else "",
        acts={"unit_up": lambda frame: Seek(frame.cursor.t + 1), "unit_down": lambda frame: Seek(frame.cursor.t - 1)},
    ),
    "triangle": Panel(
        _triangle, "how far back the error of each step reaches", frozenset(("gradient", "judged")), no_triangle,
        lambda frame: [Measure("triangle")], acts={"unit_up": _loss_step(-1), "unit_down": _loss_step(1)},
    ),
    "perturbed": Panel(
        _perturbed, "a small and a large move of the state", frozenset(("perturbed",)), no_perturbation,
        lambda frame: _perturbed_needs(frame),
    ),
    "attention": Panel(
        _attention, "the weight of each state in a sum over all states", frozenset(("attention",)),
        here=_attention_here,
    ),
    "compare": Panel(
        _compare, "the other cells, or a pinned run, trained equally long",
        frozenset(("gradient", "loss", "parameters", "others")),
        needs=lambda frame: [] if frame.comparing and frame.beside is not None else [Compare()],
        acts={"next": lambda frame: Pin()}, on_close=Alone(),
    ),
    "knobs": Panel(_knobs, "change the cause, watch the effect"),
    "network": Panel(
        _network, "unrolled in time, or folded to its loop",
        frozenset(("gates", "gradient", "output", "parameters", "state")), here=_network_here,
    ),
    "summary": Panel(_summary, "layers, output shapes, parameters", frozenset(("parameters",))),
    "code": Panel(_code, "behind this moment; in PyTorch and Keras"),
    "diagnosis": Panel(
        _diagnosis, "what is measured to be wrong, and one thing to try",
        frozenset(("gradient", "others", "ledger", "loss", "history", "gates", "state", "weights")),
        needs=_diagnosis_needs,
    ),
}  # fmt: skip


def _perturbed_needs(frame: Frame) -> list[Command]:
    from rnnviz.views import perturbation

    wanted = perturbation.needs(frame.scene, frame.cursor.t)
    return [] if wanted is None else [wanted]
