"""The panels: plots of the whole series and of the training, drawn from the frame by plotext.

They change when the network does, not when the cursor moves, so each drawing is kept until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style
from rich.text import Text

from rnnviz.tui.canvas import Sheet
from rnnviz.tui.palette import Palette

if TYPE_CHECKING:
    from rnnviz.player.frame import Frame

PANELS = {"fit": "sine fit", "self-fed": "feeding on itself", "loss": "loss curve"}


def following(panel: str | None, by: int) -> str | None:
    """The next panel on tab; none is one of them."""
    ring = [None, *PANELS]
    return ring[(ring.index(panel) + by) % len(ring)]


def tabs(active: str, width: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, 1)
    x = 1
    for name, label in PANELS.items():
        style = palette.accent if name == active else palette.dim
        x = sheet.put(0, x, f"▸{label}" if name == active else f" {label}", style) + 2
    sheet.right(0, "tab next ", palette.faint)
    return sheet


def why_not(panel: str, frame: Frame) -> str | None:
    """Why a panel has nothing to show for this experiment."""
    if panel in ("fit", "self-fed") and frame.scene.task.series is None:
        return f"Only the sine has a series to follow; this is {frame.scene.task.title}."
    return None


def draw(panel: str, frame: Frame, width: int, height: int, palette: Palette) -> Sheet:
    """One plot. Call on one thread only (plotext's figure is global)."""
    from rnnviz.tui import plot

    sheet = Sheet(width, height)
    reason = why_not(panel, frame)
    if reason:
        sheet.put(0, 1, reason[: width - 2], palette.dim)
        return sheet
    if width < 20 or height < 4:
        return sheet
    ink = dict(
        color=palette.has_color,
        primary=_rgb(palette.output), secondary=_rgb(palette.input), quiet=_rgb(palette.dim),
    )  # fmt: skip
    scene = frame.scene
    series = [] if scene.task.series is None else scene.task.series.tolist()
    match panel:
        case "fit":
            clean = [] if scene.task.clean is None else scene.task.clean.tolist()
            fit = [] if scene.fit is None else scene.fit.tolist()
            text = plot.sine_fit(series, fit, width, height, clean=clean, start=len(series) - len(fit), **ink)
        case "self-fed":
            own = [] if scene.prediction is None else scene.prediction.tolist()
            text = plot.self_fed(series, own, len(series) - len(own), width, height, **ink)
        case _:
            learning = frame.learning
            text = plot.loss_curve(
                learning.loss, learning.val_loss, frame.cursor.epoch, width, height,
                baseline=scene.task.baseline, **ink,
            )  # fmt: skip
    _paint(sheet, text)
    return sheet


def _rgb(style: Style) -> tuple[int, int, int]:
    color = style.color or Color.parse("#808080")
    r, g, b = color.get_truecolor()
    return r, g, b


def _paint(sheet: Sheet, ansi: str) -> None:
    for y, line in enumerate(ansi.splitlines()):
        text = Text.from_ansi(line)
        sheet.put(y, 0, text.plain)
        for span in text.spans:
            style = span.style if isinstance(span.style, Style) else None
            sheet.put(y, span.start, text.plain[span.start : span.end], style)
