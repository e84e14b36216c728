"""Our forward and backward pass through a LayerRecord, in float64: all levels, both directions, every sequence.

    >>> weight_gradients(layer)["weight_hh_l0"]        # (G*H, H): from the direct gradients alone
    >>> agreement(layer)                               # 3.3e-07: how far the framework's own are from these
    >>> trace_of(layer, sample=2).grad_h               # (T+1, 1, H): the total dL/dh_t of one sequence

The direct gradient of the top level is recorded. That of a lower level is what the level above sends to its input,
from both directions. The backward direction reads each sequence from its own end, so that its time 1 is the last step.
What lies behind a sequence's end acts on nothing, even if it is nan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn import checks
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.equations import equations as equations_of
from rnnviz.nn.layer_layout import BACKWARD, FORWARD, SUFFIX
from rnnviz.nn.levels import named_gradients
from rnnviz.nn.make_trace import direct_trace, states_trace
from rnnviz.nn.numpy_engine import layer_backward
from rnnviz.nn.numpy_engine import weight_gradients as gradients_of
from rnnviz.nn.records import LayerBackward, LayerForward, LayerWeights
from rnnviz.nn.spec import ModelSpec, one_of
from rnnviz.nn.trace import Trace
from rnnviz.nn.types import Array, Params
from rnnviz.recordings.layer_record import LayerRecord

#: A record is proved if the framework's weight gradients agree with ours to this, by the precision of its weights.
PROVED = {"float32": 1e-4, "float64": 1e-9}


@np.errstate(all="ignore")
def weight_gradients(layer: LayerRecord) -> Params:
    """The gradient of every weight of the record, under the weights' names, in float64. inf and nan may be in them."""
    grads: Params = {}
    for (level, direction), run in passes(layer).items():
        found = gradients_of(run.spec, run.weights, run.forward, run.backward)
        named = named_gradients(found, f"_l{level}{SUFFIX[direction]}")
        grads |= {name.removeprefix("rnn."): array for name, array in named.items()}
    return {name: grads[name] for name in layer.weights}


def agreement(layer: LayerRecord) -> float | None:
    """The largest relative difference between our weight gradients and the framework's, over all that were recorded:
    max over weights of max|ours - theirs| / max|theirs|, see `difference`. None without recorded gradients, and if
    sequences of the batch that they belong to were dropped.
    """
    if not layer.grads or layer.total != layer.B:
        return None
    ours = weight_gradients(layer)
    return max(difference(ours[name], theirs) for name, theirs in layer.grads.items())


def is_proved(layer: LayerRecord, figure: float | None) -> bool:
    """Whether an agreement of this size proves the record, given the precision of its weights."""
    return proves(figure, {array.dtype.name for array in layer.weights.values()})


def proves(figure: float | None, dtypes: set[str]) -> bool:
    """`is_proved`, from the names of the weights' dtypes."""
    return figure is not None and figure <= PROVED["float64" if dtypes == {"float64"} else "float32"]


@np.errstate(all="ignore")
def trace_of(
    layer: LayerRecord, sample: int = 0, level: int = -1, direction: str = "forward", *, has_loss: bool = True
) -> Trace:
    """The trace of one sequence at one level in one direction: B = 1, as many steps as the sequence has.

    Its y is h and its grad_y the direct gradient: the spec has an identity as readout, and the loss is "direct". x is
    what the level reads; in the direction "backward" time 1 is the last step of the sequence. Biases that the layer
    does not have are zeros. Raises InputError for a sample, level or direction that the record does not have.
    """
    sample = _index("sample", sample, layer.B, "sequences")
    level = _index("level", level, layer.levels, "levels")
    one_of("direction", direction, layer.directions)
    walk = _Walk(_only(layer, sample))
    spec, w, H = walk.spec(level), walk.weights(level, direction), layer.H
    params = {"rnn.weight_ih_l0": w.W_ih}
    if spec.about_cell.recurrent:
        params["rnn.weight_hh_l0"] = w.W_hh
    params["rnn.bias_ih_l0"] = w.b_ih
    if spec.biases == 2:
        params["rnn.bias_hh_l0"] = np.zeros_like(w.b_ih) if w.b_hh is None else w.b_hh
    params |= {"readout.weight": np.eye(H), "readout.bias": np.zeros(H)}
    h0, c0 = (None if s is None else s[None] for s in walk.start(level, direction))
    if not has_loss:
        return states_trace(spec, params, walk.read(level, direction), h0=h0, c0=c0)
    direct, direct_c = walk.direct(level, direction)
    return direct_trace(spec, params, walk.read(level, direction), direct, direct_c, h0=h0, c0=c0)


@np.errstate(all="ignore")
def outputs(layer: LayerRecord) -> Array:
    """(T, B, D*H): what the layer gives at each step, the directions side by side, in float64."""
    return _Walk(layer).read(layer.levels, FORWARD)


@dataclass(frozen=True)
class Pass:
    """One level in one direction, T steps in the order in which that direction reads them."""

    spec: ModelSpec
    weights: LayerWeights
    forward: LayerForward
    backward: LayerBackward


@np.errstate(all="ignore")
def passes(layer: LayerRecord) -> dict[tuple[int, str], Pass]:
    """Both passes of all sequences, by level and direction, with zeros behind the end of each sequence. Raises
    InputError if they would take too much memory."""
    walk = _Walk(layer)
    keys = [(level, direction) for level in range(layer.levels) for direction in layer.directions]
    return {key: Pass(walk.spec(key[0]), walk.weights(*key), walk.forward(*key), walk.backward(*key)) for key in keys}


class _Walk:
    """Both passes through a record, level by level, each as far as it is wanted. Raises InputError if they would take
    too much memory. All arrays are in the order in which the direction reads the sequences."""

    def __init__(self, layer: LayerRecord) -> None:
        _check_memory(layer)
        self._layer, self._order = layer, _Order(layer)
        self._inputs = [self._order.cut(_wide(layer.x))]  # (T, B, I or D*H): what each level reads, from below
        self._directs = [self._order.cut(_wide(layer.direct))]  # (T, B, D*H): what arrives at each, from above
        self._runs: dict[tuple[int, str], LayerForward] = {}
        self._backs: dict[tuple[int, str], LayerBackward] = {}
        self._weights: dict[tuple[int, str], LayerWeights] = {}

    def spec(self, level: int) -> ModelSpec:
        layer = self._layer
        return ModelSpec(
            cell=layer.cell,
            input_size=layer.weights[f"weight_ih_l{level}"].shape[1],
            hidden_size=layer.H,
            output_size=layer.H,
            activation=layer.activation,
            biases=2 if "bias_hh_l0" in layer.weights else 1,
        )

    def weights(self, level: int, direction: str) -> LayerWeights:
        """In float64. Without bias_ih: zeros."""
        key = level, direction
        if key not in self._weights:
            self._weights[key] = _weights(self._layer, f"_l{level}{SUFFIX[direction]}")
        return self._weights[key]

    def read(self, level: int, direction: str) -> Array:
        """(T, B, I): what one level reads."""
        while len(self._inputs) <= level:
            below = len(self._inputs) - 1
            outputs = [self._order.read(self.forward(below, d).h[1:], d) for d in self._layer.directions]
            self._inputs.append(np.concatenate(outputs, axis=2))
        return np.ascontiguousarray(self._order.read(self._inputs[level], direction))

    def start(self, level: int, direction: str) -> tuple[Array | None, Array | None]:
        """(B, H) each: h_0 and c_0, or None for zeros."""
        return self._state("h0", level, direction), self._state("c0", level, direction)

    def forward(self, level: int, direction: str) -> LayerForward:
        key = level, direction
        if key not in self._runs:
            h0, c0 = self.start(level, direction)
            h0 = np.zeros((self._layer.B, self._layer.H)) if h0 is None else h0
            cell = equations_of(CELLS[self._layer.cell])
            run = cell.forward(self.spec(level), self.weights(*key), self.read(*key), h0, c0)
            self._runs[key] = self._order.cut_states(run)
        return self._runs[key]

    def direct(self, level: int, direction: str) -> tuple[Array, Array | None]:
        """(T, B, H) each: what comes to h_t and to c_t from above. None: nothing."""
        while (above := self._layer.levels - len(self._directs)) > level:
            arriving = [
                self._order.read(self.backward(above, d).grad_pre @ self.weights(above, d).W_ih, d)
                for d in self._layer.directions
            ]
            self._directs.append(sum(arriving[1:], arriving[0]))
        H, side = self._layer.H, self._layer.directions.index(direction)
        from_above = self._directs[self._layer.levels - 1 - level][..., side * H : (side + 1) * H]
        to_h, to_c = self._order.read(from_above, direction).copy(), None
        if (last_h := self._state("direct_h", level, direction)) is not None:
            to_h[self._order.last] += last_h
        if (last_c := self._state("direct_c", level, direction)) is not None:
            to_c = np.zeros_like(to_h)
            to_c[self._order.last] = last_c
        return to_h, to_c

    def backward(self, level: int, direction: str) -> LayerBackward:
        key = level, direction
        if key not in self._backs:
            run, w = self.forward(*key), self.weights(*key)
            self._backs[key] = layer_backward(self.spec(level), w, run, *self.direct(*key))
        return self._backs[key]

    def _state(self, name: str, level: int, direction: str) -> Array | None:
        """(B, H) of h0, c0, direct_h or direct_c, which are in PyTorch's order."""
        value, directions = getattr(self._layer, name), self._layer.directions
        return None if value is None else _wide(value[level * len(directions) + directions.index(direction)])


class _Order:
    """In which order a direction reads its sequences, and where these end."""

    def __init__(self, layer: LayerRecord) -> None:
        steps, T = layer.steps, layer.T
        time = np.arange(T)[:, None]
        self._behind = time >= steps  # (T, B)
        self._is_full = not self._behind.any()
        self._reversed = np.where(self._behind, time, steps - 1 - time)[..., None]
        self.last = (steps - 1, np.arange(layer.B))

    def read(self, a: Array, direction: str) -> Array:
        """(T, B, N) in the order of a direction, or from that order back in the order of time."""
        if direction != BACKWARD:
            return a
        return a[::-1] if self._is_full else np.take_along_axis(a, self._reversed, axis=0)

    def cut(self, a: Array) -> Array:
        """(T, B, N) with zeros behind the end of each sequence: a copy, unless there is nothing to cut."""
        return a if self._is_full else np.where(self._behind[..., None], 0.0, a)

    def cut_states(self, run: LayerForward) -> LayerForward:
        """Zeros behind the ends, where states may have grown to inf, whose product with no gradient would be nan."""
        if not self._is_full:
            for a in (run.h[1:], None if run.c is None else run.c[1:], run.pre, run.gates, run.rec_n):
                if a is not None:
                    a[self._behind] = 0.0
        return run


def _only(layer: LayerRecord, sample: int) -> LayerRecord:
    """The record of one sequence, as long as that sequence."""
    steps, one = int(layer.steps[sample]), slice(sample, sample + 1)
    states: dict[str, Any] = {
        name: None if (value := getattr(layer, name)) is None else value[:, one]
        for name in ("direct_h", "direct_c", "h0", "c0")
    }
    return LayerRecord(
        cell=layer.cell,
        weights=layer.weights,
        x=layer.x[:steps, one],
        direct=layer.direct[:steps, one],
        activation=layer.activation,
        **states,
    )


def _weights(layer: LayerRecord, suffix: str) -> LayerWeights:
    def get(kind: str) -> Array | None:
        array = layer.weights.get(kind + suffix)
        return None if array is None else _wide(array)

    W_ih, W_hh, b_ih = get("weight_ih"), get("weight_hh"), get("bias_ih")
    assert W_ih is not None
    return LayerWeights(
        W_ih,
        np.empty((0, layer.H)) if W_hh is None else W_hh,
        np.zeros(len(W_ih)) if b_ih is None else b_ih,
        get("bias_hh"),
    )


def _wide(a: Array) -> Array:
    return np.ascontiguousarray(a, np.float64)


def _check_memory(layer: LayerRecord) -> None:
    blocks = len(CELLS[layer.cell].blocks)
    numbers = layer.T * layer.B * layer.H * layer.levels * len(layer.directions) * (4 * blocks + 8)
    numbers += 4 * layer.x.size + 2 * sum(array.size for array in layer.weights.values())
    checks.memory("record", 8 * numbers, f"T={layer.T}, B={layer.B}, H={layer.H}, {layer.levels} levels")


def difference(ours: Array, theirs: Array) -> float:
    """max|ours - theirs| / max|theirs| of one weight's gradients.

    0 if both are all zeros; if only theirs are, they count as the smallest normal number of their precision, below
    which they may have been lost. inf and nan are left out where both are one or the other, since it depends on the
    order of a sum which of the two appears; where only one side is, the result is inf.
    """
    lost = ~np.isfinite(theirs)
    if (lost != ~np.isfinite(ours)).any():
        return math.inf
    smallest = float(np.finfo(theirs.dtype).tiny)
    theirs = np.where(lost, 0.0, theirs.astype(np.float64))
    with np.errstate(over="ignore"):
        return float(np.abs(np.where(lost, 0.0, ours) - theirs).max() / max(float(np.abs(theirs).max()), smallest))


def _index(what: str, value: int, count: int, noun: str) -> int:
    """An index from 0, or from the end; raises InputError outside."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not -count <= value < count:
        raise InputError(f"{what}: {short_repr(value)} is not one of the {count} {noun}, 0 to {count - 1}")
    return int(value) % count
