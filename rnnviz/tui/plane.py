"""The complex plane with the unit circle, in braille: a cell has 2 × 4 dots, as far apart in both directions, so the
circle is round in a terminal whose cells are twice as high as wide.

        ⢀⡠⠔⠒⠒⠢⢄⡀
       ⡔⠁   ●  ⠈⢢       ● a point     3 three of them      ○ before the change      ◉ both
       ⡇ ● + 2    ⢸
       ⠣⡀   ●  ⢀⠜
        ⠈⠑⠢⠤⠤⠔⠊⠁
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rich.style import Style

from rnnviz.sheet import Sheet
from rnnviz.tui.dots import Dots
from rnnviz.tui.palette import Palette

#: How much of the plane is seen beyond the farthest of what is drawn.
_MARGIN = 1.12


@dataclass(frozen=True)
class Marks:
    """How points are drawn: one, one of the run before, and both in a cell."""

    now: str
    before: str
    both: str


UNICODE, ASCII = Marks("●", "○", "◉"), Marks("*", "o", "@")


def marks_of(palette: Palette) -> Marks:
    return ASCII if palette.ascii else UNICODE


def width_of(height: int) -> int:
    """The cells that a square of so many rows takes."""
    return 2 * height


def draw(
    sheet: Sheet, height: int, now: Iterable[complex], before: Iterable[complex], palette: Palette, ink: Style
) -> None:
    """On the left of the sheet, with the origin in its middle. Points that are not finite are left out."""
    points = [[z for z in some if math.isfinite(z.real) and math.isfinite(z.imag)] for some in (now, before)]
    reach = _MARGIN * max([1.0, *(max(abs(z.real), abs(z.imag)) for some in points for z in some)])
    circle = _circle(height, reach, "." if palette.ascii else "", palette.faint)
    circle.paste(sheet, 0, 0)
    here, there = (Counter(filter(None, (circle.cell(z.real, z.imag) for z in some))) for some in points)
    if middle := circle.cell(0.0, 0.0):
        sheet.put(*middle, "+", palette.faint)
    marks = marks_of(palette)
    for at in there.keys() - here.keys():
        sheet.put(*at, marks.before, palette.dim)
    for at, count in here.items():
        glyph = marks.both if at in there else marks.now if count == 1 else str(min(count, 9))
        sheet.put(*at, glyph, ink)


@lru_cache(maxsize=32)
def _circle(height: int, reach: float, dot: str, style: Style) -> Dots:
    """The unit circle in a square plane, which the outermost dots but one end at `reach`."""
    edge = reach * (2 * height - 0.5) / (2 * height - 1)
    dots = Dots(width_of(height), height, (-edge, edge), (-edge, edge), dot=dot)
    for n in range(16 * height):
        angle = 2 * math.pi * n / (16 * height)
        dots.dot(math.cos(angle), math.sin(angle), style)
    return dots
