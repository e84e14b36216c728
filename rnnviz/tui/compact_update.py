"""Compact updates: only the changed cells go to the terminal.

Textual knows exactly which stretches of a line changed, but sends each from its widget's left edge, and every
piece with its whole style and a reset. Over SSH that is ten times what a step needs. Here a stretch starts at its
first changed cell, and a style is sent as its difference from the one before.

Everything drawn passes here, so this is also where colours are reduced to sixteen and glyphs to ASCII for terminals
that have no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rich.color import Color, ColorSystem
from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style

from rnnviz.terminal import ascii_cells
from rnnviz.tui.palette import VGA, WORDS, contrast, cube, luminance, rgb
from rnnviz.tui.rich_private import color_system
from rnnviz.tui.textual_private import ChopsUpdate, CompositorUpdate, LayoutUpdate, is_partial, is_whole

Codes = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]  # attributes, foreground, background
PLAIN: Codes = ((), (), ())
_ATTRIBUTES = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "reverse": "7"}
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27"}


@lru_cache(maxsize=4096)
def codes(style: Style | None, system: ColorSystem) -> Codes:
    """The SGR numbers of a style: attributes, foreground, background."""
    if style is None:
        return PLAIN
    attributes = tuple(number for name, number in _ATTRIBUTES.items() if getattr(style, name))
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
        shade = ground.get_truecolor()
        grey = max(shade) - min(shade) < 64
        below = (15 if luminance(shade.hex) > 0.18 else 0) if grey else _nearest(ground, range(16))
    above = None if ink is None else _number(ink)
    if ink is not None and above is None:
        under = VGA[below or 0]
        above = _nearest(ink, [n for n in range(16) if contrast(VGA[n], under) >= WORDS])
    return above, below


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


class Pen:
    """Writes segments, each style as its difference from the one before."""

    def __init__(self, console: Console, ascii: bool) -> None:
        self.system = color_system(console)
        self.ascii = ascii
        self.out: list[str] = []
        self.now = PLAIN

    def move(self, x: int, y: int) -> None:
        self.out.append(f"\x1b[{y + 1};{x + 1}H")

    def write(self, segments: Iterable[Segment]) -> None:
        for text, style, control in segments:
            if control:
                continue
            sequence, self.now = change(self.now, codes(style, self.system), blank=text.isspace())
            self.out.append(sequence + (ascii_cells(text) if self.ascii else text))

    def text(self) -> str:
        if self.now != PLAIN:
            self.out.append("\x1b[0m")
            self.now = PLAIN
        return "".join(self.out)


class TightUpdate(CompositorUpdate):
    """A ChopsUpdate in as few bytes as possible."""

    def __init__(self, update: ChopsUpdate, ascii: bool = False) -> None:
        self.chops, self.spans, self.chop_ends = update.chops, update.spans, update.chop_ends
        self.ascii = ascii

    def render_segments(self, console: Console) -> str:
        pen = Pen(console, self.ascii)
        for y, start, end in self.spans:
            if y >= min(len(self.chops), len(self.chop_ends)):
                continue  # it was to be drawn in a window that was higher
            for stop, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, start), min(stop, end)
                if strip is None or left >= right:
                    continue
                pen.move(left, y)
                pen.write(strip.crop(left - x, right - x))
        return pen.text()


class TightLayout(CompositorUpdate):
    """A LayoutUpdate (the whole screen) in as few bytes as possible."""

    def __init__(self, update: LayoutUpdate, ascii: bool = False) -> None:
        self.strips, self.region = update.strips, update.region
        self.ascii = ascii

    def render_segments(self, console: Console) -> str:
        pen = Pen(console, self.ascii)
        for y, line in enumerate(self.strips, self.region.y):
            pen.move(self.region.x, y)
            for strip in line:
                pen.write(strip)
        return pen.text()


def tight(update: RenderableType | None, ascii: bool = False) -> RenderableType | CompositorUpdate | None:
    """Textual's update in compact form; an update of any other kind unchanged."""
    if is_partial(update):
        return TightUpdate(update, ascii)
    if is_whole(update):
        return TightLayout(update, ascii)
    return update
