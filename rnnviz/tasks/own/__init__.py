"""A person's own data: a table (CSV), arrays (.npz), lines of text<TAB>label, a folder with a file for each class.

    >>> understood = read("air.csv")
    >>> understood.task, understood.lines()[0]
    ('series', 'air.csv: a table, 144 rows, 2 columns, UTF-8.')

`kind.py` tells the kind, `layout.py` the layout of a table; `table.py`, `arrays.py` and `examples.py` read, within
bounds; `content.py` is what the tasks `series` and `labelled` learn. NumPy is imported when something is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.tasks.own.decisions import NONE, Decisions

if TYPE_CHECKING:
    from rnnviz.tasks.own.understood import Understood

__all__ = ["Decisions", "read"]


def read(data: str, decisions: Decisions = NONE) -> Understood:
    """Read a file or folder (`understood.read`)."""
    from rnnviz.tasks.own import understood

    return understood.read(data, decisions)
