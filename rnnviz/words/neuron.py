"""The sums of one unit at this moment, and a line that says which they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.numbers import fixed, scientific, subscript
from rnnviz.scene.cursor import Phase

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.views.neuron import Equation


def equations(frame: Frame) -> tuple[str, tuple[Equation, ...], tuple[Equation, ...]]:
    """A heading and the equations of this moment; then, for spare room, the others of the same unit and step."""
    from rnnviz.views import neuron

    trace, t, unit = frame.scene.trace, frame.cursor.t, frame.cursor.unit
    ahead = neuron.forward(trace, t, unit) if t >= 1 else ()
    which = f"unit {unit}, t = {t}: "
    if frame.reached is None:
        if not ahead:
            start = float(trace.h[0, 0, unit])
            value = "0" if start == 0 else fixed(start)
            return which + f"h[{unit}] = {value}, the start value. [right] reads the first step.", (), ()
        layers = ", h' is the layer below" if trace.L > 1 else ""
        states = "h and c" if trace.c is not None else "h"
        return which + f"each {states} on the right is from t = {t - 1}, by unit{layers}", ahead, ()
    if not frame.scene.has_loss:
        return which + _moves(frame, t, unit), ahead, ()
    t = frame.cursor.t if frame.cursor.phase is Phase.BACKWARD else 0
    back = neuron.backward(trace, t, unit, frame.gradient)
    if not back:
        return which + f"the loss of step {frame.loss_step} does not depend on a later state.", ahead, ()
    last = frame.T if frame.loss_step is None else frame.loss_step
    if t == last:
        way = "through the readout alone" if frame.scene.task.has_readout else "as the direct gradient"
        return which + f"the error enters here, {way}", back, ahead
    return which + f"each δ is from t = {t + 1}, where this h is read", back, ahead


def _moves(frame: Frame, t: int, unit: int) -> str:
    """Without a loss: what this unit does to the state that the row goes back from."""
    k, row = frame.loss_step or frame.T, frame.gradient
    if t > k:
        return f"h{subscript(k)} does not depend on a later state."
    if row.waits:
        return "not worked out yet"
    size = scientific(float(row.states[t, 0, unit]))
    return f"h{subscript(k)} moves by {size} of a move of this unit alone; each h below is from t = {t - 1}"
