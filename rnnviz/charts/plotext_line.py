"""What plotext draws of a chart: one curve on an empty canvas, as rows of characters.

What it does not do well is done before: nan and inf are gaps (a nan would end the process, an inf raises), a logarithm
is taken already. Its figure is global and cleared for each curve, so: call from one thread only.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rnnviz.charts import plotext_private


def draw(
    xs: list[float],
    ys: list[float],
    width: int,
    height: int,
    x: tuple[float, float],
    y: tuple[float, float],
    marker: str,
    *,
    lines: bool,
) -> list[str]:
    """One finite curve on an empty canvas of width × height cells, without axes, as rows of characters.

    Values far off the canvas are brought nearer: plotext aborts where a position does not fit an integer.
    """
    far = 8 * (y[1] - y[0])
    ys = [min(max(value, y[0] - far), y[1] + far) for value in ys]
    figure = _load().figure
    figure.clear()
    figure.plot_size(width, height)
    figure.axes(False)
    for axis, limits in (("x", x), ("y", y)):
        figure.ruler(axis).lim(*limits)
        figure.ruler(axis).ticks([], [])
    signal = figure.signal(xs, ys, marker=marker)
    if lines:
        signal.lines()
    figure.draw(signal)
    rows: list[str] = figure.build().string(colorless=True).split("\n")
    return rows[:height]


@cache
def _load() -> Any:
    """plotext, imported at the first curve."""
    plotext = plotext_private.load()
    plotext.terminal.limit(False, False)
    return plotext
