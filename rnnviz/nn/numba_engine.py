"""The fast engine: the functions of numpy_engine with the same meaning, by the kernels in kernels/.

Here arrays are checked, made and named; a kernel only fills them. The kernels come as machine code
(loaded_kernels.py); numba itself is not imported. A cell whose kernels are not ready is left to the numpy engine.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

import numpy as np

from rnnviz.nn import levels, losses, numpy_engine, readout
from rnnviz.nn.carry import Carried
from rnnviz.nn.data import Data
from rnnviz.nn.equations import in_full
from rnnviz.nn.flat_parameters import FlatParameters
from rnnviz.nn.kernels.buffer_sizes import Plan, make_plan
from rnnviz.nn.loaded_kernels import kernels_of, loaded
from rnnviz.nn.machine_code import Kernels
from rnnviz.nn.optimizer import Optimizer, OptimizerState
from rnnviz.nn.records import Backward, Forward, LayerBackward, LayerForward, LayerWeights, layer_weights
from rnnviz.nn.spec import ACTIVATIONS, LOSSES, OPTIMIZERS, ModelSpec
from rnnviz.nn.types import Array, Params, ParamsLike

name = "numba"

#: Batches of more multiplications than this are shared by two threads, half the sequences each. The rule does not ask
#: how many processors there are, so that the same experiment gives the same numbers on every machine.
SHARED_ABOVE = 5_000_000
#: Sequences that a tile of a product takes at once: no half should break one up.
_ROWS = 8


_local = threading.local()


def ready(spec: ModelSpec) -> bool:
    """Whether a model like this is computed by compiled kernels now."""
    return loaded(spec.cell, spec.dtype) is not None


def computes(spec: ModelSpec) -> bool:
    """Whether a model like this is computed by compiled kernels if it is computed now: where no background compiles
    them, they are waited for."""
    return kernels_of(spec) is not None


# -- one pass ------------------------------------------------------------------------------------------


@lru_cache(64)
def _plan(spec: ModelSpec, steps: int, batch_size: int, loss: int = 0, rule: int = 0, inputs: int = 0) -> Plan:
    """inputs: of a layer that reads more than the model does; 0: as many."""
    return make_plan(
        steps=steps,
        batch_size=batch_size,
        inputs=inputs or spec.input_size,
        hidden=spec.hidden_size,
        outputs=spec.output_size,
        layers=spec.num_layers,
        gates=len(spec.gates),
        biases=spec.biases,
        activation=ACTIVATIONS.index(spec.activation),
        loss=loss,
        rule=rule,
    )


def _aligned(size: int, dtype: Any) -> Array:
    """Uninitialised, beginning on a cache line."""
    itemsize = np.dtype(dtype).itemsize
    room = np.empty(size + 64 // itemsize, dtype)
    first = (-room.ctypes.data % 64) // itemsize
    return room[first : first + size]


def _layer_arguments(spec: ModelSpec, w: LayerWeights, T: int, B: int) -> dict[str, Any]:
    plan = _plan(spec, T, B, inputs=max(spec.input_size, w.W_ih.shape[1]))
    b_hh = np.zeros_like(w.b_ih) if w.b_hh is None else w.b_hh
    names = ("panels", "room", "step")
    scratch = {name: _aligned(getattr(plan, f"{name}_size"), spec.dtype) for name in names}
    return {"activation": plan.activation, **w._replace(b_hh=b_hh).ours, **scratch}


def _run_arguments(spec: ModelSpec, run: LayerForward) -> dict[str, Any]:
    """A layer's forward pass, whichever engine it comes from, as the kernels take it."""
    gates = run.gates if spec.about_cell.gates else None
    extra = run.rec_n if run.c is None else np.tanh(run.c[1:])
    arrays = {"x": run.x, "h": run.h, "c": run.c, "pre": run.pre, "gates": gates, "extra": extra}
    return {name: None if a is None else np.ascontiguousarray(a) for name, a in arrays.items()}


def forward(
    spec: ModelSpec,
    params: ParamsLike,
    x: Array,
    h0: Array | None = None,
    c0: Array | None = None,
    mask: Array | None = None,
    needed: Array | None = None,
) -> Forward:
    """x (T, B, I); h0, c0 (L * directions, B, H) or None for zeros; mask (T, B) or None for every step.
    needed: see numpy_engine.forward."""
    kernels = kernels_of(spec)
    if kernels is None:
        return numpy_engine.forward(spec, params, x, h0, c0, mask, needed)
    with np.errstate(all="ignore"):
        return levels.forward(spec, params, x, h0, c0, mask, partial(_layer_forward, kernels), needed)


def _layer_forward(
    kernels: Kernels, spec: ModelSpec, w: LayerWeights, inputs: Array, h0: Array | None, c0: Array | None
) -> LayerForward:
    """One layer in one direction: inputs (T, B, I) in the order in which it reads them; h0, c0 (B, H)."""
    T, B, H, cell = inputs.shape[0], inputs.shape[1], spec.hidden_size, spec.about_cell
    inputs = np.ascontiguousarray(inputs)
    h = np.empty((T + 1, B, H), spec.dtype)
    h[0] = 0.0 if h0 is None else h0
    pre = np.empty((T, B, H * len(spec.gates)), spec.dtype)
    gates = np.empty_like(pre) if cell.gates else None
    extra = np.empty((T, B, H), spec.dtype) if cell.has_cell_state or cell.has_reset else None
    c = np.empty_like(h) if cell.has_cell_state else None
    if c is not None:
        c[0] = 0.0 if c0 is None else c0
    arguments = _layer_arguments(spec, w, T, B)
    kernels.call("forward", **arguments, x=inputs, h=h, c=c, pre=pre, gates=gates, extra=extra)
    return LayerForward(
        x=inputs,
        h=h,
        c=c,
        pre=pre,
        gates=h[1:] if gates is None else gates,
        rec_n=extra if cell.has_reset else None,
    )


@np.errstate(all="ignore")
def backward(
    spec: ModelSpec, params: ParamsLike, forward: Forward, grad_y: Array, direct_c: Array | None = None
) -> Backward:
    """grad_y (T, B, O) = dL/dy -> dL/d(everything). With direct_c or a mask, which are rare, NumPy computes."""
    kernels = kernels_of(spec)
    if kernels is None or direct_c is not None or forward.mask is not None:
        return numpy_engine.backward(spec, params, forward, grad_y, direct_c)
    return levels.backward(spec, params, forward, grad_y, None, partial(_layer_backward, kernels))


def _layer_backward(
    kernels: Kernels, spec: ModelSpec, w: LayerWeights, run: LayerForward, direct: Array, direct_c: Array | None
) -> tuple[LayerBackward, LayerWeights]:
    T, B = direct.shape[:2]
    grad_h = np.empty_like(run.h)
    grad_h[1:] = direct
    grad_c = None if run.c is None else np.empty_like(run.c)
    grad_pre = np.empty_like(run.pre)
    grad_rec = np.empty_like(run.pre) if spec.about_cell.has_reset else grad_pre
    W_ih, W_hh, b_ih = (np.empty_like(a) for a in (w.W_ih, w.W_hh, w.b_ih))
    gradients = LayerWeights(W_ih, W_hh, b_ih, np.empty_like(w.b_ih))
    kernels.call(
        "backward",
        **_layer_arguments(spec, w, T, B),
        **_run_arguments(spec, run),
        grad_h=grad_h,
        grad_c=grad_c,
        grad_pre=grad_pre,
        grad_rec=grad_rec,
        **{f"grad_{name}": array for name, array in gradients.ours.items()},
    )
    return LayerBackward(grad_h, grad_c, grad_pre, grad_rec), gradients


@np.errstate(all="ignore")
def triangle(
    spec: ModelSpec,
    params: ParamsLike,
    forward: Forward,
    grad_y: Array,
    steps: Sequence[int],
    direct_c: Array | None = None,
) -> Array:
    """(T+1, T+1): [k, t] = ‖∂L_k/∂h_t‖ over (B, H) of the top layer; see numpy_engine.triangle."""
    kernels = kernels_of(spec)
    # elementwise there; a product with the full matrix would make 0 · inf of a diagonal a nan
    is_diagonal = spec.about_cell.diagonal is not None
    if kernels is None or is_diagonal or direct_c is not None or forward.mask is not None:
        return numpy_engine.triangle(spec, params, forward, grad_y, steps, direct_c)
    if readout.attends(spec):
        return levels.triangle(spec, params, forward, grad_y, steps, partial(_layer_backward, kernels))
    T, B = grad_y.shape[:2]
    run = forward.layers[-1]
    W_hh = in_full(spec.about_cell, layer_weights(spec, params, spec.num_layers - 1)).W_hh
    plan = _plan(spec, T, B)
    direct = np.ascontiguousarray(readout.sent_by_own_step(params, grad_y))
    grad_h = np.empty((len(steps), B, spec.hidden_size), run.h.dtype)
    norms = np.empty((T + 1, T + 1))
    kernels.call(
        "triangle",
        activation=plan.activation,
        W_hh=W_hh,
        panels=_aligned(plan.panels_size, spec.dtype),
        **_run_arguments(spec, run),
        direct=direct,
        steps=np.array(sorted(steps, reverse=True), np.int64),
        grad_h=grad_h,
        grad_c=np.empty_like(grad_h),
        out=np.empty((len(steps), *run.pre.shape[1:]), spec.dtype),
        norms=norms,
    )
    return norms


# -- training ------------------------------------------------------------------------------------------


def train_batches(
    spec: ModelSpec,
    params: Params,
    rule: Optimizer,
    state: OptimizerState,
    data: Data,
    batches: Array,
    truncate: tuple[int, int] | None = None,
    carried: Carried | None = None,
) -> Array:
    """One update per batch, `params`, `state` and `carried` changed in place; returns each batch's loss before its
    update."""
    kernels = kernels_of(spec)
    if kernels is None:
        return numpy_engine.train_batches(spec, params, rule, state, data, batches, truncate, carried)
    order = np.ascontiguousarray(batches, np.int64)
    out = np.empty(len(order))
    with FlatParameters(spec, params, rule, state) as weights:
        by_passes = truncate is not None or carried is not None or data.read is not None
        if by_passes or spec.bidirectional or readout.attends(spec):
            _train_by_passes(kernels, spec, weights, data, order, truncate, carried, out)
        elif rule.clip_each is not None:
            _train_one_by_one(kernels, spec, weights, data, order, out)
        elif _shared(spec, data, order):
            _train_shared(kernels, spec, weights, data, order, out)
        else:
            _train_alone(kernels, spec, weights, data, order, out)
    return out


def _inputs(data: Data) -> dict[str, Array | None]:
    """The data as the kernels take them."""
    mse = data.loss == "mse"
    targets, classes = (data.targets, None) if mse else (None, data.targets)
    return {"x": data.x, "targets": targets, "classes": classes, "mask": data.mask}


def _shared(spec: ModelSpec, data: Data, order: Array) -> bool:
    T, B = data.x.shape[1], order.shape[1]
    inputs = spec.hidden_size * (2 * spec.num_layers - 1) + spec.input_size
    return bool(B >= 2 * _ROWS and T * B * len(spec.gates) * spec.hidden_size * inputs > SHARED_ABOVE)


def _train_alone(
    kernels: Kernels, spec: ModelSpec, weights: FlatParameters, data: Data, order: Array, out: Array
) -> None:
    loss, rule = LOSSES.index(data.loss), OPTIMIZERS.index(weights.rule.name)
    plan = _plan(spec, data.x.shape[1], order.shape[1], loss, rule)
    kernels.call(
        "train",
        plan=plan,
        updates=weights.updates,
        positions=0,
        **weights.vectors,
        **_inputs(data),
        order=order,
        work=_work(0, plan.work_size, weights.dtype),
        out=out,
    )
    weights.updates += len(order)


def _train_one_by_one(
    kernels: Kernels, spec: ModelSpec, weights: FlatParameters, data: Data, order: Array, out: Array
) -> None:
    """The gradients of one batch at a time, for an update that is not all done in the kernel."""
    plan = _plan(spec, data.x.shape[1], order.shape[1], LOSSES.index(data.loss))
    work = _work(0, plan.work_size, weights.dtype)
    for number, batch in enumerate(order):
        positions = int(np.count_nonzero(data.mask[batch]))
        part = {"positions": positions, "order": batch[None], "out": out[number : number + 1]}
        kernels.call("train", plan=plan, updates=0, **weights.vectors, **_inputs(data), **part, work=work)
        weights.update(kernels)


def _train_shared(
    kernels: Kernels, spec: ModelSpec, weights: FlatParameters, data: Data, order: Array, out: Array
) -> None:
    """The sequences of a batch do not see each other: two threads take half of them each, gradients add up."""
    T, B = data.x.shape[1], order.shape[1]
    half = -(-B // (2 * _ROWS)) * _ROWS
    grads, inputs, losses_of = (weights.grads, np.empty_like(weights.grads)), _inputs(data), np.empty((2, 1))
    plans = [_plan(spec, T, size, LOSSES.index(data.loss)) for size in (half, B - half)]
    work = [_work(part, plan.work_size, weights.dtype) for part, plan in enumerate(plans)]

    def run(part: int, sequences: Array, positions: int) -> None:
        kernels.call(
            "train",
            plan=plans[part],
            updates=0,
            positions=positions,
            **weights.vectors | {"grads": grads[part]},
            **inputs,
            order=sequences,
            work=work[part],
            out=losses_of[part],
        )

    for number, batch in enumerate(order):
        positions = int(np.count_nonzero(data.mask[batch]))
        other = _helper().submit(run, 1, batch[None, half:], positions)
        run(0, batch[None, :half], positions)
        other.result()
        weights.grads += grads[1]
        out[number] = losses_of.sum()
        weights.update(kernels)


def _train_by_passes(
    kernels: Kernels,
    spec: ModelSpec,
    weights: FlatParameters,
    data: Data,
    order: Array,
    truncate: tuple[int, int] | None,
    carried: Carried | None,
    out: Array,
) -> None:
    """A forward and a backward pass for each batch: of what is truncated, carries states, reads both ways, attends."""
    params = dict(weights.parts(weights.w))
    for number, batch in enumerate(order):
        x, targets, mask = data.time_major(batch)
        run = forward(
            spec,
            params,
            x,
            *numpy_engine.start_of(data, batch, carried),
            data.read_by(batch),
            np.asarray(mask.any(axis=1)),
        )
        if carried is not None:
            carried.keep(run)
        out[number], _, grad_y = losses.evaluate(data.loss, run.y, targets, mask)
        if truncate is None:
            total = backward(spec, params, run, grad_y).grads
        else:
            total = numpy_engine.truncated_backward(spec, params, run, grad_y, *truncate, backward=backward)
        for name, part in weights.parts(weights.grads):
            part[...] = total[name]
        weights.update(kernels)


def _work(part: int, size: int, dtype: Any) -> Array:
    """Room for a kernel, kept for this thread's next call: fresh memory would cost more than a batch."""
    kept: dict[int, Array] = _local.__dict__.setdefault("work", {})
    if part not in kept or kept[part].size != size or kept[part].dtype != dtype:
        kept.pop(part, None)
        kept[part] = _aligned(size, dtype)
    return kept[part]


def _helper() -> ThreadPoolExecutor:
    """The second thread of this one."""
    if not hasattr(_local, "helper"):
        _local.helper = ThreadPoolExecutor(1, "rnnviz-helper")
    helper: ThreadPoolExecutor = _local.helper
    return helper
