"""Metrics: the numbers of a frame, by name. Lessons quote them, ask for them and check exercises with them.

    >>> value(frame, "horizon"), value(frame, "grad_norm[1]"), value(frame, "h[3, 0]")
    (4.7, 0.0021, -0.31)

A metric may have an index: a time step t (from 1, or from 0 for states; -1 is the last), a unit (from 0), and so
on. Without one it is the cursor's. In place of a number stand also the words t, T, K (the last step
that carries loss) and unit. A metric that is not defined here (the horizon of a gradient that never fades, the
forget gate of a simple RNN) is None.

Unless it says otherwise, a gradient is that of the last loss step K alone, whichever one is on the screen: the
total of many loss steps need not shrink.
"""

from __future__ import annotations

from importlib import import_module

from rnnviz.views.metrics.language import called, check_format, needs, parse, resolve, say, value, written
from rnnviz.views.metrics.registry import AXES, METRICS, Metric, Reference, Value

__all__ = [
    "AXES",
    "METRICS",
    "Metric",
    "Reference",
    "Value",
    "called",
    "check_format",
    "needs",
    "parse",
    "resolve",
    "say",
    "value",
    "written",
]

_THEMES = ("place", "states", "answers", "gradients", "dynamics", "space", "map", "parameters")
for _theme in _THEMES:  # each enters its own into METRICS
    import_module(f"{__name__}.{_theme}")
