"""What the weights' gradient loses where state is carried from batch to batch and its gradient is cut: the part of a
sequence's gradient that would come back through the sequence that it continues.

    full    ∂L/∂W of the loss of sequence i, through the steps of i and of the sequence before it
    cut     through the steps of i alone, from the same h₀
    lost    full − cut: what ∂L/∂h₀, and ∂L/∂c₀, would do in the sequence before
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rnnviz.experiment.build import start_of, trace_of
from rnnviz.nn import Trace
from rnnviz.scene.scene import Scene


def both_traces(scene: Scene) -> tuple[Trace, Trace] | None:
    """(full, cut), each with the present weights; None where the sequence continues none, or was typed."""
    task, i, previous = scene.task.original or scene.task, scene.sample, scene.task.previous
    if previous is None or previous[i] < 0 or scene.is_typed or not scene.has_loss:
        return None
    before = int(previous[i])
    both, start = [before, i], start_of(scene.model, task, before)
    is_judged = np.concatenate([np.zeros(task.seq_len, bool), task.loss_mask[i]])
    full = scene.model.trace(
        np.concatenate(task.x[both])[:, None],
        np.concatenate(task.targets[both])[:, None],
        task.loss,
        is_judged[:, None],
        h0=None if start is None else start.h,
        c0=None if start is None else start.c,
    )
    return full, trace_of(scene.model, task, i)


@lru_cache(maxsize=8)
def lost_share(scene: Scene) -> float | None:
    """‖lost‖ / ‖full‖ over all weights; None where nothing is carried, or where it is not a number."""
    traces = both_traces(scene)
    if traces is None:
        return None
    full, cut = traces
    with np.errstate(all="ignore"):
        lost = sum(float(((g - cut.grads[name]) ** 2).sum()) for name, g in full.grads.items())
        whole = sum(float((g * g).sum()) for g in full.grads.values())
        share = float(np.sqrt(lost / whole)) if whole > 0 else float("nan")
    return share if np.isfinite(share) else None
