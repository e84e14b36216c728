"""The arguments that say what is opened: which part of a recording or of a file of weights, a sequence, lessons."""

from __future__ import annotations

from rnnviz.cli.command import Argument, number, whole_number
from rnnviz.errors import InputError, short_repr
from rnnviz.experiment.experiment_file import OWN_SUFFIX
from rnnviz.player.kinds.opening import BACKWARD, FORWARD
from rnnviz.tui import place


def _record(text: str) -> int:
    if number(text) < 1:
        raise InputError(f"record: {short_repr(text)} is not the number of a record, 1 and up")
    return number(text)


def named_cells(text: str) -> list[str]:
    """The cells of --cell, once each. A Python file among them is run, and this process knows it from now on. Raises
    InputError."""
    cells = list(dict.fromkeys(cell.strip() for cell in text.split(",")))
    for name in cells:
        if name.endswith(OWN_SUFFIX):
            from rnnviz.workshop.cell.opening import open_cell  # it needs NumPy

            open_cell(name)
    return cells


def _direction(text: str) -> str:
    if text not in (FORWARD, BACKWARD):
        raise InputError(f"direction: {short_repr(text)} is neither {FORWARD} nor {BACKWARD}")
    return text


#: Which part of a recording; without a recording they are refused. Those after the first are of a file of weights, too.
OF_RECORDING = (
    Argument("--record", "of a recording: its record number N (default: the last)", metavar="N", read=_record),
    Argument(
        "--layer", "of a recording or a file of weights: the layer, by its name in your model (default: the first, or "
        "the only one)", metavar="NAME",
    ),
    Argument(
        "--level", "of a recording or a file of weights: which of the stacked layers, 0 at the bottom (default: the "
        "top)", metavar="N", read=whole_number("level"),
    ),
    Argument(
        "--direction", "of a recording or a file of weights: forward or backward (default: forward)", metavar="NAME",
        read=_direction,
    ),
)  # fmt: skip
#: Of a file of weights alone.
OF_WEIGHTS = (
    Argument(
        "--readout", "linear, attention or additive: whether the output also reads a weighted sum of all states so far "
        "(default linear); of a file of weights: the linear layer that reads the states, or none", metavar="NAME",
    ),
)  # fmt: skip
#: Who has such an argument, where it is given without: "" of every other.
WHOSE = {
    "": "a recording or a file of weights has one; name it",
    "record": "a recording has one; name its folder",
    "beside": "a file of weights has one; name it",
    "readout": "linear, attention and additive are known, or the layer of a file of weights; name it",
}
BESIDE = Argument("--beside", "of a file of weights: another one, to be compared with it (c)", metavar="FILE")
OF_NETWORK = (*OF_RECORDING[1:], *OF_WEIGHTS)
INPUT = Argument(
    "--input",
    "a sequence to read in place of the first: text, numbers, or 7 = 0.5 to move one step",
    metavar="TEXT",
)

LESSONS = Argument("--lessons", "a folder of lessons in place of the course that comes with rnnviz", metavar="DIR")
WATCH = Argument(
    "--watch", "for who writes lessons: whenever the open lesson's file is saved, read it again and show what is wrong "
    "beside it", default=False, more={"action": "store_true"},
)  # fmt: skip
AT = Argument(
    "--at", "a place to begin at: t=12,back or train=20,t=5; also unit=N, sequence=N, gradient=total, loss, update, "
    "cut", metavar="PLACE", read=place.read,
)  # fmt: skip
PANEL = Argument("--panel", "the panel to open: ledger, network, knobs, …", metavar="NAME")
