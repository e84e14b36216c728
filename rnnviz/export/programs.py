"""The experiment's model in PyTorch and in Keras: complete programs to copy and run.

They have the same layers, sizes, initialiser, loss, optimizer and training. The program for the sine makes the same
data, number for number; other tasks, whose sequences come from rnnviz, get random data of the same shape.
Weights start from the same distribution, not from the same numbers. A comment notes each difference of a framework.
"""

from __future__ import annotations

from rnnviz.experiment.experiment import Experiment
from rnnviz.export.keras import KerasProgram
from rnnviz.export.pytorch import TorchProgram
from rnnviz.nn.cell_table import CELLS
from rnnviz.tasks import Task


def cannot(task: Task, experiment: Experiment | None = None) -> str | None:
    """The reason why there is no program for a task, or for a network, or None."""
    if experiment is not None and experiment.readout != "linear":
        return "attention that looks back at its own states is no layer of a short program; choose a linear readout"
    if experiment is not None and experiment.bidirectional:
        cell = CELLS[experiment.cell]
        if cell.torch.source or (cell.activation is None and experiment.activation not in ("tanh", "relu")):
            return "PyTorch has no such layer, and a loop that reads both ways is no short program"
        if len(set(task.lengths.tolist())) > 1:
            return "the backward direction begins at each sequence's own end, which a short program does not know"
    if task.own_steps is not None:
        return "padded sequences have no short program; choose mask packed"
    if task.series is not None and len(set(task.lengths.tolist())) > 1:
        return "windows of unequal lengths have no short program; leave the shortest length open"
    if task.has_own_data and len(set(task.lengths.tolist())) > 1:
        return "your sequences differ in length, and the layers of a short program would read the padding as data"
    return None


def pytorch(experiment: Experiment, task: Task) -> str:
    """experiment: with what is left open filled in (build.resolved)."""
    return TorchProgram(experiment, task).program()


def keras(experiment: Experiment, task: Task) -> str:
    """experiment: with what is left open filled in (build.resolved)."""
    return KerasProgram(experiment, task).program()
