"""The lines of the engine that compute the numbers at the cursor. They are read from the engine's own source code.

reading a step    the cell's forward         rnnviz/nn/cells/rnn.py
the loss          losses.evaluate            rnnviz/nn/losses.py
going back        the cell's backward_step   rnnviz/nn/cells/rnn.py
the update        the optimizer's rule       rnnviz/nn/optimizer.py
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rnnviz.nn import losses, optimizer
from rnnviz.nn.cell import Cell
from rnnviz.nn.equations import equations as equations_of
from rnnviz.scene.cursor import Phase

#: The folder that contains the package.
_ABOVE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Excerpt:
    """where: file and function. lines: the function's source. start: the line with the first equation."""

    where: str
    lines: tuple[str, ...]
    start: int


def excerpt(cell: Cell, phase: Phase, optimizing: str = "sgd") -> Excerpt:
    """The source of the function that computes this phase; of the update with this optimizer."""
    own = equations_of(cell)
    match phase:
        case Phase.FORWARD:
            return _read((own.forward,))
        case Phase.LOSS:
            return _read((losses.evaluate,))
        case Phase.BACKWARD:
            return _read((own.backward_step, own.slopes))
        case Phase.UPDATE:
            return _read((optimizer.RULES[optimizing], optimizer.update))


@lru_cache(maxsize=32)
def _read(functions: tuple[Callable[..., Any], ...]) -> Excerpt:
    file = Path(inspect.getsourcefile(functions[0]) or "?")
    where = file.relative_to(_ABOVE).as_posix() if file.is_relative_to(_ABOVE) else file.name
    lines: list[str] = []
    for function in functions:
        source = textwrap.dedent(inspect.getsource(function)).replace("\N{COMBINING CIRCUMFLEX ACCENT}", "^")
        lines += [*([""] if lines else []), *source.splitlines()]
    start = next((n for n, line in enumerate(lines) if line.lstrip().startswith("#")), 0)
    return Excerpt(f"{where}, {functions[0].__name__.lstrip('_')}", tuple(lines), start)
