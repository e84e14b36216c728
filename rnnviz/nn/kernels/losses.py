"""The losses of rnnviz/nn/losses.py for one batch or a part of it, from sample-major data.

positions is how many steps of the whole batch carry loss, so that the parts of a batch add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz.nn.kernels.jit import kernel, view

MSE, CROSS_ENTROPY = range(2)  # positions in rnnviz.nn.spec.LOSSES


@kernel
def squared(y: Any, targets: Any, mask: Any, batch: Any, positions: int, grad_y: Any) -> Any:
    """L = mean (y - target)²;  dL/dy = 2 (y - target) / count.  y and grad_y (T, B, O), targets (N, T, O)"""
    T, B, outputs = y.shape
    count = positions * outputs
    factor = y.dtype.type(2.0 / count)
    total = 0.0
    for t in range(T):
        for b in range(B):
            for j in range(outputs):
                difference = y[t, b, j] - targets[batch[b], t, j]
                if not mask[batch[b], t]:
                    difference = y.dtype.type(0)
                total += np.float64(difference) * difference
                grad_y[t, b, j] = difference * factor
    return total / count


@kernel
def cross_entropy(y: Any, classes: Any, mask: Any, batch: Any, positions: int, grad_y: Any) -> Any:
    """L = mean -log softmax(y)[class];  dL/dy = (softmax(y) - onehot) / count.  classes (N, T)"""
    T, B, outputs = y.shape
    factor = y.dtype.type(1.0 / positions)
    total = 0.0
    for t in range(T):
        for b in range(B):
            logits = view(y, (t * B + b) * outputs, (outputs,))
            grad = view(grad_y, (t * B + b) * outputs, (outputs,))
            if not mask[batch[b], t]:
                for j in range(outputs):
                    grad[j] = 0
                continue
            largest = logits[0]
            for j in range(1, outputs):
                if logits[j] > largest or np.isnan(logits[j]):
                    largest = logits[j]
            sum_of_exp = y.dtype.type(0)
            for j in range(outputs):
                grad[j] = np.exp(logits[j] - largest)
                sum_of_exp += grad[j]
            chosen = classes[batch[b], t]
            total += np.log(sum_of_exp) - (logits[chosen] - largest)
            for j in range(outputs):
                grad[j] *= factor / sum_of_exp
            grad[chosen] -= factor
    return total / positions
