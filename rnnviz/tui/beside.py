"""The column beside the score on a wide screen, for panels and a lesson's text; this file owns its width."""

from __future__ import annotations

WIDE = 120  # cells from which there is one
PADDING = (0, 1, 0, 2)  # top, right, bottom, left
_SHARE, _MOST = 42, 90  # percent of the screen, cells


def column_width(screen: int) -> int:
    """Its width in cells, padding included, on a screen of this width."""
    return min(_MOST, screen * _SHARE // 100)


def text_width(screen: int) -> int:
    """Its width in cells for text, without padding."""
    _, right, _, left = PADDING
    return column_width(screen) - left - right
