"""What is moved of a state, where to, and what becomes of it, in a line of at most `width` characters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.numbers import scientific

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.views.perturbation import Perturbation


def head(frame: Frame, found: Perturbation, width: int) -> str:
    """What is moved and where to, in the longest form that fits."""
    states = "h and c" if frame.scene.trace.c is not None else "h"
    return _longest(
        width,
        f"At t = {found.t}, {states} is moved part of the way to that of a sequence with answer "
        f"{found.other_answer}. On the right: the distance of h at step {found.last}, and the answer.",
        f"{states} at t = {found.t}, moved part of the way to the state of answer {found.other_answer}: distance left",
        f"{states} at t = {found.t} moved towards answer {found.other_answer}'s",
    )


def foot(found: Perturbation, width: int) -> str:
    """How much is left of the smallest move."""
    left = float(found.left[0])
    if not math.isfinite(left):
        return "The states are not finite." if found.sizes[0, found.t] else "Both sequences have the same state here."
    much = f"{left:.2f}" if left >= 0.005 else "nothing" if left == 0 else scientific(left)
    small = f"{much.capitalize()} of the move by {found.parts[0]} % is left at step {found.last}"
    moved = {part: 100 * float(found.way[found.at(part), found.last]) for part in (25, 75)}
    far = "; ".join(f"{part} % → {100 if 99.5 <= end <= 100.5 else end:.0f} %" for part, end in moved.items())
    if not all(map(math.isfinite, moved.values())):
        return _longest(width, f"{small}.", f"{much} is left of {found.parts[0]} %")
    return _longest(width, f"{small}. Larger moves: {far}.", f"{small}.", f"{much} is left of {found.parts[0]} %")


def _longest(room: int, *texts: str) -> str:
    return next((text for text in texts if len(text) <= room), "")
