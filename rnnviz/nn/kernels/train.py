"""Whole batches in one call: gather, forward, loss, back-propagation through time, clipping, update.

The parameters are one flat vector in the order of ModelSpec.parameter_shapes, so that an update is one loop;
weights are views of it, and everything a batch needs besides is a view of `work`: nothing is allocated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz.nn.cell import Cell
from rnnviz.nn.kernels import losses
from rnnviz.nn.kernels.jit import kernel, view
from rnnviz.nn.kernels.layer import (
    Back,
    Run,
    Scratch,
    Weights,
    outer_sum,
    project,
    spread_back,
    sum_rows,
)
from rnnviz.nn.kernels.updates import update


@kernel
def count(mask: Any, batch: Any) -> Any:
    """How many steps of these sequences carry loss."""
    positions = np.int64(0)
    for sequence in batch:
        for t in range(mask.shape[1]):
            positions += mask[sequence, t]
    return positions


def make(cell: Cell, forward: Any, backward: Any, weight_gradients: Any) -> Any:
    """The training kernel of a cell from its two passes over a layer."""
    has_reset, diagonal = cell.has_reset, cell.diagonal
    is_diagonal, units = diagonal is not None, diagonal.units if diagonal else 1
    rows = len(diagonal.rows) if diagonal else cell.hh_shape(1)[0]

    @kernel
    def layer_weights(p: Any, flat: Any, layer: int, spare: Any) -> Any:
        """Views of layer `layer` in a flat vector; with one bias `spare` (G*H,) replaces b_hh."""
        H, width = p.hidden, p.gates * p.hidden
        height, across = rows if is_diagonal else rows * H, H // units  # of W_hh
        at = 0
        inputs = p.inputs
        for _ in range(layer):
            at += width * (inputs + p.biases) + height * across
            inputs = H
        W_hh = at + width * inputs
        b_ih = W_hh + height * across
        b_hh = view(flat, b_ih + width, (width,)) if p.biases == 2 else spare
        return Weights(
            view(flat, at, (width, inputs)), view(flat, W_hh, (height, across)), view(flat, b_ih, (width,)), b_hh
        )

    @kernel
    def layer_buffers(p: Any, x: Any, buffers: Any, layer: int) -> Any:
        """(Run, Back) of layer `layer`. The pre-activations make room for their gradients on the way back."""
        T, B, H, width = p.steps, p.batch_size, p.hidden, p.gates * p.hidden
        states, step = p.states_size, p.gates_size
        size = 5 * states + 3 * step
        at = layer * size
        # a layer above the first reads h[1:] of the one below
        inputs = view(buffers, at - size + B * H, (T, B, H)) if layer > 0 else x
        h, c = view(buffers, at, (T + 1, B, H)), view(buffers, at + states, (T + 1, B, H))
        grad_h = view(buffers, at + 2 * states, (T + 1, B, H))
        grad_c = view(buffers, at + 3 * states, (T + 1, B, H))
        at += 4 * states
        pre, gates = view(buffers, at, (T, B, width)), view(buffers, at + step, (T, B, width))
        rec = view(buffers, at + 2 * step, (T, B, width)) if has_reset else pre
        extra = view(buffers, at + 3 * step, (T, B, H))
        return Run(inputs, h, c, pre, gates, extra), Back(grad_h, grad_c, pre, rec)

    @kernel
    def gradients(
        p: Any,  # Plan
        params: Any,  # (P,)
        grads: Any,  # (P,), filled
        x: Any,  # (N, T, I)
        targets: Any,  # (N, T, O); cross-entropy: any
        classes: Any,  # (N, T) int64; mse: any
        mask: Any,  # (N, T) bool
        batch: Any,  # (B,): the sequences, a whole batch or a part of it
        positions: int,  # steps of the whole batch that carry loss
        work: Any,  # (work_size,)
    ) -> Any:
        """The loss of these sequences, and its gradients."""
        T, B, H, outputs, width = p.steps, p.batch_size, p.hidden, p.outputs, p.gates * p.hidden
        at = p.bias_size
        no_bias, no_grad, at = view(work, 0, (width,)), view(work, at, (width,)), 2 * at
        panels, at = view(work, at, (p.panels_size,)), at + p.panels_size
        room, at = view(work, at, (p.room_size,)), at + p.room_size
        scratch, at = Scratch(panels, room, view(work, at, (B * width,))), at + p.step_size
        inputs, at = view(work, at, (T, B, p.inputs)), at + p.input_size
        y, at = view(work, at, (T, B, outputs)), at + p.output_size
        grad_y, at = view(work, at, (T, B, outputs)), at + p.output_size
        buffers = view(work, at, (p.layers * (5 * p.states_size + 3 * p.gates_size),))
        readout, bias = params.size - (H + 1) * outputs, params.size - outputs
        W_out, b_out = view(params, readout, (outputs, H)), view(params, bias, (outputs,))
        grad_W_out, grad_b_out = view(grads, readout, (outputs, H)), view(grads, bias, (outputs,))

        for n in range(width):
            no_bias[n] = 0
        for t in range(T):
            for b in range(B):
                for j in range(p.inputs):
                    inputs[t, b, j] = x[batch[b], t, j]

        for layer in range(p.layers):
            run, back = layer_buffers(p, inputs, buffers, layer)
            start_h, start_c = view(run.h, 0, (B * H,)), view(run.c, 0, (B * H,))
            for n in range(B * H):
                start_h[n] = 0
                start_c[n] = 0
            forward(p.activation, layer_weights(p, params, layer, no_bias), scratch, run)
        top, top_back = layer_buffers(p, inputs, buffers, p.layers - 1)
        top_h = view(top.h, B * H, (T, B, H))
        project(top_h, W_out, b_out, scratch, y)

        if p.loss == losses.MSE:
            loss = losses.squared(y, targets, mask, batch, positions, grad_y)
        else:
            loss = losses.cross_entropy(y, classes, mask, batch, positions, grad_y)

        outer_sum(grad_y, outputs, top_h, H, room, grad_W_out)
        sum_rows(grad_y, grad_b_out)
        spread_back(grad_y, W_out, scratch, view(top_back.grad_h, B * H, (T, B, H)))
        for layer in range(p.layers - 1, -1, -1):
            run, back = layer_buffers(p, inputs, buffers, layer)
            w = layer_weights(p, params, layer, no_bias)
            backward(p.activation, w, scratch, run, back)
            weight_gradients(run, back, w, scratch, layer_weights(p, grads, layer, no_grad))
            if layer > 0:
                _, below = layer_buffers(p, inputs, buffers, layer - 1)
                spread_back(back.grad_pre, w.W_ih, scratch, view(below.grad_h, B * H, (T, B, H)))
        return loss

    @kernel
    def train(
        p: Any,  # Plan
        updates: int,  # done before this call
        positions: int,  # 0; for a part of a batch: steps of the whole batch that carry loss
        rates: Any,  # Rates
        params: Any,  # (P,), changed
        grads: Any,  # (P,), scratch
        first: Any,  # (P,), changed
        second: Any,  # (P,), changed
        x: Any,
        targets: Any,
        classes: Any,
        mask: Any,
        order: Any,  # (batches, B): the sequences of each batch
        work: Any,
        out: Any,  # (batches,): each batch's loss before its update
    ) -> None:
        """One update per batch. With positions a part of one batch: its gradients, and no update."""
        for number in range(len(order)):
            carrying = positions if positions > 0 else count(mask, order[number])
            out[number] = gradients(p, params, grads, x, targets, classes, mask, order[number], carrying, work)
            if positions == 0:
                update(p.rule, rates, updates + number + 1, params, grads, first, second)

    return train
