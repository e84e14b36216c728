"""The state space: where the hidden states of several sequences lie in the plane in which they spread the most, and
the fixed points of the network without input.

    >>> scene = prepare(scene, Measure("space"), Measure("fixed_points"))
    >>> space(scene).plane.shares[:2], points(scene).kinds.count("attractor")
    (array([0.45, 0.3]), 8)

The plane is that of the first two principal components of the top layer's h_t, over the steps of the sequence in view
and of some more. A single unit has no plane: its states lie at (h_{t-1}, h_t), beside the curve of F(h, x_t), which
crosses the diagonal at the fixed points of that input. With a cell state beside that unit they lie at (h, c).

The other sequences begin from zeros. So only the one in view is drawn where that is not known: where its own states
begin elsewhere, and where the scene does not have the inputs that its trace has (a recording, an upper level).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.nn.dynamics.fixed_points import STARTS, FixedPoints, fixed_points, starts_of, states_after
from rnnviz.nn.dynamics.principal import PrincipalComponents, principal_components
from rnnviz.nn.types import Array, ReadOnly, frozen
from rnnviz.scene.commands import Measure
from rnnviz.scene.scene import Scene
from rnnviz.views.analysis import OnPart

#: Sequences that are drawn, at most.
SEQUENCES = 16
#: Visited states from which the search for fixed points draws its starts, at most.
VISITED = 4096
#: Numbers in the full state beyond which nobody would wait for the search.
MOST_NUMBERS = 1024
#: Multiplications that the search may take, roughly; large states have fewer starts for it.
_BUDGET, _STEPS, _LEAST_STARTS = 4e11, 60, 12
#: Places of the curve of F(h, x).
GRID = 121


@dataclass(frozen=True, eq=False)
class StateSpace(ReadOnly):
    """samples  the sequences, the one in view first
    paths    of each: (T+1, 2), where its states h_0 … h_T lie; of a single unit from h_1 on, (T, 2)
    plane    the principal components; of a single unit its axes are h, and c, which is 0 where it has none
    numbers  what a single unit's state is, where that is no map: h and c, or h alone
    grid, curves  of a single unit without a cell state: (G,) values of h, and (T+1, G): F(h, x_t), x_0 being no input
    """

    samples: tuple[int, ...]
    paths: tuple[Array, ...]
    plane: PrincipalComponents
    numbers: tuple[str, ...] = ()
    grid: Array | None = None
    curves: Array | None = None

    @property
    def is_map(self) -> bool:
        """Whether a state lies at (h_{t-1}, h_t)."""
        return self.curves is not None

    def at(self, number: int, t: int) -> tuple[float, float] | None:
        """Where the state of sequence `number` of `samples` is after step t; None before the first place that it has,
        and after its end."""
        path, first = self.paths[number], int(self.is_map)
        return tuple(path[t - first].tolist()) if 0 <= t - first < len(path) else None

    def places(self, points: FixedPoints) -> Array:
        """(P, 2): where fixed points lie."""
        if self.is_map:
            return np.repeat(points.hidden, 2, axis=1)
        H = points.hidden.shape[1]
        if H == 1:
            cells = points.states[:, -1:] if points.states.shape[1] > 1 else np.zeros_like(points.hidden)
            return np.concatenate([points.hidden, cells], axis=1)
        return self.plane.project(points.hidden)


def space(scene: Scene) -> StateSpace | None:
    """None while it is not known."""
    return scene.known.get(Measure("space"))


def points(scene: Scene) -> FixedPoints | None:
    """Without input; None while they are not known."""
    return scene.known.get(Measure("fixed_points"))


def why_no_points(scene: Scene) -> str | None:
    """Why the fixed points of this network are not searched for, in a sentence."""
    S = numbers(scene)
    if S > MOST_NUMBERS:
        return f"The state has {S:,} numbers; fixed points are searched for in at most {MOST_NUMBERS:,}."
    return None


def numbers(scene: Scene) -> int:
    """Numbers in the full state."""
    return int(scene.trace.spec.state_size * scene.trace.L)


def space_cost(scene: Scene) -> int:
    """Multiplications, roughly."""
    trace = scene.trace
    return int(SEQUENCES * trace.T * trace.L * trace.H * (trace.H + trace.I) * max(1, len(trace.spec.gates)))


def points_cost(scene: Scene) -> int:
    return int(_starts(numbers(scene)) * _STEPS * numbers(scene) ** 3 + space_cost(scene))


def _starts(S: int) -> int:
    return int(np.clip(_BUDGET / (_STEPS * float(S) ** 3), _LEAST_STARTS, STARTS))


def make_space(scene: Scene, on_part: OnPart) -> StateSpace:
    trace, others = scene.trace, _others(scene)
    on_part(0, 2)
    run = _states(scene, others)
    on_part(1, 2)
    samples = (scene.sample, *others)
    tops = [trace.h[:, 0], *(h[: scene.task.lengths[i] + 1] for i, h in zip(others, run[-1][0], strict=True))]
    if trace.H > 1:
        plane = principal_components(np.concatenate(tops))
        return StateSpace(samples, tuple(frozen(plane.project(h)) for h in tops), plane)
    plane = PrincipalComponents(frozen(np.zeros(2)), frozen(np.eye(2)), frozen(np.zeros(2)))
    if trace.c is None and trace.L == 1:
        paths = [np.concatenate([h[:-1], h[1:]], axis=1) for h in tops]
        grid, curves = _curves(scene, tops)
        return StateSpace(samples, tuple(frozen(path) for path in paths), plane, (), grid, curves)
    cells = [np.zeros_like(trace.h[:, 0]) if trace.c is None else trace.c[:, 0]]
    for k, i in enumerate(others):
        c = run[-1][1]
        cells.append(np.zeros_like(tops[k + 1]) if c is None else c[k, : scene.task.lengths[i] + 1])
    paths = [np.concatenate([h, c], axis=1) for h, c in zip(tops, cells, strict=True)]
    return StateSpace(samples, tuple(frozen(path) for path in paths), plane, ("h",) if trace.c is None else ("h", "c"))


def make_points(scene: Scene, on_part: OnPart) -> FixedPoints | None:
    """None where they are not searched for. They are those of the weights in view, with all inputs 0."""
    if why_no_points(scene) is not None:
        return None
    trace = scene.trace
    visited = [_full([(layer.h[:, 0], None if layer.c is None else layer.c[:, 0]) for layer in trace.layers])]
    others = _others(scene)
    layers = _states(scene, others)
    for k, i in enumerate(others):
        n = int(scene.task.lengths[i]) + 1
        visited.append(_full([(h[k, :n], None if c is None else c[k, :n]) for h, c in layers]))
    states = np.concatenate(visited)
    states = states[:: -(-len(states) // VISITED)]
    starts = starts_of(states, _starts(states.shape[1]))
    return fixed_points(trace.spec, trace.params, np.zeros(trace.I), starts, on_part)


def _others(scene: Scene) -> tuple[int, ...]:
    """The next sequences of the task whose states can be known by reading them."""
    task, trace = scene.task, scene.trace
    own = task.x[scene.sample, : trace.T]
    begins_at_0 = all(not layer.h[0].any() and (layer.c is None or not layer.c[0].any()) for layer in trace.layers)
    if not begins_at_0 or own.shape != trace.x[:, 0].shape or not np.array_equal(own, trace.x[:, 0]):
        return ()
    after = [(scene.sample + by) % len(task) for by in range(1, len(task))]
    known = [i for i in after if task.previous is None or task.previous[i] < 0]
    return tuple(known[: SEQUENCES - 1])


def _states(scene: Scene, others: tuple[int, ...]) -> list[tuple[Array, Array | None]]:
    """Of each layer, bottom first: h and c (n, T+1, H) of some sequences, read from zeros."""
    trace, task = scene.trace, scene.task
    if not others:
        nothing = np.zeros((0, 1, trace.H))
        return [(nothing, None if layer.c is None else nothing) for layer in trace.layers]
    rows = list(others)
    steps = int(task.lengths[rows].max())
    x = np.ascontiguousarray(task.x[rows, :steps].swapaxes(0, 1), "float64")
    reads = [task.read_steps(i) for i in others]
    mask = None if reads[0] is None else np.stack([read[0, :steps] for read in reads if read is not None], axis=1)
    run = trace.engine.forward(trace.spec, trace.params, x, None, None, mask)
    return [
        (layer.h.swapaxes(0, 1), None if layer.c is None else layer.c.swapaxes(0, 1)) for layer in run.layers
    ]  # fmt: skip


def _full(layers: list[tuple[Array, Array | None]]) -> Array:
    """(T+1, S): the full states."""
    parts = [part for h, c in layers for part in ((h,) if c is None else (h, c))]
    return np.concatenate(parts, axis=1)


def _curves(scene: Scene, tops: list[Array]) -> tuple[Array, Array]:
    """F(h, x_t) of the sequence in view, over the values of h that occur and some more."""
    trace = scene.trace
    finite = np.concatenate(tops)
    finite = finite[np.isfinite(finite)]
    reach = max(1.0, float(np.abs(finite).max(initial=0.0)))
    grid = np.linspace(-reach, reach, GRID)
    inputs = np.concatenate([np.zeros((1, trace.I)), trace.x[:, 0]])
    distinct, which = np.unique(inputs, axis=0, return_inverse=True)
    rows = np.array([states_after(trace.spec, trace.params, x, grid[:, None])[:, 0] for x in distinct])
    return frozen(grid), frozen(rows[which.reshape(-1)])
