"""The gradient check: a trace's gradients against central differences of the very same pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnviz.nn import losses
from rnnviz.nn.passes import Forward
from rnnviz.nn.types import Array, ParamsLike

if TYPE_CHECKING:
    from rnnviz.nn.trace import Trace

#: ε^(1/3) in float64: where the truncation error of a central difference meets its rounding error.
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
_STATES = 8


@np.errstate(all="ignore")
def check(trace: Trace, seed: int = 0) -> float:
    """The largest error |dL/dv - central difference| over all probes, relative to the largest |gradient| element
    of the trace (of the weights and the probed states). A right trace gives about 1e-10 to 1e-7.

    The probes v are random unit directions: one in each parameter, and one in h_t (c_t too, for an LSTM) of the
    top layer at up to 8 times t spread over 0..T. nan if anything in the trace is inf or nan; for relu a probe may
    cross a kink, which shows as an error.
    """
    rng = np.random.default_rng(seed)
    errors: list[float] = []
    sizes: list[float] = []

    def probe(gradient: Array, loss_along: LossAlong) -> None:
        direction = rng.standard_normal(gradient.shape)
        direction /= max(float(np.linalg.norm(direction)), 1e-300)
        numeric = (loss_along(STEP * direction) - loss_along(-STEP * direction)) / (2 * STEP)
        errors.append(abs(float(np.vdot(gradient, direction)) - numeric))
        sizes.append(float(np.abs(gradient).max()))

    for name, gradient in trace.grads.items():
        probe(gradient, lambda move, name=name: _loss(trace, {**trace.params, name: trace.params[name] + move}))
    for t in sorted({round(t) for t in np.linspace(0, trace.T, min(_STATES, trace.T + 1))}):
        probe(trace.grad_h[t], lambda move, t=t: _loss_from(trace, t, move, None))
        if trace.grad_c is not None:
            probe(trace.grad_c[t], lambda move, t=t: _loss_from(trace, t, None, move))
    largest = max(sizes)
    worst = max(errors)
    if not np.isfinite([*errors, *sizes]).all():
        return float("nan")
    return worst / largest if largest > 0 else worst


if TYPE_CHECKING:
    from collections.abc import Callable

    LossAlong = Callable[[Array], float]


def _loss(trace: Trace, params: ParamsLike) -> float:
    """The loss with other parameters, from the same initial state."""
    return losses.evaluate(
        trace.loss_name, _rerun(trace, params, 0, *_states(trace.forward, 0)).y, trace.targets, trace.loss_mask
    ).loss


def _loss_from(trace: Trace, t: int, move_h: Array | None, move_c: Array | None) -> float:
    """The loss when the top layer's h_t (or c_t, with h_t following) is moved: steps after t are run anew,
    step t is read out anew, earlier ones stay."""
    h, c = _states(trace.forward, t)
    if move_h is not None:
        h[-1] += move_h
    if move_c is not None:
        assert c is not None
        c[-1] += move_c
        if t > 0:
            h[-1] = trace.gates["o"][t - 1] * np.tanh(c[-1])
    y = trace.y.copy()
    if t > 0:
        y[t - 1] = h[-1] @ trace.params["readout.weight"].T + trace.params["readout.bias"]
    if t < trace.T:
        y[t:] = _rerun(trace, trace.params, t, h, c).y
    return losses.evaluate(trace.loss_name, y, trace.targets, trace.loss_mask).loss


def _states(forward: Forward, t: int) -> tuple[Array, Array | None]:
    """(L, B, H) copies of h_t, and of c_t, of all layers."""
    h = np.stack([layer.h[t] for layer in forward.layers])
    cells = [layer.c[t] for layer in forward.layers if layer.c is not None]
    return h, np.stack(cells) if cells else None


def _rerun(trace: Trace, params: ParamsLike, t: int, h: Array, c: Array | None) -> Forward:
    return trace.engine.forward(trace.spec, params, trace.x[t:], h, c)
