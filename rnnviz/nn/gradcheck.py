"""The gradient check: a trace's gradients against central differences of the very same pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import numpy as np

from rnnviz.nn import losses, readout
from rnnviz.nn.records import Forward
from rnnviz.nn.runner import Runner
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, ParamsLike

#: ε^(1/3) in float64: where the truncation error of a central difference meets its rounding error.
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
_STATES = 8


class Trace(Protocol):
    """The part of rnnviz.nn.trace.Trace that the check needs; see there for each field."""

    @property
    def T(self) -> int: ...
    @property
    def spec(self) -> ModelSpec: ...
    @property
    def params(self) -> ParamsLike: ...
    @property
    def x(self) -> Array: ...
    @property
    def y(self) -> Array: ...
    @property
    def targets(self) -> Array: ...
    @property
    def loss_name(self) -> str: ...
    @property
    def loss_mask(self) -> Array: ...
    @property
    def rest(self) -> Array | None: ...
    @property
    def direct_c(self) -> Array | None: ...
    @property
    def gates(self) -> Mapping[str, Array]: ...
    @property
    def grads(self) -> ParamsLike: ...
    @property
    def grad_h(self) -> Array: ...
    @property
    def grad_c(self) -> Array | None: ...
    @property
    def forward(self) -> Forward: ...
    @property
    def engine(self) -> Runner: ...


@np.errstate(all="ignore")
def check(trace: Trace, seed: int = 0) -> float:
    """The largest error |dL/dv - central difference| over all probes, relative to the largest |gradient|
    element of the trace (of the weights and the probed states). A correct trace gives about 1e-11 to 1e-8.

    The probes v are random unit directions: one in each parameter, and one in h_t (c_t too, for an LSTM) of
    the top layer at up to 8 times t spread over 0..T. nan if anything probed is inf or nan; for relu a probe
    may cross a kink, which shows as an error.
    """
    rng = np.random.default_rng(seed)
    probes: list[tuple[Array, Callable[[Array], float]]] = [
        (gradient, partial(_loss_with, trace, name)) for name, gradient in trace.grads.items()
    ]
    for t in sorted({round(t) for t in np.linspace(0, trace.T, min(_STATES, trace.T + 1))}):
        probes.append((trace.grad_h[t], partial(_loss_after, trace, t, False)))
        if trace.grad_c is not None:
            probes.append((trace.grad_c[t], partial(_loss_after, trace, t, True)))

    errors, sizes = [], []
    for gradient, loss_moved_by in probes:
        direction = rng.standard_normal(gradient.shape)
        direction /= np.linalg.norm(direction)
        numeric = (loss_moved_by(STEP * direction) - loss_moved_by(-STEP * direction)) / (2 * STEP)
        errors.append(abs(float(np.vdot(gradient, direction)) - numeric))
        sizes.append(float(np.abs(gradient).max()))
    if not np.isfinite([*errors, *sizes]).all():
        return float("nan")
    worst, largest = float(max(errors)), max(sizes)
    return worst / largest if largest > 0 else worst


def _loss_with(trace: Trace, name: str, move: Array) -> float:
    """The loss with one parameter moved, from the same initial state."""
    params = {**trace.params, name: trace.params[name] + move}
    run = _rerun(trace, params, 0, *_states(trace.forward, 0))
    return _loss_of(trace, _with_rest(trace, run.y, 0), _cells(run))


def _loss_after(trace: Trace, t: int, of_cell: bool, move: Array) -> float:
    """The loss after a change of the top layer's h_t (or of c_t, and h_t with it): the steps after t and the readout of
    step t are computed again, earlier ones stay."""
    h, c = _states(trace.forward, t)
    mask = trace.forward.mask
    if not of_cell:
        h[-1] += move
    elif c is not None:
        c[-1] += move
        if t > 0:
            follows = trace.gates[trace.spec.about_cell.output_gate][t - 1] * np.tanh(c[-1])
            h[-1] = follows if mask is None else np.where(mask[t - 1][:, None], follows, h[-1])  # a copy stays
    y, cells = trace.y.copy(), _cells(trace.forward)
    states = trace.forward.layers[-1].h[1:].copy()
    if t > 0:
        states[t - 1] = h[-1]
    if t > 0 and not readout.attends(trace.spec):
        own = h[-1] @ trace.params["readout.weight"].T + trace.params["readout.bias"]
        y[t - 1] = own if trace.rest is None else own + trace.rest[t - 1]
        if cells is not None and c is not None:
            cells = np.concatenate([cells[: t - 1], c[-1:], cells[t:]])
    if t < trace.T:
        run = _rerun(trace, trace.params, t, h, c)
        y[t:], later = _with_rest(trace, run.y, t), _cells(run)
        states[t:] = run.layers[-1].h[1:]
        if cells is not None and later is not None:
            cells = np.concatenate([cells[:t], later])
    if readout.attends(trace.spec):  # every later output reads the moved state
        y = readout.read_out(trace.spec, trace.params, states, mask)
    return _loss_of(trace, y, cells)


def _loss_of(trace: Trace, y: Array, c: Array | None) -> float:
    """y (T, B, O) and, for a loss that reads them, c_1 .. c_T of the top layer."""
    loss = losses.evaluate(trace.loss_name, y, trace.targets, trace.loss_mask).loss
    return loss if trace.direct_c is None or c is None else loss + float(np.vdot(trace.direct_c, c))


def _with_rest(trace: Trace, y: Array, t: int) -> Array:
    """The outputs y of the steps from t on, with what the other direction of a bidirectional model adds to them."""
    return y if trace.rest is None else y + trace.rest[t:]


def _cells(run: Forward) -> Array | None:
    c = run.layers[-1].c
    return None if c is None else c[1:]


def _states(forward: Forward, t: int) -> tuple[Array, Array | None]:
    """(L, B, H) copies of h_t, and of c_t, of all layers."""
    h = np.stack([layer.h[t] for layer in forward.layers])
    cells = [layer.c[t] for layer in forward.layers if layer.c is not None]
    return h, np.stack(cells) if cells else None


def _rerun(trace: Trace, params: ParamsLike, t: int, h: Array, c: Array | None) -> Forward:
    mask = trace.forward.mask
    return trace.engine.forward(trace.spec, params, trace.x[t:], h, c, None if mask is None else mask[t:])
