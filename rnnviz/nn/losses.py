"""Losses. L = Σ_k L_k: each step's share is already divided by the number of positions, so the shares add up to L.

    mse, y = [1, 2], target = [0, 0] at two steps of one sequence: L_1 = 1/2, L_2 = 4/2, L = 2.5

"mse": mean over every element that carries loss (Keras' and PyTorch's "mean"). "cross_entropy": softmax of
the outputs, mean over positions, natural logarithm (torch.nn.functional.cross_entropy; Keras' from_logits).
"direct": of traces alone, L_k = Σ target_k · y_k. It has no mean, so that dL/dy_k is the target: for a network of
which only that gradient is known. "none": of traces alone, for a network without targets; L is nan, and dL/dy 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rnnviz.nn.spec import LOSSES as LOSSES
from rnnviz.nn.types import Array

#: Losses of a trace; a network is trained with one of LOSSES.
TRACE_LOSSES = (*LOSSES, "direct")
NO_LOSS = "none"


class LossValue(NamedTuple):
    loss: float
    step_loss: Array  # (T,): step k's share, sums to loss
    grad_y: Array  # (T, B, O): dL/dy


def evaluate(loss: str, y: Array, targets: Array, mask: Array) -> LossValue:
    """y (T, B, O); targets (T, B, O), or ints (T, B) for cross-entropy; mask (T, B) bool."""
    if loss == NO_LOSS:
        return LossValue(math.nan, np.zeros(len(y)), np.zeros_like(y))
    if loss == "direct":
        grad_y = np.where(mask[..., None], targets, 0).astype(y.dtype, copy=False)
        step_loss = np.where(grad_y == 0, 0, grad_y * y).sum(axis=(1, 2), dtype=np.float64)  # 0 * inf: no share at all
        return LossValue(float(step_loss.sum()), step_loss, grad_y)
    positions = max(int(np.count_nonzero(mask)), 1)
    where = mask[..., None]
    if loss == "mse":
        # L = mean (y - target)²;  dL/dy = 2 (y - target) / count
        count = positions * y.shape[-1]
        difference = np.where(where, y - targets, 0)
        terms = (difference * difference).sum(axis=-1)
        grad_y = difference * (2.0 / count)
    else:
        # L = mean -log softmax(y)[target];  dL/dy = (softmax(y) - onehot(target)) / count
        count = positions
        classes = np.where(mask, targets, 0)[..., None]
        shifted = y - y.max(axis=-1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        terms = np.where(mask, (log_sum - np.take_along_axis(shifted, classes, -1))[..., 0], 0)
        grad_y = np.exp(shifted - log_sum)
        np.put_along_axis(grad_y, classes, np.take_along_axis(grad_y, classes, -1) - 1.0, -1)
        grad_y = np.where(where, grad_y, 0) * (1.0 / count)
    step_loss = terms.sum(axis=1, dtype=np.float64) / count
    return LossValue(float(step_loss.sum()), step_loss, grad_y.astype(y.dtype, copy=False))
