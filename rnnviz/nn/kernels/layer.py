"""What all cells share: the records of a layer, its input side, and the gradients of its weights."""

from __future__ import annotations

from typing import Any, NamedTuple

from rnnviz.nn.cell import Cell
from rnnviz.nn.kernels.jit import flat, kernel, view
from rnnviz.nn.kernels.product import Left, multiply, packed, packed_if_wide, sum_of_products
from rnnviz.nn.kernels.simd import lane_count, lanes_left, lanes_of_row, load, spread, store

#: Rows of a sum over rows that are taken together: few enough to be in the cache for the next columns. Even and odd
#: ones have a sum each, so that one need not wait for the other.
AT_ONCE = 32


class Weights(NamedTuple):
    """Of one layer; also their gradients. With one bias b_hh is an array of zeros."""

    W_ih: Any  # (G*H, I)
    W_hh: Any  # (G*H, H); (0, H) without recurrent weights; of a diagonal recurrence a few rows (Cell.hh_shape)
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
    rows, values = out.size // N, flat(x)
    for first in range(0, rows, AT_ONCE):
        for column in range(0, N, lane_count(out)):
            n, some = lanes_of_row(out, column, N)
            bias = load(b, n, some)
            weight = load(W, n, some) if inputs == 1 else bias
            for row in range(first, min(first + AT_ONCE, rows)):
                store(out, row * N + n, bias + values[row] * weight if inputs == 1 else bias, some)
    if inputs > 1:
        right = packed(scratch.panels, flat(W), 0, 1, inputs, inputs, N)
        multiply(Left(values, 0, inputs, 1), right, rows, inputs, N, flat(out), 0, True)


@kernel
def spread_back(grad: Any, W: Any, scratch: Any, out: Any) -> None:
    """out (rows, I) = grad (rows, N) W: what a projection by W (N, I) passes back, for all steps at once."""
    N, inputs = W.shape
    if N == 1:
        values = flat(grad)
        for row in range(values.size):
            for column in range(0, inputs, lane_count(out)):
                n, some = lanes_of_row(out, column, inputs)
                store(out, row * inputs + n, values[row] * load(W, n, some), some)
        return
    right = packed_if_wide(scratch.panels, flat(W), 0, N, inputs)
    multiply(Left(flat(grad), 0, N, 1), right, grad.size // N, N, inputs, flat(out), 0, False)


def make_weight_gradients(cell: Cell, of_diagonal: Any) -> Any:
    """The kernel for the gradients of a layer's weights, from what a backward pass left. of_diagonal(run, back, w,
    scratch, grads) is the kernel for W_hh of a cell with a diagonal recurrence."""
    is_diagonal, has_reset = cell.diagonal is not None, cell.has_reset
    recurrent = cell.recurrent and not is_diagonal

    @kernel
    def weight_gradients(run: Any, back: Any, w: Any, scratch: Any, grads: Any) -> None:
        """The same weights act at every step, so each gradient is one product over all steps and sequences."""
        width, inputs = grads.W_ih.shape
        if inputs == 1:
            sum_rows_twice(back.grad_pre, run.x, grads.b_ih, grads.W_ih)
        else:
            outer_sum(back.grad_pre, width, run.x, inputs, scratch.room, grads.W_ih)
            sum_rows(back.grad_pre, grads.b_ih)
        if recurrent:
            outer_sum(back.grad_rec, width, run.h, run.h.shape[2], scratch.room, grads.W_hh)
        if is_diagonal:
            of_diagonal(run, back, w, scratch, grads.W_hh)
        if has_reset:
            sum_rows(back.grad_rec, grads.b_hh)
        else:
            for n in range(width):
                grads.b_hh[n] = grads.b_ih[n]

    return weight_gradients


@kernel
def outer_sum(A: Any, M: int, B: Any, N: int, room: Any, C: Any) -> None:
    """C (M, N) = Aᵀ B over all rows of A (rows, M) and as many of B (rows, N): a weight gradient."""
    if M == 1:
        weighted_sum(A.size // M, A, B, N, C)
    elif N == 1:
        weighted_sum(A.size // M, B, A, M, C)
    else:
        sum_of_products(A, M, B, N, room, C)


@kernel
def weighted_sum(rows: int, weights: Any, a: Any, N: int, out: Any) -> None:
    """out (N,) = Σ weights[r] a[r] over `rows` rows of a (·, N)."""
    each = flat(weights)
    for first in range(0, rows, AT_ONCE):
        last = min(first + AT_ONCE, rows)
        for n in range(0, N, lane_count(out)):
            some = lanes_left(out, N - n)
            even, odd = load(out, n, some) if first else spread(out, 0), spread(out, 0)
            for row in range(first, last - 1, 2):
                even = even + each[row] * load(a, row * N + n, some)
                odd = odd + each[row + 1] * load(a, (row + 1) * N + n, some)
            if (last - first) % 2:
                even = even + each[last - 1] * load(a, (last - 1) * N + n, some)
            store(out, n, even + odd, some)


@kernel
def sum_rows(a: Any, out: Any) -> None:
    """out (N,) = the sum of a (rows, N) over its rows."""
    N = out.size
    rows = a.size // N
    for first in range(0, rows, AT_ONCE):
        last = min(first + AT_ONCE, rows)
        for n in range(0, N, lane_count(out)):
            some = lanes_left(out, N - n)
            even, odd = load(out, n, some) if first else spread(out, 0), spread(out, 0)
            for row in range(first, last - 1, 2):
                even = even + load(a, row * N + n, some)
                odd = odd + load(a, (row + 1) * N + n, some)
            if (last - first) % 2:
                even = even + load(a, (last - 1) * N + n, some)
            store(out, n, even + odd, some)


@kernel
def sum_rows_twice(a: Any, weights: Any, out: Any, weighted: Any) -> None:
    """`sum_rows` and `weighted_sum` of the same rows, which are read from memory once."""
    N = out.size
    rows, each = a.size // N, flat(weights)
    for first in range(0, rows, AT_ONCE):
        last = min(first + AT_ONCE, rows)
        for n in range(0, N, lane_count(out)):
            some = lanes_left(out, N - n)
            even, odd = load(out, n, some) if first else spread(out, 0), spread(out, 0)
            even_w, odd_w = load(weighted, n, some) if first else spread(out, 0), spread(out, 0)
            for row in range(first, last - 1, 2):
                one, other = load(a, row * N + n, some), load(a, (row + 1) * N + n, some)
                even, odd = even + one, odd + other
                even_w, odd_w = even_w + each[row] * one, odd_w + each[row + 1] * other
            if (last - first) % 2:
                one = load(a, (last - 1) * N + n, some)
                even, even_w = even + one, even_w + each[last - 1] * one
            store(out, n, even + odd, some)
            store(weighted, n, even_w + odd_w, some)
