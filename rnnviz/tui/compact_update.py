"""Compact updates: cells as bytes for the terminal, as few as possible.

Textual sends every piece of a line with its whole style and a reset. Over SSH that is ten times what a step needs. Here
a style is sent as its difference from the one before, and the end of a row that becomes blank is cleared.

Everything drawn passes here, so this is also where colours are reduced to sixteen and glyphs to ASCII for terminals
that have no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from rich.color import Color, ColorSystem
from rich.style import Style

from rnnviz.glyphs import is_link
from rnnviz.terminal import ascii_cells, link_begins
from rnnviz.tui.palette import VGA, WORDS, contrast, cube, luminance, rgb

Codes = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]  # attributes, foreground, background
PLAIN: Codes = ((), (), ())
_ATTRIBUTES = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "reverse": "7"}
_LINK = "]"  # before the address of a link among the attributes
_GREYS = (0, 7, 8, 15)
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27"}


@lru_cache(maxsize=4096)
def codes(style: Style | None, system: ColorSystem) -> Codes:
    """The SGR numbers of a style: attributes, foreground, background. The last attribute may be a link."""
    if style is None:
        return PLAIN
    attributes = tuple(number for name, number in _ATTRIBUTES.items() if getattr(style, name))
    if style.link is not None and is_link(style.link):
        attributes += (_LINK + style.link,)
    color, behind = (None if c is None or c.is_default else c for c in (style.color, style.bgcolor))
    if system is ColorSystem.STANDARD:
        ink, ground = sixteen(color, behind)
        return attributes, () if ink is None else (_sgr(ink, 30),), () if ground is None else (_sgr(ground, 40),)
    if system is ColorSystem.EIGHT_BIT:
        color, behind = (None if c is None else _eight_bit(c) for c in (color, behind))
    ink_codes = color.get_ansi_codes() if color else ()
    ground_codes = behind.get_ansi_codes(foreground=False) if behind else ()
    return attributes, tuple(ink_codes), tuple(ground_codes)


def _eight_bit(color: Color) -> Color:
    """The nearest of the 256, by distance; rich's own choice makes a bluish dark grey much lighter."""
    return color if color.triplet is None else Color.from_ansi(cube(*color.triplet))


def _sgr(number: int, first: int) -> str:
    return str(first + number if number < 8 else first + 60 + number - 8)


def sixteen(ink: Color | None, ground: Color | None) -> tuple[int | None, int | None]:
    """Numbers of the sixteen colours for an ink and its ground. Those of the palette are taken as they are; of the
    rest greys become black or white, and an ink one that can be read on its ground. (rich's own choice is by
    distance to colours that no terminal has: it takes dark blue for bright.)"""
    below = None if ground is None else _number(ground)
    if ground is not None and below is None:
        bright = luminance(ground.get_truecolor().hex) > 0.18
        below = (15 if bright else 0) if _is_grey(ground) else _nearest(ground, range(16))
    above = None if ink is None else _number(ink)
    if ink is not None and above is None:
        under = VGA[below or 0]
        those = _GREYS if _is_grey(ink) else range(16)
        above = _nearest(ink, [n for n in those if contrast(VGA[n], under) >= WORDS])
    return above, below


def _is_grey(color: Color) -> bool:
    """Whether it has hardly a hue."""
    shade = color.get_truecolor()
    return max(shade) - min(shade) < 64


def _number(color: Color) -> int | None:
    if color.number is not None and color.number < 16:
        return color.number
    shade = color.get_truecolor().hex
    return VGA.index(shade) if shade in VGA else None


def _nearest(color: Color, numbers: Iterable[int]) -> int:
    shade = color.get_truecolor()

    def distance(number: int) -> int:
        return sum((a - b) ** 2 for a, b in zip(shade, rgb(VGA[number]), strict=True))

    return min(numbers, key=distance)


def change(old: Codes, new: Codes, *, blank: bool) -> tuple[str, Codes]:
    """The escape sequence from one style to the next, and the style then in force. A blank shows no ink."""
    if has_link(old) or has_link(new):
        return _change_link(old, new, blank=blank)
    attributes, ink, ground = new
    if blank and not {"4", "7"} & {*old[0], *attributes}:
        attributes, ink = old[0], old[1]
    gone = [a for a in old[0] if a not in attributes]
    if (old[1] and not ink) or (old[2] and not ground) or ({"1", "2"} & {*gone} and {"1", "2"} & {*attributes}):
        return f"\x1b[{';'.join(('0', *attributes, *ink, *ground))}m", (attributes, ink, ground)
    numbers = [
        *(_OFF[a] for a in gone),
        *(a for a in attributes if a not in old[0]),
        *(ink if ink != old[1] else ()),
        *(ground if ground != old[2] else ()),
    ]
    return (f"\x1b[{';'.join(numbers)}m" if numbers else ""), (attributes, ink, ground)


def has_link(codes: Codes) -> bool:
    """Whether the last attribute is a link."""
    return bool(codes[0]) and codes[0][-1].startswith(_LINK)


def _change_link(old: Codes, new: Codes, *, blank: bool) -> tuple[str, Codes]:
    """The same where a link begins, continues or ends; it is around its own cells alone."""
    was, now = (codes[0][-1:] if has_link(codes) else () for codes in (old, new))
    bare = [(codes[0][: len(codes[0]) - len(link)], *codes[1:]) for codes, link in ((old, was), (new, now))]
    sequence, (attributes, ink, ground) = change(bare[0], bare[1], blank=blank)
    if was != now:
        sequence += link_begins(now[0].removeprefix(_LINK) if now else "")
    return sequence, ((*attributes, *now), ink, ground)


class Pen:
    """Writes cells, each style as its difference from the one before. A frame begins with no style in force."""

    def __init__(self, *, ascii: bool = False) -> None:
        self.size = 0  # characters of the frame so far
        self._ascii = ascii
        self._out: list[str] = []
        self._now = PLAIN
        self._row = -1

    def _add(self, text: str) -> None:
        self._out.append(text)
        self.size += len(text)

    def move(self, x: int, y: int) -> None:
        self._add(f"\x1b[{x + 1}G" if y == self._row else f"\x1b[{y + 1};{x + 1}H")
        self._row = y

    def put(self, cells: Sequence[tuple[str, Codes]]) -> None:
        """Write these cells from where the pen is."""
        for codes, run in groupby(cells, key=itemgetter(1)):
            text = "".join(glyph for glyph, _ in run)
            sequence, self._now = change(self._now, codes, blank=text.isspace())
            self._add(sequence + (ascii_cells(text) if self._ascii else text))

    def clear(self, codes: Codes) -> None:
        """Clear the rest of the row; codes: of a blank, where the terminal clears in the ground in force."""
        sequence, self._now = change(self._now, codes, blank=True)
        self._add(sequence + "\x1b[K")

    def text(self) -> str:
        if self._now != PLAIN:
            self._add("\x1b[0m" + (link_begins("") if has_link(self._now) else ""))
            self._now = PLAIN
        return "".join(self._out)
