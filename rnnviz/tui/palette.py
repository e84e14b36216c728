"""The colours: one quiet palette, in four strengths, dark and light.

Every colour is one of the 256-colour cube, so that the picture over SSH (which has 256 colours by default) equals the
local picture. The heatmap runs from blue over grey to orange, which colour-blind people can distinguish, and its grey
contrasts with the ground, so that a small value is still visible.
On every theme's ground words have a contrast of at least 4.5 : 1 and marks of 3 : 1 (WCAG 2.2, 1.4.3 and 1.4.11):
an ink with less contrast is moved towards white, or towards black on a light ground.
The sixteen colours are those of the VGA (a Linux console): the only grounds are black and white, and only inks that
are readable there and with xterm's own sixteen colours are used.
The terminal's own palette (native) draws words in the terminal's own ink on its own ground, which its user can read,
and marks by those of the sixteen that are readable on the usual palettes: yellow, green, cyan and light magenta on a
dark ground; blue, magenta and red on a light one.
With NO_COLOR there is no colour: glyphs and numbers show everything (as they do beside the colours, too).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from rich.color import Color
from rich.style import Style

WORDS, MARKS = 4.5, 3.0  # least contrasts
GROUNDS = {"dark": "#121212", "light": "#e0e0e0"}  # the usual ones

# The sixteen colours of a VGA; a colour of exactly this value is sent by its number.
VGA = (
    "#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa",
    "#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff",
)  # fmt: skip
_BLACK, _RED, _GREEN, _BROWN, _BLUE, _MAGENTA, _CYAN, _GREY = VGA[:8]
_DARK_GREY, _LIGHT_RED, _LIGHT_GREEN, _YELLOW, _LIGHT_BLUE, _LIGHT_MAGENTA, _LIGHT_CYAN, _WHITE = VGA[8:]

# Anchors of the heatmap from -1 to +1, and the least contrast of each: the larger the value, the more.
_HEAT_DARK = ("#87d7ff", "#5fafff", "#0087d7", "#005fd7", "#4e4e4e", "#875f00", "#d78700", "#ffaf00", "#ffd787")
_HEAT_LIGHT = ("#00005f", "#0000af", "#005faf", "#0087af", "#a8a8a8", "#af5f00", "#875f00", "#870000", "#5f0000")
_HEAT_CONTRAST = (7.0, 5.2, 3.8, MARKS, 2.0, MARKS, 3.8, 5.2, 7.0)
_HEAT_16 = {
    "dark": (_LIGHT_CYAN, _LIGHT_CYAN, _CYAN, _CYAN, _DARK_GREY, _BROWN, _BROWN, _YELLOW, _YELLOW),
    "light": (_BLUE, _BLUE, _LIGHT_BLUE, _LIGHT_BLUE, _GREY, _LIGHT_RED, _LIGHT_RED, _RED, _RED),
}
# The terminal's own: the sign alone, since in some palettes (Solarized) the eight bright colours are greys.
_HEAT_NATIVE = {
    "dark": (*[_CYAN] * 4, _DARK_GREY, *[_BROWN] * 4),
    "light": (*[_BLUE] * 4, _GREY, *[_RED] * 4),
}
# A number instead of a colour: (ink, ground), strong values on their colour, weak ones in it.
_HEAT_TEXT_16 = {
    "dark": ((_BLACK, _LIGHT_CYAN), (_LIGHT_CYAN, _BLACK), (_GREY, _BLACK), (_YELLOW, _BLACK), (_BLACK, _YELLOW)),
    "light": ((_WHITE, _BLUE), (_BLUE, _WHITE), (_BLACK, _WHITE), (_RED, _WHITE), (_WHITE, _RED)),
}
# No number: a colour that no step of the heatmap is, to colour-blind eyes either. They take red for brown.
_NAN = {"dark": "#ffffff", "light": "#4e4e4e"}
_NAN_16 = {"dark": _LIGHT_MAGENTA, "light": _BLACK}
_NAN_NATIVE = {"dark": _WHITE, "light": _BLACK}
# How open a gate is, from shut to open on a dark ground; the other way round on a light one.
_SHADES = ("#1c1c1c", "#303030", "#444444", "#585858", "#767676", "#949494", "#b2b2b2", "#d0d0d0")
_SHADES_16 = ((_GREY, _BLACK), (_WHITE, _BLACK), (_BLACK, _GREY), (_BLACK, _WHITE))
# How much of a gradient is left, from little to much on a dark ground, and on a light one.
_FADES = ("#1c1c1c", "#303030", "#5f5f87", "#875faf", "#af87d7", "#d7afff")
_FADES_LIGHT = ("#eeeeee", "#dadada", "#d7d7ff", "#d7afff", "#af87d7", "#875faf")

_INK = {
    "dark": dict(
        text="#d0d0d0", dim="#9e9e9e", faint="#808080", accent="#ffd75f", back="#d787ff",
        input="#87afd7", output="#87d7af", target="#a8a8a8", gradient="#af87d7", highway="#ffd7af", warn="#ff875f",
    ),
    "light": dict(
        text="#303030", dim="#4e4e4e", faint="#5f5f5f", accent="#875f00", back="#8700af",
        input="#005f87", output="#00875f", target="#626262", gradient="#875faf", highway="#af5f00", warn="#d70000",
    ),
}  # fmt: skip
_INK_16 = {
    "dark": dict(
        text=_WHITE, dim=_GREY, faint=_GREY, accent=_YELLOW, back=_LIGHT_MAGENTA,
        input=_LIGHT_CYAN, output=_LIGHT_GREEN, target=_GREY, gradient=_LIGHT_MAGENTA, highway=_WHITE, warn=_LIGHT_RED,
    ),
    "light": dict(
        text=_BLACK, dim=_BLACK, faint=_BLACK, accent=_BLUE, back=_MAGENTA,
        input=_LIGHT_BLUE, output=_BLUE, target=_BLACK, gradient=_MAGENTA, highway=_BLACK, warn=_RED,
    ),
}  # fmt: skip
# Of the terminal's own palette: marks alone, what is left out is the terminal's own ink.
_INK_NATIVE = {
    "dark": dict(
        accent=_YELLOW, back=_LIGHT_MAGENTA, input=_CYAN, output=_GREEN, gradient=_LIGHT_MAGENTA, warn=_LIGHT_RED,
    ),
    "light": dict(accent=_BLUE, back=_MAGENTA, input=_BLUE, gradient=_MAGENTA, warn=_RED),
}  # fmt: skip


_LEVELS = (0, 95, 135, 175, 215, 255)  # of the cube 16 to 231; the greys 232 to 255 are 8, 18 … 238


def is_hex(color: str) -> bool:
    """Whether a theme's colour is #rrggbb; otherwise it is the terminal's own, or the default."""
    return color.startswith("#") and len(color) == 7


def rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def cube(r: int, g: int, b: int) -> int:
    """The nearest of the 256 colours, 16 to 255."""
    at = [min(range(6), key=lambda k: abs(_LEVELS[k] - c)) for c in (r, g, b)]
    grey = min(23, max(0, round(((r + g + b) / 3 - 8) / 10)))
    off = sum((_LEVELS[k] - c) ** 2 for k, c in zip(at, (r, g, b), strict=True))
    grey_off = sum((8 + 10 * grey - c) ** 2 for c in (r, g, b))
    return 232 + grey if grey_off < off else 16 + 36 * at[0] + 6 * at[1] + at[2]


def cube_hex(r: int, g: int, b: int) -> str:
    number = cube(r, g, b)
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    number -= 16
    return "#" + "".join(f"{_LEVELS[k]:02x}" for k in (number // 36, number // 6 % 6, number % 6))


def luminance(color: str) -> float:
    """Relative luminance (WCAG 2.2) of #rrggbb: 0 black, 1 white."""
    parts = (c / 255 for c in rgb(color))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """Contrast of two colours #rrggbb, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=512)
def readable(ink: str, ground: str, least: float) -> str:
    """The ink, or the first colour on its way to white or black with enough contrast; always from the cube."""
    end = 255 if luminance(ground) < 0.18 else 0
    start = rgb(ink)
    found = ink
    for step in range(1, 17):
        if contrast(found, ground) >= least:
            break
        found = cube_hex(*(round(c + (end - c) * step / 16) for c in start))
    return found


def on(ground: str) -> str:
    """Black or white, whichever has more contrast: at least 4.58 : 1."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, ground))


@dataclass(frozen=True)
class Palette:
    """Styles by role. colors: "truecolor", "256", "standard" or "none". ground: the background colour.

    ascii: the terminal has no other glyphs, so a cell cannot show two values in its two halves.
    native: the sixteen colours are the terminal's own palette, and so are its ink and its ground, which are unknown.
    links: the terminal has them.
    """

    colors: str = "truecolor"
    dark: bool = True
    ascii: bool = False
    ground: str = ""  # the usual one
    native: bool = False
    links: bool = False
    _heat_cache: dict[tuple[int, int], Style] = field(default_factory=dict, compare=False, repr=False)

    @property
    def has_color(self) -> bool:
        return self.colors != "none"

    @property
    def has_halves(self) -> bool:
        """A cell can show two colours, one above the other."""
        return self.has_color and not self.ascii

    @property
    def _shade(self) -> str:
        return "dark" if self.dark else "light"

    @cached_property
    def grounded(self) -> str:
        """The ground as displayed, #rrggbb, as far as it is known."""
        if self.colors == "standard":
            return _BLACK if self.dark else _WHITE
        ground = self.ground or GROUNDS[self._shade]
        return cube_hex(*rgb(ground)) if self.colors == "256" else ground

    def _ink(self, role: str) -> Style:
        if not self.has_color:
            return _PLAIN[role]
        ink: str | None
        if self.native:
            ink = _INK_NATIVE[self._shade].get(role)
        elif self.colors == "standard":
            ink = _INK_16[self._shade][role]
        else:
            ink = readable(_INK[self._shade][role], self.grounded, WORDS)
        return Style(color=ink, bold=role in ("accent", "back", "warn"))

    @cached_property
    def text(self) -> Style:
        return self._ink("text")

    @cached_property
    def dim(self) -> Style:
        return self._ink("dim")

    @cached_property
    def faint(self) -> Style:
        return self._ink("faint")

    @cached_property
    def accent(self) -> Style:
        """The present moment, reading."""
        return self._ink("accent")

    @cached_property
    def back(self) -> Style:
        """The present moment, walking back in time."""
        return self._ink("back")

    @cached_property
    def input(self) -> Style:
        return self._ink("input")

    @cached_property
    def output(self) -> Style:
        return self._ink("output")

    @cached_property
    def target(self) -> Style:
        return self._ink("target")

    @cached_property
    def gradient(self) -> Style:
        return self._ink("gradient")

    @cached_property
    def highway(self) -> Style:
        """The gradient on the highway of a gated cell: a line."""
        return self._ink("highway")

    @cached_property
    def highway_on_bar(self) -> Style:
        """That line where it crosses a bar of the gradient, cut out of the bar."""
        if not self.has_color:
            return Style(reverse=True)
        ground = _hex(self.gradient.color)
        return Style(color=on(ground), bgcolor=ground)

    def link(self, address: str) -> Style:
        """Text that leads to this address, if the terminal has links and the address is one."""
        return self.text + Style(link=address) if self.links and address else self.text

    @cached_property
    def warn(self) -> Style:
        return self._ink("warn")

    @cached_property
    def _heat(self) -> tuple[str, ...]:
        """The nine colours, and last that of nan."""
        if self.colors == "standard":
            heat, nan = (_HEAT_NATIVE, _NAN_NATIVE) if self.native else (_HEAT_16, _NAN_16)
            return (*heat[self._shade], nan[self._shade])
        anchors = _HEAT_DARK if self.dark else _HEAT_LIGHT
        pairs = zip(anchors, _HEAT_CONTRAST, strict=True)
        return (*(readable(anchor, self.grounded, least) for anchor, least in pairs), _NAN[self._shade])

    def heat_level(self, value: float) -> int:
        """Index into the nine colours: 0 for -1 and below, 4 near 0, 8 for +1 and above; -1 for nan.

        The steps widen with size (square root), so that the sign of a small value is visible.
        """
        if value != value:
            return -1
        size: int = round(min(abs(value), 1.0) ** 0.5 * 4)
        return 4 + size if value > 0 else 4 - size

    def heat(self, upper: float, lower: float) -> Style:
        """A half block: the upper value in the foreground, the lower behind it."""
        key = (self.heat_level(upper), self.heat_level(lower))
        if key not in self._heat_cache:
            upper_color, lower_color = (self._heat[level] for level in key)
            self._heat_cache[key] = Style(color=upper_color, bgcolor=lower_color)
        return self._heat_cache[key]

    def heat_text(self, value: float) -> Style:
        """A number printed on its own heat: dark on bright, bright on dark."""
        return self._heat_texts[self.heat_level(value)]

    @cached_property
    def _heat_texts(self) -> dict[int, Style]:
        return {level: self._heat_text(level) for level in range(-1, 9)}

    def _heat_text(self, level: int) -> Style:
        if self.colors == "standard" and level >= 0:
            ink, ground = _HEAT_TEXT_16[self._shade][(0, 0, 1, 1, 2, 3, 3, 4, 4)[level]]
            if self.native and ground == self.grounded:
                return Style(color=None if level == 4 else ink)
            return Style(color=ink, bgcolor=ground)
        ground = self._heat[level]
        return Style(color=on(ground), bgcolor=ground)

    def shade(self, value: float) -> Style:
        """A number 0..1, how open a gate is, on a ground as much brighter (on a light ground, darker)."""
        if not self.has_color:
            return _PLAIN["text"]
        steps = self._shades
        return steps[min(len(steps) - 1, int(min(max(value, 0.0), 1.0) * len(steps)))]

    @cached_property
    def _shades(self) -> tuple[Style, ...]:
        if self.native:
            return Style.null(), Style(bold=True), Style(color=_BLACK, bgcolor=_GREY), Style(bold=True, reverse=True)
        pairs = _SHADES_16 if self.colors == "standard" else tuple((on(ground), ground) for ground in _SHADES)
        styles = tuple(Style(color=ink, bgcolor=ground) for ink, ground in pairs)
        return styles if self.dark else styles[::-1]

    def fade(self, share: float) -> Style:
        """A gradient's place between the smallest (0) and the largest (1) of its picture. 16 colours have no ramp."""
        return self._fades[min(len(self._fades) - 1, int(min(max(share, 0.0), 1.0) * len(self._fades)))]

    @cached_property
    def _fades(self) -> tuple[Style, ...]:
        if not self.has_color or self.colors == "standard":
            return (self.gradient,)
        return tuple(Style(color=on(ground), bgcolor=ground) for ground in (_FADES if self.dark else _FADES_LIGHT))


def _hex(color: Color | None) -> str:
    assert color is not None
    return color.get_truecolor().hex


_PLAIN = {
    "text": Style.null(), "dim": Style.null(), "faint": Style(dim=True), "accent": Style(bold=True, reverse=True),
    "back": Style(bold=True, reverse=True), "input": Style.null(), "output": Style(bold=True),
    "target": Style(dim=True), "gradient": Style.null(), "highway": Style(bold=True), "warn": Style(bold=True),
}  # fmt: skip
