"""Measure: how much room a lesson has; the face that shows it gives the figures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """What a step may say at once on the smallest screen that a lesson is written for.

    width    characters of a line; heading: of the line above
    lines    of a step; lines_with_panel: of one that opens a panel
    """

    width: int
    lines: int
    lines_with_panel: int
    heading: int
