"""The gradient rows of a trace, and beside them the highway: where a gated cell carries the gradient back from step to
step without passing it through a weight.

    LSTM  c_t = f_t ⊙ c_{t-1} + …    ∂L_k/∂c_t, the whole gradient of the cell state: along f, and by all other ways
                                     from c_t on, through h and W_hh too. So a step may keep more than f
    GRU   h_t = z_t ⊙ h_{t-1} + …    ∂L_k/∂h_t as far as it came along z alone

A simple RNN has none: every step goes through W_hh and the slope of the activation.

With attention the loss of step k also enters every earlier state directly, and so the row of one loss has another
beside it: `loop`, what would arrive if it entered h_k alone and came back through the loop.

Without a loss the rows are those of ∂h_k/∂h_t: its largest singular value, and beside that its Frobenius norm. The
highways are the same paths: ∂h_k/∂c_t, and the part of ∂h_k/∂h_t along z alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rnnviz.nn import Trace, numpy_engine
from rnnviz.nn.metrics import half_life, horizon, lasting_horizon, norm
from rnnviz.nn.readout import attends
from rnnviz.nn.records import layer_weights
from rnnviz.nn.types import Array, frozen
from rnnviz.scene.gradient import Gradient

#: The name of the way through the loop alone.
LOOP = "loop"


def gradient_of(trace: Trace, k: int | None, on_part: Callable[[int, int], None] | None = None) -> Gradient:
    """The gradient of loss step k (None: the total) on the states of the top layer, and on its highway: ∂L_k/∂c_t,
    every path from c_t on counted; or the part of ∂L_k/∂h_t that went back through z alone. A cell without W_hh has no
    highway, either: all of its gradient on h goes that way.

    A backward pass for each k of several: slow. Without a loss, for a large state, much slower: on_part(done, of how
    many) is called, and may end it by an exception.
    """
    if not trace.has_loss:
        return _of_states(trace, trace.T if k is None else k, on_part)
    item, along = trace.item(k), trace.spec.about_cell.highway
    lane = None
    if along is not None:
        states = along_gate(trace, k) if item.grad_c is None else item.grad_c
        lane = _row(trace, k, norm(states, axis=(1, 2)), states, along=along)
    return replace(_row(trace, k, trace.grad_norm(k), item.grad_h, highway=lane), loop=_through_the_loop(trace, k))


def _through_the_loop(trace: Trace, k: int | None) -> Gradient | None:
    """None with a linear readout, where it is the gradient itself, and for the total."""
    if k is None or not attends(trace.spec):
        return None
    direct = np.zeros_like(trace.h[1 : k + 1])
    direct[-1] = trace.ways(k).direct[k - 1]
    run, later = trace.forward.window(0, k).layers[-1], ((0, trace.T - k), (0, 0), (0, 0))
    with np.errstate(all="ignore"):
        w = layer_weights(trace.spec, trace.params, trace.L - 1)
        back = numpy_engine.layer_backward(trace.spec, w, run, direct)
    lane = None
    if back.grad_c is not None:
        states = np.pad(back.grad_c, later)
        lane = _row(trace, k, norm(states, axis=(1, 2)), states, along="c")
    states = np.pad(back.grad_h, later)
    return _row(trace, k, norm(states, axis=(1, 2)), states, along=LOOP, highway=lane)


def _of_states(trace: Trace, k: int, on_part: Callable[[int, int], None] | None) -> Gradient:
    found, along = trace.sensitivity_of(k, on_part), trace.spec.about_cell.highway
    lanes: tuple[Gradient | None, Gradient | None] = None, None
    if along is not None:
        if found.c is not None:
            largest, by_unit, frobenius = found.c.largest, found.c.by_unit, found.c.frobenius
        else:  # along the gate alone the Jacobian is diagonal
            by_unit = _kept_by_gate(trace, k)
            largest, frobenius = by_unit.max(axis=(1, 2)), norm(by_unit, axis=(1, 2))
        lanes = (_row(trace, k, largest, by_unit, along=along), _row(trace, k, frobenius, by_unit, along=along))
    whole = _row(trace, k, found.h.frobenius, found.h.by_unit, highway=lanes[1])
    return _row(trace, k, found.h.largest, found.h.by_unit, highway=lanes[0], frobenius=whole)


def _kept_by_gate(trace: Trace, k: int) -> Array:
    """(T+1, B, H): the product of the shares that the gate that carries h alone keeps, from step k back to t."""
    carry = trace.spec.about_cell.carry
    assert carry is not None
    kept = np.zeros_like(trace.h)
    kept[k] = 1.0
    share = carry.share(trace.gates[carry.gate])[:k]
    kept[:k] = np.cumprod(share[::-1], axis=0)[::-1]
    return kept


def along_gate(trace: Trace, k: int | None) -> Array:
    """(T+1, B, H): the part of ∂L_k/∂h_t (None: of the total) that went back from step to step through the gate that
    carries h alone, of a GRU δ_{t-1} = z_t ⊙ δ_t, from where the readout let it in."""
    carry = trace.spec.about_cell.carry
    assert carry is not None
    kept = carry.share(trace.gates[carry.gate])
    along, many = np.zeros_like(trace.h), attends(trace.spec)
    direct = trace.ways(k).direct if many else trace.direct
    with np.errstate(all="ignore"):
        for t in range(trace.T if k is None else k, 0, -1):
            if k is None or t == k or many:
                along[t] += direct[t - 1]
            along[t - 1] = kept[t - 1] * along[t]
    return along


def _row(
    trace: Trace, k: int | None, norms: Array, states: Array, along: str = "h", highway: Gradient | None = None,
    frobenius: Gradient | None = None,
) -> Gradient:  # fmt: skip
    with np.errstate(all="ignore"):
        factors = np.append(norms[:-1] / norms[1:], np.nan)
    upto = norms[: (trace.T if k is None else k) + 1]
    has_ways = attends(trace.spec) and trace.has_loss and along != LOOP
    lags = (None, lasting_horizon(upto)) if has_ways else (half_life(upto), horizon(upto))
    for a in (norms, factors, states):
        frozen(a)
    return Gradient(k, norms, factors, *lags, states, along, highway, frobenius)
