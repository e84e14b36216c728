"""Draw one curve with plotext: on an empty canvas, as rows of characters.

The caller replaces nan and inf by gaps (plotext ends the process at a nan and raises at an inf) and takes logarithms.
plotext's figure is global and cleared for each curve, so call this from one thread only.
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
    """Draw one finite curve on an empty canvas of width × height cells, without axes. Returns rows of characters.

    Values far off the canvas are moved nearer: plotext aborts if a position does not fit an integer.
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
