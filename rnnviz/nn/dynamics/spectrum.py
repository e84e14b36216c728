"""Spectrum: the eigenvalues of a square matrix beside its lengths, and how far its powers grow before they shrink.

    A = [[0.5, 4], [0, 0.5]]      |λ| = 0.5, 0.5      σ_max = 4.06      ‖Aᵏ‖ = 1, 4.06, 4.02, 3.01, 2.00, …

An eigenvalue λ says what many equal steps do: ‖Aᵏ‖^(1/k) goes to the largest |λ|, the spectral radius. A singular value
says what one step can do: ‖A‖ = σ_max. For a normal matrix (A Aᵀ = Aᵀ A; an orthogonal or symmetric one is normal) the
two are the same number. How far A is from normal is Henrici's departure, sqrt(‖A‖_F² - Σ|λ|²): 0 for a normal matrix, 4
here. Then ‖Aᵏ‖ may grow at first although every |λ| < 1: transient growth.

A product of many Jacobians can be smaller or larger than any number of float64, so it is 2^power times a matrix.

Henrici 1962 (10.1007/BF01386294); Trefethen & Embree 2005, Spectra and Pseudospectra, 14 and 16;
Pascanu, Mikolov & Bengio 2013 (arXiv:1211.5063).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from rnnviz.nn import checks
from rnnviz.nn.gain import largest_singular_value
from rnnviz.nn.records import Forward
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.state_jacobian import StateJacobian
from rnnviz.nn.types import Array, ParamsLike, ReadOnly, frozen

Report = Callable[[int, int], None]

#: A product is rescaled by a power of two once its largest number lies beyond 2^±_FAR.
_FAR = 200
#: A length is not larger than another if it exceeds it by less than this part.
_ROUNDED = 1e-12
EPSILON = float(np.finfo(np.float64).eps)
#: At most so many powers of a matrix are formed to find the largest.
MOST_POWERS = 400


@dataclass(frozen=True, eq=False)
class Spectrum(ReadOnly):
    """Of a matrix A = 2^power · M, (S, S).

    values     (S,) complex: the eigenvalues of M, the largest |λ| first
    unsure     (S,): how far rounding may have moved each, about: its condition number times the rounding of M
    power      0 except for a product that left the middle of float64's range
    sigma_max, frobenius   the largest singular value and the Frobenius norm of M
    """

    values: Array
    unsure: Array
    sigma_max: float
    frobenius: float
    power: int = 0

    @property
    def sizes(self) -> Array:
        """(S,): |λ| of M."""
        return np.abs(self.values)

    @property
    def is_sure(self) -> Array:
        """(S,) bool: whether an eigenvalue stands out from rounding. One that does not may be 0."""
        return self.sizes > self.unsure

    @property
    def log_sizes(self) -> Array:
        """(S,): log |λ| of A itself; -inf for 0."""
        return self.logs(self.sizes)

    @property
    def log_radius(self) -> float:
        """The logarithm of the spectral radius of A."""
        return float(self.log_sizes[0])

    @property
    def log_sigma_max(self) -> float:
        return float(self.logs(np.array(self.sigma_max)))

    def logs(self, of_M: Array) -> Array:
        """The logarithm of a length of A, from that of M."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(of_M) + self.power * math.log(2))

    def plain(self, of_M: float) -> float:
        """A length of A as a number: 0 or inf where it is too small or too large for one."""
        return float(np.ldexp(of_M, self.power))

    @property
    def departure(self) -> float:
        """Henrici's departure of M from normality; 0 where it is within rounding, which is at about 1e-7 ‖M‖_F."""
        left = self.frobenius**2 - float((self.sizes**2).sum())
        return math.sqrt(left) if left > 8 * len(self.values) * EPSILON * self.frobenius**2 else 0.0

    @property
    def relative_departure(self) -> float:
        """departure / ‖A‖_F, from 0 (normal) to 1 (every eigenvalue is 0)."""
        return self.departure / self.frobenius if self.frobenius > 0 else 0.0


@np.errstate(all="ignore")
def spectrum(A: Array, power: int = 0, rounded: int = 1) -> Spectrum | None:
    """Of 2^power · A, A (S, S); None if A is not finite, or if LAPACK finds no eigenvalues, which no matrix of ordinary
    weights does. rounded: of how many products A is one. Time O(S³)."""
    A = np.asarray(A, np.float64)
    if not np.isfinite(A).all():
        return None
    size = float(np.abs(A).max(initial=0.0))
    if size == 0:
        none = np.zeros(len(A))
        return Spectrum(frozen(none.astype(complex)), frozen(none.copy()), 0.0, 0.0, power)
    shift = int(np.frexp(size)[1]) if not 2.0**-_FAR < size < 2.0**_FAR else 0
    A, power = np.ldexp(A, -shift), power + shift
    frobenius = float(np.linalg.norm(A))
    try:
        values, conditions = _eigenvalues(A)
    except np.linalg.LinAlgError:
        return None
    unsure = EPSILON * rounded * (conditions * len(A) * frobenius + np.abs(values))
    order = np.lexsort((-values.imag, np.abs(np.angle(values)), -np.round(np.abs(values) / frobenius, 12)))
    values, unsure = values[order].astype(complex), unsure[order]
    return Spectrum(frozen(values), frozen(unsure), float(largest_singular_value(A[None])[0]), frobenius, power)


def _eigenvalues(A: Array) -> tuple[Array, Array]:
    """(S,) each: the eigenvalues, and the condition number of each, 1 / cos of the angle between its left and right
    eigenvector, at most 1 / ε; 0 for a triangular matrix, whose diagonal they are.
    Golub & Van Loan, Matrix Computations, 7.2.2."""
    if not np.tril(A, -1).any() or not np.triu(A, 1).any():
        return np.diagonal(A).copy(), np.zeros(len(A))
    values, right = np.linalg.eig(A)
    try:
        left = np.linalg.inv(right)
    except np.linalg.LinAlgError:
        return values, np.full(len(A), 1 / EPSILON)
    found = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=0)
    return values, np.where(np.isfinite(found), np.minimum(found, 1 / EPSILON), 1 / EPSILON)


def product(matrices: Iterable[Array], size: int) -> tuple[Array, int]:
    """(M, power): the product 2^power · M of (size, size) matrices, the first one rightmost. Of none the identity."""
    M, power = np.eye(size), 0
    with np.errstate(all="ignore"):
        for A in matrices:
            M = A @ M
            largest = float(np.abs(M).max(initial=0.0))
            if not np.isfinite(largest) or largest == 0:
                return M, 0
            shift = int(np.frexp(largest)[1])
            if abs(shift) > _FAR:
                M, power = np.ldexp(M, -shift), power + shift
    return M, power


def of_steps(
    spec: ModelSpec,
    params: ParamsLike,
    forward: Forward,
    start: int,
    stop: int,
    sequence: int = 0,
    report: Report | None = None,
) -> Spectrum | None:
    """The spectrum of ∂s_stop/∂s_start = J_stop ··· J_(start+1), J_t = ∂s_t/∂s_{t-1}, s the full state of all layers:
    h, or h and c. With stop = start + 1 that of one step. None if it is not finite.

    report(done, of how many) is called after each step; an exception that it raises ends the computation. Raises
    InputError if it would take too much memory.
    """

    def each() -> Iterable[Array]:
        for t in range(start, stop):
            yield jacobian(spec, params, forward, t, sequence)
            if report is not None:
                report(t + 1 - start, stop - start)

    S = spec.state_size * spec.num_layers
    checks.memory("eigenvalues", 8 * 10 * S * S, f"matrices of {S} x {S}")
    M, power = product(each(), S)
    return spectrum(M, power, rounded=stop - start)


def jacobian(spec: ModelSpec, params: ParamsLike, forward: Forward, t: int, sequence: int = 0) -> Array:
    """(S, S): ∂s_{t+1}/∂s_t of one sequence, formed."""
    one = StateJacobian.of(spec, params, forward.window(t, t + 1)).at(slice(sequence, sequence + 1))
    formed: Array = one.formed()[0]
    return formed


@dataclass(frozen=True)
class Growth:
    """The largest ‖Aᵏ‖, k = 0, 1, 2, …

    most    1 at k = 0, if no power is larger
    at      its k
    is_all  whether no later power can be larger: some ‖Aᵐ‖ <= 1 was met, so that ‖A^(m+k)‖ <= ‖Aᵏ‖
    """

    most: float
    at: int
    is_all: bool


@np.errstate(all="ignore")
def growth(A: Array, powers: int = MOST_POWERS, report: Report | None = None) -> Growth:
    """The transient growth of a matrix that is finite. Time O(k·S³) for the k powers that it takes."""
    most, at, power = 1.0, 0, np.eye(len(A))
    for k in range(1, powers + 1):
        power = power @ A
        norm = float(largest_singular_value(power[None])[0])
        if report is not None:
            report(k, powers)
        if norm <= 1 + _ROUNDED:
            return Growth(most, at, True)
        if norm > most * (1 + _ROUNDED):
            most, at = norm, k
        if not math.isfinite(norm):
            break
    return Growth(most, at, False)
