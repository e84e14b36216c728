"""The kernels' own matrix products and vector arithmetic against numba's np.dot and plain loops. Prints one table.

    pip install scipy                      # numba needs its BLAS for np.dot
    python benchmarks/products.py
    python benchmarks/products.py --cells gru --sizes 8,10,20 --seconds 5

Both take the same training step: float32, one input, one output, the squared error of every step, plain SGD, on one
thread. The plain kernel is what one writes first: np.dot for each product, math.tanh and math.exp in loops that LLVM
may vectorise. They take turns; each figure is the least processor time of a step, in µs.

kernels/product.py says what came of it.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy and scipy are imported

import numpy as np
from numba import njit
from training import CELLS, GATES, LEARNING_RATE, SIZES, _rnnviz, _sequences

from rnnviz.nn import numba_engine

jit = njit(error_model="numpy", fastmath={"contract"}, nogil=True)


@jit
def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


# -- of each cell: one step of one sequence, forwards and backwards ----------------------------------------------
# a: what the products give; u: of a GRU the recurrent side's; s: what is kept; H units


@jit
def rnn_forward(a, u, s, h0, c0, h, c, H):  # type: ignore[no-untyped-def]
    for j in range(H):
        h[j] = math.tanh(a[j] + u[j])


@jit
def rnn_backward(
    a: Any, u: Any, s: Any, h0: Any, c0: Any, h: Any, c: Any, gh: Any, gc: Any, da: Any, du: Any, H: int
) -> None:
    for j in range(H):
        da[j] = du[j] = gh[j] * (1 - h[j] * h[j])
        gh[j] = 0


@jit
def lstm_forward(a, u, s, h0, c0, h, c, H):  # type: ignore[no-untyped-def]
    for j in range(H):
        i, f = sigmoid(a[j] + u[j]), sigmoid(a[H + j] + u[H + j])
        g, o = math.tanh(a[2 * H + j] + u[2 * H + j]), sigmoid(a[3 * H + j] + u[3 * H + j])
        c[j] = f * c0[j] + i * g
        s[j], s[H + j], s[2 * H + j], s[3 * H + j] = i, f, g, o
        h[j] = o * math.tanh(c[j])


@jit
def lstm_backward(
    a: Any, u: Any, s: Any, h0: Any, c0: Any, h: Any, c: Any, gh: Any, gc: Any, da: Any, du: Any, H: int
) -> None:
    for j in range(H):
        i, f, g, o = s[j], s[H + j], s[2 * H + j], s[3 * H + j]
        t = h[j] / o if o != 0 else math.tanh(c[j])
        total = gc[j] + gh[j] * o * (1 - t * t)
        da[j] = du[j] = total * g * i * (1 - i)
        da[H + j] = du[H + j] = total * c0[j] * f * (1 - f)
        da[2 * H + j] = du[2 * H + j] = total * i * (1 - g * g)
        da[3 * H + j] = du[3 * H + j] = gh[j] * t * o * (1 - o)
        gc[j] = total * f
        gh[j] = 0


@jit
def gru_forward(a, u, s, h0, c0, h, c, H):  # type: ignore[no-untyped-def]
    for j in range(H):
        r, z = sigmoid(a[j] + u[j]), sigmoid(a[H + j] + u[H + j])
        n = math.tanh(a[2 * H + j] + r * u[2 * H + j])
        s[j], s[H + j], s[2 * H + j] = r, z, n
        h[j] = (1 - z) * n + z * h0[j]


@jit
def gru_backward(
    a: Any, u: Any, s: Any, h0: Any, c0: Any, h: Any, c: Any, gh: Any, gc: Any, da: Any, du: Any, H: int
) -> None:
    for j in range(H):
        r, z, n = s[j], s[H + j], s[2 * H + j]
        dn = gh[j] * (1 - z) * (1 - n * n)
        da[j] = du[j] = dn * u[2 * H + j] * r * (1 - r)
        da[H + j] = du[H + j] = gh[j] * (h0[j] - n) * z * (1 - z)
        da[2 * H + j], du[2 * H + j] = dn, dn * r
        gh[j] = gh[j] * z


POINTWISE = {
    "rnn": (rnn_forward, rnn_backward),
    "lstm": (lstm_forward, lstm_backward),
    "gru": (gru_forward, gru_backward),
}


def plain(cell: str, B: int, T: int, H: int) -> Callable[[], Any]:
    """A training step by np.dot."""
    forward, backward = POINTWISE[cell]
    width, f32 = GATES[cell] * H, np.float32

    @jit
    def train(
        x: Any, y: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, W: Any, b: Any, rooms: Any, states: Any
    ) -> Any:
        a, u, s, da, du = rooms
        h, c, gh, gc, dy = states
        flat_h = h[1:].reshape(T * B, H)
        turned = W_hh.T.copy()
        for t in range(T):
            np.dot(h[t], turned, u[t])
            for n in range(B):
                for j in range(width):
                    a[t, n, j] = x[t, n] * W_ih[j] + b_ih[j]
                    u[t, n, j] += b_hh[j]
                forward(a[t, n], u[t, n], s[t, n], h[t, n], c[t, n], h[t + 1, n], c[t + 1, n], H)
        loss = 0.0
        out = np.dot(flat_h, W)
        for n in range(T * B):
            difference = out[n] + b[0] - y[n]
            loss += difference * difference
            dy[n] = difference * f32(2 / (T * B))
        gW = np.dot(dy, flat_h)
        gh[:] = 0
        gc[:] = 0
        for t in range(T - 1, -1, -1):
            for n in range(B):
                for j in range(H):
                    gh[n, j] += dy[t * B + n] * W[j]
                backward(
                    a[t, n], u[t, n], s[t, n], h[t, n], c[t, n], h[t + 1, n], c[t + 1, n], gh[n], gc[n],
                    da[t, n], du[t, n], H,
                )  # fmt: skip
            gh += np.dot(du[t], W_hh)
        rows = T * B
        gW_hh = np.dot(du.reshape(rows, width).T, h[:T].reshape(rows, H))
        gW_ih, gb_ih, gb_hh = np.zeros(width, f32), np.zeros(width, f32), np.zeros(width, f32)
        for t in range(T):
            for n in range(B):
                for j in range(width):
                    gW_ih[j] += da[t, n, j] * x[t, n]
                    gb_ih[j] += da[t, n, j]
                    gb_hh[j] += du[t, n, j]
        rate = f32(LEARNING_RATE)
        W_hh -= rate * gW_hh
        W_ih -= rate * gW_ih
        b_ih -= rate * gb_ih
        b_hh -= rate * gb_hh
        W -= rate * gW
        b -= rate * dy.sum()
        return loss / (T * B)

    x, y = (np.ascontiguousarray(a[..., 0].T) for a in _sequences(B, T))
    start = _rnnviz(cell, B, T, H).model.params
    weights = [start[f"rnn.{name}_l0"].copy() for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    weights[0] = weights[0].reshape(-1)
    weights += [start["readout.weight"].reshape(-1).copy(), start["readout.bias"].copy()]
    rooms = tuple(np.zeros((T, B, width), f32) for _ in range(5))
    states = (
        *(np.zeros((T + 1, B, H), f32) for _ in range(2)),
        *(np.zeros((B, H), f32) for _ in range(2)),
        np.zeros(T * B, f32),
    )
    return lambda: train(x, y.reshape(-1), *weights, rooms, states)


def ours(cell: str, B: int, T: int, H: int) -> tuple[int, Callable[[], Any]]:
    training = _rnnviz(cell, B, T, H)
    numba_engine.SHARED_ABOVE = sys.maxsize
    return training.batches_per_epoch, training.run_epoch


def least(call: Callable[[], Any], seconds: float) -> float:
    """The least processor time of a call, in µs."""
    best, end = math.inf, time.thread_time() + seconds
    while time.thread_time() < end:
        began = time.thread_time_ns()
        call()
        best = min(best, time.thread_time_ns() - began)
    return best / 1e3


def rows(cells: Sequence[str], sizes: Sequence[tuple[int, ...]], seconds: float) -> Iterator[str]:
    yield f"{'(B, T, H)':<15} {'cell':<5}{'np.dot':>12}{'rnnviz':>12}{'×':>8}"
    for size in sizes:
        for cell in cells:
            steps, epoch = ours(cell, *size)
            step = plain(cell, *size)
            ordered = _rnnviz(cell, *size)
            ordered.shuffle = False
            first, expected = step(), ordered.run_batch()
            second, expected_second = step(), ordered.run_batch()
            if not np.allclose((first, second), (expected, expected_second), rtol=1e-4):
                raise SystemExit(f"{cell} {size}: losses {first}, {second} by np.dot; {expected}, {expected_second}")
            epoch()
            theirs, mine = math.inf, math.inf
            for _ in range(4):
                theirs = min(theirs, least(step, seconds / 4))
                mine = min(mine, least(epoch, seconds / 4) / steps)
            yield f"{size!s:<15} {cell:<5}{theirs:>12,.1f}{mine:>12,.1f}{theirs / mine:>8.2f}"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", default=",".join(CELLS), help="default rnn,lstm,gru")
    parser.add_argument("--sizes", nargs="+", default=[",".join(map(str, s)) for s in SIZES], help="B,T,H each")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each (default 4)")
    options = parser.parse_args(arguments)
    sizes = [tuple(map(int, size.split(","))) for size in options.sizes]
    for row in rows(options.cells.split(","), sizes, options.seconds):
        print(row, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
