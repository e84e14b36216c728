"""The plots of the whole series and of the training, drawn from the frame by plotext.

plotext's figure is global, so these are drawn on the UI thread only; it is loaded after the first frame.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rich.color import Color
from rich.style import Style

from rnnviz.glyphs import cut, wrap
from rnnviz.sheet import Sheet
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words.no_panel import no_self_fed, no_series

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.scene import Outcome


def _inks(palette: Palette) -> dict[str, Any]:
    from rnnviz.charts.plots import NO_COLORS, Inks

    inks = Inks(_ink(palette.output), _ink(palette.input), _ink(palette.dim)) if palette.has_color else NO_COLORS
    return dict(inks=inks, ascii=palette.ascii)


def _ink(style: Style) -> Style:
    """Its colour alone, whatever else its words have."""
    return Style(color=Color.from_triplet((style.color or Color.parse("#808080")).get_truecolor()))


def _series(frame: Frame) -> list[float]:
    series = frame.scene.task.series
    return [] if series is None else list(series.tolist())


def _plot(view: View, width: int, height: int, draw: Callable[[ModuleType], Sheet]) -> Sheet:
    if not view.plots or height < 4:
        return Sheet(width, height)
    from rnnviz.charts import plots

    return draw(plots)


def _draw_fit(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    series, task = _series(frame), frame.scene.task
    clean = [] if task.clean is None else task.clean.tolist()
    outcome = frame.scene.outcome
    fit = [] if outcome is None or outcome.fit is None else outcome.fit.tolist()
    start = len(series) - len(fit)
    beside = _baselines(outcome, width - 2, height)
    plot = _plot(
        view, width, height - len(beside),
        lambda plots: plots.sine_fit(series, fit, width, height - len(beside), clean=clean, start=start,
            known=task.predicted_points, **_inks(palette),
        ),
    )  # fmt: skip
    if not beside or not view.plots:
        return plot
    sheet = Sheet(width, height)
    sheet.paste(0, 0, plot, 0, width)
    for y, line in enumerate(beside, start=height - len(beside)):
        sheet.put(y, 1, cut(line, width - 2), palette.text)
    return sheet


def _baselines(outcome: Outcome | None, width: int, height: int) -> tuple[str, ...]:
    """The errors of answers without a network, below the plot where there is room."""
    if outcome is None or outcome.baselines is None or height < 8:
        return ()
    from rnnviz.words import forecast

    verdict = forecast.verdict(outcome.baselines)
    return (*wrap(forecast.figures(outcome.baselines), width), *([verdict] if verdict else []))


def _draw_self_fed(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    series = _series(frame)
    outcome = frame.scene.outcome
    own = [] if outcome is None or outcome.prediction is None else outcome.prediction.tolist()
    task = frame.scene.task
    start = len(series) - len(own) if task.ends is None else int(task.ends[task.fed_from])
    return _plot(
        view, width, height,
        lambda plots: plots.self_fed(series, own, start, width, height, **_inks(palette)),
    )  # fmt: skip


def _draw_loss(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    learning = frame.learning
    return _plot(
        view, width, height,
        lambda plots: plots.loss_curve(
            learning.loss, learning.val_loss, int(learning.mark(frame.cursor.epoch)), width, height,
            unit=learning.unit, baseline=frame.scene.task.baseline, upto=_upto(frame), **_inks(palette),
        ),
    )  # fmt: skip


def _upto(frame: Frame) -> int:
    """The epoch at which the training under way will end; 0 while there is none."""
    job = frame.job
    if job is None or job.unit != "batches":
        return 0
    return frame.cursor.epoch + -(-(job.total - job.done) // frame.learning.batches_per_epoch)


def _network(frame: Frame, view: View) -> object:
    """These change when the network does, not when the cursor moves."""
    return frame.scene, frame.learning, frame.cursor.epoch, view.plots


FIT = Panel("fit", "fit", "the series, and its prediction one step ahead", _draw_fit,
            why_not=no_series, depends_on=_network, shows=frozenset(("fit",)))  # fmt: skip
SELF_FED = Panel("self-fed", "feeding on itself", "the network reading its own output",
                 _draw_self_fed, why_not=no_self_fed, depends_on=_network,
                 shows=frozenset(("self-fed",)))  # fmt: skip
LOSS = Panel("loss", "loss curve", "training and validation loss per epoch", _draw_loss, depends_on=_network,
             shows=frozenset(("history", "baseline")),
             opens_beside=lambda frame: bool(frame.learning.loss))  # fmt: skip
