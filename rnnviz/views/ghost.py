"""The ghost's gradient in the columns of the present run."""

from __future__ import annotations

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.scene.frame import Frame


def behind(frame: Frame) -> Array | None:
    """(T+1,): the ghost's ‖∂L/∂h‖ under the present columns, nan where it has none; None without a ghost, or
    where it was at another task: the two have nothing in common then.

    Where the two sequences are of different lengths, loss step stands under loss step, so that the same
    column is the same number of steps back.
    """
    if frame.ghost is None or not frame.ghost.is_like(frame.experiment):
        return None
    row = frame.ghost.gradient(frame.loss_step)
    norms = (row.frobenius if frame.frobenius and row.frobenius is not None else row).norms
    chosen = frame.loss_step
    if chosen is None:
        start, its = frame.T, len(norms) - 1
    elif chosen == frame.scene.last_loss_step:  # last under last
        start, its = chosen, frame.ghost.scene.last_loss_step
        norms = frame.ghost.norms
    else:
        its = frame.ghost.gradient(chosen).loss_step or 0
        start = chosen
    out = np.full(frame.T + 1, np.nan)
    lags = np.arange(min(start, its) + 1)
    out[start - lags] = norms[its - lags]
    return out
