"""Ghost: the run before a change, kept dimmed behind the present one until it is dismissed.

>>> frame = player.do(Change((("gain", 0.7),)))
>>> frame.ghost.name, frame.ghost.horizon
('recurrent gain 1.0', 9.6)
>>> behind(frame)[3]                # how high the ghost's bar stands in the column of t = 3
0.0021
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rnnviz.experiment.experiment import Experiment

if TYPE_CHECKING:
    from rnnviz.scene.frame import Array, Frame, Gradient, Scene


@dataclass(frozen=True, eq=False)
class Ghost:
    """What the run before looked like.

    asked   its settings, before the task filled anything in
    name    what is different about it: its values of the settings that have changed since
    """

    scene: Scene
    asked: Experiment
    epoch: int
    batch: int
    cut: bool
    name: str = ""

    @property
    def half_life(self) -> float | None:
        return self.scene.gradient(self.scene.last_loss_step).half_life

    @property
    def horizon(self) -> float | None:
        """Of its last loss step, in steps; None if not within its sequence."""
        return self.scene.gradient(self.scene.last_loss_step).horizon

    @property
    def norms(self) -> Array:
        """(T+1,): ‖∂L_k/∂h_t‖ of its last loss step k."""
        return self.scene.gradient(self.scene.last_loss_step).norms

    def is_like(self, frame: Frame) -> bool:
        """Whether it was at the frame's task, so that its gradient can stand behind the frame's."""
        return self.asked.task == frame.experiment.task

    def showing(self, sample: int) -> Ghost:
        """The same run reading another sequence, where it has it."""
        task, model = self.scene.task, self.scene.model
        if sample >= len(task):
            return self
        from rnnviz.experiment.build import trace_of  # not above: a knob's name needs no NumPy

        trace = trace_of(model, task, sample)
        return replace(self, scene=replace(self.scene, sample=sample, trace=trace, _gradients={}))

    def gradient(self, loss_step: int | None) -> Gradient:
        """The gradient row of this loss step (None: the total) if it has one, else of its last."""
        known = loss_step is None or loss_step in self.scene.loss_steps
        return self.scene.gradient(loss_step if known else self.scene.last_loss_step)


def ghost_of(frame: Frame) -> Ghost:
    """The frame's run as a ghost, without a name yet."""
    assert frame.asked is not None
    return Ghost(frame.scene, frame.asked, frame.cursor.epoch, frame.cursor.batch, frame.cut)


def difference(ghost: Ghost, present: Experiment, epoch: int, batch: int, cut: bool) -> str:
    """What the ghost has that the present has not: `recurrent gain 1.0 · units 20 · epoch 12`."""
    parts = list(ghost.asked.named(ghost.asked.differences(present)))
    if (ghost.epoch, ghost.batch) != (epoch, batch):
        parts.append(f"epoch {ghost.epoch}" + (f" batch {ghost.batch}" if ghost.batch else ""))
    if ghost.cut != cut:
        parts.append("loop cut" if ghost.cut else "loop closed")
    return " · ".join(parts) or "the same"


def behind(frame: Frame) -> Array | None:
    """(T+1,): the ghost's ‖∂L/∂h‖ under the present columns, nan where it has none; None without a ghost, or
    where it was at another task: the two have nothing in common then.

    Where the two sequences are of different lengths, loss step stands under loss step, so that the same
    column is the same number of steps back.
    """
    if frame.ghost is None or not frame.ghost.is_like(frame):
        return None
    norms = frame.ghost.gradient(frame.loss_step).norms
    chosen = frame.loss_step
    if chosen is None:
        start, its = frame.T, len(norms) - 1
    elif chosen == frame.scene.last_loss_step:  # last under last
        start, its = chosen, frame.ghost.scene.last_loss_step
        norms = frame.ghost.norms
    else:
        its = frame.ghost.gradient(chosen).loss_step or 0
        start = chosen
    import numpy as np

    out = np.full(frame.T + 1, np.nan)
    lags = np.arange(min(start, its) + 1)
    out[start - lags] = norms[its - lags]
    return out
