"""The state space in words: the plane, the fixed points by kind, and what the readout makes of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.glyphs import cut, visible
from rnnviz.numbers import counted, fixed, percent, scientific

if TYPE_CHECKING:
    from rnnviz.nn.dynamics.fixed_points import FixedPoints
    from rnnviz.scene.scene import Scene
    from rnnviz.views.state_space import StateSpace

#: What a key does that is not done yet, in sentences; the face lends its key.
SEARCH = "[find] searches for fixed points: states in which the network stays while its input is 0."
NONE = "The search found no fixed or slow points; there may be some that it did not reach."
NOT_FINITE = "The states are not finite: there is no plane to draw them in."
MEANING = {
    "attractor": "small moves die out",
    "saddle": "small moves grow in some directions",
    "repeller": "small moves grow in every direction",
    "marginal": "to first order some small moves neither grow nor die out",
    "slow": "the state drifts",
}


def axes(space: StateSpace) -> tuple[str, str]:
    """What the plane shows from left to right, and from the bottom up; "" where that is nothing."""
    if space.is_map:
        return "hₜ₋₁", "hₜ"
    if space.numbers:
        return space.numbers[0], "".join(space.numbers[1:])
    return tuple(f"PC {k + 1}, {percent(space.plane.share(k), 0)}" for k in (0, 1))  # type: ignore[return-value]


def plane(space: StateSpace, room: int) -> str:
    """`16 sequences · across: PC 1, 45 % · up: PC 2, 30 % of the variance`, in the longest form that fits."""
    across, up = axes(space)
    many, of = counted(len(space.samples), "sequence"), " of the variance" if across.startswith("PC") else ""
    up, low = (f" · up: {up}{of}", f" · ↑ {up}") if up else ("", "")
    texts = (f"{many} · across: {across}{up}", f"across: {across}{up}", f"→ {across}{low}")
    return next((text for text in texts if len(text) <= room), "")


def kinds(points: FixedPoints) -> str:
    """`8 attractors, 19 saddles at x = 0`: those that there are."""
    names = {"slow": "slow point", "marginal": "marginal point"}
    found = [counted(points.count(kind), names.get(kind, kind)) for kind in MEANING if points.count(kind)]
    return f"{', '.join(found) or 'no fixed or slow points'} at x = 0"


def readout(scene: Scene, points: FixedPoints, p: int, most: int = 3) -> str:
    """What the readout makes of point p: a class, or the first numbers; "" without a readout."""
    if not scene.task.has_readout:
        return ""
    y = points.outputs[p]
    if scene.task.labels:
        return visible(scene.task.answers(y[None])[0])
    digits = 2 if len(y) < 3 else 1
    return " ".join(fixed(float(v), digits) for v in y[:most]) + (" …" if len(y) > most else "")


def in_words(scene: Scene, points: FixedPoints, p: int) -> str:
    """One point in a sentence."""
    kind = points.kinds[p]
    text = f"{'Slow point' if kind == 'slow' else kind.capitalize()}: {MEANING[kind]}"
    text += f"; |λ| is at most {points.radius[p]:.2f}"
    unstable = int(points.unstable[p])
    if unstable:
        text += f", {counted(unstable, 'direction')} unstable"
    if kind == "slow":
        text += f"; q is {scientific(float(points.speeds[p]))}"
    out = readout(scene, points, p)
    return f"{text}; the readout gives {cut(out, 40)}." if out else f"{text}."
