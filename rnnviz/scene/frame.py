"""Frame: everything that is on the screen now, immutable. Widgets, plain text, JSON and lessons draw from it.

A Scene is what does not move with the cursor: one sequence read and walked back with one set of weights.
A Frame is a Scene, a Cursor in it, and where the training stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnviz.experiment.evaluate import accuracy, continued, error, fit, self_fed
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import Model, Trace
from rnnviz.nn.metrics import fades, fading_lag, half_life, horizon
from rnnviz.scene.cursor import Cursor, Phase
from rnnviz.scene.ghost import Ghost
from rnnviz.tasks import Task
from rnnviz.views.comparison import Companion, Row, Settings, compared
from rnnviz.views.highway import highway
from rnnviz.views.horizon_history import Field
from rnnviz.views.reach import Reach, reach
from rnnviz.views.zero_gradients import Zero, zero_because

Array = NDArray[Any]


@dataclass(frozen=True)
class Gradient:
    """One gradient row: ‖∂L_k/∂h_t‖ for t = 0..T, of the loss of step k alone or (k None) of all steps.

    norms    (T+1,)
    factors  (T+1,)  factors[t] = norms[t] / norms[t+1], what the step from t+1 back to t keeps; nan at T
    half_life, horizon  lags in steps at which 50 % and 1 % are left; None if not within this sequence. A decay that is
             far from exponential has no half-life (see nn.metrics), though half of it may be gone
    along    "h", or the highway it is about: "c" of an LSTM, "z" of a GRU (see highway.py)
    highway  the same on the highway of a gated cell; a simple RNN has none
    """

    loss_step: int | None
    norms: Array
    factors: Array
    half_life: float | None
    horizon: float | None
    along: str = "h"
    highway: Gradient | None = None

    @property
    def half_gone(self) -> float | None:
        """The lag at which 50 % are left, whatever the decay is like."""
        if self.half_life is not None:
            return self.half_life
        return fading_lag(self.norms[: (len(self.norms) if self.loss_step is None else self.loss_step + 1)], 0.5)

    @property
    def grows(self) -> bool:
        """Whether more of it arrives at t = 0 than sets out, without half of it ever being gone."""
        start = float(self.norms[-1 if self.loss_step is None else self.loss_step])
        return self.half_gone is None and bool(self.norms[0] > 1.005 * start > 0)

    @property
    def fades(self) -> bool:
        """Whether it can be said where 1 % is left, or that more is left throughout: not of a gradient that is 0 from
        the start, and not where inf or nan comes first."""
        return fades(self.norms[: (len(self.norms) if self.loss_step is None else self.loss_step + 1)])


@dataclass(frozen=True, eq=False)
class Scene:
    """One sequence, forward and back, with one set of weights. Made by Player, drawn many times.

    It is complete once `complete` has run, which every job does; only the very first is shown before that.
    What takes long is measured on request and kept in `measured` (see analysis.py). In `beside` are the runs it
    was compared with: those with other cells (None), or with the settings that were pinned.
    """

    task: Task
    sample: int
    model: Model
    trace: Trace
    measured: dict[str, Any] = field(default_factory=dict, repr=False)
    _gradients: dict[int | None, Gradient] = field(default_factory=dict)
    beside: dict[Settings | None, tuple[Companion, ...]] = field(default_factory=dict, repr=False)

    @cached_property
    def fit(self) -> Array | None:
        """(points - window,) one-step-ahead predictions of the sine, aligned with series[window:], or None."""
        return None if self.task.series is None else fit(self.model, self.task)

    @cached_property
    def prediction(self) -> Array | None:
        """(points - window,) the sine fed with its own output, aligned with series[window:], or None."""
        return None if self.task.series is None else self_fed(self.model, self.task)

    @cached_property
    def accuracy(self) -> float | None:
        """Share of right answers over the sequences to validate with; None where answers are no classes. Slow:
        see measure.accuracy."""
        return accuracy(self.model, self.task)

    @cached_property
    def error(self) -> float | None:
        """Mean squared error over the sequences to validate with; None where answers are classes. Slow: see
        measure.error."""
        return error(self.model, self.task)

    def complete(self) -> Scene:
        """Compute now what the plots and the reach will ask for. Slow: off the UI thread."""
        _ = self.fit, self.prediction, self.continuation, self.gradient(self.last_loss_step)
        if self.task.lag is not None:
            _ = self.accuracy, self.error, reach(self)
        return self

    @property
    def T(self) -> int:
        """Steps of this sequence (its padding is not read)."""
        return self.trace.T

    @property
    def H(self) -> int:
        return self.trace.H

    @property
    def loss_steps(self) -> tuple[int, ...]:
        """The steps (from 1) whose output is judged."""
        return self.trace.loss_steps

    @property
    def last_loss_step(self) -> int:
        return self.loss_steps[-1] if self.loss_steps else self.T

    def gradient(self, loss_step: int | None) -> Gradient:
        if loss_step not in self._gradients:
            lane = highway(self.trace, loss_step)
            self._gradients[loss_step] = self._fading(
                loss_step,
                self.trace.grad_norm(loss_step),
                highway=None if lane is None else self._fading(loss_step, lane[1], along=lane[0]),
            )
        return self._gradients[loss_step]

    def zero(self, loss_step: int | None, t: int, along: str = "h") -> Zero | None:
        """Why that gradient is exactly 0 at time t; None where it is not."""
        return zero_because(self.trace, loss_step, t, along)

    def _fading(
        self, loss_step: int | None, norms: Array, along: str = "h", highway: Gradient | None = None
    ) -> Gradient:
        with np.errstate(all="ignore"):
            factors = np.append(norms[:-1] / norms[1:], np.nan)
        upto = norms[: (self.T if loss_step is None else loss_step) + 1]
        return Gradient(loss_step, norms, factors, half_life(upto), horizon(upto), along, highway)

    @cached_property
    def probabilities(self) -> Array | None:
        """(T, O) what the network makes of each class at each step (softmax of y); None unless they are classes."""
        if self.task.loss != "cross_entropy":
            return None
        with np.errstate(all="ignore"):
            y = self.trace.y[:, 0] - self.trace.y[:, 0].max(axis=1, keepdims=True)
            return np.asarray(np.exp(y) / np.exp(y).sum(axis=1, keepdims=True))

    def guesses(self, t: int) -> tuple[tuple[str, float], ...]:
        """Every class with its probability at step t, the likeliest first; () unless the outputs are classes."""
        if self.probabilities is None:
            return ()
        p = self.probabilities[t - 1]
        return tuple((self.task.labels[i], float(p[i])) for i in np.argsort(-p, kind="stable"))

    def answer(self, t: int) -> str:
        """The class that is right at step t."""
        return self.task.labels[int(self.target_values[t - 1].argmax())]

    def said(self, *, answered: bool) -> str:
        """The sequence in words, and if `answered` what the network makes of it."""
        said = self.task.say(self.sample, self.trace.y[:, 0] if answered else None)
        return said[:1].upper() + said[1:]

    def needs(self, loss_step: int | None) -> tuple[int, ...]:
        """The steps that hold what the answer at this loss step (None: the last) hangs on, where known."""
        k = self.last_loss_step if loss_step is None else loss_step
        return self.task.needs(self.sample, k)

    @cached_property
    def continuation(self) -> str | None:
        """The text that the network goes on with, for a task that reads what it writes; else None."""
        if not self.task.continues:
            return None
        return continued(self.model, self.task, self.sample)

    @cached_property
    def gate_means(self) -> dict[str, Array]:
        """(T,) each: the mean over the units of every gate of the top layer; {} for a simple RNN."""
        return {name: gate[:, 0].mean(axis=1) for name, gate in self.trace.gates.items()}

    @cached_property
    def reach_h(self) -> float:
        """What the strongest colour of the hidden states stands for: 1, or the largest where that is more."""
        return _reach(self.trace.h)

    @cached_property
    def reach_c(self) -> float:
        """Likewise of an LSTM's cell states, which may well go beyond 1."""
        return 1.0 if self.trace.c is None else _reach(self.trace.c)

    @cached_property
    def target_values(self) -> Array:
        """(T, O) what the outputs should have been; class numbers become one-hot."""
        targets = self.task.targets[self.sample, : self.T]
        if targets.ndim == 2:
            return np.asarray(targets, dtype=float)
        return np.eye(self.task.output_size)[targets]

    @cached_property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.trace.loss) and np.isfinite(self.trace.h).all())

    @property
    def has_exploded(self) -> bool:
        """The loss is inf or nan, or so large that training will not come back."""
        return not self.is_finite or self.trace.loss > 1e6


def _reach(states: Array) -> float:
    return max(1.0, float(np.abs(states).max(where=np.isfinite(states), initial=0.0)))


@dataclass(frozen=True)
class Learning:
    """Where training stands, and the history it has left.

    loss, val_loss  per epoch that was ever completed with these settings; `epoch` of the cursor tells
                    how many of them lie in the past
    """

    epochs: int
    batches_per_epoch: int
    batch_size: int
    loss: tuple[float, ...]
    val_loss: tuple[float, ...]


@dataclass(frozen=True)
class Update:
    """The fourth move: one batch's step. rows: (parameter, ‖W‖ before, ‖ΔW‖)."""

    rows: tuple[tuple[str, float, float], ...]
    batch_loss: float
    loss_before: float
    loss_after: float


@dataclass(frozen=True, eq=False)
class Seen:
    """The network after so many epochs of a training that goes on: what it makes of the sequence, and the losses."""

    scene: Scene
    learning: Learning
    epoch: int


@dataclass(frozen=True)
class Progress:
    """A job under way: `done` of `total` units. seen: the network on its way, where someone looks on."""

    what: str
    done: int
    total: int
    loss: float | None = None
    unit: str = "batches"
    seen: Seen | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """What the screen needs at this cursor.

    asked  the settings as a person left them; in `experiment` what they leave open is filled in
    ghost  the run before a change, until it is dismissed
    cut    W_hh is 0 in what is shown; training knows nothing of it, unless the experiment has no loop at all
    pinned     settings to compare with; None: with the other cells
    comparing  whether other runs are to be seen beside this one (see comparison.py)
    field  how far back the error reaches after each epoch, as far as it is known; None until asked for
    live   who draws it must not wait: a metric that takes long is None until a Measure command has worked it out
    """

    experiment: Experiment
    scene: Scene
    cursor: Cursor
    loss_step: int | None
    learning: Learning
    update: Update | None = None
    job: Progress | None = None
    hint: str = ""
    engine: str = "numpy"
    asked: Experiment | None = None
    ghost: Ghost | None = None
    cut: bool = False
    pinned: Settings | None = None
    comparing: bool = False
    field: Field | None = None
    live: bool = False

    @property
    def T(self) -> int:
        return self.scene.T

    @property
    def reach(self) -> Reach | None:
        """How far the gradient reaches, and whether the task is learnt; None where the task's lag is not known."""
        return reach(self.scene, self.experiment.truncation())

    @property
    def gradient(self) -> Gradient:
        return self.scene.gradient(self.loss_step)

    @property
    def read(self) -> int:
        """Steps that have been read: columns 0..read of input, hidden state and output are filled in."""
        return self.cursor.t if self.cursor.phase is Phase.FORWARD else self.T

    @property
    def reached(self) -> int | None:
        """The earliest step the walk back has reached; None before it began."""
        match self.cursor.phase:
            case Phase.BACKWARD:
                return self.cursor.t
            case Phase.UPDATE:
                return 0
            case _:
                return None

    @cached_property
    def compared(self) -> tuple[Row, ...]:
        """The runs side by side, this one among them; () while nothing is compared, or not yet."""
        return compared(self)

    @property
    def going_back(self) -> bool:
        return self.cursor.phase in (Phase.LOSS, Phase.BACKWARD, Phase.UPDATE)
