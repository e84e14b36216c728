"""The gradient check in a sentence."""

from __future__ import annotations

from rnnviz.numbers import scientific
from rnnviz.views.analysis import agrees


def verdict(figure: float) -> str:
    """figure: the largest difference from a finite difference, relative to the largest gradient."""
    if agrees(figure):
        return f"Gradient check: the gradients match finite differences to {scientific(figure, 0)}."
    if figure != figure:
        return "Gradient check: not possible, since a value of this sequence is not finite."
    return f"Gradient check: {scientific(figure, 0)} off the largest gradient, as a kink of relu may cause."
