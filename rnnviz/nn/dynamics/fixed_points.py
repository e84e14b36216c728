"""Fixed points: the states that a network stays in while its input does not change.

    h = tanh(w h):   w = 0.5   one fixed point, h = 0; a small move halves with each step: an attractor
                     w = 2     three: h = 0, which repels (λ = 2), and h = ±0.9575, two attractors (λ = 0.17)

s is the full state: layers bottom first, each h, or (h, c) of a cell that has both; s_t = F(s_{t-1}, x) is one step
with the constant input x. How fast a state moves is measured by

    q(s) = ½ ‖F(s, x) - s‖²                                    Sussillo & Barak 2013

It is 0 at a fixed point, and has a minimum above 0 at a slow point, where the network drifts. From many starts at once
q is minimised by Levenberg and Marquardt's method: r = F - s has the Jacobian A = J - I, where J is the cell's own
exact ∂s_t/∂s_{t-1}; a step is δ = -(AᵀA + μ I)⁻¹ Aᵀr, with μ growing until q falls. Near a fixed point that is Newton's
method. What the steps end in is sorted: q <= FIXED is a fixed point, a minimum of q below SLOW is a slow point, and
anything else is no result. Points that are close to one another are one.

Around a fixed point small moves follow J: with the eigenvalues λ of J, |λ| < 1 of all is an attractor; of some |λ| > 1
a saddle with as many unstable directions, and of all a repeller. Where the largest lies on the unit circle (within
MARGIN), the linear part does not decide: a marginal point, such as those of a line attractor.

Sussillo & Barak 2013 (10.1162/NECO_a_00409); Golub & Sussillo 2018 (10.21105/joss.01003); Levenberg 1944; Marquardt
1963 (10.1137/0111030).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnnviz.nn.engine import numpy_engine
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.state_jacobian import StateJacobian
from rnnviz.nn.types import Array, ParamsLike, ReadOnly, frozen

#: q at most this: a fixed point; ‖F - s‖ is then below 1.5e-10. A minimum of q at most SLOW: a slow point, where the
#: state moves by at most 0.015 a step.
FIXED, SLOW = 1e-20, 1e-4
#: Within so much of the unit circle an eigenvalue counts as on it.
MARGIN = 1e-4
#: Points whose numbers differ by less than this, in the root mean square, are one.
SAME = 1e-3
#: Starts, at most, and how many steps each may take.
STARTS, MOST_STEPS = 384, 100
#: Numbers of the Jacobians that are held at a time (32 MiB).
_BLOCK = 2**22
#: Below this q no step is tried any more.
_DONE = 1e-28
#: A gradient of q this small against the residual is 0: the steps are at a minimum.
_FLAT = 1e-7
_FIRST_MU, _LEAST_MU, _MOST_MU = 1e-2, 1e-12, 1e12

KINDS = ("attractor", "saddle", "repeller", "marginal", "slow")
Report = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class FixedPoints(ReadOnly):
    """The fixed and slow points of a network with constant input, the most stable first.

    x            (I,) the input
    states       (P, S) the full states, and speeds (P,): q at each
    eigenvalues  (P, S) of ∂F/∂s there, by falling magnitude
    outputs      (P, O) what the readout gives after a step from each
    reached      (P,) how many starts ended there
    starts       how many there were
    hidden       (P, H) of the top layer's h
    """

    x: Array
    states: Array
    speeds: Array
    eigenvalues: Array
    outputs: Array
    hidden: Array
    reached: Array
    starts: int

    def __len__(self) -> int:
        return len(self.states)

    @cached_property
    def radius(self) -> Array:
        """(P,): the largest |λ|."""
        return np.asarray(np.abs(self.eigenvalues).max(axis=1, initial=0.0))

    @cached_property
    def unstable(self) -> Array:
        """(P,): how many eigenvalues lie outside the unit circle."""
        return np.asarray((np.abs(self.eigenvalues) > 1 + MARGIN).sum(axis=1))

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """(P,): of KINDS."""
        return tuple(self._kind(p) for p in range(len(self)))

    def _kind(self, p: int) -> str:
        if self.speeds[p] > FIXED:
            return "slow"
        unstable = int(self.unstable[p])
        if unstable:
            return "repeller" if unstable == self.eigenvalues.shape[1] else "saddle"
        return "attractor" if self.radius[p] < 1 - MARGIN else "marginal"

    def count(self, kind: str) -> int:
        return self.kinds.count(kind)


@np.errstate(all="ignore")
def fixed_points(
    spec: ModelSpec, params: ParamsLike, x: Array, starts: Array, on_part: Report = lambda done, total: None
) -> FixedPoints:
    """The points that are reached from starts (N, S) with the constant input x (I,), in float64. on_part(done, total):
    after each group of starts. No point is a result too: without one, or where every start overflowed."""
    size = max(1, _BLOCK // max(1, starts.shape[1] ** 2))
    groups = [starts[k : k + size] for k in range(0, len(starts), size)]
    ends, values = [], []
    for number, group in enumerate(groups):
        done = number * MOST_STEPS

        def after(step: int, done: int = done) -> None:
            on_part(done + step, len(groups) * MOST_STEPS)

        end, q, is_least = _descend(spec, params, x, group, after)
        found = (q <= FIXED) | (is_least & (q <= SLOW))
        ends.append(end[found])
        values.append(q[found])
    on_part(len(groups) * MOST_STEPS, len(groups) * MOST_STEPS)
    states = np.concatenate(ends) if ends else starts[:0]
    kept, reached = _distinct(states, np.concatenate(values) if values else np.zeros(0))
    return _described(spec, params, x, states[kept], reached, len(starts))


def starts_of(visited: Array, count: int = STARTS, seed: int = 0) -> Array:
    """(count, S): where the search begins, of the states (N, S) that were visited: a quarter of them as they are, a
    quarter with normal noise of half a standard deviation of each number, a quarter somewhere on the line between two,
    and a quarter anywhere within ±1, or as far as the states went: what is never visited may hold a state, too. The
    same seed always gives the same ones. States that are not finite are left out."""
    visited = visited[np.isfinite(visited).all(axis=1)]
    if not len(visited):
        return np.zeros((1, visited.shape[1]))
    rng = np.random.default_rng([seed, 20_13])
    one, other = (visited[rng.integers(len(visited), size=count)] for _ in range(2))
    noise = rng.standard_normal(one.shape) * (0.5 * visited.std(axis=0) + 1e-3)
    anywhere = rng.uniform(-1, 1, one.shape) * np.maximum(1.0, np.abs(visited).max(axis=0))
    between = one + rng.random((count, 1)) * (other - one)
    quarters = np.stack([one, one + noise, between, anywhere])
    return np.asarray(quarters[np.arange(count) % 4, np.arange(count)])


def states_after(spec: ModelSpec, params: ParamsLike, x: Array, states: Array) -> Array:
    """(N, S) -> (N, S): F(s, x), one step from each state."""
    return _step(spec, params, x, states)[0]


def _step(spec: ModelSpec, params: ParamsLike, x: Array, states: Array) -> tuple[Array, StateJacobian, Array]:
    """F(s, x), its Jacobian, and the readout y."""
    N, H, size = len(states), spec.hidden_size, spec.state_size
    parts = states.reshape(N, spec.num_layers, size).swapaxes(0, 1)
    h0 = np.ascontiguousarray(parts[:, :, :H])
    c0 = np.ascontiguousarray(parts[:, :, H:]) if size > H else None
    inputs = np.ascontiguousarray(np.broadcast_to(x, (1, N, len(x))))
    run = numpy_engine.forward(spec, params, inputs, h0, c0)
    new = [
        np.concatenate([layer.h[1]] if layer.c is None else [layer.h[1], layer.c[1]], axis=1) for layer in run.layers
    ]
    return np.concatenate(new, axis=1), StateJacobian.of(spec, params, run), run.y[0]


def _descend(
    spec: ModelSpec, params: ParamsLike, x: Array, starts: Array, after: Callable[[int], None]
) -> tuple[Array, Array, Array]:
    """The states in which the steps end, q there, and whether it is a minimum of q."""
    states, N = np.array(starts, float), len(starts)
    new, jacobian, _ = _step(spec, params, x, states)
    residual = new - states
    q = _half_square(residual)
    mu = np.full(N, _FIRST_MU)
    is_least = np.zeros(N, bool)
    active = np.flatnonzero(np.isfinite(q))
    jacobian = jacobian.at(active)
    eye = np.eye(states.shape[1])
    for step in range(MOST_STEPS):
        after(step)
        if not len(active):
            break
        A = jacobian.formed() - eye
        usable = np.isfinite(A).all(axis=(1, 2))
        active, A = active[usable], A[usable]
        At = A.swapaxes(1, 2)
        r = residual[active, :, None]
        gradient = (At @ r)[:, :, 0]
        scale = np.maximum(1.0, np.abs(A).max(axis=(1, 2), initial=0.0))
        flat = np.abs(gradient).max(axis=1, initial=0.0) <= _FLAT * scale * np.sqrt(2 * q[active])
        is_least[active[flat]] = True
        going = ~flat & (q[active] > _DONE) & (mu[active] < _MOST_MU)
        active, A, At, gradient, scale = active[going], A[going], At[going], gradient[going], scale[going]
        if not len(active):
            break
        damped = At @ A + (mu[active] * scale**2)[:, None, None] * eye
        delta = np.linalg.solve(damped, -gradient[:, :, None])[:, :, 0]
        tried = states[active] + delta
        new, jacobian, _ = _step(spec, params, x, tried)
        r_new = new - tried
        q_new = _half_square(r_new)
        better = q_new < q[active]
        won, lost = active[better], active[~better]
        states[won], residual[won], q[won] = tried[better], r_new[better], q_new[better]
        mu[won] = np.maximum(mu[won] / 10, _LEAST_MU)
        mu[lost] *= 10
        if len(lost):
            jacobian = _step(spec, params, x, states[active])[1]
    return states, np.where(np.isfinite(q), q, np.inf), is_least


def _half_square(residual: Array) -> Array:
    q = 0.5 * (residual * residual).sum(axis=1)
    return np.where(np.isfinite(q), q, np.inf)


def _distinct(states: Array, speeds: Array) -> tuple[Array, Array]:
    """The rows of one point for each group of close ones, and how many are in it. Fixed points go before slow ones, so
    that what drifts beside a fixed point is not counted as another."""
    kept: list[int] = []
    reached: list[int] = []
    for row in np.lexsort((np.arange(len(states)), speeds > FIXED)):
        if kept:
            far = np.sqrt(((states[kept] - states[row]) ** 2).mean(axis=1))
            nearest = int(far.argmin())
            if far[nearest] <= SAME * max(1.0, float(np.abs(states[row]).max())):
                reached[nearest] += 1
                continue
        kept.append(int(row))
        reached.append(1)
    return np.array(kept, int), np.array(reached, int)


def _described(
    spec: ModelSpec, params: ParamsLike, x: Array, states: Array, reached: Array, starts: int
) -> FixedPoints:
    """The record of these points, sorted by kind, by unstable directions, and by their numbers."""
    S = spec.state_size * spec.num_layers
    if not len(states):
        empty = np.zeros((0, S))
        return FixedPoints(
            x, empty, np.zeros(0), empty.astype(complex), np.zeros((0, spec.output_size)),
            np.zeros((0, spec.hidden_size)), reached, starts,
        )  # fmt: skip
    new, jacobian, y = _step(spec, params, x, states)
    top = states[:, S - spec.state_size :][:, : spec.hidden_size]
    J = jacobian.formed()
    eigenvalues = np.linalg.eigvals(np.where(np.isfinite(J), J, 0.0)).astype(complex)
    by_size = np.argsort(-np.abs(eigenvalues), axis=1, kind="stable")
    eigenvalues = np.take_along_axis(eigenvalues, by_size, axis=1)
    made = FixedPoints(x, states, _half_square(new - states), eigenvalues, y, top, reached, starts)
    rounded = np.round(states, 6) + 0.0
    order = np.lexsort((*rounded.T[::-1], made.unstable, [KINDS.index(kind) for kind in made.kinds]))
    return FixedPoints(
        frozen(np.array(x)), frozen(states[order]), frozen(made.speeds[order]), frozen(eigenvalues[order]),
        frozen(y[order]), frozen(top[order]), frozen(reached[order]), starts,
    )  # fmt: skip
