"""A picture as text: plain, or with the escape sequences of its colours."""

from __future__ import annotations

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS
from rich.style import Style

from rnnviz.sheet import Cell
from rnnviz.tui.canvas import spans
from rnnviz.tui.compact_update import PLAIN, Codes, change, codes
from rnnviz.tui.pictures.picture import Picture

_END = "\x1b[0m"


def plain(picture: Picture) -> str:
    """One line a row, without blanks at its end."""
    return "".join(f"{row.rstrip()}\n" for row in picture.sheet.plain())


def ansi(picture: Picture) -> str:
    """The same with SGR sequences, for `cat`."""
    pen = Pen(picture.colors)
    return "".join(f"{pen.written(row)}{pen.reset()}\n" for row in picture.sheet.cells)


class Pen:
    """Writes cells, each style as its difference from the one before."""

    def __init__(self, colors: str) -> None:
        self.has_colors = colors != "none"
        self.system = COLOR_SYSTEMS.get(colors, ColorSystem.TRUECOLOR)
        self.now: Codes = PLAIN

    def written(self, cells: list[Cell]) -> str:
        parts = []
        for glyph, style in cells:
            sequence, self.now = change(self.now, self._codes(style), blank=glyph == " ")
            parts.append(sequence + glyph)
        return "".join(parts)

    def reset(self) -> str:
        had, self.now = self.now, PLAIN
        return _END if had != PLAIN else ""

    def _codes(self, style: Style | None) -> Codes:
        found = codes(style, self.system)
        return found if self.has_colors else (found[0], (), ())


def whole(picture: Picture) -> str:
    """What shows it on a terminal of its size, whatever was there."""
    pen = Pen(picture.colors)
    rows = [f"\x1b[{y};1H{pen.written(row)}" for y, row in enumerate(picture.sheet.cells, start=1)]
    return "\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J" + "".join(rows) + pen.reset()


def difference(before: Picture, after: Picture) -> str:
    """What turns one into the other on a terminal; "" if nothing does."""
    pen, parts = Pen(after.colors), []
    for y, (old, new) in enumerate(zip(before.sheet.cells, after.sheet.cells, strict=True), start=1):
        for start, end in spans(old, new):
            parts.append(f"\x1b[{y};{start + 1}H{pen.written(new[start:end])}")
    return "".join(parts) + pen.reset()
