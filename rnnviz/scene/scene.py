"""Scene: one sequence read and walked back with one set of weights; all that does not move with the cursor.

A scene never changes. What takes more than a moment to know about it is prepared on a job's thread
(views/prepare.py), and comes as a new scene that knows one thing more:

    >>> scene = prepare(scene, Measure("gain"))
    >>> scene.known[Measure("gain")]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.forecast import Baselines
from rnnviz.nn import Model, Trace
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.directions import BACKWARD
from rnnviz.nn.types import Array, ReadOnly, frozen
from rnnviz.scene.commands import Measure
from rnnviz.scene.gradient import Gradient
from rnnviz.tasks import Task

#: Stands for the loss of the trace itself.
OF_THE_TRACE: Any = object()


@dataclass(frozen=True)
class Evidence:
    """Whether a recorded gradient is the training's own: the weight gradients that follow from it here, compared with
    the framework's.

    agreement  the largest relative difference; None: it could not be measured
    is_proved  whether that is within rounding errors
    framework  whose weight gradients they are
    notes      why the two may differ, in sentences
    near       (step, agreement) of the last record before this one that was compared, if this one was not
    """

    agreement: float | None
    is_proved: bool
    framework: str
    notes: tuple[str, ...] = ()
    near: tuple[int, float] | None = None

    @property
    def is_warning(self) -> bool:
        """Whether nothing proves it: neither its own weight gradients nor those of a record before it."""
        return not self.is_proved and self.near is None


@dataclass(frozen=True, eq=False)
class Outcome(ReadOnly):
    """What a network makes of its whole task.

    fit         one-step-ahead predictions of the series, from the first point that a window predicts, or None
    prediction  the series fed with its own output, from the last target of sequence task.fed_from on, or None
    continuation  the text with which the network continues, for a task that reads its own output; else None
    accuracy    share of right answers over the sequences to validate with; None where answers are no classes
    error       mean squared error over them; None where answers are classes
    baselines   the errors of answers without a network, for a task with a series; else None
    """

    fit: Array | None = None
    prediction: Array | None = None
    continuation: str | None = None
    accuracy: float | None = None
    error: float | None = None
    baselines: Baselines | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """One sequence, forward and back, with one set of weights. Read by `views.prepare.read`, drawn many times.

    known  what was prepared, by what asks for it: gradient rows at least. Read-only
    loss   what is shown as the loss: the trace's own, or one that was recorded elsewhere; None if it was not, or if
           there is none
    in_next_batch  whether the next batch of the training reads this sequence from these very h₀ and c₀, where state is
           carried from batch to batch
    prove  makes the evidence that the gradient is the training's own; None where it is computed here anyway
    input_curve  (T,) the input as one number a step; None where it is a symbol, or too many numbers for one
    loss_steps   the steps (from 1) whose output is judged
    gate_means   (T,) each: the mean over the units of every gate of the top layer; {} for a simple RNN
    target_values  (T, O) what the outputs should have been; class numbers become one-hot
    probabilities  (T, O) what the network makes of each class at each step (softmax of y); None unless they are
                 classes
    reach_h, reach_c  what the strongest colour of the hidden states stands for: 1, or the largest where that is more;
                 the same for an LSTM's cell states, which may exceed 1
    is_finite    loss and hidden states are numbers
    """

    task: Task
    sample: int
    model: Model
    trace: Trace
    known: Mapping[Measure, Any] = field(default_factory=dict, repr=False)
    loss: float | None = OF_THE_TRACE
    prove: Callable[[], Evidence] | None = field(default=None, repr=False)
    in_next_batch: bool = False
    input_curve: Array | None = field(init=False, repr=False)
    loss_steps: tuple[int, ...] = field(init=False, repr=False)
    gate_means: Mapping[str, Array] = field(init=False, repr=False)
    target_values: Array = field(init=False, repr=False)
    probabilities: Array | None = field(init=False, repr=False)
    reach_h: float = field(init=False, repr=False)
    reach_c: float = field(init=False, repr=False)
    is_finite: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        trace = self.trace
        loss = (trace.loss if trace.has_loss else None) if self.loss is OF_THE_TRACE else self.loss
        made = {
            "known": MappingProxyType(dict(self.known)),
            "loss": loss,
            "input_curve": self.task.curve(trace.x[:, 0]),
            "loss_steps": trace.loss_steps,
            "gate_means": {name: frozen(gate[:, 0].mean(axis=1)) for name, gate in trace.gates.items()},
            "target_values": frozen(_targets(self.task, self.sample, trace.T)),
            "probabilities": _softmax(trace.y[:, 0]) if self.task.loss == "cross_entropy" else None,
            "reach_h": _largest(trace.h),
            "reach_c": 1.0 if trace.c is None else _largest(trace.c),
            "is_finite": bool((loss is None or np.isfinite(loss)) and np.isfinite(trace.h).all()),
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    @property
    def T(self) -> int:
        """Steps of this sequence (its padding is not read)."""
        return self.trace.T

    @property
    def H(self) -> int:
        return self.trace.H

    @property
    def reads_back(self) -> bool:
        """Whether it is the backward direction of a bidirectional layer: its steps go from the end of the sequence."""
        return self.trace.whole is not None and self.trace.whole.direction == BACKWARD

    def time(self, step: int) -> int:
        """The time of a step of the order in which it reads, and the step of a time: T + 1 - step, where it reads
        back."""
        return self.T + 1 - step if self.reads_back else step

    @property
    def parameters(self) -> Mapping[str, Array]:
        """The weights that are known, by name."""
        return {name: w for name, w in self.trace.params.items() if self.task.has_readout or "readout" not in name}

    @property
    def evidence(self) -> Evidence | None:
        """None while it is not known, and where none is needed."""
        return self.known.get(Measure("evidence"))

    @property
    def has_loss(self) -> bool:
        """Whether what goes back is a loss's gradient. Without one it is a state's own: see Trace."""
        return self.trace.has_loss

    @property
    def is_typed(self) -> bool:
        """Whether a person typed this sequence."""
        return self.task.typed is not None and self.task.typed.sample == self.sample

    @property
    def last_loss_step(self) -> int:
        return self.loss_steps[-1] if self.loss_steps else self.T

    # -- what was prepared ---------------------------------------------------------------------------------

    def gradient(self, loss_step: int | None) -> Gradient:
        """The gradient row of this loss step (None: the total). If it was not prepared: one that waits, without a loss;
        otherwise KeyError."""
        if not self.has_loss and not self.has_gradient(loss_step):
            return Gradient.waiting(self.T, self.H, loss_step)
        row: Gradient = self.known[Measure("gradient", loss_step)]
        return row

    def has_gradient(self, loss_step: int | None) -> bool:
        return Measure("gradient", loss_step) in self.known

    @property
    def outcome(self) -> Outcome | None:
        """None while it is not known."""
        return self.known.get(Measure("outcome"))

    # -- padding -------------------------------------------------------------------------------------------

    def is_padding(self, t: int) -> bool:
        """Whether step t is padding."""
        return self.task.is_padding(self.sample, t)

    def is_blank(self, t: int) -> bool:
        """Whether step t is padding, and nobody typed an input there."""
        return self.is_padding(t) and not self.trace.x[t - 1].any()

    @property
    def read(self) -> Array:
        """(T,) bool: the steps through which no mask copies the state."""
        mask = self.trace.forward.mask
        return np.ones(self.T, bool) if mask is None else mask[:, 0]

    def copies(self, t: int) -> bool:
        """Whether a mask copies the state through step t."""
        mask = self.trace.forward.mask
        return mask is not None and 1 <= t <= self.T and not mask[t - 1, 0]

    # -- in the task's own terms -----------------------------------------------------------------------------

    def guesses(self, t: int) -> tuple[tuple[str, float], ...]:
        """Every class with its probability at step t, the likeliest first; () unless the outputs are classes."""
        if self.probabilities is None:
            return ()
        p = self.probabilities[t - 1]
        return tuple((self.task.labels[i], float(p[i])) for i in np.argsort(-p, kind="stable"))

    def answer(self, t: int) -> str:
        """The class that is right at step t."""
        return self.task.labels[int(self.target_values[t - 1].argmax())]

    def describe(self, *, answered: bool) -> str:
        """The sequence in words, and if `answered` what the network makes of it."""
        text = self.task.in_words(self.sample, self.trace.y[:, 0] if answered else None)
        return text[:1].upper() + text[1:]

    def needs(self, loss_step: int | None) -> tuple[int, ...]:
        """The steps whose input the answer at this loss step (None: the last) depends on, where known."""
        k = self.last_loss_step if loss_step is None else loss_step
        return () if self.is_typed else self.task.needs(self.sample, k)

    @property
    def has_exploded(self) -> bool:
        """The loss is inf or nan, or so large that training will not come back."""
        return not self.is_finite or (self.loss is not None and self.loss > 1e6)


class Compared(Protocol):
    """What determines a run that others are compared with. Two that are equal are the same run."""

    @property
    def title(self) -> str:
        """Its name among those it is usually compared with: a cell, a layer."""

    @property
    def order(self) -> Any:
        """Its place among them, to sort by."""

    def difference(self, other: Any) -> str:
        """What it has that the other one has not, in words; "the same" and more if there is nothing."""


@dataclass(frozen=True)
class Settings:
    """The experiment as it was asked for, and whether its loop is cut."""

    requested: Experiment
    cut: bool = False

    @property
    def title(self) -> str:
        return CELLS[self.requested.cell].title

    @property
    def order(self) -> int:
        return CELLS[self.requested.cell].order

    def difference(self, other: Settings) -> str:
        """`gain 0.7 · lstm`"""
        parts = list(self.requested.named(self.requested.differences(other.requested)))
        if self.cut != other.cut:
            parts.append("loop cut" if self.cut else "loop closed")
        return " · ".join(parts) or "the same settings"


@dataclass(frozen=True, eq=False)
class Companion:
    """A run beside the present one, at the same place in training."""

    settings: Compared
    scene: Scene


def _targets(task: Task, sample: int, T: int) -> Array:
    targets = task.targets[sample, :T]
    if targets.ndim == 2:
        return np.array(targets, dtype=float)
    return np.eye(task.output_size)[targets]


def _softmax(y: Array) -> Array:
    with np.errstate(all="ignore"):
        powers = np.exp(y - y.max(axis=1, keepdims=True))
        return frozen(powers / powers.sum(axis=1, keepdims=True))


def _largest(states: Array) -> float:
    return max(1.0, float(np.abs(states).max(where=np.isfinite(states), initial=0.0)))
