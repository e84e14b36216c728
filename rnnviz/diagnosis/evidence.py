"""Evidence: what the rules read. A plain record of arrays, the same of an experiment and of a recording.

    >>> layer_of("layer 1", traces)                # several sequences, one moment of training
    >>> Evidence(kind="experiment", title="…", moments=(untrained, halfway, now))

T steps, H units, n = states of all steps of all sequences. Time 0 is before the first step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.cell import Cell
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.ledger import make_ledger
from rnnviz.nn.metrics import norm
from rnnviz.nn.readout import attends
from rnnviz.nn.types import Array, ReadOnly, frozen

#: Steps of a sequence from which an autocorrelation is measured, and the least correlation that counts as a repetition.
LEAST_STEPS, REPEATS = 16, 0.3


@dataclass(frozen=True, eq=False)
class Way(ReadOnly):
    """The way back of one sequence's last loss, L_k; without a loss of its last state, by the largest singular values
    of ∂h_k/∂h_t and ∂h_k/∂c_t. Then slope is the mean over the units, and weight the rest of the factor.

    norms       (k+1,): ‖∂L_k/∂h_t‖ for t = 0..k
    cell_norms  (k+1,): ‖∂L_k/∂c_t‖ of a cell with c; None without
    slope       (k,): the factor of the activation in each step, entry t for the step from t+1 back to t; simple RNN
    weight      (k,): the factor of W_hh in each step; simple RNN
    kept        (k,): the mean share of the old state that the cell's carrying gate keeps; None without such a gate
    first_loss  the first step that carries loss
    lag         steps back to the farthest input that the answer depends on; None: not known
    first_used  the first step whose use of the weights an update counts: later than 1 with truncated BPTT
    is_attended  the readout looks back: then it is no product of factors, one for each step
    """

    norms: Array
    cell_norms: Array | None = None
    slope: Array | None = None
    weight: Array | None = None
    kept: Array | None = None
    first_loss: int = 1
    lag: int | None = None
    first_used: int = 1
    is_attended: bool = False

    @property
    def loss_step(self) -> int:
        return len(self.norms) - 1

    def left(self, t: int) -> tuple[float, float]:
        """(along h, along c): ‖∂L_k/∂h_t‖ / ‖∂L_k/∂h_k‖ and the same of c; along h twice for a cell without c."""
        along_h = _quotient(self.norms, t)
        return along_h, along_h if self.cell_norms is None else _quotient(self.cell_norms, t)


@dataclass(frozen=True, eq=False)
class Layer(ReadOnly):
    """One level and direction of a recurrent layer, at one moment.

    name       what a person calls it: `layer 1`, `encoder.lstm`
    params     weight_ih (G*H, I), weight_hh (G*H, H), bias_ih (G*H,), bias_hh (G*H,), those that there are
    h          (n, H): its states
    gates      name -> (n, H): the activated gates; {} for a simple RNN
    x_squared  mean over the steps of ‖x_t‖² + ‖h_{t-1}‖²: what the weights are multiplied by
    grads      the gradients of params, under the same names, of the sequences that were traced
    torch      the start of its parameters' names in a line of PyTorch, with their end: `model.encoder.lstm.{}_l0`
    ways       one for each sequence; () where the gradient of a single loss is not known at this level
    """

    name: str
    cell: str
    activation: str
    params: Mapping[str, Array]
    h: Array
    gates: Mapping[str, Array] = field(default_factory=dict)
    x_squared: float = 0.0
    grads: Mapping[str, Array] = field(default_factory=dict)
    ways: tuple[Way, ...] = ()
    torch: str = "rnn.{}_l0"

    @property
    def about_cell(self) -> Cell:
        return CELLS[self.cell]

    @property
    def H(self) -> int:
        return int(self.h.shape[1])

    def in_torch(self, kind: str) -> str:
        """A parameter in a line of PyTorch: `model.encoder.lstm.bias_ih_l0`, of the kind "bias_ih"."""
        return self.torch.format(kind)

    def bias(self, gate: str) -> Array | None:
        """(H,): the sum of the biases of one gate; None without biases."""
        at = self.about_cell.block_names.index(gate) * self.H
        biases = [self.params[name][at : at + self.H] for name in ("bias_ih", "bias_hh") if name in self.params]
        return sum(biases[1:], biases[0]) if biases else None


@dataclass(frozen=True, eq=False)
class Moment(ReadOnly):
    """The network at one moment of its training.

    place  `untrained`, `epoch 10`, `step 300`
    step   updates so far
    loss   the training loss there; None: not known
    """

    place: str
    step: int
    layers: tuple[Layer, ...]
    loss: float | None = None


@dataclass(frozen=True, eq=False)
class Updates(ReadOnly):
    """Some of the updates, evenly spaced over the training.

    step       (n,): the number of each update, from 1
    ratio      parameter -> (n,): ‖its change‖ / ‖its value before‖
    norm       (n,): the norm of the whole gradient before clipping; None: not measured
    is_clipped (n,): whether clipping changed the gradient; None: not measured, or nothing clips
    limit      how it is clipped, in a few words: `clip_norm 1`; "": not clipped
    is_least   the ratios are lower bounds: measured over several updates together
    left_over  (n,): ‖what the gradient still held of earlier steps‖ / ‖the step's own‖; None: not measured
    """

    step: Array
    ratio: Mapping[str, Array]
    norm: Array | None = None
    is_clipped: Array | None = None
    limit: str = ""
    is_least: bool = False
    left_over: Array | None = None


@dataclass(frozen=True)
class NotFinite:
    """The first number that was not finite.

    where     `in update 37 (epoch 2)`, `in the record of step 300`
    step      the update or the record's step
    quantity  `the gradient of weight_hh_l0`, `the state h of layer 1 at t = 12`
    value     "nan" or "inf"
    before    what was still finite: `the weights and the loss`
    """

    where: str
    step: int
    quantity: str
    value: str
    before: str = ""


@dataclass(frozen=True, eq=False)
class Evidence(ReadOnly):
    """What is known about one training. What is None is not known, and rules that need it are not judged.

    kind         "experiment", "recording" or "network": weights from a file
    has_loss     whether the ways are those of a loss; without one they are those of the last state
    title        the first line of a report
    moments      oldest first; the last one is now
    losses       (n,): the training loss, one for each `loss_unit`
    constant     the loss of the best constant answer
    last_value   the loss of the answer "the last value again"
    echo         mean squared difference of the answers from the last value, as a part of last_value
    lag          steps back to the farthest input that the last answer depends on
    repeats      (lag, correlation): where the autocorrelation of the inputs has its first peak; not a need
    is_learnt    whether the answers are right, as Reach.learnt
    updates      measured updates
    learning_rate  None: not known
    not_finite   the first number that was not finite
    """

    kind: Literal["experiment", "recording", "network"]
    title: str
    moments: tuple[Moment, ...]
    losses: Array = field(default_factory=lambda: np.zeros(0))
    loss_unit: str = "epoch"
    constant: float | None = None
    last_value: float | None = None
    echo: float | None = None
    lag: int | None = None
    repeats: tuple[int, float] | None = None
    is_learnt: bool | None = None
    updates: Updates | None = None
    not_finite: NotFinite | None = None
    has_loss: bool = True
    learning_rate: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def goes_back(self) -> str:
        """What the ways are of, in words."""
        return "the gradient of the last loss" if self.has_loss else "∂h_T/∂h_t (its largest singular value)"

    @property
    def now(self) -> Moment | None:
        """The last moment whose states are finite; None if there is none."""
        finite = (m for m in reversed(self.moments) if all(np.isfinite(layer.h).all() for layer in m.layers))
        return next(finite, None)

    @property
    def is_now(self) -> bool:
        """Whether `now` is the last moment of all."""
        return bool(self.moments) and self.now is self.moments[-1]


def layer_of(
    name: str,
    traces: Sequence[Trace],
    level: int = -1,
    *,
    lags: Sequence[int | None] = (),
    first_used: int = 1,
) -> Layer:
    """The layer at `level` of these traces of one network, with a Way for each sequence if it is the top level.

    lags        of each trace; (): not known
    first_used  the first step of the weights that an update counts
    """
    first = traces[0]
    spec, level = first.spec, level % first.L
    suffix = f"_l{level}"
    pick = {kind: f"rnn.{kind}{suffix}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    params = {kind: first.params[full] for kind, full in pick.items() if full in first.params}
    with np.errstate(all="ignore"):
        grads = {kind: np.sum([trace.grads[pick[kind]] for trace in traces], axis=0) for kind in params}
        squared = [
            (trace.layers[level].x ** 2).sum(axis=-1) + (trace.layers[level].h[:-1] ** 2).sum(axis=-1)
            for trace in traces
        ]
        x_squared = float(np.mean(np.concatenate([a.ravel() for a in squared])))
    ways: list[Way] = []
    if level == first.L - 1:
        for trace, lag in zip(traces, lags or [None] * len(traces), strict=True):
            ways.append(way_of(trace, lag, first_used))
    return Layer(
        name=name,
        cell=spec.cell,
        activation=spec.activation,
        params=params,
        h=_joined(trace.layers[level].h[1:] for trace in traces),
        gates={
            gate: _joined(trace.layers[level].gates[gate] for trace in traces) for gate in first.layers[level].gates
        },
        x_squared=x_squared,
        grads=grads,
        ways=tuple(ways),
        torch=f"rnn.{{}}{suffix}",
    )


def way_of(trace: Trace, lag: int | None = None, first_used: int = 1) -> Way:
    """The way back of the last loss step of a trace."""
    k = trace.loss_steps[-1]
    if not trace.has_loss:
        return _of_states(trace, k)
    which = None if trace.loss_steps == (k,) else k  # with one loss the total is that of its step, and known
    item, norms = trace.item(which), trace.grad_norm(which)
    ledger = make_ledger(
        trace.spec, trace.params, trace.forward, np.full(trace.T, np.nan), grad_h=item.grad_h, norms=norms, start=k
    )
    cell = trace.spec.about_cell
    is_attended = attends(trace.spec)
    simple = cell.splits and not is_attended
    kept = None
    if cell.carry is not None:
        kept = cell.carry.share(trace.gates[cell.carry.gate]).mean(axis=(1, 2))[:k]
    return Way(
        norms=frozen(np.array(norms[: k + 1])),
        cell_norms=None if item.grad_c is None else frozen(norm(item.grad_c, axis=(1, 2))[: k + 1]),
        slope=ledger.slope_share[:k] if simple else None,
        weight=ledger.weight_share[:k] if simple else None,
        kept=kept,
        first_loss=trace.loss_steps[0],
        lag=lag,
        first_used=first_used,
        is_attended=is_attended,
    )


def _of_states(trace: Trace, k: int) -> Way:
    found, carry = trace.sensitivity_of(k), trace.spec.about_cell.carry
    norms, slope, weight = np.array(found.h.largest[: k + 1]), None, None
    if trace.spec.about_cell.splits:
        ledger = make_ledger(
            trace.spec, trace.params, trace.forward, np.full(trace.T, np.nan), grad_h=None, norms=norms, start=k
        )
        slope = ledger.slope[:k]
        with np.errstate(all="ignore"):
            weight = ledger.factor[:k] / slope
    return Way(
        norms=frozen(norms),
        slope=slope,
        weight=weight,
        cell_norms=None if found.c is None else frozen(np.array(found.c.largest[: k + 1])),
        kept=None if carry is None else carry.share(trace.gates[carry.gate]).mean(axis=(1, 2))[:k],
        first_loss=k,
    )


def repetition(sequences: Iterable[Array]) -> tuple[int, float] | None:
    """(lag, correlation) at the first peak of the autocorrelation after it has become negative, over sequences (T, I)
    of numbers; None if there is none of at least REPEATS within half of the shortest sequence, or if one has fewer than
    LEAST_STEPS steps."""
    series = [np.asarray(x, np.float64) for x in sequences]
    if not series or min(map(len, series)) < LEAST_STEPS or not all(np.isfinite(x).all() for x in series):
        return None
    longest = min(map(len, series)) // 2
    mean = np.concatenate(series).mean(axis=0)
    centred = [x - mean for x in series]
    variance = float(np.concatenate([x.ravel() ** 2 for x in centred]).mean())
    if variance <= 0:
        return None

    def correlation(lag: int) -> float:
        pairs = [x[lag:] * x[: len(x) - lag] for x in centred]
        total = float(np.concatenate([p.ravel() for p in pairs]).mean())
        return total / variance

    values = [correlation(lag) for lag in range(longest + 1)]
    below = next((lag for lag, value in enumerate(values) if value < 0), None)
    if below is None or below >= longest:
        return None
    peak = max(range(below, longest + 1), key=values.__getitem__)
    if values[peak] < REPEATS or peak == longest:  # at the edge it may still be rising
        return None
    return peak, min(1.0, values[peak])


def _quotient(norms: Array, t: int) -> float:
    """norms[t] / norms[-1]; nan where the way begins with 0 or a value that is not finite."""
    start, there = float(norms[-1]), float(norms[t])
    with np.errstate(all="ignore"):
        return float(np.divide(there, start)) if start > 0 and math.isfinite(start) else math.nan


def _joined(parts: Iterable[Array]) -> Array:
    """(T, B, H) each -> (n, H)."""
    return frozen(np.concatenate([part.reshape(-1, part.shape[-1]) for part in parts]))
