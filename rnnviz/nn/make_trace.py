"""How a Trace is made: from a loss on the outputs, from the gradient that a loss elsewhere sends into the states, or
without a loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnviz.nn import checks, losses, readout
from rnnviz.nn import engine as engines
from rnnviz.nn.both_directions import part, part_of_passes
from rnnviz.nn.directions import FORWARD
from rnnviz.nn.levels import in_order
from rnnviz.nn.records import Backward, Forward, LayerBackward
from rnnviz.nn.spec import ModelSpec, one_of
from rnnviz.nn.targets import checked_targets, loss_mask
from rnnviz.nn.trace import Trace
from rnnviz.nn.trace_parts import LayerTrace
from rnnviz.nn.types import Array, ParamsLike, frozen


def make_trace(
    spec: ModelSpec,
    params: ParamsLike,
    x: Any,
    targets: Any,
    loss: str = "mse",
    loss_at: Any = "every",
    *,
    h0: Any = None,
    c0: Any = None,
    mask: Any = None,
    engine: str | engines.Engine | None = None,
    direction: str = FORWARD,
) -> Trace:
    """See Model.trace. Spec and params are those of a model in float64; the params are read-only."""
    one_of("loss", loss, losses.TRACE_LOSSES)
    x = checks.numbers("x", x, (None, None, spec.input_size), "(T, B, input_size)", "float64").copy()
    T, B = x.shape[:2]
    _check_memory(spec, T, B)
    judged = loss_mask(loss_at, T, B)
    targets = checked_targets(loss, targets, judged, spec.output_size, loss_at)
    h, c = checks.initial_state(spec, B, h0, c0)
    read = checks.step_mask(mask, T, B)
    return _traced(spec, params, x, targets, loss, judged, h, c, None, engine, read, direction)


def direct_trace(
    spec: ModelSpec,
    params: ParamsLike,
    x: Array,
    direct: Array,
    direct_c: Array | None = None,
    *,
    h0: Array | None = None,
    c0: Array | None = None,
    engine: str | engines.Engine | None = None,
) -> Trace:
    """The trace of a network of which only the gradient that the loss sends straight into its top states is known: the
    loss is Σ direct · h + Σ direct_c · c, a function of the states with just that gradient.

    direct    (T, B, H) = the direct part of dL/dh_t; direct_c (T, B, H) or None: that of dL/dc_t
    h0, c0    (L, B, H) or None for zeros

    The spec has H outputs, the params an identity as readout. A step carries loss if something of it is
    not 0, and the last step does in any case. Unlike in Model.trace inf and nan are allowed everywhere. Raises
    InputError if the trace would take too much memory.
    """
    T, B = x.shape[:2]
    _check_memory(spec, T, B)
    mask = (direct != 0).any(axis=2)
    if direct_c is not None:
        mask |= (direct_c != 0).any(axis=2)
    if not mask.any():
        mask[-1] = True
    return _traced(spec, params, x, direct, "direct", mask, h0, c0, direct_c, engine)


def states_trace(
    spec: ModelSpec,
    params: ParamsLike,
    x: Array,
    *,
    h0: Array | None = None,
    c0: Array | None = None,
    engine: str | engines.Engine | None = None,
    direction: str = FORWARD,
) -> Trace:
    """The trace of a network whose targets are not known: its states, and how later ones depend on earlier ones (see
    Trace). x (T, B, I), h0 and c0 (L, B, H) or None for zeros; inf and nan are allowed. Raises InputError if the trace
    would take too much memory."""
    T, B = x.shape[:2]
    _check_memory(spec, T, B)
    targets = np.broadcast_to(0.0, (T, B, spec.output_size))
    mask = np.ones((T, B), bool)
    return _traced(spec, params, x, targets, losses.NO_LOSS, mask, h0, c0, None, engine, direction=direction)


def _check_memory(spec: ModelSpec, T: int, B: int) -> None:
    H = spec.hidden_size
    width = 3 * len(spec.gates) + 2 * spec.state_size // H + 1
    needed = 8 * B * (T * H * len(spec.suffixes) * width + readout.numbers(spec, T))
    checks.memory("trace", needed, f"T={T}, B={B}, H={H}, L={spec.num_layers}")


def _traced(
    spec: ModelSpec,
    params: ParamsLike,
    x: Array,
    targets: Array,
    loss: str,
    mask: Array,
    h0: Array | None,
    c0: Array | None,
    direct_c: Array | None,
    engine: str | engines.Engine | None,
    read: Array | None = None,
    direction: str = FORWARD,
) -> Trace:
    """Both passes, from inputs that are checked. Of a bidirectional model, the trace of its top layer in one
    direction."""
    one_of("direction", direction, spec.directions)
    chosen = engines.resolve(engine)
    run = chosen.forward(spec, params, x, h0, c0, read)
    with np.errstate(all="ignore"):
        value = losses.evaluate(loss, run.y, targets, mask)
        step_loss = value.step_loss
        if direct_c is not None:
            c = run.layers[-1].c
            assert c is not None
            step_loss = step_loss + np.where(direct_c == 0, 0, direct_c * c[1:]).sum(axis=(1, 2))
    if loss == losses.NO_LOSS:
        back = _nothing_back(spec, params, run)
    else:
        back = chosen.backward(spec, params, run, value.grad_y, direct_c)

    whole, grad_y = None, value.grad_y
    if spec.bidirectional:
        for a in (*params.values(), *back.grads.values()):
            frozen(a)
        run, back, whole = part_of_passes(spec, params, direction, run, back)
        spec, params = part(spec, params, direction)
        x = run.layers[0].x
        targets, mask, step_loss, grad_y = (in_order(a, direction) for a in (targets, mask, step_loss, grad_y))
    layers = tuple(
        LayerTrace(
            x=frozen(f.x),
            h=frozen(f.h),
            c=None if f.c is None else frozen(f.c),
            pre=frozen(f.pre),
            gates=_named_gates(spec, f.gates),
            grad_h=frozen(b.grad_h),
            grad_c=None if b.grad_c is None else frozen(b.grad_c),
        )
        for f, b in zip(run.layers, back.layers, strict=True)
    )
    for a in (*params.values(), *back.grads.values(), x, run.y, targets, mask, step_loss, grad_y):
        frozen(a)
    return Trace(
        spec=spec,
        params=params,
        x=x,
        y=run.y,
        targets=targets,
        loss_name=loss,
        loss_mask=mask,
        loss=value.loss if direct_c is None else float(step_loss.sum()),
        step_loss=step_loss,
        grad_y=grad_y,
        direct_c=None if direct_c is None else frozen(direct_c),
        grads=back.grads,
        layers=layers,
        forward=run,
        backward=back,
        engine=chosen,
        whole=whole,
    )


def _nothing_back(spec: ModelSpec, params: ParamsLike, run: Forward) -> Backward:
    """The backward pass of no loss: zeros, which take no memory."""

    def zeros(like: Array) -> Array:
        return np.broadcast_to(0.0, like.shape)

    layers = tuple(
        LayerBackward(zeros(f.h), None if f.c is None else zeros(f.c), zeros(f.pre), zeros(f.pre)) for f in run.layers
    )
    return Backward(layers, {name: zeros(array) for name, array in params.items()})


def _named_gates(spec: ModelSpec, gates: Array) -> Mapping[str, Array]:
    if not spec.about_cell.gates:
        return {}
    blocks = np.split(gates, len(spec.gates), axis=-1)
    return {name: frozen(block) for name, block in zip(spec.gates, blocks, strict=True)}
