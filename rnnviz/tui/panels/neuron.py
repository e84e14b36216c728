"""The neuron: the sum that gives one unit's value, or on the way back its gradient, in actual numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.glyphs import cut, lines_at_most
from rnnviz.scene.commands import SelectUnit
from rnnviz.sheet import Sheet
from rnnviz.tui.keys import ACTION_KEYS
from rnnviz.tui.marks import accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words.neuron import equations
from rnnviz.words.voice import Voice

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.views.neuron import Equation
    from rnnviz.words.equations import Line

COLUMN = 26  # cells of one addend in a list
LISTED = 20  # rows of addends at most: more would make a step slow over SSH


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    head, first, others = equations(frame)
    head = Voice(width, ACTION_KEYS).say(head)
    y = 0
    for line in lines_at_most(head, width - 2, 1 if height < 20 else 2):
        sheet.put(y, 1, line, palette.dim)
        y += 1
    y = _block(sheet, y, height, first, frame, palette)
    if others and height - y > len(others) + 2:
        before = f"and forward: each h on the right is from t = {frame.cursor.t - 1}"
        sheet.put(y + 1, 1, cut(before, width - 2), palette.dim)
        _block(sheet, y + 2, height, others, frame, palette)
    return sheet


def _block(sheet: Sheet, y: int, end: int, shown: tuple[Equation, ...], frame: Frame, palette: Palette) -> int:
    """Draw every equation on its own line, and below it a list of its terms if there is room."""
    from rnnviz.words.equations import list_terms, write_equation

    columns = max(1, (sheet.width - 1) // COLUMN)
    spare = end - y - len(shown)
    long = [e for e in shown if len(e.terms) > columns]
    listing = spare // max(1, len(long)) >= 3
    for equation in shown:
        line = write_equation(equation, sheet.width - 2, fold=spare >= len(long) + (equation not in long))
        x = sheet.put(y, 1, line.name, accent(frame, palette))
        x = sheet.put(y, x, line.sum, palette.text)
        if line.folded:
            y, x, spare = y + 1, len(line.name), spare - 1
        x = sheet.put(y, x, line.result, accent(frame, palette))
        if equation.about and x + len(equation.about) + 3 < sheet.width:
            sheet.put(y, x + 3, equation.about, palette.faint)
        y += 1
        if listing and equation in long:
            rows = min(-(-(len(equation.terms) + 1) // columns), spare // len(long), LISTED // len(shown))
            lines = list_terms(equation, rows * columns)
            rows = -(-len(lines) // columns)
            for at, addend in enumerate(lines):
                _addend(sheet, y + at % rows, 1 + at // rows * COLUMN, addend, palette)
            y, spare = y + rows, spare - rows
            long.remove(equation)
    return y


def _addend(sheet: Sheet, y: int, x: int, line: Line, palette: Palette) -> None:
    """Draw a term in one style: so many cells change at every step that several colours would double the bytes."""
    left = f"{line.weight}·{line.name} {line.value}" if line.value else f"  {line.name}"
    sheet.put(y, x, left.ljust(COLUMN - 1 - len(line.product)) + line.product, palette.text)


def _rows(frame: Frame) -> int:
    """Each equation in two rows, and below it its terms, in two columns and more."""
    equations = 1 + len(frame.cell.gates)
    return 4 + 2 * equations + min(LISTED, equations * ((frame.scene.H + 3) // 2))


PANEL = Panel(
    "neuron", "neuron", "one unit's value as a sum you can check by hand", _draw, key="f",
    actions={"unit_up": lambda frame, view: SelectUnit(-1), "unit_down": lambda frame, view: SelectUnit(1)},
    key_labels={"unit_down": "next unit", "unit_up": "unit before"}, rows=_rows,
    shows=frozenset(("state", "gradient", "ledger", "output", "gates", "weights")),
)  # fmt: skip
