"""The ledger in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rnnviz.numbers import counted, factor, steps, subscript
from rnnviz.words.zero_gradients import clause

if TYPE_CHECKING:
    from rnnviz.scene.gradient import Gradient
    from rnnviz.views.ledger import Table


def sentence(table: Table, gradient: Gradient, time: Callable[[int], int] = lambda step: step) -> str:
    """`Mean to h₁: a step keeps 0.64 (0.85 × 0.75); half is gone after 2.9 steps.` gradient: the table's own. time: of
    a step, where the two differ."""
    if table.loss_step is None:
        return "The total: each step adds its own error on the way. [gradient] shows one loss."
    start, rate = table.loss_step, table.rate
    onward = "back" if time(0) == 0 else "on"
    if table.zero is not None:
        return f"From t = {time(table.zero_from)} {onward} the gradient is 0: {clause(table.zero)}."
    if table.is_attended:
        return "Each row is a sum: loop, from the next h; value, α held; score, through α."
    if rate is None:
        return "Not every figure here is finite, so no mean can be computed."
    kept = f"a step keeps {factor(rate.mean)}" if rate.mean <= 1 else f"a step multiplies it by {factor(rate.mean)}"
    split = "" if rate.slope is None or rate.weight is None else f" ({factor(rate.slope)} × {factor(rate.weight)})"
    if gradient.half_life is not None:
        end = f"half is gone after {steps(gradient.half_life, start)} steps"
    elif gradient.half_gone is None:
        end = "it grows on its way back" if rate.mean > 1 else f"after {counted(start, 'step')} more than half is left"
    elif gradient.horizon is not None:
        end = f"99 % is gone after {steps(gradient.horizon, start)} steps"
    else:
        end = f"more than 1 % is left at h{subscript(time(0))}"
    which = "" if table.has_loss else "By singular values: mean"
    return f"{which or 'Mean'} to h{subscript(time(rate.first))}: {kept}{split}; {end}."
