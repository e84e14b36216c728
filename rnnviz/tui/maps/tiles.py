"""The tiles of a map: what each says, and its colour."""

from __future__ import annotations

import math
from typing import NamedTuple

from rich.style import Style

from rnnviz import numbers
from rnnviz.maps.chart import Tile
from rnnviz.sheet import Cell
from rnnviz.tui.maps.arrangement import WITH_TEXT
from rnnviz.tui.palette import Palette

WAITS, FAILED, ALL, ENDLESS, UNKNOWN = "·", "!", "█", "∞", "–"


def level(tile: Tile, value: str, span: tuple[float, float] | None) -> float | None:
    """Where a tile lies between the least (0) and the most (1) of its map; None where nothing is known. A share is its
    own level; all else lies on a logarithmic scale."""
    number = getattr(tile, value)
    if value == "share" or number is None:
        return number if number is None else float(number)
    if span is None or not math.isfinite(number):
        return 1.0
    low, high, number = (math.log(max(one, 1e-12)) for one in (*span, number))
    return 1.0 if high <= low else (number - low) / (high - low)


def sign(tile: Tile, value: str, span: tuple[float, float] | None) -> str:
    """One cell: 0 to 9 for its level, █ for a share of 1, ∞ for what has no end; · not yet, ! failed."""
    if tile.done == 0:
        return WAITS
    if tile.failed == tile.done:
        return FAILED
    number, found = getattr(tile, value), level(tile, value, span)
    if found is None:
        return UNKNOWN
    if value == "share":
        return ALL if found == 1 else str(int(found * 10))
    return ENDLESS if not math.isfinite(number) else str(min(9, int(found * 10)))


def text(tile: Tile, value: str) -> str:
    """What a wide tile says: `3/4`, a loss, a horizon."""
    if tile.done == 0:
        return WAITS
    if tile.failed == tile.done:
        return "fail"
    number = getattr(tile, value)
    if number is None:
        return UNKNOWN
    if value == "share" and tile.seeds == 1:
        return "✓" if tile.learnt else "✗"
    if value == "share":
        return f"{tile.learnt}/{tile.done - tile.failed}"
    return ENDLESS if math.isinf(number) else numbers.brief(number)


class Look(NamedTuple):
    """The cells of a tile: its row in the middle, and those around it."""

    middle: list[Cell]
    around: list[Cell]


class Looks:
    """How the tiles of one picture look; equal ones are made once."""

    def __init__(self, value: str, span: tuple[float, float] | None, palette: Palette, wide: int) -> None:
        self._value, self._span, self._palette, self._wide = value, span, palette, wide
        self._known: dict[tuple[object, ...], Look] = {}

    def of(self, tile: Tile) -> Look:
        key = (getattr(tile, self._value), tile.done == 0, tile.failed, tile.done, tile.learnt)
        if key not in self._known:
            self._known[key] = self._made(tile)
        return self._known[key]

    def _made(self, tile: Tile) -> Look:
        style, wide = self._style(tile), self._wide
        said = text(tile, self._value) if wide >= WITH_TEXT else sign(tile, self._value, self._span)
        if said == ALL:
            solid = style if style.bgcolor is None else Style(color=style.bgcolor, bgcolor=style.bgcolor)
            return Look([(ALL, solid)] * wide, [(ALL, solid)] * wide)
        return Look([(glyph, style) for glyph in said.center(wide)], [(" ", style)] * wide)

    def _style(self, tile: Tile) -> Style:
        palette = self._palette
        if tile.done == 0:
            return palette.faint
        if tile.failed == tile.done:
            return palette.warn
        found = level(tile, self._value, self._span)
        if found is None or not palette.has_color:
            return palette.text
        if self._value == "share":
            return palette.heat_text(found)
        return palette.heat_text(-found) if self._value == "loss" else palette.fade(found)
