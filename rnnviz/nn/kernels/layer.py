"""What all cells share: the records of a layer, its input side, and the gradients of its weights."""

from __future__ import annotations

from typing import Any, NamedTuple

from rnnviz.nn.cells.cell import Cell
from rnnviz.nn.kernels.jit import flat, kernel, view
from rnnviz.nn.kernels.product import Left, multiply, packed, packed_if_wide, sum_of_products


class Weights(NamedTuple):
    """Of one layer; also their gradients. With one bias b_hh is an array of zeros."""

    W_ih: Any  # (G*H, I)
    W_hh: Any  # (G*H, H); (0, H) without recurrent weights
    b_ih: Any  # (G*H,)
    b_hh: Any  # (G*H,)


class Scratch(NamedTuple):
    """Room for one layer at a time."""

    panels: Any  # one packed weight matrix
    room: Any  # for sum_of_products
    step: Any  # (B * G*H,)


class Run(NamedTuple):
    """Forward; as rnnviz.nn.records.LayerForward. What a cell does not have is never read."""

    x: Any  # (T, B, I)
    h: Any  # (T+1, B, H), h[0] given
    c: Any  # (T+1, B, H), c[0] given: with a cell state
    pre: Any  # (T, B, G*H)
    gates: Any  # (T, B, G*H): of a gated cell
    extra: Any  # (T, B, H): tanh(c) with a cell state; W_hn h + b_hn with a reset gate


class Back(NamedTuple):
    """Backward; as rnnviz.nn.records.LayerBackward. grad_h[1:] comes in holding what reaches h_t from above."""

    grad_h: Any  # (T+1, B, H)
    grad_c: Any  # (T+1, B, H): with a cell state
    grad_pre: Any  # (T, B, G*H)
    grad_rec: Any  # (T, B, G*H): with a reset gate; else the same array as grad_pre


@kernel
def joint_bias(w: Any, scratch: Any) -> Any:
    """b_ih + b_hh, in scratch.step."""
    b = view(scratch.step, 0, (w.b_ih.size,))
    for n in range(b.size):
        b[n] = w.b_ih[n] + w.b_hh[n]
    return b


@kernel
def project(x: Any, W: Any, b: Any, scratch: Any, out: Any) -> None:
    """out (rows, N) = x (rows, I) Wᵀ + b, for all steps at once."""
    N, inputs = W.shape
    rows = out.size // N
    for row in range(rows):
        to = view(out, row * N, (N,))
        if inputs == 1:
            value, column = view(x, row, (1,))[0], view(W, 0, (N,))
            for j in range(N):
                to[j] = b[j] + value * column[j]
        else:
            for j in range(N):
                to[j] = b[j]
    if inputs > 1:
        right = packed(scratch.panels, flat(W), 0, 1, inputs, inputs, N)
        multiply(Left(flat(x), 0, inputs, 1), right, rows, inputs, N, flat(out), 0, True)


@kernel
def spread_back(grad: Any, W: Any, scratch: Any, out: Any) -> None:
    """out (rows, I) = grad (rows, N) W: what a projection by W (N, I) passes back, for all steps at once."""
    N, inputs = W.shape
    right = packed_if_wide(scratch.panels, flat(W), 0, N, inputs)
    multiply(Left(flat(grad), 0, N, 1), right, grad.size // N, N, inputs, flat(out), 0, False)


def make_weight_gradients(cell: Cell) -> Any:
    """The kernel for the gradients of a layer's weights, from what a backward pass left."""
    recurrent, has_reset = cell.recurrent, cell.has_reset

    @kernel
    def weight_gradients(run: Any, back: Any, scratch: Any, grads: Any) -> None:
        """The same weights act at every step, so each gradient is one product over all steps and sequences."""
        width, inputs = grads.W_ih.shape
        sum_of_products(back.grad_pre, width, run.x, inputs, scratch.room, grads.W_ih)
        if recurrent:
            sum_of_products(back.grad_rec, width, run.h, run.h.shape[2], scratch.room, grads.W_hh)
        sum_rows(back.grad_pre, grads.b_ih)
        if has_reset:
            sum_rows(back.grad_rec, grads.b_hh)
        else:
            for n in range(width):
                grads.b_hh[n] = grads.b_ih[n]

    return weight_gradients


@kernel
def sum_rows(a: Any, out: Any) -> None:
    """out (N,) = the sum of a (rows, N) over its rows."""
    N = out.size
    for j in range(N):
        out[j] = 0
    for row in range(a.size // N):
        values = view(a, row * N, (N,))
        for j in range(N):
            out[j] += values[j]
