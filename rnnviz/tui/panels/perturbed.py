"""Perturbation: the state of this moment moved part of the way to another sequence's, and how the move develops.

 1 %   ▁·······················   0 %  A     how far off each later state is, in parts of the whole way
75 %   ▆▆▇▇████████████████████ 100 %  B
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.numbers import scientific
from rnnviz.sheet import Sheet
from rnnviz.tui.geometry import columns
from rnnviz.tui.marks import BARS, accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.views.perturbation import Perturbation


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    from rnnviz.views import perturbation

    sheet = Sheet(width, height)
    found = perturbation.known(frame.scene, frame.cursor.t)
    if found is None:
        sheet.put(0, 1, "Running the moved state to the end …", palette.dim)
        return sheet
    cols = columns(width, frame.T, frame.cursor.t)
    shown = found.parts[-max(1, height - 2) :] if height < len(found.parts) + 2 else found.parts
    sheet.put(0, 0, _head(frame, found, width), palette.dim)
    for y, part in enumerate(shown, start=1):
        sheet.put(y, 0, f"{part:3} %", palette.dim)
        p = found.at(part)
        for t in cols.steps:
            if t >= found.t:
                glyph = _bar(float(found.way[p, t]))
                style = accent(frame, palette) if t == found.t else palette.highway
                sheet.put(y, cols.x(t), glyph * cols.bar, palette.faint if glyph == "·" else style)
        end, answer = float(found.way[p, found.last]), found.answers[p]
        far = f"{100 * end:3.0f} %" if math.isfinite(end) else "  ?  "
        x = sheet.put(y, cols.end + 2, f"{far} ", palette.text)
        changed = answer != found.answer
        sheet.put(y, x, f"{'≠' if changed else '='} {answer}", palette.back if changed else palette.dim)
    if height > len(shown) + 1:
        sheet.put(len(shown) + 1, 0, _foot(found, width), palette.text)
    return sheet


def _head(frame: Frame, found: Perturbation, width: int) -> str:
    """What is moved and where to, in the longest form that fits."""
    states = "h and c" if frame.scene.trace.c is not None else "h"
    return _longest(
        width,
        f"At t = {found.t}, {states} is moved part of the way to that of a sequence with answer "
        f"{found.other_answer}. On the right: the distance of h at step {found.last}, and the answer.",
        f"{states} at t = {found.t}, moved part of the way to the state of answer {found.other_answer}: distance left",
        f"{states} at t = {found.t} moved towards answer {found.other_answer}'s",
    )


def _foot(found: Perturbation, width: int) -> str:
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


def _bar(way: float) -> str:
    if not math.isfinite(way):
        return "?" if math.isnan(way) else "∞"
    return BARS[min(8, round(8 * way))] if way >= 1 / 16 else "·"


def _why_not(frame: Frame) -> str | None:
    from rnnviz.views import perturbation

    t, k = frame.cursor.t, frame.scene.last_loss_step
    if perturbation.another(frame.scene, max(1, min(t, k))) is None:
        return "No other sequence of this task has a different answer here."
    if not 0 < t < k:
        return f"Go to a step from 1 to {k - 1}: this panel moves its state and follows it to step {k}." if k > 1 else (
            "No step comes before the loss, so there is no state to move."
        )  # fmt: skip
    return None


def _needs(frame: Frame) -> Command | None:
    from rnnviz.views import perturbation

    return perturbation.needs(frame.scene, frame.cursor.t)


PANEL = Panel(
    "perturbed", "perturbed", "a small and a large move of the state",
    _draw, key="X", why_not=_why_not, needs=_needs, height=9,
    depends_on=lambda frame, view: (frame.scene, frame.cursor, _needs(frame)), shows=frozenset(("perturbed",)),
)  # fmt: skip
