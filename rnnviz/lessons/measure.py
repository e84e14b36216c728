"""Measure: the room for a lesson's text, set by the interface that shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """The room for one step on the smallest screen that a lesson is written for.

    width    characters of a line; heading: of the line above
    lines    of a step; lines_with_panel: of one that opens a panel
    """

    width: int
    lines: int
    lines_with_panel: int
    heading: int
