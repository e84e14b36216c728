"""What of a recording is opened, and what no recording can do. Imports no NumPy: the command line needs it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FORWARD, BACKWARD = "forward", "backward"

#: What no recording can do. Each is one line of the smallest screen.
CANNOT: Mapping[str, str] = MappingProxyType(
    {
        "knobs": "A recording has no knobs: change your program, and record it again.",
        "find": "A recording has no knobs to find.",
        "train": "A recording cannot be trained here: it is what happened in your program.",
        "cut": "A recording is shown as it was: its loop cannot be cut.",
        "undo": "Nothing changes in a recording, so there is nothing to undo.",
        "redo": "Nothing changes in a recording, so there is nothing to redo.",
        "ghost": "Nothing changes in a recording, so there is no ghost of a run before.",
        "update": "Your optimizer's update is not recorded; [epoch] goes to the next record.",
        "batch": "A recording has records, not batches; [epoch] goes to the next one.",
        "batch_back": "A recording has records, not batches; [epoch_back] goes to the one before.",
        "fit": "The targets of your data are not recorded, so there is no fit to draw.",
        "self-fed": "The readout is not recorded, so the network cannot read its own output.",
        "words": "The readout is not recorded, so the network's answers are not known.",
        "perturbed": "The answers are not recorded, so no sequence with another one is known.",
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
    is_of_lesson  a lesson shows it: the other lessons can be opened beside it
    """

    path: str
    layer: str | None = None
    level: int | None = None
    direction: str = FORWARD
    record: int | None = None
    is_of_lesson: bool = False
