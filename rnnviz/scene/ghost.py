"""Ghost: the run before a change, kept dimmed behind the present one until it is dismissed.

>>> frame = player.do(Change((("gain", 0.7),)))
>>> frame.ghost.name, frame.ghost.horizon
('recurrent gain 1.0', 9.6)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.experiment.experiment import Experiment

if TYPE_CHECKING:
    from rnnviz.nn.types import Array
    from rnnviz.scene.gradient import Gradient
    from rnnviz.scene.scene import Scene


@dataclass(frozen=True, eq=False)
class Ghost:
    """The picture of the run before.

    requested  its settings, before the task filled anything in; None of a network that has none
    name    what is different about it: its values of the settings that have changed since, or its sequence
    is_other_sequence  it is the network itself, with the sequence that stood where one was typed
    """

    scene: Scene
    requested: Experiment | None
    epoch: int
    batch: int
    cut: bool
    name: str = ""
    is_other_sequence: bool = False

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

    def is_like(self, present: Experiment | None) -> bool:
        """Whether it has the present task, so that its gradient can be shown behind the present one."""
        if self.requested is None:
            return present is None
        return present is not None and self.requested.task == present.task

    def gradient(self, loss_step: int | None) -> Gradient:
        """The gradient row of this loss step (None: the total) if it has one, else of its last."""
        known = self.scene.has_gradient(loss_step)
        return self.scene.gradient(loss_step if known else self.scene.last_loss_step)


def difference(ghost: Ghost, present: Experiment, epoch: int, batch: int, cut: bool) -> str:
    """The ghost's values of changed settings: `recurrent gain 1.0 · units 20 · epoch 12`."""
    assert ghost.requested is not None
    parts = list(ghost.requested.named(ghost.requested.differences(present)))
    if (ghost.epoch, ghost.batch) != (epoch, batch):
        parts.append(f"epoch {ghost.epoch}" + (f" batch {ghost.batch}" if ghost.batch else ""))
    if ghost.cut != cut:
        parts.append("loop cut" if ghost.cut else "loop closed")
    return " · ".join(parts) or "the same"
