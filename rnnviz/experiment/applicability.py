"""Why a setting has no effect on an experiment: one function a reason, None where it has an effect.

Each takes the experiment with what is left open filled in.
"""

from __future__ import annotations

from typing import Protocol

from rnnviz.nn.cell_table import CELLS
from rnnviz.tasks import catalog


class Chosen(Protocol):
    """What of an experiment decides which of its settings have an effect."""

    @property
    def task(self) -> str: ...
    @property
    def cell(self) -> str: ...
    @property
    def optimizer(self) -> str: ...
    @property
    def clip_norm(self) -> float | None: ...
    @property
    def clip_each(self) -> float | None: ...


def activation(e: Chosen) -> str | None:
    cell = CELLS[e.cell]
    return None if cell.activation is None else f"{cell.noun}'s activations are fixed"


def forget_bias(e: Chosen) -> str | None:
    having = " and ".join(cell.noun for cell in CELLS.values() if cell.remembers)
    return None if CELLS[e.cell].remembers else f"only {having} has a forget gate"


def biases(e: Chosen) -> str | None:
    cell = CELLS[e.cell]
    return None if cell.biases is None else f"{cell.noun} always has {cell.biases}"


def recurrent(e: Chosen) -> str | None:
    cell = CELLS[e.cell]
    return None if cell.recurrent else f"{cell.noun} has no recurrent weights W_hh"


def momentum(e: Chosen) -> str | None:
    return None if e.optimizer == "sgd" else f"only sgd has one, not {e.optimizer}"


def epsilon(e: Chosen) -> str | None:
    return "only adam and rmsprop have one, not sgd" if e.optimizer == "sgd" else None


def convention(e: Chosen) -> str | None:
    clips = e.clip_norm is not None or e.clip_each is not None
    return "sgd is the same in both" if e.optimizer == "sgd" and not clips else None


def lag(e: Chosen) -> str | None:
    return _unused(e, "lag", "this task has none to set")


def points(e: Chosen) -> str | None:
    return _unused(e, "points", "only the sine has points")


def noise(e: Chosen) -> str | None:
    return _unused(e, "noise", "this task has no noise")


def samples(e: Chosen) -> str | None:
    return _unused(e, "samples", "counted from the data of this task")


def source(e: Chosen) -> str | None:
    return _unused(e, "source", "only for the task characters")


def _unused(e: Chosen, setting: str, why: str) -> str | None:
    return None if setting in catalog.info(e.task).uses else why
