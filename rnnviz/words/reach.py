"""Reach in words: how much of the last step's gradient arrives where its answer comes from, and what the answers are.

>>> text(of_frame(player.frame))
'1.1 % of the gradient arrives 20 steps back · 24 % right (guessing: 30 %)'
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from rnnviz.numbers import counted, is_whole, percent, scientific
from rnnviz.scene.scene import Scene
from rnnviz.views.reach import EXPLODES, Answers, Reach
from rnnviz.words.zero_gradients import clause, short


def none(scene: Scene) -> str:
    """Why there is no reach."""
    if scene.reads_back and scene.task.lag is not None:
        return "the answer depends on an input that this direction reads later"
    return "the task does not name the input that its answer depends on"


def arrival(reach: Reach) -> tuple[str, ...]:
    """How much of the gradient arrives, the longest text first."""
    back = f"{reach.lag} step{'s' * (reach.lag != 1)} {'later' if reach.is_later else 'back'}"
    if reach.step < reach.first_used:
        used = reach.loss_step - reach.first_used + 1
        last = f"the last {used} steps" if used > 1 else "the last step"
        return (
            f"truncated: the update uses only {last}, the answer is {back}",
            f"the update uses {last}, of {reach.lag} back",
            f"update: last {counted(used, 'step')}, answer {reach.lag} back",
            f"update: last {counted(used, 'step')}",
        )
    if reach.start == 0:
        why = "" if reach.zero is None else clause(reach.zero)
        return f"the gradient is 0 from the start: {why}", f"the gradient is 0: {why}", "the gradient is 0"
    if reach.lag == 0:
        return "the answer depends on the last step itself", "the answer needs no memory"
    if not math.isfinite(reach.arrives):
        if math.isinf(reach.start) or math.isinf(reach.arrives):
            return f"the gradient overflows {back}", "the gradient overflows"
        return f"the gradient is nan {back}", "the gradient is nan"
    through = " in c" if reach.along == "c" else ""
    if reach.arrives == 0:
        where = " in the top layer" if reach.layers > 1 else ""
        if reach.zero is None:  # the quotient of two numbers underflowed, not the gradient
            return f"hardly anything of the gradient arrives{where} {back}", "hardly anything arrives"
        if reach.zero.kind == "underflow":
            return (
                f"the gradient{where} underflows at t = {reach.zero.t}, before it is {back}",
                f"it underflows at t = {reach.zero.t}",
                "it underflows",
            )
        return (
            f"nothing of the gradient arrives{where} {back}: {clause(reach.zero)}",
            f"nothing arrives {back}: {short(reach.zero)}",
            f"nothing arrives: {short(reach.zero)}",
            "nothing arrives",
        )
    much, end = part(reach.arrives), ": it explodes" if reach.arrives > EXPLODES else ""
    return (
        f"{much} the gradient arrives{through} {back}{end}" if much.endswith("×")
        else f"{much} of the gradient arrives{through} {back}{end}",
        f"{much} arrives{through} {back}{end}",
        f"{much} arrives {back}",
        f"arrives: {much}",
    )  # fmt: skip


def sends(reach: Reach) -> str:
    """What part of the weights' gradient comes from that step; "" where it is unknown."""
    if reach.share is None or reach.near is None or reach.step < reach.first_used or not reach.lag:
        return ""
    if reach.share == 0:  # the first half of the sentence says so, and why
        return ""
    return f"that step sends {part(reach.share)} of the weights' gradient, the last step {part(reach.near)}"


def answers_texts(answers: Answers) -> tuple[str, ...]:
    """What the network answers, the longest text first."""
    if answers.right is not None:
        if answers.learnt is None:
            count = answers.sequences if answers.count is None else answers.count
            return (f"{round(answers.right * count)} of {counted(count, 'answer')} right",)
        right = f"{percent(answers.right, 0)} right"
        if answers.learnt:
            return f"learnt: {right}", right
        return f"{right} (guessing: {percent(answers.constant or 0.0, 0)})", right
    if answers.error is None:
        return ("",)
    error = f"error {_number(answers.error)}"
    whole = f"{error} (guessing: {_number(answers.baseline or 0.0)})"
    return (f"learnt: {whole}", f"learnt: {error}", error) if answers.learnt else (whole, error)


def line(reach: Reach, room: int = 10_000) -> tuple[str, str]:
    """What is measured about the gradient, and the answers, in at most `room` characters together with the ` · `
    between them; of each the longest that fits, and what does not fit at all is left out whole."""
    arrivals, sent = arrival(reach), sends(reach)
    answers = ("",) if reach.answers is None else answers_texts(reach.answers)
    longer = [f"{arrivals[0]}; {sent}"] if sent else []
    for first in (*longer, *arrivals):
        for answer in answers:
            if len(first) + (len(answer) + 5 if answer else 0) <= room:
                return first, answer
    return next((text for text in arrivals if len(text) <= room), ""), ""


def text(reach: Reach, room: int = 10_000) -> str:
    """The same in one line."""
    return " · ".join(filter(None, line(reach, room)))


def as_json(reach: Reach) -> dict[str, Any]:
    """What `--json` prints."""
    answers = None if reach.answers is None else {**asdict(reach.answers), "learnt": reach.answers.learnt}
    return {
        "loss_step": reach.loss_step,
        "step": reach.step,
        "lag": reach.lag,
        "arrives": reach.arrives,
        "along": reach.along,
        "share": reach.share,
        "share_of_last_step": reach.near,
        "horizon": reach.horizon,
        "first_step_used": reach.first_used,
        "zero_because": None if reach.zero is None else clause(reach.zero),
        "answers": answers,
    }


def part(share: float) -> str:
    """`1.1 %`, `2.0e-05`, `68 ×`: how much of a whole."""
    if share == 0:
        return "0 %"
    if share >= 1e3:
        return f"{scientific(share)} ×"
    if is_whole(share):
        return "100 %"
    if share > 1:
        return f"{share:.3g} ×" if share >= 1.005 else f"{max(share, 1.0001):.5g} ×"
    if share >= 0.995:
        return percent(share)
    return f"{100 * share:.2g} %" if share >= 0.001 else scientific(share)


def _number(value: float) -> str:
    return f"{value:.2g}" if value == 0 or 1e-3 <= value < 1e3 else scientific(value)
