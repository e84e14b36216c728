"""Open a person's cell: `rnnviz --cell my_cell.py`. From then on this process knows it by the name of its file.

The file is run, in a process of its own, because the command line names it. Nothing else may name one: an experiment
file, a lesson and a recording are not the command line.
"""

from __future__ import annotations

import atexit
from pathlib import Path
from typing import cast

from rnnviz import files
from rnnviz.errors import InputError
from rnnviz.glyphs import visible
from rnnviz.nn.cell import Block, Cell, Keras, Torch
from rnnviz.nn.equations import OwnEquations, add_own
from rnnviz.workshop.cell.checks import check
from rnnviz.workshop.cell.connection import Connection
from rnnviz.workshop.cell.derivatives import Derivatives
from rnnviz.workshop.cell.verdicts import verdict
from rnnviz.workshop.check import LONGEST


def open_cell(name: str) -> Derivatives:
    """name: of the file, as the command line has it. Raises InputError in one line."""
    path = Path(name)
    its = Derivatives(Connection(path, _source(path)), check, verdict)
    atexit.register(its.connection.close)
    add_own(_described(name, its), cast(OwnEquations, its))
    return its


def _source(path: Path) -> str:
    try:
        source = files.read(path, LONGEST).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not text in UTF-8; a cell is a Python file") from None
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not source.strip():
        raise InputError(f"{path}: is empty; rnnviz workshop init writes 10_your_cell.py, which shows its form")
    return source


def _described(name: str, its: Derivatives) -> Cell:
    title = visible(Path(name).stem)
    return Cell(
        name=name,
        order=1000,
        title=title,
        noun="your cell",
        blocks=(Block("h", ""),),
        recurrent=False,
        activation="identity",
        biases=1,
        rule="step(h{before}, x{t})",
        step_back="the derivative of your step",
        no_split="No slope × weight here: the step is your own code.",
        torch=Torch(title, "your own"),
        keras=Keras(title, (), "your own"),
        shapes=its.shapes,
    )
