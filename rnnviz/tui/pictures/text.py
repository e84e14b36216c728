"""A picture as text: plain, or with the escape sequences of its colours."""

from __future__ import annotations

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS

from rnnviz.sheet import Cell
from rnnviz.tui.canvas import spans
from rnnviz.tui.compact_update import Codes, Pen, codes
from rnnviz.tui.pictures.picture import Picture


def plain(picture: Picture) -> str:
    """One line a row, without blanks at its end."""
    return "".join(f"{row.rstrip()}\n" for row in picture.sheet.plain())


def ansi(picture: Picture) -> str:
    """The same with SGR sequences, for `cat`."""
    lines = []
    for row in picture.sheet.cells:
        pen = Pen()
        pen.put(_cells(row, picture.colors))
        lines.append(f"{pen.text()}\n")
    return "".join(lines)


def whole(picture: Picture) -> str:
    """What shows it on a terminal of its size, whatever was there."""
    pen = Pen()
    for y, row in enumerate(picture.sheet.cells):
        pen.move(0, y)
        pen.put(_cells(row, picture.colors))
    return "\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J" + pen.text()


def difference(before: Picture, after: Picture) -> str:
    """What turns one into the other on a terminal; "" if nothing does."""
    pen = Pen()
    for y, (old, new) in enumerate(zip(before.sheet.cells, after.sheet.cells, strict=True)):
        for start, end in spans(old, new):
            pen.move(start, y)
            pen.put(_cells(new[start:end], after.colors))
    return pen.text()


def _cells(row: list[Cell], colors: str) -> list[tuple[str, Codes]]:
    """The cells as they look in so many colours."""
    system = COLOR_SYSTEMS.get(colors, ColorSystem.TRUECOLOR)
    looks = [(glyph, codes(style, system)) for glyph, style in row]
    return looks if colors != "none" else [(glyph, (attributes, (), ())) for glyph, (attributes, _, _) in looks]
