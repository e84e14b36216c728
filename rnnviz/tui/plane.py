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
from rnnviz.tui.palette import Palette

#: The bit of a braille dot by its row and column in a cell.
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
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
    width = width_of(height)
    points = [[z for z in some if math.isfinite(z.real) and math.isfinite(z.imag)] for some in (now, before)]
    reach = _MARGIN * max([1.0, *(max(abs(z.real), abs(z.imag)) for some in points for z in some)])
    per_unit = (2 * height - 1) / reach  # dots from the origin to 1, which is alike in both directions
    for (y, x), glyph in _circle(width, height, per_unit, palette.ascii).items():
        sheet.put(y, x, glyph, palette.faint)
    here, there = (Counter(_cell(z, width, height, per_unit) for z in some) for some in points)
    middle = _cell(0j, width, height, per_unit)
    sheet.put(*middle, "+", palette.faint)
    marks = marks_of(palette)
    for at in there.keys() - here.keys():
        sheet.put(*at, marks.before, palette.dim)
    for at, count in here.items():
        glyph = marks.both if at in there else marks.now if count == 1 else str(min(count, 9))
        sheet.put(*at, glyph, ink)


def _dot(z: complex, width: int, height: int, per_unit: float) -> tuple[int, int]:
    """(row, column) of the nearest dot."""
    return round(2 * height - 0.5 - z.imag * per_unit), round(width - 0.5 + z.real * per_unit)


def _cell(z: complex, width: int, height: int, per_unit: float) -> tuple[int, int]:
    row, column = _dot(z, width, height, per_unit)
    return min(max(row // 4, 0), height - 1), min(max(column // 2, 0), width - 1)


@lru_cache(maxsize=32)
def _circle(width: int, height: int, per_unit: float, ascii: bool) -> dict[tuple[int, int], str]:
    """The cells of the unit circle, by (row, column)."""
    bits: Counter[tuple[int, int]] = Counter()
    seen = set()
    for n in range(16 * height):
        angle = 2 * math.pi * n / (16 * height)
        row, column = _dot(complex(math.cos(angle), math.sin(angle)), width, height, per_unit)
        if (row, column) not in seen and 0 <= row < 4 * height and 0 <= column < 2 * width:
            seen.add((row, column))
            bits[row // 4, column // 2] += _BITS[row % 4][column % 2]
    return {at: "." if ascii else chr(0x2800 + bit) for at, bit in bits.items()}
