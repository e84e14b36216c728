"""What is known of the gradients of a person's own cell: how they are computed, or what its own backward pass gives."""

from __future__ import annotations

from rnnviz.nn import Trace
from rnnviz.nn.equations import Verdict, own
from rnnviz.scene.commands import Measure
from rnnviz.scene.scene import Scene


def make(trace: Trace) -> Verdict | None:
    """None for a cell of ours."""
    cell = trace.spec.about_cell
    if not cell.is_own or not trace.has_loss:
        return None
    return own(cell).verdict(trace.forward.layers[0], trace.grad_h[1:])


def verdict(scene: Scene) -> Verdict | None:
    """None while it is not known."""
    return scene.known.get(Measure("own_step"))
