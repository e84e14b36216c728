"""The comparison of cells in a sentence."""

from __future__ import annotations

import math

from rnnviz.nn.cell_table import CELLS
from rnnviz.scene.frame import Frame
from rnnviz.views.comparison import compared


def gate_means(frame: Frame) -> str:
    """`Untrained: mean f 0.73 (LSTM), z 0.50 (GRU).`: the mean share that the gates keep; "" without gates."""
    kept = {row.name: row.kept for row in compared(frame) if row.kept is not None}
    carrying = [cell for cell in CELLS.values() if cell.carry is not None and cell.title in kept]
    if frame.pinned is not None or len(carrying) < 2 or not all(map(math.isfinite, kept.values())):
        return ""
    untrained = (frame.cursor.epoch, frame.cursor.batch) == (0, 0)
    means = ", ".join(f"{cell.carry.label} {kept[cell.title]:.2f} ({cell.title})" for cell in carrying if cell.carry)
    return f"Untrained: mean {means}." if untrained else f"Mean {means}."
