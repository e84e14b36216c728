"""The evidence that a recorded gradient is the training's own, in a line.

>>> line(Evidence(3.1e-07, True, "PyTorch"), 12, 70)
"weight gradients as PyTorch's to 3e-07 · bars: step 12's own share"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.glyphs import cut, visible
from rnnviz.numbers import scientific

if TYPE_CHECKING:
    from rnnviz.scene.scene import Evidence


def sentence(evidence: Evidence) -> str:
    """The figure; and if nothing is proved, that, and the reason."""
    whose = f"{visible(evidence.framework)}'s" if evidence.framework else "the framework's"
    figure = evidence.agreement
    if figure == 0:
        return f"weight gradients exactly {whose}"
    if figure is not None and evidence.is_proved:
        return f"weight gradients as {whose} to {scientific(figure, 0)}"
    if figure is None and evidence.near is not None:
        step, there = evidence.near
        return f"not compared here; at step {step} weight gradients as {whose} to {scientific(there, 0)}"
    differ = f"weight gradients differ from {whose} by {scientific(figure, 0)}" if figure is not None else ""
    reasons = " ".join(map(visible, evidence.notes))
    return ". ".join(filter(None, [f"not proved: {differ}" if differ else "not proved", reasons]))


def line(evidence: Evidence | None, loss_step: int | None, room: int) -> str:
    """The same, and where there is room for it, which gradient it is about."""
    first = "comparing the weight gradients …" if evidence is None else sentence(evidence)
    if evidence is not None and evidence.is_warning:
        return cut(first, room)
    short = "the total" if loss_step is None else f"step {loss_step}'s own share"
    forms = (f"{first} · bars: {which(loss_step)}", f"{first} · bars: {short}", first)
    return next((form for form in forms if len(form) <= room), cut(first, room))


def which(loss_step: int | None) -> str:
    """Which gradient a row is, of a loss that was recorded."""
    return "the total gradient" if loss_step is None else f"the share that step {loss_step} itself sends back"
