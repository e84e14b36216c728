"""The weights of one layer as a heat map: what a unit takes from the input and from the state before, and its bias.

        W_ih    W_hh                      b
 h₀     +.67    +.50 -.12 …               +.00     a row: the unit that receives
                h₀   h₁                            a column: the one that sends

Of an LSTM or GRU W_hh has a block for each gate, one beside the other where they fit, else the first ones.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.glyphs import cut, lines_at_most
from rnnviz.numbers import short
from rnnviz.scene.commands import Measure
from rnnviz.sheet import Sheet
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words.weights import READ_IT, of_W_hh

if TYPE_CHECKING:
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.views.weights import Block

NOT_FINITE = "A weight is not finite: there is no scale to draw them on."
WITH_NUMBER = 5  # cells of a weight from which its number is written
WIDEST = 6
GAP = 2


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    from rnnviz.views.weights import blocks, largest

    sheet = Sheet(width, height)
    found = blocks(frame.scene.trace)
    reach = largest(found)
    if not math.isfinite(reach):
        for y, line in enumerate(lines_at_most(NOT_FINITE, width - 2, height)):
            sheet.put(y, 1, line, palette.dim)
        return sheet
    sentences = [READ_IT, *of_W_hh(frame.scene)][: max(1, height - 4)]
    for y, text in enumerate(sentences):
        sheet.put(y, 1, cut(text, width - 2), palette.text if y else palette.dim)
    top = len(sentences) + 1
    sheet.right(0, f"±{reach:.2g} ", palette.faint)  # what the strongest colours are
    rows = height - top
    shown = _fitting(found, width - 2)
    cell = next((cells for cells in range(WIDEST, 1, -1) if _width(shown, cells) <= width - 2), 1)
    x = 1
    for block in shown:
        wide = cell * block.values.shape[1]
        sheet.put(top - 1, x, block.name, palette.dim)
        _heat(sheet, (top, x), block, cell, rows, reach, palette)
        x += max(wide, len(block.name)) + GAP
    left_out = len(found) - len(shown)
    if left_out:
        sheet.right(top - 1, f"… {left_out} more ", palette.faint)
    return sheet


def _fitting(found: list[Block], room: int) -> list[Block]:
    """As many as fit with one cell a weight, W_hh and its gates first, in their order."""
    wanted = sorted(found, key=lambda block: not block.is_recurrent)
    while len(wanted) > 1 and _width(wanted, 1) > room:
        wanted.pop()
    return [block for block in found if block in wanted]


def _width(shown: list[Block], cell: int) -> int:
    """Cells that these blocks take, with their names, where a weight takes so many."""
    columns = [int(block.values.shape[1]) for block in shown]
    return sum(max(len(block.name), cell * n) + GAP for block, n in zip(shown, columns, strict=True)) - GAP


def _heat(
    sheet: Sheet, at: tuple[int, int], block: Block, cell: int, rows: int, reach: float, palette: Palette
) -> None:
    """A row for each unit where there is room and colours need it, else two units in one."""
    top, left = at
    units, senders = block.values.shape
    is_halved = units > rows and palette.has_halves
    for row in range(min(rows, -(-units // 2) if is_halved else units)):
        for column in range(senders):
            x = left + column * cell
            upper = float(block.values[row * (1 + is_halved), column])
            if is_halved:
                below = 2 * row + 1
                lower = float(block.values[below, column]) if below < units else 0.0
                style = palette.heat(upper / reach, lower / reach)
                style = style if below < units else Style(color=style.color)
                sheet.put(top + row, x, "▀" * cell, style)
            elif cell >= WITH_NUMBER or not palette.has_halves:
                text = short(upper)[:cell].ljust(cell)
                sheet.put(top + row, x, text, palette.heat_text(upper / reach) if palette.has_color else palette.text)
            else:
                sheet.put(top + row, x, " " * cell, palette.heat(upper / reach, upper / reach))
    if units > rows * (1 + is_halved):
        sheet.right(sheet.height - 1, f"↓{units - rows * (1 + is_halved)} ", palette.faint)


def _needs(frame: Frame) -> Command | None:
    wanted = Measure("weights")
    return None if wanted in frame.scene.known else wanted


PANEL = Panel(
    "weights", "weights", "W_ih, W_hh and b of the top layer as a heat map", _draw, needs=_needs,
    depends_on=lambda frame, view: frame.scene, shows=frozenset(("weights", "spectrum")),
    rows=lambda frame: 4 + frame.scene.H,
)  # fmt: skip
