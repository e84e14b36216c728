"""The ledger: why the gradient shrinks, one row a step back in time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from rnnviz.glyphs import lines_at_most
from rnnviz.nn.cell_table import CELLS
from rnnviz.numbers import factor, rounded, significant
from rnnviz.scene.commands import Command, Measure, Seek
from rnnviz.sheet import Sheet
from rnnviz.tui.keys import ACTION_KEYS
from rnnviz.tui.marks import accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words.ledger import sentence as sentence_of
from rnnviz.words.row_name import symbol
from rnnviz.words.voice import Voice

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.views.ledger import Row, Table

LEAST_ROWS = 3  # of the table, before there is a word about it


def _table(frame: Frame) -> Table | None:
    from rnnviz.views import ledger

    return ledger.table(frame.scene, frame.loss_step)


class Column(NamedTuple):
    """cells: with its heading in one line; narrow: with the heading in two, cut at the bar."""

    heading: str
    cells: int
    narrow: int
    tell: Callable[[Row], str]


def _columns(table: Table, gain: list[float] | None, time: Callable[[int], int]) -> tuple[list[Column], list[Column]]:
    """Those that are always there, and those for which there may be no room. time: of a step."""
    k = None if table.loss_step is None else time(table.loss_step)
    columns = [
        Column("t", 4, 4, lambda row: str(time(row.t))),
        Column(symbol(k, has_loss=table.has_loss), 12, 11, _norm),
        Column("step| t+1→t" if time(0) == 0 else "step| t-1→t", 11, 7, lambda row: _share(row.factor)),
    ]
    if table.is_attended:
        columns += [_way(name) for name in ("loop", "value", "score", "readout")]
        return columns, [Column("left", 11, 11, _left)]
    start = table.rows[0].t
    bound = Column("bound", 8, 7, lambda row: "" if row.t == start else _share(None if gain is None else gain[row.t]))
    left = Column("left", 11, 11, _left)
    cell = CELLS[table.cell]
    if cell.splits and table.has_loss:
        columns += [
            Column("= slope", 9, 8, lambda row: _share(row.slope)),
            Column("× weight", 9, 9, lambda row: _share(row.weight)),
            left,
        ]
        return columns, [bound, Column("mean| slope", 12, 6, lambda row: _share(row.mean_slope))]
    columns.append(left)
    if table.highway is not None:
        columns.append(Column(f"along {table.highway}", 12, 10, lambda row: rounded(row.along, 2)))
    if cell.splits:  # no one vector goes back, of which slope and weight could take their shares
        return columns, [bound, Column("mean| slope", 12, 6, lambda row: _share(row.mean_slope))]
    carried = [Column(f"mean {cell.carry.label}", 9, 8, lambda row: _share(row.open))] if cell.carry else []
    return columns, [*carried, bound]


def _way(name: str) -> Column:
    """The part of one way along the gradient; the columns of all ways add up to the norm."""

    def tell(row: Row) -> str:
        value = float(getattr(row, name))
        return "" if name == "readout" and value == 0 else rounded(value, 2)

    return Column(f"{'= ' if name == 'loop' else '+ '}{name}", 11, 10, tell)


def _laid_out(
    table: Table, gain: list[float] | None, width: int, time: Callable[[int], int]
) -> tuple[list[Column], bool]:
    """The columns that fit into so many cells, and whether only with headings of two lines."""
    columns, extra = _columns(table, gain, time)
    every = columns + extra
    if sum(column.cells for column in every) <= width:
        return every, False
    while extra and sum(column.narrow for column in columns + extra) > width:
        extra.pop()
    if extra:
        return columns + extra, True
    return columns, False


def _share(value: float | None) -> str:
    return "…" if value is None else "" if math.isnan(value) else factor(value)


def _left(row: Row) -> str:
    """To five digits, like the start: their product is every row's gradient, to its three."""
    if row.norm == 0 and math.isnan(row.left):  # 0 of 0: it set out as 0
        return "–"
    return "1" if row.left == 1 else significant(row.left, 5)


def _norm(row: Row) -> str:
    """The norm; the first row has more digits, because the products start from it."""
    start = row.left == 1 and math.isnan(row.factor)
    return rounded(row.norm, 4 if start else 2)


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    from rnnviz.views import analysis

    table, gain = _table(frame), analysis.gain(frame.scene)
    if table is None:
        sheet.put(0, 1, "Backpropagating step by step …", palette.dim)
        return sheet
    y = 0
    no_split = None if table.is_attended else CELLS[table.cell].no_split
    text = Voice(width, ACTION_KEYS).say(sentence_of(table, frame.scene.gradient(table.loss_step), frame.scene.time))
    sentences = [(text, palette.text), *([(no_split, palette.dim)] if no_split else [])]
    for sentence, style in sentences:
        room = 1 if height < 12 and width >= 78 else 3
        for line in lines_at_most(sentence, width - 2, min(room, height - LEAST_ROWS - 1 - y)):
            sheet.put(y, 1, line, style)
            y += 1
    columns, narrow = _laid_out(table, None if gain is None else gain.tolist(), width - 1, frame.scene.time)
    x = 1
    for column in columns:
        cells = column.narrow if narrow else column.cells
        above, _, last = column.heading.rpartition("| ") if narrow else ("", "", column.heading.replace("|", ""))
        sheet.put(y, x, above.rjust(cells), palette.dim)
        x = sheet.put(y + narrow, x, last.rjust(cells), palette.dim)
    y += 1 + narrow
    here = table.row_of(frame.cursor.t)
    room = height - y
    first = _first(here, len(table.rows), room)
    for at, row in enumerate(table.rows[first : first + room], start=first):
        style = accent(frame, palette) if at == here else palette.text
        sheet.put(y + at - first, 0, "▸" if at == here else " ", style)
        figures = (column.tell(row).rjust(column.narrow if narrow else column.cells) for column in columns)
        sheet.put(y + at - first, 1, "".join(figures), style)
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


def _click(frame: Frame, view: View, x: int, y: int, width: int, height: int) -> Command | None:
    """A row goes to its time step, which is its first number."""
    table = _table(frame)
    drawn = _draw(frame, view, width, height, Palette()).plain()
    if table is None or not 0 <= y < len(drawn):
        return None
    word = drawn[y].lstrip("▸ ").split(" ")[0]
    steps = {str(frame.scene.time(row.t)): row.t for row in table.rows}
    return Seek(steps[word]) if word in steps and drawn[y][1:5].strip() == word else None


def _step(by: int) -> Callable[[Frame, View], Command | None]:
    return lambda frame, view: Seek(frame.cursor.t + by)


def _needs(frame: Frame) -> Command | None:
    from rnnviz.views import analysis

    if not frame.scene.has_gradient(frame.loss_step):  # the row itself comes first
        return None
    if _table(frame) is None:
        return Measure("ledger", frame.loss_step)
    return Measure("gain") if analysis.gain(frame.scene) is None else None


PANEL = Panel(
    "ledger", "ledger", "why the gradient shrinks, step by step", _draw, key="y",
    actions={"unit_up": _step(1), "unit_down": _step(-1)}, click=_click,
    key_labels={"unit_down": "a step back"}, needs=_needs, rows=lambda frame: 7 + frame.T,
    shows=frozenset(("gradient", "ledger", "gates")),
)  # fmt: skip
