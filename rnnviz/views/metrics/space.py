"""Metrics of the state space: fixed points by kind, and how much of the states' variance the plane shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rnnviz.views.metrics.registry import if_unknown, metric, prepared

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame


def _points(name: str, about: str, form: str, read: Callable[[Any], Any], **limits: Any) -> None:
    def found(frame: Frame) -> Any:
        points = prepared(frame, "fixed_points")
        return None if points is None else read(points)

    metric(name, about, form, needs=if_unknown("fixed_points"), low=0, **limits)(found)


_points("fixed_points", "number of fixed points found without input", "d", lambda p: len(p) - p.count("slow"))
_points("attractors", "number of fixed points around which small moves die out", "d", lambda p: p.count("attractor"))
_points(
    "unstable_points", "number of fixed points with an eigenvalue outside the unit circle", "d",
    lambda p: p.count("saddle") + p.count("repeller"),
)  # fmt: skip
_points("slow_points", "number of slow points: minima above 0 of the squared speed", "d", lambda p: p.count("slow"))
_points(
    "attractor_radius", "the largest |eigenvalue| at any attractor: what a small move keeps per step", ".2f",
    lambda p: max((float(r) for r, kind in zip(p.radius, p.kinds, strict=True) if kind == "attractor"), default=None),
)  # fmt: skip
_points(
    "attractor_size", "mean |h| of the top layer, over the attractors", ".2f",
    lambda p: float(abs(p.hidden[: p.count("attractor")]).mean()) if p.count("attractor") else None,
)  # fmt: skip

metric("plane_share", "share of the states' variance along the first two principal components", ".0%",
       needs=if_unknown("space"), low=0, high=1)(
    lambda f: None if (found := prepared(f, "space")) is None or f.scene.H == 1
    else found.plane.share(0) + found.plane.share(1)
)  # fmt: skip
