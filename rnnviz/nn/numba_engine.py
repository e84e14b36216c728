"""The fast engine: the functions of numpy_engine with the same meaning, by the kernels in kernels/.

Here arrays are checked, made and named; a kernel only fills them. The kernels come as machine code (compiler.py); numba
itself is not imported. While the app compiles in the background, a cell that is not ready is left to the
numpy engine; otherwise the first call of a cell waits for its compiler.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from rnnviz.nn import compiler, losses, numpy_engine
from rnnviz.nn.data import Data
from rnnviz.nn.kernels.buffer_sizes import Plan, Rates, make_plan
from rnnviz.nn.machine_code import Kernels, MachineCode
from rnnviz.nn.optimizer import ADAM_BETAS, CONVENTIONS, Optimizer, OptimizerState, clip
from rnnviz.nn.records import Backward, Forward, LayerBackward, LayerForward, LayerWeights, layer_weights
from rnnviz.nn.spec import ACTIVATIONS, LOSSES, OPTIMIZERS, ModelSpec
from rnnviz.nn.types import Array, Params, ParamsLike

name = "numba"

#: Batches of more multiplications than this are shared by two threads, half the sequences each. The rule does not ask
#: how many processors there are, so that the same experiment gives the same numbers on every machine.
SHARED_ABOVE = 5_000_000
#: Sequences that a tile of a product takes at once: no half should break one up.
_ROWS = 8


class Background(Protocol):
    """Whoever compiles beside the app (loading.Handle)."""

    def request(self, cell: str, dtype: str) -> None: ...


_kernels: dict[tuple[str, str], Kernels] = {}
_lock = threading.Lock()
_background: Background | None = None
_local = threading.local()


# -- kernels -------------------------------------------------------------------------------------------


def loaded(cell: str, dtype: str) -> Kernels | None:
    return _kernels.get((cell, dtype))


def install(cell: str, dtype: str, kernels: Kernels) -> None:
    _kernels[cell, dtype] = kernels


def in_background(handle: Background | None) -> None:
    """From now on let `handle` compile what is missing, and use the numpy engine meanwhile. None: wait instead."""
    global _background
    _background = handle


def ready(spec: ModelSpec) -> bool:
    """Whether a model like this is computed by compiled kernels now."""
    return loaded(spec.cell, spec.dtype) is not None


def computes(spec: ModelSpec) -> bool:
    """Whether a model like this is computed by compiled kernels if it is computed now: where no background compiles
    them, they are waited for."""
    return _kernels_of(spec) is not None


def _kernels_of(spec: ModelSpec) -> Kernels | None:
    """The kernels for a model, or None: the numpy engine stands in. Raises compiler.CompilerError."""
    found = loaded(spec.about_cell.name, spec.dtype)  # an unknown cell is an error, and not something to compile
    if found is not None:
        return found
    if _background is not None:
        _background.request(spec.cell, spec.dtype)
        return None
    with _lock:
        if loaded(spec.cell, spec.dtype) is None:
            install(spec.cell, spec.dtype, _make(spec.cell, spec.dtype))
        return loaded(spec.cell, spec.dtype)


def _make(cell: str, dtype: str) -> Kernels:
    if compiler.IN_PROCESS:
        return _InProcess(cell)
    ((_, code),) = compiler.compiled([(cell, dtype)])
    return MachineCode(code)


class _InProcess:
    """The kernels as numba or Python run them in this process."""

    def __init__(self, cell: str) -> None:
        os.environ.setdefault("NUMBA_OPT", "0")  # looked at, not raced; numba reads it when it is imported
        from rnnviz.nn.kernels.c_api import ENTRIES

        self._entries = ENTRIES[cell]

    def call(self, name: str, *arrays: Array) -> None:
        self._entries[name].function(*arrays)


# -- one pass ------------------------------------------------------------------------------------------


def _plan(spec: ModelSpec, steps: int, batch_size: int, **choices: int) -> Plan:
    return make_plan(
        steps=steps,
        batch_size=batch_size,
        inputs=spec.input_size,
        hidden=spec.hidden_size,
        outputs=spec.output_size,
        layers=spec.num_layers,
        gates=len(spec.gates),
        biases=spec.biases,
        activation=ACTIVATIONS.index(spec.activation),
        **choices,
    )


def _aligned(size: int, dtype: Any) -> Array:
    """Uninitialised, beginning on a cache line."""
    itemsize = np.dtype(dtype).itemsize
    room = np.empty(size + 64 // itemsize, dtype)
    first = (-room.ctypes.data % 64) // itemsize
    return room[first : first + size]


def _layer_arguments(spec: ModelSpec, w: LayerWeights, T: int, B: int) -> list[Array]:
    assert w.W_hh.dtype == spec.dtype, f"{w.W_hh.dtype} weights in a {spec.dtype} model: a kernel would misread them"
    plan = _plan(spec, T, B)
    scratch = [_aligned(size, spec.dtype) for size in (plan.panels_size, plan.room_size, plan.step_size)]
    b_hh = np.zeros_like(w.b_ih) if w.b_hh is None else w.b_hh
    return [np.array([plan.activation], np.int64), w.W_ih, w.W_hh, w.b_ih, b_hh, *scratch]


def _run_arguments(spec: ModelSpec, run: LayerForward) -> list[Array]:
    """A layer's forward pass, whichever engine it comes from, as the kernels take it."""
    none = _unused(spec)
    c = none if run.c is None else run.c
    gates = run.gates if spec.about_cell.gates else none
    extra = np.tanh(run.c[1:]) if run.c is not None else none if run.rec_n is None else run.rec_n
    return [np.ascontiguousarray(a) for a in (run.x, run.h, c, run.pre, gates, extra)]


def _unused(spec: ModelSpec) -> Array:
    return np.empty((1, 1, 1), spec.dtype)


def forward(spec: ModelSpec, params: ParamsLike, x: Array, h0: Array | None = None, c0: Array | None = None) -> Forward:
    """x (T, B, I); h0, c0 (L, B, H) or None for zeros."""
    kernels = _kernels_of(spec)
    if kernels is None:
        return numpy_engine.forward(spec, params, x, h0, c0)
    T, B, H, cell = x.shape[0], x.shape[1], spec.hidden_size, spec.about_cell
    width = H * len(spec.gates)
    layers: list[LayerForward] = []
    inputs = np.ascontiguousarray(x)
    for index in range(spec.num_layers):
        h = np.empty((T + 1, B, H), spec.dtype)
        h[0] = 0.0 if h0 is None else h0[index]
        pre = np.empty((T, B, width), spec.dtype)
        c = extra = unused = _unused(spec)
        gates = np.empty_like(pre) if cell.gates else unused
        if cell.has_cell_state:
            c = np.empty_like(h)
            c[0] = 0.0 if c0 is None else c0[index]
        if cell.has_cell_state or cell.has_reset:
            extra = np.empty((T, B, H), spec.dtype)
        arguments = _layer_arguments(spec, layer_weights(spec, params, index), T, B)
        kernels.call("forward", *arguments, inputs, h, c, pre, gates, extra)
        layers.append(
            LayerForward(
                x=inputs,
                h=h,
                c=c if cell.has_cell_state else None,
                pre=pre,
                gates=gates if cell.gates else h[1:],
                rec_n=extra if cell.has_reset else None,
            )
        )
        inputs = h[1:]
    with np.errstate(all="ignore"):
        return Forward(tuple(layers), inputs @ params["readout.weight"].T + params["readout.bias"])


@np.errstate(all="ignore")
def backward(spec: ModelSpec, params: ParamsLike, forward: Forward, grad_y: Array) -> Backward:
    """grad_y (T, B, O) = dL/dy -> dL/d(everything)."""
    kernels = _kernels_of(spec)
    if kernels is None:
        return numpy_engine.backward(spec, params, forward, grad_y)
    T, B = grad_y.shape[:2]
    flat = numpy_engine.flat
    grads = {
        "readout.weight": flat(grad_y).T @ flat(forward.layers[-1].h[1:]),
        "readout.bias": grad_y.sum(axis=(0, 1)),
    }
    layers: list[LayerBackward] = []
    direct = grad_y @ params["readout.weight"]
    for index in reversed(range(spec.num_layers)):
        w, run = layer_weights(spec, params, index), forward.layers[index]
        unused = _unused(spec)
        grad_h = np.empty_like(run.h)
        grad_h[1:] = direct
        grad_c = unused if run.c is None else np.empty_like(run.c)
        grad_pre = np.empty_like(run.pre)
        grad_rec = np.empty_like(run.pre) if spec.about_cell.has_reset else grad_pre
        gradients = LayerWeights(*(np.empty_like(a) for a in (w.W_ih, w.W_hh, w.b_ih, w.b_ih)))
        assert gradients.b_hh is not None
        kernels.call(
            "backward",
            *_layer_arguments(spec, w, T, B),
            *_run_arguments(spec, run),
            *(grad_h, grad_c, grad_pre, grad_rec),
            *(gradients.W_ih, gradients.W_hh, gradients.b_ih, gradients.b_hh),
        )
        layers.insert(0, LayerBackward(grad_h, None if run.c is None else grad_c, grad_pre, grad_rec))
        grads[f"rnn.weight_ih_l{index}"], grads[f"rnn.weight_hh_l{index}"] = gradients.W_ih, gradients.W_hh
        grads[f"rnn.bias_ih_l{index}"], grads[f"rnn.bias_hh_l{index}"] = gradients.b_ih, gradients.b_hh
        if index > 0:
            direct = grad_pre @ w.W_ih
    return Backward(tuple(layers), {key: grads[key] for key in spec.parameter_shapes})


@np.errstate(all="ignore")
def triangle(spec: ModelSpec, params: ParamsLike, forward: Forward, grad_y: Array, steps: Sequence[int]) -> Array:
    """(T+1, T+1): [k, t] = ‖∂L_k/∂h_t‖ over (B, H) of the top layer; see numpy_engine.triangle."""
    kernels = _kernels_of(spec)
    if kernels is None:
        return numpy_engine.triangle(spec, params, forward, grad_y, steps)
    T, B = grad_y.shape[:2]
    run = forward.layers[-1]
    W_hh = layer_weights(spec, params, spec.num_layers - 1).W_hh
    plan = _plan(spec, T, B)
    direct = grad_y @ params["readout.weight"]
    grad_h = np.empty((len(steps), B, spec.hidden_size), run.h.dtype)
    norms = np.empty((T + 1, T + 1))
    kernels.call(
        "triangle",
        *(np.array([plan.activation], np.int64), W_hh, _aligned(plan.panels_size, run.h.dtype)),
        *_run_arguments(spec, run),
        *(direct, np.array(sorted(steps, reverse=True), np.int64)),
        *(grad_h, np.empty_like(grad_h), np.empty((len(steps), *run.pre.shape[1:]), run.h.dtype), norms),
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
) -> Array:
    """One update per batch, `params` and `state` changed in place; returns each batch's loss before its update."""
    kernels = _kernels_of(spec)
    if kernels is None:
        return numpy_engine.train_batches(spec, params, rule, state, data, batches, truncate)
    order = np.ascontiguousarray(batches, np.int64)
    out = np.empty(len(order))
    with _Flat(spec, params, rule, state) as weights:
        if truncate is not None:
            _train_truncated(kernels, spec, weights, data, order, truncate, out)
        elif rule.clip_each is not None:
            _train_one_by_one(kernels, spec, weights, data, order, out)
        elif _shared(spec, data, order):
            _train_shared(kernels, spec, weights, data, order, out)
        else:
            _train_alone(kernels, spec, weights, data, order, out)
    return out


class _Flat:
    """The parameters and the optimizer's memory as flat vectors for the kernels; put back at the end."""

    def __init__(self, spec: ModelSpec, params: Params, rule: Optimizer, state: OptimizerState) -> None:
        self._params, self._state, self.rule = params, state, rule
        self.names = list(spec.parameter_shapes)
        self.w, self.first, self.second = (self._joined(group) for group in (params, state.first, state.second))
        self.grads = np.empty_like(self.w)
        self.rates = np.array(
            Rates(
                learning_rate=rule.learning_rate,
                momentum=rule.momentum,
                epsilon=rule.eps,
                # the kernel knows one norm only, that of all parameters
                clip_norm=0.0 if rule.clip_each is not None else rule.clip_norm or 0.0,
                clip_value=0.0 if rule.clip_each is not None else rule.clip_value or 0.0,
                clip_epsilon=CONVENTIONS[rule.convention].clip_epsilon,
                beta1=ADAM_BETAS[0],
                beta2=rule.alpha if rule.name == "rmsprop" else ADAM_BETAS[1],
                keras=float(rule.convention == "keras"),
            ),
            np.float64,
        )
        self.dtype = self.w.dtype

    def _joined(self, group: Params) -> Array:
        if not group:
            return np.empty(1, next(iter(self._params.values())).dtype)
        return np.concatenate([group[name].reshape(-1) for name in self.names])

    def __enter__(self) -> _Flat:
        return self

    def __exit__(self, *error: object) -> None:
        for group, flat in ((self._params, self.w), (self._state.first, self.first), (self._state.second, self.second)):
            for name, part in self.parts(flat) if group else ():
                group[name][...] = part

    def parts(self, flat: Array) -> Iterator[tuple[str, Array]]:
        """Name -> view of a flat vector, for every parameter."""
        at = 0
        for name in self.names:
            shape = self._params[name].shape
            size = math.prod(shape)
            yield name, flat[at : at + size].reshape(shape)
            at += size

    @property
    def updates(self) -> int:
        return self._state.step

    @updates.setter
    def updates(self, value: int) -> None:
        self._state.step = value

    def update(self, kernels: Kernels) -> None:
        """One update by `grads`. Clipping each array by its own norm is done here, and with it all of the clipping."""
        if self.rule.clip_each is not None:
            clipped = clip(self.rule, dict(self.parts(self.grads)))
            self.grads = np.concatenate([clipped[name].reshape(-1) for name in self.names])
        self.updates += 1
        choice = np.array([OPTIMIZERS.index(self.rule.name), self.updates], np.int64)
        kernels.call("update", choice, self.rates, self.w, self.grads, self.first, self.second)


def _inputs(data: Data) -> tuple[Array, Array, Array, Array]:
    """x, targets, classes and mask of `data` as the kernels take them."""
    if data.loss == "mse":
        return data.x, data.targets, np.zeros((1, 1), np.int64), data.mask
    return data.x, np.zeros((1, 1, 1), data.x.dtype), data.targets, data.mask


def _shared(spec: ModelSpec, data: Data, order: Array) -> bool:
    T, B = data.x.shape[1], order.shape[1]
    inputs = spec.hidden_size * (2 * spec.num_layers - 1) + spec.input_size
    return bool(B >= 2 * _ROWS and T * B * len(spec.gates) * spec.hidden_size * inputs > SHARED_ABOVE)


def _train_alone(kernels: Kernels, spec: ModelSpec, weights: _Flat, data: Data, order: Array, out: Array) -> None:
    plan = _plan(
        spec,
        data.x.shape[1],
        order.shape[1],
        loss=LOSSES.index(data.loss),
        rule=OPTIMIZERS.index(weights.rule.name),
        updates=weights.updates,
    )
    work = _work(0, plan.work_size, weights.dtype)
    vectors = (weights.rates, weights.w, weights.grads, weights.first, weights.second)
    kernels.call("train", np.array(plan, np.int64), *vectors, *_inputs(data), order, work, out)
    weights.updates += len(order)


def _train_one_by_one(kernels: Kernels, spec: ModelSpec, weights: _Flat, data: Data, order: Array, out: Array) -> None:
    """The gradients of one batch at a time, for an update that is not all done in the kernel."""
    plan = _plan(spec, data.x.shape[1], order.shape[1], loss=LOSSES.index(data.loss))
    work, loss = _work(0, plan.work_size, weights.dtype), np.empty(1)
    for number, batch in enumerate(order):
        sizes = np.array(plan._replace(positions=int(np.count_nonzero(data.mask[batch]))), np.int64)
        vectors = (weights.rates, weights.w, weights.grads, weights.first, weights.second)
        kernels.call("train", sizes, *vectors, *_inputs(data), batch[None], work, loss)
        out[number] = loss[0]
        weights.update(kernels)


def _train_shared(kernels: Kernels, spec: ModelSpec, weights: _Flat, data: Data, order: Array, out: Array) -> None:
    """The sequences of a batch do not see each other: two threads take half of them each, gradients add up."""
    T, B = data.x.shape[1], order.shape[1]
    half = -(-B // (2 * _ROWS)) * _ROWS
    grads, inputs, losses_of = (weights.grads, np.empty_like(weights.grads)), _inputs(data), np.empty((2, 1))
    plans = [_plan(spec, T, size, loss=LOSSES.index(data.loss)) for size in (half, B - half)]
    work = [_work(part, plan.work_size, weights.dtype) for part, plan in enumerate(plans)]

    def run(part: int, sequences: Array, positions: int) -> None:
        sizes = np.array(plans[part]._replace(positions=positions), np.int64)
        vectors = (weights.rates, weights.w, grads[part], weights.first, weights.second)
        kernels.call("train", sizes, *vectors, *inputs, sequences, work[part], losses_of[part])

    for number, batch in enumerate(order):
        positions = int(np.count_nonzero(data.mask[batch]))
        other = _helper().submit(run, 1, batch[None, half:], positions)
        run(0, batch[None, :half], positions)
        other.result()
        weights.grads += grads[1]
        out[number] = losses_of.sum()
        weights.update(kernels)


def _train_truncated(
    kernels: Kernels,
    spec: ModelSpec,
    weights: _Flat,
    data: Data,
    order: Array,
    truncate: tuple[int, int],
    out: Array,
) -> None:
    params = dict(weights.parts(weights.w))
    for number, batch in enumerate(order):
        x, targets, mask = data.time_major(batch)
        run = forward(spec, params, x)
        out[number], _, grad_y = losses.evaluate(data.loss, run.y, targets, mask)
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
