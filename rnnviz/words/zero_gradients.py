"""Why a gradient is exactly 0, in words.

>>> clause(Zero("slope", 7, "tanh")), short(Zero("slope", 7, "tanh"))
('the slope of tanh is 0 at t = 7', 'slope 0 at t = 7')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.views.zero_gradients import Zero


def clause(zero: Zero) -> str:
    """A clause that can follow a colon."""
    return _reason(zero) + (", and attention sends nothing" if zero.is_attended else "")


def _reason(zero: Zero) -> str:
    t, subject = zero.t, zero.subject
    match zero.kind:
        case "no loss":
            return f"step {t} carries no loss"
        case "errors":
            return "every error is 0"
        case "error":
            return f"the error of step {t} is 0"
        case "readout":
            return "the weights of the readout are 0"
        case "cancelled":
            return f"its terms cancel each other at t = {t}"
        case "padding":
            return f"step {t} is padding, and its h is a copy"
        case "underflow":
            return f"it underflowed at t = {t}, too small for float64"
        case "gate":
            return f"{f'the gate {subject}' if len(subject) == 1 else subject} is 0 at t = {t}"
        case "W_hh":
            return _weights(zero) + (" in the rows that the gradient enters" if zero.is_part else "")
        case "step":
            return f"the derivative of the step is 0 at t = {t}"
        case "slope":
            return f"the slope of {subject} is 0 at t = {t}"
        case "slopes":
            return f"{f'{subject} and ' if subject else ''}the slopes of all gates are 0 at t = {t}"


def short(zero: Zero) -> str:
    """The same for a column of 20 characters."""
    t = zero.t
    match zero.kind:
        case "no loss":
            return "no loss there"
        case "errors":
            return "all errors are 0"
        case "error":
            return "the error is 0"
        case "readout":
            return "W_out is 0"
        case "cancelled":
            return f"cancels at t = {t}"
        case "padding":
            return f"h is a copy at t = {t}"
        case "underflow":
            return f"underflow at t = {t}"
        case "gate":
            subject = zero.subject.removesuffix("(c)")
            return f"{subject} {'is ' if subject == zero.subject else ''}0 at t = {t}"
        case "W_hh":
            return _weights(zero)
        case "step":
            return f"derivative 0 at t = {t}"
        case "slope" | "slopes":
            return f"{zero.kind} 0 at t = {t}"


def _weights(zero: Zero) -> str:
    return f"W_hh and {zero.subject} are 0" if zero.subject else "W_hh is 0"
