"""The reasons why a setting has no effect on an experiment: one function per setting, None if it has an effect.

Each function takes the resolved experiment, which has no open settings.
"""

from __future__ import annotations

from typing import Protocol

from rnnviz.nn.cell_table import CELLS
from rnnviz.tasks import catalog

#: Of a setting of the weights of a person's own cell.
OF_ITS_FILE = "parameters() in the file of your cell decides"
#: What a bidirectional network cannot be combined with, and why: setting -> the reason; only its default is left.
BOTH_WAYS = {
    "num_layers": "a bidirectional network has one layer here",
    "truncate": "a bidirectional layer reads each sequence whole, from both ends",
    "carry": "a bidirectional layer also begins at the end of each sequence",
    "readout": "attention looks back from each step, and a bidirectional layer also reads ahead",
}
#: The same of attention.
ATTENTION = {
    "truncate": "attention sends each error straight to all earlier steps",
    "carry": "attention sees the states of one sequence, not of those before it",
}


class ResolvedExperiment(Protocol):
    """The settings of an experiment that decide whether others have an effect."""

    @property
    def task(self) -> str: ...
    @property
    def shortest(self) -> int | None: ...
    @property
    def mask(self) -> str: ...
    @property
    def cell(self) -> str: ...
    @property
    def bidirectional(self) -> bool: ...
    @property
    def optimizer(self) -> str: ...
    @property
    def clip_norm(self) -> float | None: ...
    @property
    def clip_each(self) -> float | None: ...
    @property
    def carry(self) -> bool: ...
    @property
    def readout(self) -> str: ...


def initialiser(e: ResolvedExperiment) -> str | None:
    return OF_ITS_FILE if CELLS[e.cell].is_own else None


def layers(e: ResolvedExperiment) -> str | None:
    cell = CELLS[e.cell]
    if e.bidirectional:
        return BOTH_WAYS["num_layers"]
    return f"{cell.noun} has one layer" if cell.is_own else None


def bidirectional(e: ResolvedExperiment) -> str | None:
    cell = CELLS[e.cell]
    if e.readout != "linear":
        return BOTH_WAYS["readout"]
    return f"{cell.noun} reads forward only" if cell.is_own else None


def precision(e: ResolvedExperiment) -> str | None:
    cell = CELLS[e.cell]
    return f"{cell.noun} computes in float64" if cell.is_own else None


def activation(e: ResolvedExperiment) -> str | None:
    cell = CELLS[e.cell]
    if cell.is_own:
        return "the file of your cell decides"
    return None if cell.activation is None else f"{cell.noun}'s activations are fixed"


def view_direction(e: ResolvedExperiment) -> str | None:
    return None if e.bidirectional else "this network reads forward only; switch bidirectional on"


def truncate(e: ResolvedExperiment) -> str | None:
    if e.readout != "linear":
        return ATTENTION["truncate"]
    return BOTH_WAYS["truncate"] if e.bidirectional else None


def readout(e: ResolvedExperiment) -> str | None:
    return BOTH_WAYS["readout"] if e.bidirectional else None


def forget_bias(e: ResolvedExperiment) -> str | None:
    nouns = " and ".join(cell.noun for cell in CELLS.values() if cell.remembers)
    return None if CELLS[e.cell].remembers else f"only {nouns} has a forget gate"


def biases(e: ResolvedExperiment) -> str | None:
    cell = CELLS[e.cell]
    if cell.is_own:
        return OF_ITS_FILE
    return None if cell.biases is None else f"{cell.noun} always has {cell.biases}"


def recurrent(e: ResolvedExperiment) -> str | None:
    cell = CELLS[e.cell]
    if cell.is_own:
        return OF_ITS_FILE
    return cell.fixed_loop or None


def momentum(e: ResolvedExperiment) -> str | None:
    return None if e.optimizer == "sgd" else f"only sgd has momentum, not {e.optimizer}"


def epsilon(e: ResolvedExperiment) -> str | None:
    return "only adam and rmsprop have an epsilon, not sgd" if e.optimizer == "sgd" else None


def convention(e: ResolvedExperiment) -> str | None:
    clips = e.clip_norm is not None or e.clip_each is not None
    return "sgd is the same in both" if e.optimizer == "sgd" and not clips else None


def lag(e: ResolvedExperiment) -> str | None:
    return _unused(e, "lag", "this task has no lag")


def points(e: ResolvedExperiment) -> str | None:
    return _unused(e, "points", "only the sine has points")


def noise(e: ResolvedExperiment) -> str | None:
    return _unused(e, "noise", "this task has no noise")


def samples(e: ResolvedExperiment) -> str | None:
    return _unused(e, "samples", "this task's data determines their number")


def source(e: ResolvedExperiment) -> str | None:
    return _unused(e, "source", "only the task characters reads a text file")


def shortest(e: ResolvedExperiment) -> str | None:
    if e.carry:
        return "with carried state all sequences are equally long"
    return _unused(e, "shortest", "this task's data determines the lengths")


def mask(e: ResolvedExperiment) -> str | None:
    always_equal = "shortest" in catalog.info(e.task).uses and e.shortest is None
    return "all sequences are equally long; set the shortest length" if always_equal else None


def padding(e: ResolvedExperiment) -> str | None:
    return mask(e) or ("packed sequences have no padding; choose a mask" if e.mask == "packed" else None)


def own_data(e: ResolvedExperiment) -> str | None:
    """For `data` and each decision about it."""
    return _unused(e, "data", "only your own data has a use for it")


def carry(e: ResolvedExperiment) -> str | None:
    if e.bidirectional:
        return BOTH_WAYS["carry"]
    if e.readout != "linear":
        return ATTENTION["carry"]
    if e.shortest is not None:
        return "sequences of unequal lengths do not continue one another"
    return _unused(e, "carry", catalog.NO_CARRY)


def shuffle(e: ResolvedExperiment) -> str | None:
    return "with carried state the sequences stay in the order of time" if e.carry else None


def _unused(e: ResolvedExperiment, setting: str, why: str) -> str | None:
    return None if setting in catalog.info(e.task).uses else why
