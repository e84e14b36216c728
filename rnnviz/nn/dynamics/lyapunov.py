"""Lyapunov exponents: the long-run rates at which small changes of the state grow or shrink along a sequence.

    J_t = γ · an orthogonal matrix at each step:     every exponent is log γ

With J_t = ∂s_t/∂s_{t-1}, s the full state (h, or h and c, of all layers), and Q_0 orthogonal, each step is one QR
decomposition (Benettin et al. 1980):

    J_t Q_{t-1} = Q_t R_t                            λ_i = 1/n Σ_t log |R_t,ii|

The sum of the first m is the rate at which a volume of m dimensions grows. R_t,11 alone is the growth of one vector, so
the largest exponent is the logarithm of the factor that a step keeps on average, of the change that is kept best.

The exponents proper are limits for many steps. Over n steps they are finite-time exponents, and they depend on Q_0: a
random one needs many steps to turn into the right directions. Here passes back through the same steps, with the
transposed Jacobians, turn it: exp(n λ_i) then goes to the i-th singular value of the product J_n ··· J_1 (orthogonal
iteration; Golub & Van Loan, Matrix Computations, 8.2.4). `skip` leaves out the first steps, as is
usual where there are many.

Benettin, Galgani, Giorgilli & Strelcyn 1980 (10.1007/BF02128236); Vogt, Puelma Touzel, Shlizerman & Lajoie 2020
(arXiv:2006.14123); Engelken, Wolf & Abbott 2023 (10.1103/PhysRevResearch.5.043044).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.nn import checks
from rnnviz.nn.dynamics.spectrum import EPSILON, Report, jacobian
from rnnviz.nn.records import Forward
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, ParamsLike, ReadOnly, frozen

#: Passes back and forth end when one more changes what the steps make of the best direction by less than this part.
SETTLED = 1e-3
#: At most so many for a state of fewer than LARGE numbers; of a larger one, 2.
MOST_PASSES, LARGE = 12, 128
#: Jacobians of so many numbers in all (32 MiB) are kept from pass to pass.
_HELD = 2**22


@dataclass(frozen=True, eq=False)
class Lyapunov(ReadOnly):
    """Of one sequence, from s_start to s_stop.

    exponents  (S,) per step, natural logarithms, the largest first; -inf of a direction in which a step keeps nothing
               but rounding; nan if a Jacobian is not finite
    by_step    (n, S): log |R_t,ii| of each step that counts, in the same order
    start, stop  the states between which they are measured
    """

    exponents: Array
    by_step: Array
    start: int
    stop: int


@np.errstate(all="ignore")
def lyapunov(
    spec: ModelSpec,
    params: ParamsLike,
    forward: Forward,
    start: int,
    stop: int,
    sequence: int = 0,
    skip: int = 0,
    report: Report | None = None,
) -> Lyapunov:
    """All exponents of the steps from s_start to s_stop, the first `skip` of which only turn Q. Time O(n·S³).

    report(done, of how many) is called after each step of each pass, of which there may be fewer; an exception that it
    raises ends the computation. Raises InputError if it would take too much memory.
    """
    S, n = spec.state_size * spec.num_layers, stop - start
    checks.memory("Lyapunov exponents", 8 * (8 * S * S + n * S + min(n * S * S, _HELD)), f"matrices of {S} x {S}")
    matrices = None
    if n * S * S <= _HELD:
        matrices = np.stack([jacobian(spec, params, forward, t, sequence) for t in range(start, stop)])
    passes = MOST_PASSES if S < LARGE else 2

    def at(step: int) -> Array:
        return jacobian(spec, params, forward, start + step, sequence) if matrices is None else matrices[step]

    Q, before, logs = np.eye(S), np.nan, np.empty((n, S))
    for number in range(passes):
        for step in reversed(range(n)):
            Q = np.linalg.qr(at(step).T @ Q)[0]
            if report is not None:
                report(2 * n * number + n - step, 2 * n * passes)
        for step in range(n):
            moved = at(step) @ Q
            Q, R = np.linalg.qr(moved)
            size = np.abs(np.diagonal(R))
            is_lost = size <= S * EPSILON * np.linalg.norm(moved)
            logs[step] = np.log(np.where(is_lost, 0.0, size))
            if report is not None:
                report(2 * n * number + n + step + 1, 2 * n * passes)
        now = float(logs[:, 0].sum())
        if not abs(now - before) > SETTLED and number:
            break
        before = now
    logs = logs[skip:]
    exponents = logs.mean(axis=0)
    order = np.argsort(-exponents, kind="stable")
    return Lyapunov(frozen(exponents[order]), frozen(logs[:, order]), start, stop)
