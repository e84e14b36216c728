"""The textbook engine: a forward pass, back-propagation through time and training in plain NumPy.

    y_t = h_t W_outᵀ + b_out                      forward, layer by layer, t = 1 .. T; see readout.py
    dL/dh_t = W_outᵀ dL/dy_t + (from step t+1)    backward, layer by layer, t = T .. 1

It is the oracle of the fast engine in the tests, and it computes until that engine is loaded. The cells' equations are
in cells/. inf and nan pass without a warning: the app also shows runs that explode.

Rumelhart, Hinton & Williams 1986 (10.1038/323533a0); Werbos 1990 (10.1109/5.58337).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rnnviz.nn import levels, losses, optimizer, readout
from rnnviz.nn.carry import ZEROS, Carried
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.data import Data
from rnnviz.nn.equations import diagonal
from rnnviz.nn.equations import equations as equations_of
from rnnviz.nn.equations import own as own_equations
from rnnviz.nn.masked import equations_of_layer
from rnnviz.nn.metrics import norm
from rnnviz.nn.readout import flat
from rnnviz.nn.records import Backward, Forward, LayerBackward, LayerForward, LayerWeights, layer_weights
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, Params, ParamsLike

name = "numpy"


@np.errstate(all="ignore")
def forward(
    spec: ModelSpec,
    params: ParamsLike,
    x: Array,
    h0: Array | None = None,
    c0: Array | None = None,
    mask: Array | None = None,
    needed: Array | None = None,
) -> Forward:
    """x (T, B, I); h0, c0 (L * directions, B, H) or None for zeros. mask (T, B) bool: the steps that are read, at the
    others the state is copied; None: all. needed (T,) bool: the steps whose output is used; None: all."""
    return levels.forward(spec, params, x, h0, c0, mask, layer_forward, needed)


def layer_forward(spec: ModelSpec, w: LayerWeights, inputs: Array, h0: Array | None, c0: Array | None) -> LayerForward:
    """One layer in one direction: inputs (T, B, I) in the order in which it reads them; h0, c0 (B, H)."""
    start = np.zeros((inputs.shape[1], spec.hidden_size), inputs.dtype) if h0 is None else h0
    return equations_of(CELLS[spec.cell]).forward(spec, w, inputs, start, c0)


@np.errstate(all="ignore")
def backward(
    spec: ModelSpec, params: ParamsLike, forward: Forward, grad_y: Array, direct_c: Array | None = None
) -> Backward:
    """grad_y (T, B, O) = dL/dy -> dL/d(everything). direct_c (T, B, H): what the loss sends straight into the top
    layer's c_t, past h_t; None: nothing."""
    return levels.backward(spec, params, forward, grad_y, direct_c, _layer_and_weights)


def _layer_and_weights(
    spec: ModelSpec, w: LayerWeights, run: LayerForward, direct: Array, direct_c: Array | None
) -> tuple[LayerBackward, LayerWeights]:
    back = layer_backward(spec, w, run, direct, direct_c)
    return back, weight_gradients(spec, w, run, back)


def layer_backward(
    spec: ModelSpec, w: LayerWeights, layer: LayerForward, direct: Array, direct_c: Array | None = None
) -> LayerBackward:
    """Back through time in one layer: direct (T, B, H) comes to h_t from above, and direct_c (T, B, H) or None to
    c_t; the rest through step t+1."""
    cell = equations_of_layer(CELLS[spec.cell], layer)
    grad_h = np.empty_like(layer.h)
    grad_c = None if layer.c is None else np.empty_like(layer.h)
    grad_pre = np.empty_like(layer.pre)
    grad_rec = np.empty_like(layer.pre) if spec.about_cell.has_reset else grad_pre
    slopes = cell.slopes(spec, layer)
    through_h = np.zeros_like(layer.h[0])
    through_c = None
    for t in reversed(range(1, len(layer.h))):
        grad_h[t] = direct[t - 1] + through_h
        if direct_c is not None:
            through_c = direct_c[t - 1] if through_c is None else direct_c[t - 1] + through_c
        step = cell.backward_step(w, tuple(s[t - 1] for s in slopes), grad_h[t], through_c)
        grad_pre[t - 1] = step.grad_pre
        if grad_rec is not grad_pre:
            grad_rec[t - 1] = step.grad_rec
        through_h, through_c = step.grad_h, step.grad_c
        if grad_c is not None:
            grad_c[t] = step.grad_c_now
    grad_h[0] = through_h
    if grad_c is not None:
        grad_c[0] = through_c
    return LayerBackward(grad_h, grad_c, grad_pre, grad_rec)


def weight_gradients(spec: ModelSpec, w: LayerWeights, layer: LayerForward, back: LayerBackward) -> LayerWeights:
    """The same weights act at every step, so their gradient is the sum over all steps and sequences."""
    if spec.about_cell.is_own:
        return w._replace(own=own_equations(spec.about_cell).sums(layer, back.grad_pre))
    cell, W_hh = spec.about_cell, w.W_hh
    if cell.diagonal:
        W_hh = diagonal(cell).shares(w, layer, back).sum(axis=0)
    elif cell.recurrent:
        W_hh = flat(back.grad_rec).T @ flat(layer.h[:-1])
    return LayerWeights(
        W_ih=flat(back.grad_pre).T @ flat(layer.x),
        W_hh=W_hh,
        b_ih=back.grad_pre.sum(axis=(0, 1)),
        b_hh=None if w.b_hh is None else back.grad_rec.sum(axis=(0, 1)),
    )


@np.errstate(all="ignore")
def truncated_backward(
    spec: ModelSpec,
    params: ParamsLike,
    forward: Forward,
    grad_y: Array,
    k1: int,
    k2: int,
    backward: Callable[[ModelSpec, ParamsLike, Forward, Array], Backward] = backward,
) -> Params:
    """Gradients of truncated BPTT(k1, k2): every k1 steps, the errors of these k1 steps go back k2 steps.

    The sum over the chunks is one gradient, so that a batch is still one update; k1 = k2 = T is full BPTT.
    Williams & Peng 1990 (10.1162/neco.1990.2.4.490), with the weights held until the end of the sequence.
    """
    total = {name: np.zeros_like(params[name]) for name in spec.parameter_shapes}
    for start in range(0, len(grad_y), k1):
        stop = min(start + k1, len(grad_y))
        reach = max(stop - k2, 0)
        errors = np.zeros_like(grad_y[reach:stop])
        errors[start - reach :] = grad_y[start:stop]
        for key, g in backward(spec, params, forward.window(reach, stop), errors).grads.items():
            total[key] += g
    return total


@np.errstate(all="ignore")
def triangle(
    spec: ModelSpec,
    params: ParamsLike,
    forward: Forward,
    grad_y: Array,
    steps: Sequence[int],
    direct_c: Array | None = None,
) -> Array:
    """(T+1, T+1): [k, t] = ‖∂L_k/∂h_t‖ over (B, H) of the top layer, for the loss steps k in `steps`.

    One sweep: the gradients of all losses k ≥ t go back from t to t-1 together, as one product. Only the top
    layer matters, since its h_t acts on the loss through its own later states alone.
    Time O(T² B H²), memory O(T B H + T²).
    """
    if readout.attends(spec):
        return levels.triangle(spec, params, forward, grad_y, steps, _layer_and_weights)
    w, layer = layer_weights(spec, params, spec.num_layers - 1), forward.layers[-1]
    cell = equations_of_layer(CELLS[spec.cell], layer)
    T, B, H = len(grad_y), *layer.h.shape[1:]
    norms = np.zeros((T + 1, T + 1))
    rows = sorted(steps, reverse=True)  # the latest loss first, so that the active ones are always a prefix
    grad_h = np.zeros((len(rows), B, H), layer.h.dtype)
    grad_c = np.zeros_like(grad_h) if spec.has_cell_state else None
    slopes = cell.slopes(spec, layer)
    active = 0
    for t in reversed(range(T + 1)):
        if active < len(rows) and rows[active] == t:
            grad_h[active] = readout.sent_by_own_step(params, grad_y[t - 1])
            if grad_c is not None and direct_c is not None:
                grad_c[active] = direct_c[t - 1]
            active += 1
        if not active:
            continue
        norms[rows[:active], t] = norm(grad_h[:active], axis=(1, 2))
        if t:
            carried = None if grad_c is None else grad_c[:active]
            step = cell.backward_step(w, tuple(s[t - 1] for s in slopes), grad_h[:active], carried)
            grad_h[:active] = step.grad_h
            if grad_c is not None:
                grad_c[:active] = step.grad_c
    return norms


@np.errstate(all="ignore")
def train_batches(
    spec: ModelSpec,
    params: Params,
    rule: optimizer.Optimizer,
    state: optimizer.OptimizerState,
    data: Data,
    batches: Array,
    truncate: tuple[int, int] | None = None,
    carried: Carried | None = None,
) -> Array:
    """Make one update per batch; change `params`, `state` and `carried` in place. Returns each batch's loss before its
    update.

    data      sample-major, in the precision of the model
    batches   (batches, B): the numbers of the sequences of each batch
    truncate  (k1, k2), or None for full BPTT
    carried   the last states of the batch before, from which the rows begin that continue one (data.previous); None:
              all begin from zeros
    """
    out = np.empty(len(batches))
    for number, batch in enumerate(batches):
        x, targets, mask = data.time_major(batch)
        run = forward(
            spec, params, x, *start_of(data, batch, carried), data.read_by(batch), np.asarray(mask.any(axis=1))
        )
        if carried is not None:
            carried.keep(run)
        out[number], _, grad_y = losses.evaluate(data.loss, run.y, targets, mask)
        if truncate is None:
            grads = backward(spec, params, run, grad_y).grads
        else:
            grads = truncated_backward(spec, params, run, grad_y, *truncate)
        optimizer.update(rule, params, state, grads)
    return out


def start_of(data: Data, batch: Array, carried: Carried | None) -> tuple[Array | None, Array | None]:
    """(h0, c0) of a batch, each (L, B, H) or None for zeros: `carried`, its rows that continue nothing set to 0."""
    if carried is None:
        return None, None
    if data.previous is not None:
        carried.restart(data.previous[batch] == ZEROS)
    return carried.h, carried.c
