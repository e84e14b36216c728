"""Metrics of the map around an experiment: networks like it, with smaller gains and shorter lags (maps/of_scene.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.views.metrics.registry import if_unknown, metric, prepared

if TYPE_CHECKING:
    from rnnviz.scene.commands import Measure
    from rnnviz.scene.frame import Frame


def _needs(frame: Frame) -> Measure | None:
    """A recording, a file of weights and a task without a lag have no map."""
    if frame.requested is None or frame.scene.task.lag is None:
        return None
    return if_unknown("map")(frame)


for _name, _about in {
    "within": "whose horizon before training is at least their lag",
    "beyond": "whose horizon before training is shorter than their lag",
    "learnt": "of the map, all of them",
}.items():

    def _read(frame: Frame, name: str = _name) -> float | None:
        found = prepared(frame, "map")
        return None if found is None else getattr(found, name)

    metric(f"map_{_name}", f"share of the networks that learnt, of those {_about}", ".0%",
           needs=_needs, low=0, high=1)(_read)  # fmt: skip
