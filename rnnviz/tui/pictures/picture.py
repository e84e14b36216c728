"""A picture: what the screen shows, as a grid of cells.

picture = of_app(app)            # a Sheet, and the colours it is seen on
ink(style, colors)               # what a cell looks like in so many colours
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.color import Color
from rich.style import Style

from rnnviz.sheet import Sheet
from rnnviz.terminal import ascii_cells
from rnnviz.tui.compact_update import sixteen
from rnnviz.tui.palette import GROUNDS, VGA, cube_hex, is_hex, rgb
from rnnviz.tui.textual_private import rows_of_screen

if TYPE_CHECKING:
    from textual.app import App


@dataclass(frozen=True, eq=False)
class Picture:
    """colors: "truecolor", "256", "standard" or "none". ground, text: the usual colours, #rrggbb."""

    sheet: Sheet
    colors: str
    ground: str
    text: str

    @property
    def size(self) -> tuple[int, int]:
        return self.sheet.width, self.sheet.height


def of_app(app: App[Any], colors: str, *, ascii: bool) -> Picture:
    """The picture of what an app shows, modal screens included."""
    sheet = Sheet(*app.size)
    for y, row in enumerate(rows_of_screen(app)):
        x = 0
        for segment in row:
            if not segment.control:
                text = ascii_cells(segment.text) if ascii else segment.text
                x = sheet.put(y, x, text, segment.style)
    theme = app.current_theme
    usual = [GROUNDS[shade] for shade in (("dark", "light") if theme.dark else ("light", "dark"))]
    found = (theme.background, theme.foreground)
    ground, text = (b if a is None or not is_hex(a) else a for a, b in zip(found, usual, strict=True))
    if colors == "standard":
        behind = sixteen(None, Color.parse(ground))[1] or 0
        return Picture(sheet, colors, VGA[behind], VGA[0 if behind == 15 else 15])
    return Picture(sheet, colors, *(_reduced(Color.parse(color), colors) or color for color in (ground, text)))


class Ink(NamedTuple):
    """How a cell looks. color, ground: #rrggbb; None: the picture's own."""

    color: str | None = None
    ground: str | None = None
    bold: bool = False
    italic: bool = False
    underline: bool = False


@lru_cache(maxsize=4096)
def ink(style: Style | None, colors: str, text: str, ground: str) -> Ink:
    """text, ground: the picture's own colours, which a reversed cell exchanges."""
    if style is None:
        return Ink()
    above, below = style.color, style.bgcolor
    if colors == "standard":
        numbers = sixteen(*(None if c is None or c.is_default else c for c in (above, below)))
        color, behind = (None if number is None else VGA[number] for number in numbers)
    else:
        color, behind = (None if c is None else _reduced(c, colors) for c in (above, below))
    if style.reverse:
        color, behind = behind or ground, color or text
    return Ink(
        None if color == text else color, None if behind == ground else behind, bool(style.bold), bool(style.italic),
        bool(style.underline),
    )  # fmt: skip


def _reduced(color: Color, colors: str) -> str | None:
    """#rrggbb; None for the picture's own colour."""
    if color.is_default or colors == "none":
        return None
    found: str = color.get_truecolor().hex
    return cube_hex(*rgb(found)) if colors == "256" else found
