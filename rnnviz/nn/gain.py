"""Gain: the largest factor by which one step can scale a gradient, the largest singular value of the state's Jacobian.

    one lstm layer of 512 units, 200 steps: 200 Jacobians of 1024 x 1024, and only one number of each is needed

So the Jacobian of a large state is never formed. Its product with a vector is one tangent step of the cell, and the
product with its transpose is one step of the cell backwards; many time steps side by side make each a matrix product.
The Golub-Kahan-Lanczos method gets the singular value from some dozens of these products: alpha and beta of a time
step form a bidiagonal matrix B whose largest singular value converges to the Jacobian's.

Golub & Kahan 1965 (10.1137/0702016); Golub & Van Loan, Matrix Computations, 10.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from rnnviz.nn import checks
from rnnviz.nn.metrics import norm
from rnnviz.nn.records import Forward
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.state_jacobian import StateJacobian
from rnnviz.nn.types import Array, ParamsLike

#: The Jacobian of a state of at least this many numbers is not formed (benchmarks/trace.py measures the break-even).
IMPLICIT_FROM = 112
#: The largest relative error of an accepted estimate.
TOLERANCE = 5e-11

#: Jacobians are formed for as many steps at a time as fit in about this many numbers (64 MiB).
_BLOCK = 2**23
#: A window of steps, whose vectors are multiplied side by side, holds about this many numbers (1 MiB).
_WINDOW = 2**17
_FIRST_LOOK, _LOOK_EVERY = 8, 6
#: The relative residual at which a vector is good enough to continue in float64.
_NEAR = 1e-6
#: For a state of at least this many numbers the error is estimated if possible; see _values.
_ESTIMATED_FROM = 256
#: The two largest singular values are apart if their relative difference is more than this times S^(-2/3), about a
#: tenth of the usual difference for random matrices.
_APART = 0.02
#: Trial values per round inside an interval that contains an eigenvalue.
_SECTIONS = 15

Report = Callable[[int, int], None]


class Jacobians(Protocol):
    """N matrices of S columns that need not be formed: StateJacobian is one such."""

    @property
    def N(self) -> int: ...
    @property
    def S(self) -> int: ...
    @property
    def in_float32(self) -> Any: ...
    @property
    def is_finite(self) -> Array: ...
    def at(self, rows: Any) -> Any: ...
    def times(self, v: Array) -> Array: ...
    def transposed_times(self, u: Array) -> Array: ...
    def formed(self) -> Array: ...


@np.errstate(all="ignore")
def gains(spec: ModelSpec, params: ParamsLike, forward: Forward, report: Report | None = None) -> Array:
    """(T,): per step the largest singular value of ∂s_t/∂s_{t-1}, s the full state; the largest over the batch.

    The error is below 1e-10, relative to the singular value of the formed Jacobian. In a state of 256 numbers and more
    it can reach 1e-6 in a case that ordinary weights do not produce: the two largest values agree to about as many
    digits without being equal, and are far from the third. Time O(T·B·S²), where S is the size of the full
    state; O(T·B·S³) for a small state, and if many singular values lie close to the largest.

    report(done, T) is called from time to time; an exception that it raises ends the computation.
    """
    T, B = forward.y.shape[:2]
    S = spec.state_size * spec.num_layers
    checks.memory("gain", 8 * 4 * B * S * S, f"{B} Jacobians of {S} x {S} a step")
    out = np.empty((T, B))
    near = np.zeros((B, S))
    for start, stop in _windows(T, B, S):
        jacobian = StateJacobian.of(spec, params, forward.window(start, stop))
        if S < IMPLICIT_FROM:
            values = largest_singular_value(jacobian.formed())
        else:
            values, near = by_products(jacobian, B, near)
        out[start:stop] = values.reshape(-1, B)
        if report is not None:
            report(stop, T)
    gain: Array = out.max(axis=1)
    return gain


def _windows(T: int, B: int, S: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of each window of steps. The first is short: its vectors are the starting point for the others."""
    if S < IMPLICIT_FROM:
        wide = short = max(1, _BLOCK // (B * S * S))
    else:
        wide, short = max(1, _WINDOW // (B * S)), max(1, 16 // B)
    start, stop = 0, min(short, T)
    while start < T:
        yield start, stop
        start, stop = stop, min(stop + wide, T)


@np.errstate(all="ignore")
def largest_singular_value(J: Array) -> Array:
    """σ_max of each (..., R, S) matrix: the root of the largest eigenvalue of JᵀJ, or JJᵀ if R < S (J scaled first).

    The largest eigenvalue of a symmetric matrix is found to a few ε of itself, so σ_max is exact to about S·ε
    relative (measured: below 1e-14 for S = 40) at a fraction of an SVD's cost; only the small singular values
    would suffer. nan in J gives nan, inf gives inf.
    """
    out: Array = np.abs(J).max(axis=(-2, -1))
    usable = np.isfinite(out) & (out > 0)
    scaled = J[usable] / out[usable][:, None, None]
    if J.shape[-2] < J.shape[-1]:
        scaled = scaled.swapaxes(-2, -1)
    top = np.linalg.eigvalsh(scaled.swapaxes(-2, -1) @ scaled)[..., -1]
    out[usable] *= np.sqrt(np.maximum(top, 0.0))
    return out


def _formed_gains(jacobian: Jacobians) -> Array:
    block = max(1, _BLOCK // jacobian.S**2)
    starts = range(0, jacobian.N, block)
    parts = [largest_singular_value(jacobian.at(slice(at, at + block)).formed()) for at in starts]
    return np.concatenate(parts) if parts else np.empty(0)


# -- without forming Jacobians ---------------------------------------------------------------------------------


@np.errstate(all="ignore")
def by_products(jacobian: Jacobians, B: int, near: Array) -> tuple[Array, Array]:
    """(N,) largest singular values, and (B, S) right singular vectors at the last step. near: these vectors at a nearby
    step, or zeros.

    The vectors are computed in float32, at half the cost: a vector with an error of 1e-5 gives a value with an error of
    1e-10, and few more products in float64 finish it. Jacobians that are not finite or converge slowly are formed.
    """
    values = np.full(jacobian.N, np.nan)
    # half of the start is random, so that a vector that has changed a lot is found as from a random start
    noise = np.random.default_rng(0).standard_normal((jacobian.N, jacobian.S))
    v = _unit(near[np.arange(jacobian.N) % B] + _unit(noise)[0])[0]
    rows = np.flatnonzero(jacobian.is_finite)
    v[rows], is_apart, is_slow = _vectors(jacobian.at(rows).in_float32, v[rows])
    rows, is_apart = rows[~is_slow], is_apart[~is_slow]
    values[rows] = _values(jacobian.at(rows), v[rows], is_apart)
    missing = np.flatnonzero(np.isnan(values))
    values[missing] = _formed_gains(jacobian.at(missing))
    return values, np.where(np.isfinite(v[-B:]), v[-B:], 0.0)


class _Bidiagonal:
    """J V = U B of n rows side by side, one more column per step; B has the alphas on its diagonal, the betas above it.

    J v_k = alpha_k u_k + beta_{k-1} u_{k-1};  Jᵀ u_k = alpha_k v_k + beta_k v_{k+1}
    """

    def __init__(self, jacobian: Jacobians, v: Array) -> None:
        self._jacobian, self.v, self._u = jacobian, v, np.zeros((len(v), 1), v.dtype)
        self.alphas, self.betas = np.empty((0, len(v))), np.empty((0, len(v)))
        self._beta = np.zeros((len(v), 1), v.dtype)

    @property
    def k(self) -> int:
        return len(self.alphas)

    def steps(self, count: int) -> Iterator[Array]:
        """Run `count` steps; yield the v that each step started from."""
        alphas, betas = [], []
        for _ in range(count):
            yield self.v
            u = self._jacobian.times(self.v)
            u -= self._beta * self._u
            self._u, alpha = _unit(u)
            v = self._jacobian.transposed_times(self._u)
            v -= alpha * self.v
            self.v, self._beta = _unit(v)
            alphas.append(alpha[:, 0])
            betas.append(self._beta[:, 0])
        self.alphas = np.concatenate([self.alphas, alphas])
        self.betas = np.concatenate([self.betas, betas])

    def keep(self, rows: Array) -> None:
        self._jacobian = self._jacobian.at(rows)
        self.v, self._u, self._beta = self.v[rows], self._u[rows], self._beta[rows]
        self.alphas, self.betas = self.alphas[:, rows], self.betas[:, rows]


def _vectors(jacobian: Jacobians, start: Array) -> tuple[Array, Array, Array]:
    """(N, S) right singular vectors of the largest singular values, to about 1e-5; `start` if that fails. And (N,)
    bool: whether the second largest value is well apart, and whether the vector converges too slowly."""
    out, is_apart, is_slow = start, np.zeros(len(start), bool), np.zeros(len(start), bool)
    apart = _APART * jacobian.S ** (-2 / 3)
    rows = np.arange(len(start))
    basis: list[tuple[Array, Array]] = []
    process, patience = _Bidiagonal(jacobian, start.astype(np.float32)), _patience(jacobian)
    looked_at, looks, count = [0], np.ones((1, len(start))), _FIRST_LOOK
    while len(rows):
        basis += [(rows, v) for v in process.steps(count)]
        value = _singular_value(process.alphas, process.betas, precision=1e-9)
        residual, y = _right_vector(process.alphas, process.betas, value)
        is_there = residual <= _NEAR
        half = len(looks) // 2
        to_go = (process.k - looked_at[half]) * np.log(residual / _NEAR) / np.log(looks[half] / residual)
        is_late = ~is_there & ~(to_go <= patience - process.k) & (process.k >= max(32, jacobian.S // 8))
        if is_there.any():
            done = rows[is_there]
            found = sum(
                c[:, None] * v[np.searchsorted(there, done)]
                for c, (there, v) in zip(y[:, is_there], basis, strict=True)
            )
            second = _singular_value(process.alphas[:, is_there], process.betas[:, is_there], 1e-6, smaller_than=1)
            is_apart[done] = value[is_there] - second > apart * value[is_there]
            out[done] = _unit(np.asarray(found, np.float64))[0]
        is_lost = ~np.isfinite(residual)  # beyond the range of float32
        is_slow[rows[is_late & ~is_lost]] = True
        looked_at.append(process.k)
        looks = np.concatenate([looks, residual[None]])
        goes_on = ~(is_there | is_late | is_lost)
        if not goes_on.all():
            rows, looks = rows[goes_on], looks[:, goes_on]
            process.keep(goes_on)
        count = max(_LOOK_EVERY, process.k // 5)
    return out, is_apart, is_slow


def _values(jacobian: Jacobians, start: Array, is_apart: Array) -> Array:
    """(N,) largest singular values to TOLERANCE, from vectors near theirs; nan if that takes too long.

    A singular value of J lies within the residual: this is certain, but takes twice as many steps as necessary. In a
    large state whose second largest value is well apart, the error is estimated instead: the value of B only grows,
    and the rest of the way shrinks by about the same factor from look to look, so two differences give it.
    """
    out = np.full(len(start), np.nan)
    rows = np.arange(len(start))
    process, patience, count = _Bidiagonal(jacobian, start), _patience(jacobian), 1
    looks, residual = np.full((3, len(start)), np.nan), np.full(len(start), np.nan)
    may_estimate = is_apart & (jacobian.S >= _ESTIMATED_FROM)
    while len(rows) and process.k <= patience:
        for _ in process.steps(count):
            pass
        value = _singular_value(process.alphas, process.betas, precision=1e-15, at_least=looks[-1])
        looks = np.stack([*looks[1:], value])
        before, last = np.diff(looks, axis=0) / np.where(value > 0, value, 1.0)
        previous, residual = residual, _right_vector(process.alphas, process.betas, value)[0]
        shrinks = np.fmax(last / before, (residual / previous) ** 2)
        is_there = may_estimate & (shrinks < 1) & (5 * last * shrinks <= TOLERANCE * (1 - shrinks))
        is_there |= residual <= TOLERANCE
        out[rows[is_there]] = value[is_there]
        is_zero = value == 0  # its residual is 0 / 0
        out[rows[is_zero]] = 0.0
        goes_on = ~is_there & ~is_zero & np.isfinite(value)
        if not goes_on.all():
            rows, looks, residual = rows[goes_on], looks[:, goes_on], residual[goes_on]
            may_estimate = may_estimate[goes_on]
            process.keep(goes_on)
        count = 2 if process.k < _FIRST_LOOK else max(_LOOK_EVERY, process.k // 5)
    return out


def _patience(jacobian: Jacobians) -> int:
    """The number of steps after which forming a row's Jacobian would have been cheaper."""
    return 32 + jacobian.S // 2


def _unit(v: Array) -> tuple[Array, Array]:
    """Rows of length 1 and their lengths (N, 1); a row of zeros stays one."""
    length = np.sqrt(np.einsum("ns,ns->n", v, v))[:, None]
    low, high = (1e-15, 1e15) if v.dtype == np.float32 else (1e-140, 1e140)
    if not ((length > low) & (length < high)).all():  # squares may have left the range
        length = norm(v, axis=1)[:, None].astype(v.dtype)
    return v / np.where(length == 0, 1.0, length).astype(v.dtype), length


def _right_vector(alphas: Array, betas: Array, value: Array) -> tuple[Array, Array]:
    """(n,) and (k, n): for the largest singular value σ of B, the residual ‖Jᵀu - σv‖ / σ = beta_k |x_k| in J, and
    the right singular vector y. B y = σ x and Bᵀ x = σ y are solved from the last row up.
    """
    a, b, k = alphas / value, betas / value, len(alphas)
    x, y = np.ones_like(a), np.empty_like(a)
    for i in range(k - 1, -1, -1):
        if i < k - 1:
            x[i] = (y[i + 1] - a[i + 1] * x[i + 1]) / b[i]
            y[i] = (x[i] - b[i] * y[i + 1]) / a[i]
        else:
            y[i] = 1.0 / a[i]
    return b[-1] / norm(x, axis=0), y / norm(y, axis=0)


def _singular_value(
    alphas: Array, betas: Array, precision: float, *, at_least: Array | float = 0.0, smaller_than: int = 0
) -> Array:
    """(n,) largest singular values of B, (k, k) with alphas (k, n) on the diagonal and betas above it; or the largest
    value below the `smaller_than` largest.

    The number of eigenvalues of the tridiagonal BᵀB above x is the number of positive pivots of BᵀB - x (Sturm). Each
    round tries several x inside an interval that contains the value.
    """
    scale = np.maximum(alphas.max(axis=0), betas.max(axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    a, b = (alphas / scale) ** 2, (betas[:-1] / scale) ** 2
    diagonal, off = a.copy(), a[:-1] * b  # off: squares of the elements beside the diagonal
    diagonal[1:] += b
    beside = np.sqrt(off)
    radius = np.zeros_like(diagonal)
    radius[1:] += beside
    radius[:-1] += beside
    high = (diagonal + radius).max(axis=0) * (1 + 1e-15)
    low = np.zeros_like(high)
    if not smaller_than:
        low = np.minimum(np.fmax(diagonal.max(axis=0), (at_least / scale) ** 2 * (1 - 1e-15)), high)
    evenly = np.arange(1, _SECTIONS + 1)[:, None] / (_SECTIONS + 1)
    sections = (_SECTIONS + 1.0) ** np.arange(-_SECTIONS, 0)[
        :, None
    ]  # first round: the value may be close to `at_least`
    while (high - low > precision * high).any():
        x = low + sections * (high - low)
        pivot = diagonal[0] - x
        above_x = (~(pivot < 0)).astype(int)
        for d, o in zip(diagonal[1:], off, strict=True):
            np.divide(o, pivot, out=pivot)
            np.subtract(d - x, pivot, out=pivot)
            above_x += ~(pivot < 0)
        is_enough = above_x <= smaller_than
        first = np.where(is_enough.any(axis=0), is_enough.argmax(axis=0), _SECTIONS)[None]
        edges = np.concatenate([low[None], x, high[None]])
        low, high = (np.take_along_axis(edges, first + side, axis=0)[0] for side in (0, 1))
        sections = evenly
    out: Array = scale * np.sqrt(high)
    return out
