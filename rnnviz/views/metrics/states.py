"""Metrics of inputs, states and outputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.views.metrics.registry import metric

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

# input, state, output
metric("x", "input at step t (its first number, or number i)", "+.3f", "step", "input")(
    lambda f, t, i: f.scene.trace.x[t - 1, 0, i]
)

metric("h", "hidden state of a unit after step t", "+.3f", "state", "unit")(
    lambda f, t, unit: f.scene.trace.h[t, 0, unit]
)

metric("c", "cell state of a unit after step t (LSTM)", "+.3f", "state", "unit")(
    lambda f, t, unit: None if f.scene.trace.c is None else f.scene.trace.c[t, 0, unit]
)

metric("pre", "sum of a unit at step t, before its activation (simple RNN)", "+.3f", "step", "unit")(
    lambda f, t, unit: None if not f.scene.trace.spec.about_cell.splits else f.scene.trace.pre[t - 1, 0, unit]
)

metric("y", "output at step t", "+.3f", "step", "output")(lambda f, t, o: f.scene.trace.y[t - 1, 0, o])

metric("target", "target of the output at step t; none where step t has no loss", "+.3f", "step", "output")(
    lambda f, t, o: f.scene.target_values[t - 1, o] if t in f.scene.loss_steps and f.scene.task.has_targets else None
)

metric("error", "output minus target at step t", "+.3f", "step", "output")(
    lambda f, t, o: (
        f.scene.trace.y[t - 1, 0, o] - f.scene.target_values[t - 1, o]
        if t in f.scene.loss_steps and f.scene.task.loss == "mse"
        else None
    )
)

metric("token", "input of step t, as a letter or word", "s", "step", is_text=True)(
    lambda f, t: f.scene.task.tokens(f.scene.sample)[t - 1]
)

metric("answer", "answer of the network at step K, as a word", "s", is_text=True)(lambda f: _answer(f))

metric("right_answer", "right answer at step K, as a word", "s", is_text=True)(
    lambda f: _right(f) if f.scene.task.loss == "cross_entropy" else None
)

metric("confidence", "probability of the right answer at step K", ".2f", low=0, high=1)(lambda f: _confidence(f))

metric("start_size", "mean |h₀| over all units: 0 where a sequence begins from zeros", ".2f", low=0)(
    lambda f: float(abs(f.scene.trace.h[0]).mean())
)

metric("scan_rounds", "rounds of a scan over all steps, ⌈log₂ T⌉ (a linear recurrence: minGRU, LRU)", "d", low=0)(
    lambda f: _scan_rounds(f)
)

metric("scan_difference", "difference between the states of a scan and those of the steps, relative (minGRU, LRU)",
        ".0e", low=0)(
    lambda f: _scan_difference(f)
)  # fmt: skip

metric("h_size", "mean |h| over all steps and units", ".3f", low=0)(lambda f: abs(f.scene.trace.h[1:]).mean())


def _answer(frame: Frame) -> str | None:
    scene = frame.scene
    if scene.task.loss != "cross_entropy":
        return None
    k = scene.last_loss_step
    return scene.task.answers(scene.trace.y[k - 1 : k, 0])[0]


def _right(frame: Frame) -> str:
    scene = frame.scene
    return scene.task.labels[int(scene.target_values[scene.last_loss_step - 1].argmax())]


def _confidence(frame: Frame) -> float | None:
    scene = frame.scene
    if scene.task.loss != "cross_entropy":
        return None
    logits = [float(v) for v in scene.trace.y[scene.last_loss_step - 1, 0]]
    right = int(scene.target_values[scene.last_loss_step - 1].argmax())
    if not all(map(math.isfinite, logits)):
        return None
    highest = max(logits)
    return math.exp(logits[right] - highest) / sum(math.exp(v - highest) for v in logits)


def _scan_rounds(frame: Frame) -> int | None:
    if not frame.scene.trace.spec.about_cell.is_linear:
        return None
    from rnnviz.nn.scan import rounds

    return rounds(frame.scene.trace.T)


def _scan_difference(frame: Frame) -> float | None:
    from rnnviz.nn.scan import difference

    trace = frame.scene.trace
    return difference(trace.spec, trace.params, trace.forward.layers)
