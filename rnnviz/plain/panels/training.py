"""The whole training and the whole series in sentences: loss curve, fit, answers, diagnosis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.glyphs import visible
from rnnviz.numbers import factor, fixed, loss, percent
from rnnviz.plain.panels.base import Open, spread
from rnnviz.plain.rows import named
from rnnviz.plain.words import VOICE
from rnnviz.scene.commands import Command, Measure

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


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


def curve(frame: Frame, open: Open) -> list[str]:
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
        some = ", ".join(f"{learning.mark(at + first)}: {loss(values[at])}" for at in spread(list(range(len(values)))))
        lines.append(f"{name} by {learning.unit}, {some}. {_shape(list(values))}")
    baseline = frame.scene.task.baseline
    if baseline is not None:
        lines.append(f"The best constant answer has a loss of {loss(baseline)}.")
    return lines


def fit(frame: Frame, open: Open) -> list[str]:
    from rnnviz.words import forecast

    scene = frame.scene
    outcome, series = scene.outcome, scene.task.series
    if outcome is None or outcome.fit is None or series is None:
        return ["The fit is not worked out."]
    start = len(series) - len(outcome.fit)
    pairs = [
        f"point {start + at}: series {fixed(float(series[start + at]))}, network {fixed(float(outcome.fit[at]))}"
        for at in spread(list(range(len(outcome.fit))))
    ]
    lines = [f"The series and its prediction one step ahead, at some points: {'; '.join(pairs)}."]
    if outcome.baselines is not None:
        text = forecast.text(outcome.baselines)
        lines.append(text)
    return lines


def self_fed(frame: Frame, open: Open) -> list[str]:
    scene = frame.scene
    outcome, series, task = scene.outcome, scene.task.series, scene.task
    if outcome is None or outcome.prediction is None or series is None:
        return ["The prediction is not worked out."]
    start = len(series) - len(outcome.prediction) if task.ends is None else int(task.ends[task.fed_from])
    count = min(len(outcome.prediction), len(series) - start)
    pairs = [
        f"point {start + at}: series {fixed(float(series[start + at]))}, network {fixed(float(outcome.prediction[at]))}"
        for at in spread(list(range(count)))
    ]
    return [f"From point {start} on the network reads its own output: {'; '.join(pairs)}."]


def words(frame: Frame, open: Open) -> list[str]:
    scene, t = frame.scene, frame.cursor.t
    lines = [f"{scene.describe(answered=frame.read == frame.T)}."]
    if scene.outcome is not None and scene.outcome.continuation is not None:
        lines.append(f'Continued by the network: "{visible(scene.outcome.continuation)}".')
    if not 1 <= t <= frame.read:
        return [*lines, "Predictions appear after the first step."]
    if scene.probabilities is not None:
        judged, labels = t in scene.loss_steps, scene.task.labels
        some = "; ".join(f"{named(label, labels)} {percent(share)}" for label, share in scene.guesses(t)[:10])
        right = f" The right answer is {named(scene.answer(t), labels)}." if judged else ""
        lines.append(f"Prediction after step {t}, which has {'a' if judged else 'no'} loss: {some}.{right}")
    return lines


def diagnosis(frame: Frame, open: Open) -> list[str]:
    from rnnviz.diagnosis.paragraphs import paragraphs

    return [text if text.endswith((".", "!")) else f"{text}." for text, _ in paragraphs(frame)] or ["Not diagnosed."]


def diagnosis_needs(frame: Frame) -> list[Command]:
    from rnnviz.diagnosis import of_scene

    return [of_scene.wanted(frame)]


def map_lines(frame: Frame, open: Open) -> list[str]:
    from rnnviz.maps import of_scene
    from rnnviz.words.map import around, in_lines

    found = of_scene.of_frame(frame)
    if found is None or frame.experiment is None:
        return ["The map is not computed."]
    return [around(frame.experiment), *(f"{line.rstrip('.')}." for line in in_lines(found.chart, "share"))]


def map_needs(frame: Frame) -> list[Command]:
    from rnnviz.maps import of_scene

    return [of_scene.wanted(frame)]


def outcome(frame: Frame) -> list[Command]:
    return [] if frame.scene.outcome is not None else [Measure("outcome")]
