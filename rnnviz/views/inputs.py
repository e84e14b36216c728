"""The gradient on the inputs: which step and which number of it mattered for a loss.

>>> found = known(prepare(scene, Measure("inputs", 40)), 40)
>>> found.most, found.norms[found.most[0] - 1]
((3, 1), 0.41)                              # the second number of step 3
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.nn.metrics import norm
from rnnviz.nn.types import Array, ReadOnly, frozen
from rnnviz.scene.commands import Measure
from rnnviz.scene.scene import Scene


@dataclass(frozen=True, eq=False)
class InputGradient(ReadOnly):
    """values (T, I): ∂L_k/∂x_t, or of the total; entry t-1 is of step t. norms (T,): of each step.
    most: (step, number from 0) of the largest |∂L_k/∂x_t,i|; None if all are 0, or one is not finite."""

    values: Array
    norms: Array
    most: tuple[int, int] | None


def known(scene: Scene, loss_step: int | None) -> InputGradient | None:
    """None while it is not known."""
    return scene.known.get(Measure("inputs", loss_step))


def make(scene: Scene, loss_step: int | None) -> InputGradient:
    """A backward pass, for a loss step of several: slow."""
    values = scene.trace.grad_x_of(loss_step)[:, 0]
    most = None
    if np.isfinite(values).all() and values.any():
        step, number = np.unravel_index(int(np.abs(values).argmax()), values.shape)
        most = int(step) + 1, int(number)
    return InputGradient(values, frozen(norm(values, axis=1)), most)
