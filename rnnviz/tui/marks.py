"""The marks of curves and bars, in parts of a cell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.tui.palette import Palette

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

BARS = " ▁▂▃▄▅▆▇█"
SOLID = ("█", "▓")  # a full cell of a bar, and of the chosen one where there is no colour
DASHES = "⠉⠒⠤⣀"  # one level each, from the top of a cell down
DOTS = "⠁⠂⠄⡀"


def solid(glyphs: str, style: Style) -> tuple[str, Style]:
    """A bar's glyphs to match a style. Without colours the selected bar is reverse video, which would turn a full block
    into a hole: it is shaded instead."""
    return (glyphs.replace(*SOLID), style + Style(reverse=False)) if style.reverse else (glyphs, style)


def stride(least: float) -> int:
    """The spacing of numbers on an axis, at least this many steps: 1, 2, 5, 10, …"""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if step >= least:
                return step
        power *= 10


def level(value: float, low: float, high: float, levels: int) -> int:
    """The level, 0 at the top, of a value in low..high on `levels` levels; a value beyond is clamped."""
    if math.isnan(value):
        return levels - 1
    share = (high - min(max(value, low), high)) / (high - low) if high > low else 0.5
    return min(levels - 1, int(share * levels))


def accent(frame: Frame, palette: Palette) -> Style:
    """The colour of the present moment: one while reading, another on the way back."""
    return palette.back if frame.going_back else palette.accent


def ternary(value: float) -> str:
    """Sign and size in one cell: ▲ △ + 0 - ▽ ▼."""
    if math.isnan(value):
        return "?"
    size = abs(value)
    if size < 0.1:
        return "+" if value > 0 else "-" if value < 0 else "0"
    return ("▲" if size >= 0.5 else "△") if value > 0 else ("▼" if size >= 0.5 else "▽")
