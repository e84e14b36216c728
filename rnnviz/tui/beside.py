"""The column beside the score on a wide screen, for panels and a lesson's text; this file owns its width.

The score comes first: its columns widen as far as the column's least width allows. What it cannot use goes to the
column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.tui import geometry

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

WIDE = 120  # cells from which there is one
WIDE_FOR_TEXT = 138  # cells from which it holds a lesson's text, in lines of 60 and more
PADDING = (0, 1, 0, 1)  # top, right, bottom, left
_LEAST = 66  # cells; on a screen too narrow for both, the score has
_LEAST_SCORE = 72
_MOST_TEXT = 77  # cells of a text whose lines are still read with ease, margins included


def column_width(screen: int, frame: Frame | None) -> int:
    """Its width in cells, padding included, on a screen of this width."""
    most = max(screen - _LEAST, _LEAST_SCORE)
    return screen - (most if frame is None else geometry.cells_used(frame, most))


def text_width(screen: int, frame: Frame | None) -> int:
    """Its width in cells for text, without padding."""
    _, right, _, left = PADDING
    return min(column_width(screen, frame) - left - right, _MOST_TEXT)


def shape(frame: Frame) -> object:
    """What of a frame the layout depends on: it is worked out again when this changes."""
    scene = frame.scene
    return frame.T, scene.H, scene.trace.L, frame.cell, scene.task.labels
