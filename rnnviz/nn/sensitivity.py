"""Sensitivity: the Jacobian ∂h_k/∂h_t of a state by an earlier one, by its norms for every t. It needs no loss.

    one tanh unit, W_hh = 0.5, h_2 = h_3 = 0.6:  ∂h_3/∂h_1 = (0.64 · 0.5)² = 0.1024

∂h_k/∂h_t is the change of h_k when h_t alone moves and everything after it follows; an LSTM's c_t stays. ∂h_k/∂c_t is
that when c_t moves, and h_t and everything after it follow (at t = 0, h_0 stays). So they are to h_k what a trace's
grad_h and grad_c are to a loss. The largest singular value is the most that h_k can move, for a move of h_t by 1; the
Frobenius norm is √H times what it moves, in the root mean square, for a move by 1 in a random direction.

One gradient for each unit of h_k goes back, all side by side: O(k·G·H³). On the way the Jacobian loses rank, since its
singular values spread; directions of h_k that have fallen below 1e-12 of the largest are dropped, which changes no norm
by more than its rounding. From NARROW_FROM units on all this is in float32 (and the limit 1e-7), at half the time:
there the norms are right to about 1e-5 of themselves. As in a backward pass, what has fallen below the smallest number
of float64 is 0, and so is everything before it.

Pascanu, Mikolov & Bengio 2013 (arXiv:1211.5063, 2): ∂h_k/∂h_t is what carries every loss of step k back to step t.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.nn import checks, gain
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.masked import equations_of_layer
from rnnviz.nn.metrics import norm
from rnnviz.nn.records import Forward, layer_weights
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.state_jacobian import StateJacobian
from rnnviz.nn.types import Array, ParamsLike, ReadOnly, frozen

Report = Callable[[int, int], None]

#: Numbers of the Jacobians whose singular values are computed at a time (32 MiB), and of a window of local derivatives.
_BLOCK = 2**22
#: States of so many units are walked back in float32.
NARROW_FROM = 512
#: A Jacobian is rescaled by a power of two beyond 2^±_FAR, so that no number of it leaves its precision's range.
_FAR = {np.float32: 40, np.float64: 200}
#: Below 2^-_LOWEST every number is 0 in float64.
_LOWEST = 1074
#: The part of the largest singular value below which a direction is dropped; the lags at which that is tried, each so
#: many times the one before, and the states that are large enough for it to pay.
_DROPPED = {np.float32: 1e-7, np.float64: 1e-12}
_FIRST_TRIED, _TRIED_AGAIN, _REDUCED_FROM = 32, 1.3, 112


@dataclass(frozen=True, eq=False)
class Norms(ReadOnly):
    """∂h_k/∂s_t for t = 0..T, s being h or c of the top layer; 0 for t > k.

    largest  (T+1,): the largest singular value; the largest of the batch
    by_unit  (T+1, B, H): ‖∂h_k/∂s_t,i‖, how much of h_k moves with unit i of s_t alone
    """

    largest: Array
    by_unit: Array

    @property
    def frobenius(self) -> Array:
        """(T+1,): the Frobenius norm, over the batch."""
        return norm(self.by_unit, axis=(1, 2))


@dataclass(frozen=True, eq=False)
class Sensitivity(ReadOnly):
    h: Norms
    c: Norms | None  # with a cell state only


@np.errstate(all="ignore")
def sensitivity(
    spec: ModelSpec, params: ParamsLike, forward: Forward, k: int, report: Report | None = None
) -> Sensitivity:
    """The norms of ∂h_k/∂h_t and ∂h_k/∂c_t of the top layer, for all t. The largest singular values are exact to
    about 1e-10 of themselves, see gain.py; with NARROW_FROM units and more to about 1e-5.

    report(done, k) is called from time to time; an exception that it raises ends the computation. Raises InputError if
    it would take too much memory.
    """
    T, B, H = forward.y.shape[0], forward.y.shape[1], spec.hidden_size
    per_step = H * H * (2 if spec.about_cell.has_cell_state else 1)
    checks.memory("sensitivity", 8 * (6 * per_step * len(spec.about_cell.blocks) + 2 * _BLOCK), f"H={H}")
    kinds = 2 if spec.about_cell.has_cell_state else 1
    largest, by_unit = np.zeros((kinds, T + 1, B)), np.zeros((kinds, T + 1, B, H))
    for b in range(B):
        waiting: list[tuple[int, int, tuple[Array, ...]]] = []
        near = [np.zeros((1, H)) for _ in range(kinds)]

        def measure(b: int = b, waiting: list[tuple[int, int, tuple[Array, ...]]] = waiting,
                    near: list[Array] = near) -> None:  # fmt: skip
            for kind in range(kinds):
                steps, powers = [w[0] for w in waiting], np.array([w[1] for w in waiting])
                matrices = np.stack([w[2][kind] for w in waiting]).astype(np.float64, copy=False)
                columns = np.sqrt(np.einsum("tij,tij->tj", matrices, matrices))
                values, near[kind] = _largest(matrices, near[kind])
                by_unit[kind, steps, b] = np.ldexp(columns, powers[:, None])
                largest[kind, steps, b] = np.ldexp(values, powers)
            waiting.clear()

        for t, power, matrices in _jacobians(spec, params, forward, k, b):
            if waiting and len(waiting[0][2][0]) != len(matrices[0]):
                measure()
            waiting.append((t, power, matrices))
            if len(waiting) >= max(1, min(_BLOCK // H**2, 64)):
                measure()
                if report is not None:
                    report(b * k + k - t, B * k)
        if waiting:
            measure()
    found = [Norms(frozen(largest[kind].max(axis=1)), frozen(by_unit[kind])) for kind in range(kinds)]
    return Sensitivity(found[0], found[1] if kinds == 2 else None)


def _jacobians(
    spec: ModelSpec, params: ParamsLike, forward: Forward, k: int, b: int
) -> Iterator[tuple[int, int, tuple[Array, ...]]]:
    """(t, power, ∂h_k/∂h_t and ∂h_k/∂c_t, (R, H) each, divided by 2^power) of one sequence, from k back to 0, or as far
    as they are not 0. With R < H they are turned: what is left of them after Uᵀ, whose rows are orthonormal."""
    H, cell = spec.hidden_size, equations_of_layer(CELLS[spec.cell], forward.layers[-1])
    dtype = np.float32 if H >= NARROW_FROM else np.float64
    weights = layer_weights(spec, params, spec.num_layers - 1).astype(dtype)
    back, power = np.zeros((H, spec.state_size), dtype), 0  # the gradients of h_k's units on the full state s_t
    back[:, :H] = np.eye(H)
    size, next_try = max(1, _BLOCK // (16 * H)), k - _FIRST_TRIED
    for stop in range(k, 0, -size):
        start = max(0, stop - size)
        slopes = cell.slopes(spec, forward.window(start, stop).layers[-1])
        for t in range(stop, start, -1):
            at_t = tuple(slope[t - 1 - start, b][None].astype(dtype, copy=False) for slope in slopes)
            h, c = back[:, :H], back[:, H:]
            by_c = cell.paths(at_t).h_by_c
            yield t, power, (h,) if by_c is None else (h, c + h * by_c)
            step = StateJacobian(cell, spec.state_size, H, (weights,), (at_t,))
            back = step.transposed_times(back)
            size_now = float(np.abs(back).max())
            shift = int(np.frexp(size_now)[1]) if np.isfinite(size_now) else 0
            if size_now == 0 or power + shift < -_LOWEST:
                return
            if abs(shift) > _FAR[dtype]:
                back, power = np.ldexp(back, -shift), power + shift
            if t - 1 == next_try and H >= _REDUCED_FROM:
                back, next_try = _reduced(back, H), k - int((k - next_try) * _TRIED_AGAIN)
    yield 0, power, (back[:, :H], back[:, H:]) if spec.about_cell.has_cell_state else (back,)


def _reduced(back: Array, H: int) -> Array:
    """(R, S) with the same singular values and lengths of columns as (R', S), but for what is dropped. h and c are
    measured on their own, since one may have faded far more than the other."""
    if not np.isfinite(back).all():
        return back
    blocks = [back[:, at : at + H] for at in range(0, back.shape[1], H)]
    sizes = [np.linalg.norm(block) for block in blocks]
    even = np.concatenate([b / size for b, size in zip(blocks, sizes, strict=True) if size > 0], axis=1)
    U, values, _ = np.linalg.svd(even, full_matrices=False)
    kept = int((values > _DROPPED[back.dtype.type] * values[0]).sum())
    return back if kept > 0.95 * len(back) else np.asarray(U[:, :kept].T @ back)


def _largest(matrices: Array, near: Array) -> tuple[Array, Array]:
    """(N,) largest singular values of (N, R, H) matrices, and a vector (1, H) to begin the next ones with."""
    if matrices.shape[-1] < gain.IMPLICIT_FROM:
        return gain.largest_singular_value(matrices), near
    sizes = np.abs(matrices).max(axis=(1, 2))  # the vectors are computed in float32, which has a smaller range
    scale = np.where((sizes > 0) & np.isfinite(sizes), sizes, 1.0)
    values, near = gain.by_products(_Matrices(matrices / scale[:, None, None]), 1, near)
    return values * scale, near


@dataclass(frozen=True)
class _Matrices:
    """N matrices (N, R, S), as gain.py asks for them."""

    formed_ones: Array

    @property
    def N(self) -> int:
        return len(self.formed_ones)

    @property
    def S(self) -> int:
        return int(self.formed_ones.shape[-1])

    def at(self, rows: Array | slice) -> _Matrices:
        return _Matrices(self.formed_ones[rows])

    @property
    def in_float32(self) -> _Matrices:
        return _Matrices(self.formed_ones.astype(np.float32))

    @property
    def is_finite(self) -> Array:
        return np.asarray(np.isfinite(self.formed_ones).all(axis=(1, 2)))

    def times(self, v: Array) -> Array:
        return np.asarray(np.matmul(self.formed_ones, v[..., None])[..., 0])

    def transposed_times(self, u: Array) -> Array:
        return np.asarray(np.matmul(u[:, None, :], self.formed_ones)[:, 0])

    def formed(self) -> Array:
        return self.formed_ones
