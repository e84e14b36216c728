"""Cells as SVG: the markup of a stretch of a row, independent of the fonts of who looks at it.

Blocks, Braille and straight lines are drawn as shapes, since fonts differ in them; letters are text, every stretch of
it as wide as its cells. A drawing collects the colours it needs as classes, so that a picture names each once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import TypeVar

from rnnviz.sheet import REST
from rnnviz.tui.pictures.picture import Ink

WIDTH, HEIGHT = 10, 20  # of a cell
BASELINE = 15
SIZE = 16.6  # of the letters: as wide as a cell in DejaVu Sans Mono
FONTS = "'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono','Courier New',monospace"

T = TypeVar("T")
Shown = tuple[str, Ink]  # a cell: its glyph and how it looks

_EIGHTHS = "▁▂▃▄▅▆▇█"
_LEFTS = "▏▎▍▌▋▊▉"
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_QUADRANTS = {"▖": "2", "▗": "3", "▘": "0", "▙": "023", "▚": "03", "▛": "012", "▜": "013", "▝": "1", "▞": "12",
              "▟": "123"}  # fmt: skip
_LINES = {"─": (0, 9, 10, 1), "━": (0, 8, 10, 3), "│": (4, 0, 1, 20), "┃": (4, 0, 3, 20)}

Box = tuple[float, float, float, float]  # x, y, width, height


@lru_cache(maxsize=512)
def boxes(glyph: str) -> tuple[Box, ...] | None:
    """The rectangles of a glyph in its cell; None for one that is text."""
    if glyph in _LINES:
        return (_LINES[glyph],)
    if glyph in _EIGHTHS and glyph:
        high = HEIGHT * (_EIGHTHS.index(glyph) + 1) / 8
        return ((0, HEIGHT - high, WIDTH, high),)
    if glyph in _LEFTS and glyph:
        return ((0, 0, WIDTH * (_LEFTS.index(glyph) + 1) / 8, HEIGHT),)
    if glyph in _QUADRANTS:
        return tuple((5.0 * (int(q) % 2), 10.0 * (int(q) // 2), 5.0, 10.0) for q in _QUADRANTS[glyph])
    simple = {"▀": (0, 0, WIDTH, 10), "▐": (5, 0, 5, HEIGHT), "▔": (0, 0, WIDTH, 2.5), "▕": (8.75, 0, 1.25, HEIGHT)}
    if glyph in simple:
        return (simple[glyph],)
    if len(glyph) == 1 and 0x2800 < ord(glyph) < 0x2900:
        dots = ord(glyph) - 0x2800
        places = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
        return tuple((1.0 + 5 * x, 1.0 + 5 * y, 3.0, 3.0) for bit, (x, y) in enumerate(places) if dots >> bit & 1)
    return None


class Drawing:
    """Makes the markup of cells, and knows the style sheet for all that it has made."""

    def __init__(self, text: str) -> None:
        """text: the usual colour, #rrggbb."""
        self.text = text
        self._classes: dict[str, str] = {}  # rule -> name

    def rules(self) -> str:
        return "".join(f".{name}{{{rule}}}" for rule, name in self._classes.items())

    def _class(self, rule: str) -> str:
        if not rule:
            return ""
        if rule not in self._classes:
            n, name = len(self._classes), ""
            while True:
                n, digit = divmod(n, 26)
                name = chr(97 + digit) + name
                if not n:
                    break
                n -= 1
            self._classes[rule] = name
        return f' class="{self._classes[rule]}"'

    def row(self, cells: Sequence[Shown], x: int = 0, y: float = 0) -> str:
        """The cells from column x on; y: the top of the row."""
        return self._grounds(cells, x, y) + self._shapes(cells, x, y) + self._letters(cells, x, y)

    def _grounds(self, cells: Sequence[Shown], x: int, y: float) -> str:
        paths: dict[str, list[str]] = {}
        for start, end, ground in _runs([ink.ground for _, ink in cells]):
            if ground is not None:
                paths.setdefault(ground, []).append(_path((x + start) * WIDTH, y, (end - start) * WIDTH, HEIGHT))
        return "".join(self._filled(color, parts) for color, parts in paths.items())

    def _shapes(self, cells: Sequence[Shown], x: int, y: float) -> str:
        paths: dict[tuple[str, float], list[str]] = {}
        at = 0
        while at < len(cells):
            glyph, ink = cells[at]
            shade = _SHADES.get(glyph)
            drawn = ((0.0, 0.0, float(WIDTH), float(HEIGHT)),) if shade else boxes(glyph) if glyph else None
            end = at + 1
            if drawn is not None:
                is_wide = all(left == 0 and width == WIDTH for left, _, width, _ in drawn)
                while is_wide and end < len(cells) and cells[end][0] == glyph and cells[end][1].color == ink.color:
                    end += 1
                parts = paths.setdefault((ink.color or self.text, shade or 1.0), [])
                for left, top, width, height in drawn:
                    whole = (end - at) * WIDTH if is_wide else width
                    parts.append(_path((x + at) * WIDTH + left, y + top, whole, height))
            at = end
        return "".join(self._filled(color, parts, opacity) for (color, opacity), parts in paths.items())

    def _filled(self, color: str, parts: list[str], opacity: float = 1.0) -> str:
        fill = f"fill:{color}" + (f";opacity:{opacity:g}" if opacity < 1 else "")
        return f'<path{self._class(fill)} d="{"".join(parts)}"/>'

    def _letters(self, cells: Sequence[Shown], x: int, y: float) -> str:
        """Stretches of text in one style, each as wide as its cells. A wide character is a stretch of its own: fonts
        differ in them most."""
        found = []
        letters: list[tuple[str, int] | None] = []
        for at, (glyph, ink) in enumerate(cells):
            if glyph == REST and letters:
                letters.append(letters[-1])
            elif _is_blank(glyph, ink):
                letters.append(None)
            else:
                is_wide = at + 1 < len(cells) and cells[at + 1][0] == REST
                letters.append((_letter_rule(ink, self.text), at + 1 if is_wide else 0))
        for at in range(1, len(cells) - 1):  # a single blank between two words is no reason to begin anew
            if cells[at][0] == " " and letters[at] is None and letters[at - 1] == letters[at + 1]:
                letters[at] = letters[at - 1]
        for start, end, style in _runs(letters):
            if style is not None:
                text = "".join(glyph for glyph, _ in cells[start:end])
                long = "" if end - start == 1 else f' textLength="{(end - start) * WIDTH}"'
                place = f'x="{(x + start) * WIDTH}" y="{_number(y + BASELINE)}"'
                found.append(f"<text {place}{self._class(style[0])}{long}>{escape(text, quote=False)}</text>")
        return "".join(found)


def _is_blank(glyph: str, ink: Ink) -> bool:
    return (glyph == " " and not ink.underline) or glyph in _SHADES or (glyph != "" and boxes(glyph) is not None)


def _letter_rule(ink: Ink, text: str) -> str:
    """The rule of a text; "" for the usual one."""
    parts = [] if ink.color in (None, text) else [f"fill:{ink.color}"]
    parts += ["font-weight:700"] if ink.bold else []
    parts += ["font-style:italic"] if ink.italic else []
    parts += ["text-decoration:underline"] if ink.underline else []
    return ";".join(parts)


def _runs(values: Sequence[T]) -> list[tuple[int, int, T]]:
    found: list[tuple[int, int, T]] = []
    for at, value in enumerate(values):
        if found and found[-1][2] == value:
            found[-1] = (found[-1][0], at + 1, value)
        else:
            found.append((at, at + 1, value))
    return found


def _path(x: float, y: float, width: float, height: float) -> str:
    return f"M{_number(x)} {_number(y)}h{_number(width)}v{_number(height)}h-{_number(width)}z"


def _number(value: float) -> str:
    return f"{value:g}"
