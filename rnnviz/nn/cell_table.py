"""The cells by name, in the order of every list of cells. Does not import NumPy.

    >>> CELLS["gru"].title
    'GRU'

A cell is in the table because its description is in nn/cells/descriptions/. A cell of a person's own, which the command
line names, is in OWN: the table knows it by its name, but does not list it, as programs, files of weights and compiled
kernels have none of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import TypeVar, overload

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.cell import Cell

Value = TypeVar("Value")


class ByCell(dict[str, Value]):
    """name -> value. An unknown cell raises InputError."""

    def __missing__(self, name: str) -> Value:
        raise InputError(f"cell: {short_repr(name)} is unknown; choose from {', '.join(self)}")


#: name -> the cell of a person's own, in this process.
OWN: dict[str, Cell] = {}


class _Cells(ByCell[Cell]):
    def __missing__(self, name: str) -> Cell:
        return OWN[name] if name in OWN else super().__missing__(name)


def _found() -> list[Cell]:
    package = "rnnviz.nn.cells.descriptions"
    folder = import_module(package).__path__[0]
    try:
        names = [name.removesuffix(".py") for name in os.listdir(folder) if name.endswith(".py") and name[0] != "_"]
    except OSError:  # inside an archive; pkgutil takes long to import
        from pkgutil import iter_modules

        names = [module.name for module in iter_modules([folder])]
    cells: list[Cell] = [import_module(f"{package}.{name}").CELL for name in names]
    return sorted(cells, key=lambda cell: cell.order)


#: name -> Cell, in the order in which they are listed everywhere
CELLS: ByCell[Cell] = _Cells((cell.name, cell) for cell in _found())


class _Names(Sequence[str]):
    """The names to choose from now: those of CELLS and of OWN."""

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return (*CELLS, *OWN)[index]

    def __len__(self) -> int:
        return len(CELLS) + len(OWN)


NAMES = _Names()
