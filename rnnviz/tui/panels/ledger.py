"""The ledger: why the gradient shrinks, one row a step back in time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from rnnviz.glyphs import lines_at_most
from rnnviz.player.commands import Command, Measure, Seek
from rnnviz.player.numbers import factor, rounded, significant, subscript
from rnnviz.tui.canvas import Sheet
from rnnviz.tui.marks import accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View

if TYPE_CHECKING:
    from rnnviz.player.frame import Frame
    from rnnviz.player.ledger import Row, Table

LEAST_ROWS = 3  # of the table, before there is a word about it
NO_SPLIT = {
    "lstm": "No slope × weight here: h goes back by four gates, c beside them by f.",
    "gru": "No slope × weight here: h goes back by three gates, and beside them by z.",
}


def _table(frame: Frame) -> Table:
    from rnnviz.player import ledger

    return ledger.table(frame.scene, frame.loss_step)


def _columns(table: Table, width: int) -> list[tuple[str, int, Callable[[Row], str]]]:
    """(heading, cells, what stands in it); the first always, the later ones where there is room."""
    k = "" if table.loss_step is None else subscript(table.loss_step)
    columns: list[tuple[str, int, Callable[[Row], str]]] = [
        ("t", 4, lambda row: str(row.t)),
        (f"‖∂L{k}/∂h‖", 12, _norm),
    ]
    if table.cell == "rnn":
        columns += [
            ("step t+1→t", 11, lambda row: _share(row.factor)),
            ("= slope", 9, lambda row: _share(row.slope)),
            ("× weight", 9, lambda row: _share(row.weight)),
            ("left", 11, _left),
        ]
        extra: list[tuple[str, int, Callable[[Row], str]]] = [
            ("bound", 8, lambda row: _share(row.gain)),
            ("mean slope", 12, lambda row: _share(row.mean_slope)),
        ]
    else:
        gate = "f" if table.cell == "lstm" else "z"
        columns += [
            ("step t+1→t", 11, lambda row: _share(row.factor)),
            ("left", 11, _left),
            (f"along {table.highway}", 12, lambda row: rounded(row.along, 2)),
        ]
        extra = [
            (f"mean {gate}", 9, lambda row: _share(row.open)),
            ("bound", 8, lambda row: _share(row.gain)),
        ]
    for column in extra:
        if sum(cells for _, cells, _ in columns) + column[1] < width:
            columns.append(column)
    return columns


def _share(value: float | None) -> str:
    return "…" if value is None else "" if math.isnan(value) else factor(value)


def _left(row: Row) -> str:
    """To five digits, like the start: their product is every row's gradient, to its three."""
    return "1" if row.left == 1 else significant(row.left, 5)


def _norm(row: Row) -> str:
    """The first row is what the products start from, and is told to more digits."""
    start = row.left == 1 and math.isnan(row.factor)
    return rounded(row.norm, 4 if start else 2)


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    table = _table(frame)
    y = 0
    told = [(table.sentence, palette.text), *([(NO_SPLIT[table.cell], palette.dim)] if table.cell in NO_SPLIT else [])]
    for sentence, style in told:
        room = 1 if height < 12 and width >= 78 else 3
        for line in lines_at_most(sentence, width - 2, min(room, height - LEAST_ROWS - 1 - y)):
            sheet.put(y, 1, line, style)
            y += 1
    columns = _columns(table, width - 1)
    x = 1
    for heading, cells, _ in columns:
        x = sheet.put(y, x, heading.rjust(cells), palette.dim)
    y += 1
    here = table.row_of(frame.cursor.t)
    room = height - y
    first = _first(here, len(table.rows), room)
    for at, row in enumerate(table.rows[first : first + room], start=first):
        style = accent(frame, palette) if at == here else palette.text
        sheet.put(y + at - first, 0, "▸" if at == here else " ", style)
        sheet.put(y + at - first, 1, "".join(tell(row).rjust(cells) for _, cells, tell in columns), style)
    below = len(table.rows) - first - room
    if first > 0 and x + len(f"↑{first} ") < width:
        sheet.right(y - 1, f"↑{first} ", palette.faint)
    if below > 0 and x + len(f"↓{below} ") < width:
        sheet.right(height - 1, f"↓{below} ", palette.faint)
    return sheet


def _first(here: int | None, rows: int, room: int) -> int:
    """The first row in view: the cursor's is in view, moving on by half a view at a time."""
    if here is None or rows <= room:
        return 0
    half = max(1, room // 2)
    return min(max(0, (here - room + half) // half * half), rows - room)


def _step(by: int) -> Callable[[Frame, View], Command | None]:
    return lambda frame, view: Seek(frame.cursor.t + by)


def _needs(frame: Frame) -> Command | None:
    from rnnviz.player import measure

    return Measure("gain") if measure.gain(frame.scene) is None else None


PANEL = Panel(
    "ledger", "ledger", "why the gradient shrinks, step by step", _draw, key="y",
    takes={"unit_up": _step(1), "unit_down": _step(-1)},
    words={"unit_down": "a step back"}, needs=_needs, shows=frozenset(("gradient", "ledger", "gates")),
)  # fmt: skip
