"""The plots: loss per epoch, the sine with the network's fit, and the sine with the self-fed prediction.

    loss_curve([0.5, 0.2, 0.1], [0.6, 0.3, 0.2], epoch_cursor=2, width=60, height=10)

Each function is pure: it turns numbers into a sheet of exactly `width` × `height` cells. page.py and scale.py draw the
axes, ticks, legend and marks; plotext draws the curves (plotext_line.py), so call these from one thread only. nan and
inf leave gaps, and a note names the first.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from rich.color import Color
from rich.style import Style

from rnnviz.charts.page import Curve, Page, Signs, signs_of
from rnnviz.charts.scale import Numbers, log10, log_ticks, newest, not_finite, room, ticks
from rnnviz.sheet import Sheet


@dataclass(frozen=True)
class Inks:
    """The styles of the network's curve, of the curve to compare with, and of axes and data. None: plain text."""

    primary: Style | None = None
    secondary: Style | None = None
    quiet: Style | None = None


NO_COLORS = Inks()
COLORS = Inks(*(Style(color=Color.parse(color)) for color in ("#e8954c", "#4c9be8", "#8a8a8a")))


def loss_curve(
    loss: Numbers,
    val_loss: Numbers = (),
    epoch_cursor: int | None = None,
    width: int = 60,
    height: int = 12,
    *,
    baseline: float | None = None,
    upto: int = 0,
    unit: str = "epoch",
    ascii: bool = False,
    inks: Inks = COLORS,
) -> Sheet:
    """Training and validation loss per epoch (or other `unit`) on a logarithmic scale; loss[0] belongs to epoch 1.

    `epoch_cursor` marks an epoch (0, before any training, is the left edge), and the values beside the names are those
    at this epoch; without it the newest. `baseline`, the loss of a guess, is a
    dotted line. `upto` is the last epoch of a training in progress: the axis has room for it, so that the curve
    grows and the axis does not change. A loss of 0, which has no logarithm, is left out like nan and inf.
    """
    signs = signs_of(ascii)
    epochs = max(len(loss), len(val_loss))
    last = max(epochs, upto, 2)
    curves = [
        Curve("training", log10(loss), 1, inks.primary, signs.line),
        Curve("validation", log10(val_loss), 1, inks.secondary, signs.dot),
    ]
    upto_here = slice(epoch_cursor)
    values = [newest(loss[upto_here]), newest(val_loss[upto_here])]
    levels = [y for c in curves for y in c.y if math.isfinite(y)]
    if baseline is not None and baseline > 0 and math.isfinite(baseline) and levels:
        level = math.log10(baseline)
        curves.append(Curve("guess", [level] * (last if upto else epochs), 1, inks.quiet, signs.dotted))
        values.append(f"{baseline:.3g}")
        levels.append(level)
    plot = Page(width, height, signs, inks.quiet)
    low, high = room(levels, 0.05, 0.1)
    y_ticks = log_ticks(low, high, height) if levels else []
    plot.frame((1, last), (low, high), y_ticks, unit, last=upto or epochs)
    for curve in (*curves[2:], curves[0], plot.thinned(curves[1])):  # so that neither hides the other
        plot.curve(curve)
    if epoch_cursor is not None and epochs:
        plot.mark(max(epoch_cursor, 1), f"{epoch_cursor}", on_axis=True)
    short = {"training": "train", "validation": "val"}
    named = [(c, (f"{c.name} {value}".rstrip(), f"{short.get(c.name, c.name)} {value}".rstrip(), value))
             for c, value in zip(curves, values, strict=True) if c.y]  # fmt: skip
    plot.legend("loss", named)
    if not epochs:
        plot.note("no epochs yet")
    else:
        plot.note(not_finite("loss", loss, unit, 1) or not_finite("validation", val_loss, unit, 1))
    return plot.sheet()


def sine_fit(
    series: Numbers,
    fit: Numbers = (),
    width: int = 60,
    height: int = 12,
    *,
    start: int = 0,
    clean: Numbers = (),
    known: Collection[int] | None = None,
    ascii: bool = False,
    inks: Inks = COLORS,
) -> Sheet:
    """The noisy series as points, the sine without its noise as a dotted line, and the one-step-ahead fit.

    fit[j] is the network's prediction of series[start + j]. known: the points that have one, if some have none: a
    value may be missing there.
    """
    signs = signs_of(ascii)
    curves = [
        Curve("fit", list(fit), start, inks.primary, signs.line),
        Curve("data", list(series), 0, inks.quiet, signs.dot),
        Curve("sine", list(clean), 0, inks.secondary, signs.dotted),
    ]
    plot = _over_points(series, curves, width, height, signs, inks)
    if known is None:
        plot.note(not_finite("fit", fit, "point", start + 1) or not_finite("data", series, "point", 1))
    else:
        plot.note(not_finite("fit", [y if start + j in known else 0.0 for j, y in enumerate(fit)], "point", start + 1))
    return plot.sheet()


def self_fed(
    series: Numbers,
    prediction: Numbers = (),
    start: int = 0,
    width: int = 60,
    height: int = 12,
    *,
    ascii: bool = False,
    inks: Inks = COLORS,
) -> Sheet:
    """The series as points, and the self-fed prediction: prediction[j] corresponds to series[start + j].

    The mark is at series[start], the first point that the network predicts and then reads itself.
    """
    signs = signs_of(ascii)
    curves = [
        Curve("self-fed", list(prediction), start, inks.primary, signs.line),
        Curve("data", list(series), 0, inks.quiet, signs.dot),
    ]
    plot = _over_points(series, curves, width, height, signs, inks)
    if len(prediction):
        plot.mark(start, "from here it feeds on itself")
    plot.note(not_finite("prediction", prediction, "point", start + 1))
    return plot.sheet()


def _over_points(series: Numbers, curves: list[Curve], width: int, height: int, signs: Signs, inks: Inks) -> Page:
    """A page over the points of the series. The data determine its scale; a diverging curve leaves the page."""
    own = [float(y) for y in series if math.isfinite(y)]
    others = [float(y) for c in curves for y in c.y if math.isfinite(y)]
    low, high = room(own, 0.1, 0.1)
    span = high - low
    low = max(low - span, min([low, *others]))
    high = min(high + span, max([high, *others]))
    points = max([len(series)] + [c.start + len(c.y) for c in curves])
    page = Page(width, height, signs, inks.quiet)
    page.frame((0, max(points - 1, 1)), (low, high), ticks(low, high, height), "point", first=1)
    for curve in reversed(curves):
        page.curve(curve)
    page.legend("", [(c, (c.name,)) for c in curves if c.y])
    if not points:
        page.note("no points")
    return page
