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
from rnnviz.nn.numpy_engine import layer_backward
from rnnviz.nn.numpy_engine import weight_gradients as gradients_of
from rnnviz.nn.records import LayerBackward, LayerForward, LayerWeights
from rnnviz.nn.spec import ModelSpec, one_of
from rnnviz.nn.trace import Trace, direct_trace
from rnnviz.nn.types import Array, Params
from rnnviz.recordings.layer_record import BACKWARD, SUFFIX, LayerRecord

#: A record is proved if the framework's weight gradients agree with ours to this, by the precision of its weights.
PROVED = {"float32": 1e-4, "float64": 1e-9}


@dataclass(frozen=True)
class Pass:
    """One level in one direction, T steps in the order in which that direction reads them."""

    spec: ModelSpec
    weights: LayerWeights
    forward: LayerForward
    direct: Array  # (T, B, H): what comes to h_t from above
    direct_c: Array | None  # (T, B, H): what comes to c_t; None: nothing
    backward: LayerBackward


def weight_gradients(layer: LayerRecord) -> Params:
    """The gradient of every weight of the record, under the weights' names, in float64. inf and nan may be in them."""
    grads: Params = {}
    with np.errstate(all="ignore"):
        for (level, direction), run in passes(layer).items():
            found = gradients_of(run.spec, level, run.weights, run.forward, run.backward)
            grads |= {f"{name.removeprefix('rnn.')}{SUFFIX[direction]}": array for name, array in found.items()}
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


def trace_of(layer: LayerRecord, sample: int = 0, level: int = -1, direction: str = "forward") -> Trace:
    """The trace of one sequence at one level in one direction: B = 1, as many steps as the sequence has.

    Its y is h and its grad_y the direct gradient: the spec has an identity as readout, and the loss is "direct". x is
    what the level reads; in the direction "backward" time 1 is the last step of the sequence. Biases that the layer
    does not have are zeros. Raises InputError for a sample, level or direction that the record does not have.
    """
    sample = _index("sample", sample, layer.B, "sequences")
    level = _index("level", level, layer.levels, "levels")
    one_of("direction", direction, layer.directions)
    run = passes(_only(layer, sample))[level, direction]
    spec, w, H = run.spec, run.weights, run.spec.hidden_size
    params = {"rnn.weight_ih_l0": w.W_ih}
    if spec.about_cell.recurrent:
        params["rnn.weight_hh_l0"] = w.W_hh
    params["rnn.bias_ih_l0"] = w.b_ih
    if spec.biases == 2:
        params["rnn.bias_hh_l0"] = np.zeros_like(w.b_ih) if w.b_hh is None else w.b_hh
    params |= {"readout.weight": np.eye(H), "readout.bias": np.zeros(H)}
    c = run.forward.c
    return direct_trace(
        spec,
        params,
        run.forward.x,
        run.direct,
        run.direct_c,
        h0=run.forward.h[:1].copy(),
        c0=None if c is None else c[:1].copy(),
    )


@np.errstate(all="ignore")
def passes(layer: LayerRecord) -> dict[tuple[int, str], Pass]:
    """Both passes, by level and direction. Raises InputError if they would take too much memory."""
    T, B, H = layer.T, layer.B, layer.H
    _check_memory(layer)
    cell = equations_of(CELLS[layer.cell])
    order = _Order(layer)
    specs, runs = {}, {}
    inputs = order.cut(_wide(layer.x))
    for level in range(layer.levels):
        outputs = []
        for direction in layer.directions:
            key = (level, direction)
            specs[key] = spec = _spec(layer, inputs.shape[2])
            h0, c0 = (_state(layer, name, key) for name in ("h0", "c0"))
            w = _weights(layer, key)
            start = np.zeros((B, H)) if h0 is None else h0
            read = np.ascontiguousarray(order.read(inputs, direction))
            runs[key] = order.cut_states(cell.forward(spec, w, read, start, c0))
            outputs.append(order.read(runs[key].h[1:], direction))
        inputs = np.concatenate(outputs, axis=2)

    found = {}
    direct = order.cut(_wide(layer.direct))
    for level in reversed(range(layer.levels)):
        below = np.zeros((T, B, runs[level, layer.directions[0]].x.shape[2]))
        for side, direction in enumerate(layer.directions):
            key = (level, direction)
            to_h = order.read(direct[..., side * H : (side + 1) * H], direction).copy()
            last_h, last_c = (_state(layer, name, key) for name in ("direct_h", "direct_c"))
            to_c = None
            if last_h is not None:
                to_h[order.last] += last_h
            if last_c is not None:
                to_c = np.zeros_like(to_h)
                to_c[order.last] = last_c
            w = _weights(layer, key)
            back = layer_backward(specs[key], w, runs[key], to_h, to_c)
            found[key] = Pass(specs[key], w, runs[key], to_h, to_c, back)
            below += order.read(back.grad_pre @ w.W_ih, direction)
        direct = below
    return found


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


def _spec(layer: LayerRecord, inputs: int) -> ModelSpec:
    return ModelSpec(
        cell=layer.cell,
        input_size=inputs,
        hidden_size=layer.H,
        output_size=layer.H,
        activation=layer.activation,
        biases=2 if "bias_hh_l0" in layer.weights else 1,
    )


def _weights(layer: LayerRecord, key: tuple[int, str]) -> LayerWeights:
    """In float64. Without bias_ih: zeros."""
    suffix = f"_l{key[0]}{SUFFIX[key[1]]}"

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


def _state(layer: LayerRecord, name: str, key: tuple[int, str]) -> Array | None:
    """(B, H) of h0, c0, direct_h or direct_c at one level, in PyTorch's order."""
    value = getattr(layer, name)
    level, direction = key
    return None if value is None else _wide(value[level * len(layer.directions) + layer.directions.index(direction)])


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
