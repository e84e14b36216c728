"""The triangle: the losses of all steps go back through time together, each in its own rows.

steps [3, 2, 1]: at t = 3 one loss is under way, at t = 2 two, at t = 1 three; each t is one product
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnnviz.nn.cell import Cell
from rnnviz.nn.kernels.jit import flat, kernel
from rnnviz.nn.kernels.product import Left, multiply, packed_if_wide

#: Between these, squares neither underflow nor overflow enough to show in a norm; as in rnnviz.nn.metrics.
SAFE_LOW, SAFE_HIGH = 1e-140, 1e140


@kernel
def norm(a: Any, start: int, size: int) -> Any:
    """The Euclidean norm of a[start : start + size], from 5e-324 to 1.8e308."""
    total = 0.0
    for n in range(start, start + size):
        total += np.float64(a[n]) * a[n]
    plain = math.sqrt(total)
    if SAFE_LOW < plain < SAFE_HIGH:
        return plain
    largest = 0.0
    for n in range(start, start + size):
        value = abs(np.float64(a[n]))
        if value > largest or np.isnan(value):
            largest = value
        if np.isnan(largest):
            return largest
    if largest == 0 or np.isinf(largest):
        return largest
    total = 0.0
    for n in range(start, start + size):
        share = a[n] / largest
        total += share * share
    return largest * math.sqrt(total)


def make_triangle(errors: Any, cell: Cell) -> Any:
    """The triangle of a cell from its step back. Where a gate carries h, the step leaves in grad_h what passes by the
    weights."""
    recurrent = cell.recurrent
    gated = cell.carry is not None and cell.carry.state == "h"

    @kernel
    def triangle(
        activation: int,
        W_hh: Any,  # (G*H, H), a full matrix; (0, H) without recurrent weights
        panels: Any,
        run: Any,
        direct: Any,  # (T, B, H): ∂L_k/∂h_k of every step k, what comes from the readout
        steps: Any,  # the steps k that carry loss, latest first
        grad_h: Any,  # (steps, B, H), scratch
        grad_c: Any,  # (steps, B, H), scratch
        out: Any,  # (steps, B, G*H), scratch
        norms: Any,  # (T+1, T+1), filled: [k, t] = ‖∂L_k/∂h_t‖, 0 where k carries no loss or t > k
    ) -> None:
        T, B, H = direct.shape
        width, size = run.pre.shape[2], B * H
        weights = packed_if_wide(panels, flat(W_hh), 0, W_hh.shape[0], H)
        start, of_h, of_c, of_out = flat(direct), flat(grad_h), flat(grad_c), flat(out)
        for k in range(T + 1):
            for t in range(T + 1):
                norms[k, t] = 0
        active = 0
        for t in range(T, -1, -1):
            if active < len(steps) and steps[active] == t:
                for n in range(size):
                    of_h[active * size + n] = start[(t - 1) * size + n]
                    of_c[active * size + n] = 0
                active += 1
            for k in range(active):
                norms[steps[k], t] = norm(of_h, k * size, size)
                if t > 0:
                    errors(activation, run, t, H, of_h, of_c, of_out, k * size)
            if recurrent and t > 0:
                multiply(Left(of_out, 0, width, 1), weights, active * B, width, H, of_h, 0, gated)

    return triangle
