"""Estimate the memory and time of an experiment before anything is built.

>>> fit(Experiment(hidden_size=2048, num_layers=8, seq_len=10_000, points=20_000))
InputError: experiment: would take 10.8 GiB (10,000 sequences …), more than the 4.0 GiB allowed here; use fewer …
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import floor
from pathlib import Path

from rnnviz.errors import InputError
from rnnviz.experiment import own_data
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import checks, readout
from rnnviz.nn.spec import ModelSpec
from rnnviz.tasks import catalog

STEP = 60e-6  # seconds per step and layer, forward and backward, even for a tiny layer (NumPy's overhead)
RATE = 4e9  # multiplications and additions per second in NumPy's products, at sizes like these

#: Weights, gradients, and copies of the weights: for training, for going back, for display.
_COPIES = 4
_OF_OPTIMIZERS = {"sgd": 1, "rmsprop": 1, "adam": 2}  # vectors as long as the weights


@dataclass(frozen=True)
class Size:
    """The size of a run: `sequences` of `steps` steps, `trained` of them for training, in batches of `batch`.

    states       vectors as long as the weights that the optimizer keeps
    has_classes  whether a target is one class number instead of output_size numbers
    """

    spec: ModelSpec
    sequences: int
    trained: int
    steps: int
    batch: int
    states: int
    has_classes: bool

    def bytes(self, trains: bool = True) -> int:
        """Bytes of data, weights, one training batch (with `trains`) and the trace of one sequence."""
        spec, T = self.spec, self.steps
        gates = len(spec.gates) * spec.hidden_size * len(spec.suffixes)
        targets = 1 if self.has_classes else spec.output_size
        data = self.sequences * T * (spec.input_size + targets)
        weights = spec.parameter_count * (_COPIES + self.states)
        trace = T * (3 * gates + (2 * spec.state_size + spec.hidden_size) * len(spec.suffixes))
        looks = readout.numbers(spec, T) * (1 + self.batch * trains)
        return 8 * (data + weights + T * self.batch * 4 * gates * trains + trace + looks)

    def seconds(self, epochs: int) -> float:
        """Rough seconds that `epochs` epochs take in NumPy; STEP and RATE were measured on two cores."""
        spec = self.spec
        width = spec.hidden_size * len(spec.gates)
        one_step = STEP + 6 * self.batch * width * (spec.hidden_size + spec.input_size) / RATE
        return epochs * -(-self.trained // self.batch) * self.steps * len(spec.suffixes) * one_step


def spec_of(experiment: Experiment, inputs: int, outputs: int) -> ModelSpec:
    """The shape of the experiment's model, for a task with so many inputs and outputs."""
    return ModelSpec(
        cell=experiment.cell,
        input_size=inputs,
        hidden_size=experiment.hidden_size,
        output_size=outputs,
        num_layers=experiment.num_layers,
        activation=experiment.activation,
        biases=experiment.biases,
        dtype=experiment.dtype,
        bidirectional=experiment.bidirectional,
        readout=experiment.readout,
    )


def size_of(experiment: Experiment) -> Size:
    """The size of an experiment. A text file is not read: its size in bytes and the limits of the task count."""
    task = catalog.info(experiment.task)
    T, _ = catalog.dimensions(experiment.task, experiment.seq_len, experiment.lag)
    inputs, outputs = task.inputs, task.outputs
    if experiment.task in catalog.OWN:
        found = own_data.content(experiment)
        T, sequences = own_data.steps(experiment), own_data.sequences(experiment)
        inputs, outputs = found.input_size, found.output_size
    elif experiment.task == "sine":
        sequences = -(-(experiment.points - T) // (T if experiment.carry else 1))
    elif experiment.samples is not None:
        sequences = experiment.samples
    else:
        most = task.at_most if experiment.source is None else _characters(experiment.source)
        sequences = task.samples or most // (T if experiment.task == "characters" else 1)
    spec = spec_of(experiment, inputs, outputs)
    sequences = max(1, sequences)
    trained = max(1, floor(sequences * (1 - experiment.validation_split)))
    batch = min(experiment.batch_size, trained)
    return Size(spec, sequences, trained, T, batch, _OF_OPTIMIZERS[experiment.optimizer], task.loss != "mse")


def _characters(source: str) -> int:
    """The largest possible number of characters of a text file. Errors appear when the file is read."""
    try:
        return min(os.stat(Path(source).expanduser()).st_size, catalog.MOST_CHARACTERS)
    except (OSError, ValueError, RuntimeError):
        return 0


#: The most seconds that a training may take by this estimate; None: as long as it takes.
most_seconds: float | None = None


def restrict(bytes: int, seconds: float) -> None:
    """Allow less to every experiment of this process from now on: it shares the machine with others."""
    global most_seconds
    checks.most_bytes, most_seconds = bytes, seconds


def fit(experiment: Experiment, trains: bool = True) -> None:
    """Raises InputError if the experiment needs too much memory, or more time than this process may take."""
    size = size_of(experiment)
    what = f"{size.sequences:,} sequences of {size.steps:,} steps, {size.spec.parameter_count:,} parameters"
    checks.memory("experiment", size.bytes(trains), what)
    if trains and most_seconds is not None and (seconds := size.seconds(experiment.epochs)) > most_seconds:
        raise InputError(
            f"experiment: would train for about {seconds:,.0f} s ({experiment.epochs:,} epochs of {what}), more than "
            f"the {most_seconds:,.0f} s allowed here; use fewer epochs, steps, sequences or units"
        )
