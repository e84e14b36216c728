"""The weights of the top layer in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.numbers import factor
from rnnviz.scene.commands import Measure

if TYPE_CHECKING:
    from rnnviz.scene.scene import Scene

READ_IT = "Row: the unit that receives. Column: the one that sends."


def of_W_hh(scene: Scene) -> tuple[str, ...]:
    """Its two numbers; empty while they are not known, and of a gated cell."""
    found = scene.known.get(Measure("weights"))
    if found is None:
        return ()
    return (
        f"σ_max, the largest singular value of W_hh: {factor(found.sigma_max)}.",
        f"Spectral radius, its largest |eigenvalue|: {factor(found.spectral_radius)}.",
    )
