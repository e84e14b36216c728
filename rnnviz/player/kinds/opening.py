"""What of a recording or of a file of weights is opened, and what neither can do. Imports no NumPy: the command line
needs it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rnnviz.experiment.experiment import Experiment

FORWARD, BACKWARD = "forward", "backward"

#: What no recording can do. Each is one line of the smallest screen.
CANNOT: Mapping[str, str] = MappingProxyType(
    {
        "knobs": "A recording has no knobs: change your program, and record it again.",
        "find": "A recording has no knobs to find.",
        "train": "A recording cannot be trained here: it is what happened in your program.",
        "cut": "A recording is shown as it was: its loop cannot be cut.",
        "save": "The weights of a recording are in the safetensors files of its folder.",
        "type": "The loss of another sequence is not recorded, so its gradient is not known.",
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


#: With targets, of a level or a direction that the readout does not read alone.
OF_A_PART: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        ("fit", "self-fed", "words", "perturbed", "attention"),
        "This part of the layer has no outputs of its own: the readout reads more than its states.",
    )
)


#: What of a bidirectional network of ours is not shown, whichever direction is.
BOTH_WAYS: Mapping[str, str] = MappingProxyType(
    {
        "self-fed": "One direction reads from the end, so the network cannot read its own output.",
        "network": "The diagram draws one direction alone: the readout reads the states of both.",
        "diagnosis": "The diagnosis knows no bidirectional networks; [ledger] shows each direction.",
    }
)
_IN_ITS_ORDER = "This panel counts steps forward in time; [knobs]: show the forward direction."
#: And of its backward direction.
READS_BACK: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("neuron", "triangle", "perturbed", "attention", "words"), _IN_ITS_ORDER)
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


#: What no network can do that was opened from a file of weights.
NETWORK_CANNOT: Mapping[str, str] = MappingProxyType(
    {
        "knobs": "A file of weights has no knobs: the weights are shown as they are.",
        "find": "A file of weights has no knobs to find.",
        "train": "Weights from a file are not trained here.",
        "batch": "Weights from a file are not trained here, so there is no next batch.",
        "epoch": "Weights from a file are not trained here, so there is no next epoch.",
        "all": "Weights from a file are not trained here.",
        "batch_back": "A file of weights is one moment: there is no batch before.",
        "epoch_back": "A file of weights is one moment: there is no epoch before.",
        "all_back": "A file of weights is one moment: its untrained start is not in it.",
        "cut": "The weights are shown as they are in the file: the loop cannot be cut.",
        "update": "Weights from a file are not trained here, so there is no update.",
        "save": "These weights are in a file already; rnnviz convert writes them in another format.",
        "travel": "A file of weights is one moment: there is no training to go back through.",
        "loss": "A file of weights is one moment: no loss curve is in it.",
        "diagnosis": "rnnviz diagnose FILE reports what is wrong with these weights.",
        "contents": "Lessons bring their own experiment: start rnnviz without a file of weights.",
    }
)
#: And without targets.
WITHOUT_TARGETS: Mapping[str, str] = MappingProxyType(
    {
        "inputs": "Without a loss there is no ∂L/∂x.",
        "fit": "No targets are known, so there is no fit to draw.",
        "self-fed": "No data is known that the network could continue with its own output.",
        "words": "No targets are known, so no answers are right or wrong.",
        "perturbed": "No answers are known, so no sequence with another one is.",
        "attention": "No loss step is known whose answer could look back.",
    }
)


@dataclass(frozen=True)
class NetworkOpening:
    """What of a file of weights is opened, and what it reads.

    layer       its name in the file; None: the only one
    level       of its stacked levels, 0 at the bottom; None: the top
    direction   "forward" or "backward"
    readout     the linear layer that reads its states; None: the only one that fits; "none": the states themselves
    activation  of a simple RNN, where the file does not contain it
    data        an experiment with the settings of the data that it reads; None: generated sequences
    steps       of generated sequences; None: STEPS of network_inputs.py
    beside      another file, whose layer of the same name is compared with this one; None: other layers of this file
    is_of_lesson  a lesson shows it: the other lessons can be opened beside it
    """

    path: str
    layer: str | None = None
    level: int | None = None
    direction: str = FORWARD
    readout: str | None = None
    activation: str | None = None
    data: Experiment | None = None
    steps: int | None = None
    beside: str | None = None
    is_of_lesson: bool = False
