"""What a step can point at: a row of the score by name, the numbers of the moment beside the rows, or an open panel.

tui/score.py draws these rows under the same names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.nn.cell_table import CELLS

if TYPE_CHECKING:
    from rnnviz.nn.cell import Cell
    from rnnviz.scene.frame import Frame

    Missing = tuple[str, str] | None  # why a row does not exist, and what to do


def _always(frame: Frame) -> Missing:
    return None


def _of_cells(having: Callable[[Cell], bool]) -> Callable[[Frame], Missing]:
    def why_not(frame: Frame) -> Missing:
        if having(frame.cell):
            return None
        others = " or ".join(cell.name for cell in CELLS.values() if having(cell))
        return f"the cell is {frame.cell.name}", f"point at hidden, or use {others}"

    return why_not


def _no_reach(frame: Frame) -> Missing:
    from rnnviz.views.reach import of_frame  # not above: the first paint needs the names alone
    from rnnviz.words.reach import none

    if of_frame(frame) is not None:
        return None
    return none(frame.scene), "point at another row"


def _no_attention(frame: Frame) -> Missing:
    if frame.scene.trace.spec.readout != "linear":
        return None
    return "the readout of this network is linear", "point at panel:attention, or use readout attention"


def _no_evidence(frame: Frame) -> Missing:
    if frame.scene.prove is not None or not frame.scene.has_loss or frame.cell.is_own:
        return None
    return "this gradient is computed here, and needs no evidence", "point at another row"


@dataclass(frozen=True)
class ScoreRow:
    """name        by which a step points at it
    introduced  the name under which a lesson introduces it (see introductions.py); "" for one that is always shown
    why_not     (frame) -> why the row does not exist with this network or task, and what to do; or None
    gives_way   whether it is dropped beside an open panel on the smallest screen"""

    name: str
    introduced: str = ""
    why_not: Callable[[Frame], Missing] = _always
    gives_way: bool = False


#: From top to bottom.
ROWS = {
    row.name: row
    for row in (
        ScoreRow("input"),
        ScoreRow("gates", "gates", _of_cells(lambda cell: bool(cell.gates)), gives_way=True),
        ScoreRow("cell", "gates", _of_cells(lambda cell: cell.has_cell_state), gives_way=True),
        ScoreRow("hidden"),
        ScoreRow("output"),
        ScoreRow("attention", why_not=_no_attention),
        ScoreRow("gradient", "gradient"),
        ScoreRow("time"),
        ScoreRow("reach", "reach", _no_reach, gives_way=True),
        ScoreRow("evidence", why_not=_no_evidence),
    )
}
SIDE = "side"  # the numbers of the moment, at the right of all rows
POINTS = (*ROWS, SIDE)
#: Panels that `beside` cannot name, and why: what they need would be computed unasked.
NEVER_BESIDE = {
    "compare": "it trains other networks",
    "travel": "it goes through the whole training",
    "knobs": "it needs the keys",
}
