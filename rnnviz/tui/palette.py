"""The colours: one quiet palette, in four strengths, dark and light.

Every colour is one of the 256-colour cube, chosen slot by slot, so that the picture over SSH (which has 256
colours unless told otherwise) is the picture on the spot. The heatmap runs blue - grey - orange, which stays
apart for colour-blind eyes, and grey stands out from the ground, so that a small value is still seen.
With NO_COLOR there is none at all: glyphs and numbers carry everything (they do so beside the colours, too).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from rich.color import Color
from rich.style import Style

# Anchors of the heatmap from -1 to +1.
_HEAT_DARK = ("#87d7ff", "#5fafff", "#0087d7", "#005f87", "#4e4e4e", "#875f00", "#d78700", "#ffaf00", "#ffd787")
_HEAT_LIGHT = ("#005f87", "#0087d7", "#5fafff", "#afd7ff", "#bcbcbc", "#ffd7af", "#ffaf5f", "#d75f00", "#875f00")
# How open a gate is, from shut to open on a dark ground; the other way round on a light one.
_SHADES = ("#1c1c1c", "#303030", "#444444", "#585858", "#767676", "#949494", "#b2b2b2", "#d0d0d0")
_SHADES_16 = ("#000000", "#808080", "#c0c0c0", "#ffffff")
_BRIGHT_SHADES = ("#949494", "#b2b2b2", "#d0d0d0", "#c0c0c0", "#ffffff", "#808080")
# How much of a gradient is left, from little to much on a dark ground, and on a light one.
_FADES = ("#1c1c1c", "#303030", "#5f5f87", "#875faf", "#af87d7", "#d7afff")
_FADES_LIGHT = ("#eeeeee", "#dadada", "#d7d7ff", "#d7afff", "#af87d7", "#875faf")
_HEAT_16 = ("#0000ff", "#0000ff", "#000080", "#000080", "#808080", "#808000", "#808000", "#ffff00", "#ffff00")

_INK = {
    "dark": dict(
        text="#d0d0d0", dim="#8a8a8a", faint="#585858", accent="#ffd75f", back="#d787ff",
        input="#87afd7", output="#87d7af", target="#a8a8a8", gradient="#af87d7", highway="#ffd7af", warn="#ff875f",
    ),
    "light": dict(
        text="#303030", dim="#5f5f5f", faint="#8a8a8a", accent="#875f00", back="#8700af",
        input="#005f87", output="#00875f", target="#767676", gradient="#875faf", highway="#af5f00", warn="#d70000",
    ),
}  # fmt: skip
_INK_16 = {
    "dark": dict(
        text="#c0c0c0", dim="#c0c0c0", faint="#808080", accent="#ffff00", back="#ff00ff",
        input="#0000ff", output="#00ff00", target="#c0c0c0", gradient="#800080", highway="#ffffff", warn="#ff0000",
    ),
    "light": dict(
        text="#000000", dim="#808080", faint="#c0c0c0", accent="#808000", back="#800080",
        input="#000080", output="#008000", target="#808080", gradient="#800080", highway="#000000", warn="#800000",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Palette:
    """Styles by role. colors: "truecolor", "256", "standard" or "none"."""

    colors: str = "truecolor"
    dark: bool = True
    _heat_cache: dict[tuple[int, int], Style] = field(default_factory=dict, compare=False, repr=False)

    @property
    def has_color(self) -> bool:
        return self.colors != "none"

    def _ink(self, role: str) -> Style:
        if not self.has_color:
            return _PLAIN[role]
        shade = "dark" if self.dark else "light"
        table = _INK_16 if self.colors == "standard" else _INK
        return Style(color=table[shade][role], bold=role in ("accent", "back", "warn"))

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
        """That line where it crosses a bar of the gradient: cut out of it."""
        if not self.has_color:
            return Style(reverse=True)
        return Style(color="#000000" if self.dark else "#ffffff", bgcolor=self.gradient.color)

    @cached_property
    def highway_behind(self) -> Style:
        """The top of a bar, with the line in the same cell."""
        if not self.has_color:
            return Style(underline=True)
        shade = "#808080" if self.colors == "standard" else "#5f5f5f" if self.dark else "#afaf87"
        return Style(color=self.gradient.color, bgcolor=shade)

    @cached_property
    def warn(self) -> Style:
        return self._ink("warn")

    @cached_property
    def _heat(self) -> tuple[Color, ...]:
        full = _HEAT_DARK if self.dark else _HEAT_LIGHT
        anchors = _HEAT_16 if self.colors == "standard" else full
        return tuple(Color.parse(anchor) for anchor in anchors)

    def heat_level(self, value: float) -> int:
        """Which of the nine colours: 0 for -1 and below, 4 for around 0, 8 for +1 and above; -1 for nan.

        The steps widen with size (square root), so that the sign of a small value is seen.
        """
        if value != value:
            return -1
        size: int = round(min(abs(value), 1.0) ** 0.5 * 4)
        return 4 + size if value > 0 else 4 - size

    def heat(self, upper: float, lower: float) -> Style:
        """A half block: the upper value in the foreground, the lower behind it."""
        key = (self.heat_level(upper), self.heat_level(lower))
        if key not in self._heat_cache:
            a, b = (self._heat[level] if level >= 0 else Color.parse("#d70000") for level in key)
            self._heat_cache[key] = Style.from_color(a, b)
        return self._heat_cache[key]

    def heat_text(self, value: float) -> Style:
        """A number printed on its own heat: dark on bright, bright on dark."""
        return self._heat_texts[self.heat_level(value)]

    @cached_property
    def _heat_texts(self) -> dict[int, Style]:
        return {level: self._heat_text(level) for level in range(-1, 9)}

    def _heat_text(self, level: int) -> Style:
        bright = level in (0, 1, 7, 8, 6) if self.dark else level in (2, 3, 4, 5, 6)
        ground = self._heat[level] if level >= 0 else Color.parse("#d70000")
        return Style.from_color(Color.parse("#000000" if bright else "#ffffff"), ground)

    def shade(self, value: float) -> Style:
        """A number 0..1, how open a gate is, on a ground as much brighter (on a light ground, darker)."""
        if not self.has_color:
            return _PLAIN["text"]
        steps = _SHADES_16 if self.colors == "standard" else _SHADES
        level = min(len(steps) - 1, int(min(max(value, 0.0), 1.0) * len(steps)))
        ground = steps[level if self.dark else len(steps) - 1 - level]
        ink = "#000000" if ground in _BRIGHT_SHADES else "#ffffff"
        return Style.from_color(Color.parse(ink), Color.parse(ground))

    def fade(self, share: float) -> Style:
        """A gradient's place between the smallest (0) and the largest (1) of its picture. 16 colours have no ramp."""
        return self._fades[min(len(self._fades) - 1, int(min(max(share, 0.0), 1.0) * len(self._fades)))]

    @cached_property
    def _fades(self) -> tuple[Style, ...]:
        if not self.has_color or self.colors == "standard":
            return (self.gradient,)
        white, black = "#ffffff", "#000000"
        inks = (white, white, white, white, black, black) if self.dark else (black, black, black, black, black, white)
        grounds = _FADES if self.dark else _FADES_LIGHT
        pairs = zip(inks, grounds, strict=True)
        return tuple(Style.from_color(Color.parse(ink), Color.parse(ground)) for ink, ground in pairs)


_PLAIN = {
    "text": Style.null(), "dim": Style.null(), "faint": Style(dim=True), "accent": Style(bold=True, reverse=True),
    "back": Style(bold=True, reverse=True), "input": Style.null(), "output": Style(bold=True),
    "target": Style(dim=True), "gradient": Style.null(), "highway": Style(bold=True), "warn": Style(bold=True),
}  # fmt: skip
