"""What of a recording is opened, and what no recording can do. Imports no NumPy: the command line needs it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FORWARD, BACKWARD = "forward", "backward"

_FIXED = "A recording is what happened in your training: "
#: What no recording can do.
CANNOT: Mapping[str, str] = MappingProxyType(
    {
        "knobs": f"{_FIXED}its settings cannot be turned. Change your program and record it again.",
        "find": f"{_FIXED}it has no knobs to find.",
        "train": f"{_FIXED}it cannot be trained further here.",
        "cut": f"{_FIXED}its gradient is that of the loop, which cannot be cut.",
        "undo": f"{_FIXED}nothing changes here that could be undone.",
        "redo": f"{_FIXED}nothing changes here that could be undone.",
        "ghost": f"{_FIXED}without a changed knob there is no ghost.",
        "update": "The update is your optimizer's, and not in the recording. [epoch] goes to the next record.",
        "batch": "A recording has records, not batches. [epoch] goes to the next one.",
        "batch_back": "A recording has records, not batches. [epoch_back] goes to the one before.",
        "fit": "The targets of your data are not recorded, so no fit can be drawn.",
        "self-fed": "The readout of your network is not recorded, so it cannot read its own output.",
        "words": "The readout of your network is not recorded, so its answers are not known.",
        "perturbed": "The answers are not recorded, so no sequence with another answer can be found.",
        "contents": "Lessons bring their own experiment: start rnnviz without a recording.",
    }
)


@dataclass(frozen=True)
class Opening:
    """What of a recording is opened.

    layer      its name; None: the first of the record
    level      of the stacked layers of one module, 0 at the bottom; None: the top
    direction  "forward" or "backward"
    record     its number from 1; None: the last
    """

    path: str
    layer: str | None = None
    level: int | None = None
    direction: str = FORWARD
    record: int | None = None
