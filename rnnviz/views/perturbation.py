"""Perturbation: the hidden state moved a little and a lot at one step, and what becomes of that.

    >>> found = known(prepare(scene, Measure("perturbed", 5, PARTS)), 5)
    >>> found.other, found.answers          # moved towards the state of a sequence whose answer is B
    (3, ('A', 'A', 'A', 'B', 'B', 'B'))

The state s_t (h, and c of an LSTM, of all layers) goes a part of the way towards the state s'_t that another sequence
has at that step, one with another answer; then the network reads on as before. How far is it off at the end?

    small moves die out, large ones go all the way    latched: the state lies in an attractor, and the move goes back
                                                      to it or over to another one
    every move stays what it is                       the state is carried along, not held
    every move dies out                               forgotten

The gradient sees small moves alone: what is latched has a short horizon and remembers nevertheless.
Bengio, Simard and Frasconi 1994 (10.1109/72.279181).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.metrics import norm
from rnnviz.nn.readout import attends, read_out
from rnnviz.nn.records import Forward
from rnnviz.nn.types import Array, ReadOnly, frozen
from rnnviz.numbers import fixed
from rnnviz.scene.commands import Measure
from rnnviz.scene.scene import Scene
from rnnviz.views.analysis import OnPart

#: Per cent of the way to the other sequence's state.
PARTS = (1, 10, 25, 50, 75, 100)
#: In so many parts a network reads on.
PIECES = 16


@dataclass(frozen=True, eq=False)
class Perturbation(ReadOnly):
    """One move of the state at step t for each part of the way, and each followed to the end.

    other    the sequence towards whose state it goes
    parts    (P,) per cent of the way
    sizes    (P, T+1) ‖h^p_s - h_s‖ of the top layer, at each step s >= t; nan before
    way      (P, T+1) the same in parts of what the whole way makes at s: way[p, t] = parts[p] / 100
    answers  (P,) what the network then answers at the last loss step, in words
    answer   what it answers unmoved; other_answer: the right answer of the other sequence
    """

    t: int
    last: int
    other: int
    parts: tuple[int, ...]
    sizes: Array
    way: Array
    answers: tuple[str, ...]
    answer: str
    other_answer: str

    def at(self, part: int) -> int:
        return self.parts.index(part)

    @property
    def left(self) -> Array:
        """(P,): ‖h^p_k - h_k‖ / ‖h^p_t - h_t‖ at the last loss step k: what is left of the move."""
        with np.errstate(all="ignore"):
            return np.asarray(self.sizes[:, self.last] / self.sizes[:, self.t])


def cost(scene: Scene) -> int:
    """Multiplications, roughly."""
    trace = scene.trace
    return int((len(PARTS) + 1) * trace.T * trace.L * trace.H * (trace.H + trace.I) * len(trace.spec.gates))


def parts_with(percent: int) -> tuple[int, ...]:
    """The parts of the way that are followed together with this one."""
    return PARTS if percent in PARTS else (percent, 100)


def known(scene: Scene, t: int, parts: tuple[int, ...] = PARTS) -> Perturbation | None:
    """None while it is not known, and where there is none."""
    return scene.known.get(Measure("perturbed", t, parts))


def needs(scene: Scene, t: int, parts: tuple[int, ...] = PARTS) -> Measure | None:
    """What makes it known; None if it is, or if there is none."""
    command = Measure("perturbed", t, parts)
    return None if command in scene.known or not is_any(scene, t) else command


def is_any(scene: Scene, t: int) -> bool:
    return 0 < t < scene.last_loss_step and another(scene, t) is not None


def perturb(scene: Scene, t: int, parts: tuple[int, ...], on_part: OnPart) -> Perturbation | None:
    """Follow the moved states. None where no other sequence can lend its state, or t lies behind the last loss step."""
    if not is_any(scene, t):
        return None
    trace, k, other = scene.trace, scene.last_loss_step, another(scene, t)
    assert other is not None
    reads, own = scene.task.read_steps(other), trace.forward.mask
    there, after = _pieces(0, t, PIECES), _pieces(t, trace.T, PIECES)
    total = len(there) + len(after)
    lent: tuple[Array | None, Array | None] = None, None
    for done, (first, end) in enumerate(there, start=1):
        mask = None if reads is None else reads[0, first:end, None]
        lent = _state(_forward(trace, scene.task.x[other, first:end, None], lent, mask), end - first)
        on_part(done, total)
    share = np.array(parts)[None, :, None] / 100
    h, c = (
        None if own is None or its is None else own + share * (its - own)
        for own, its in zip(_state(trace.forward, t), lent, strict=True)
    )
    states = np.repeat(trace.h[1 : k + 1], len(parts), axis=1)  # those that attention looks back at
    states[t - 1] = trace.h[t] if h is None else h[-1]
    sizes = np.full((len(parts), trace.T + 1), np.nan)
    y = np.full((len(parts), trace.O), np.nan)
    for done, (first, end) in enumerate(after, start=len(there) + 1):
        mask = None if own is None else np.repeat(own[first:end], len(parts), axis=1)
        run = _forward(trace, np.repeat(trace.x[first:end], len(parts), axis=1), (h, c), mask)
        with np.errstate(all="ignore"):
            sizes[:, first : end + 1] = norm(run.layers[-1].h - trace.h[first : end + 1], axis=2).T
        states[first : min(end, k)] = run.layers[-1].h[1 : min(end, k) - first + 1]
        if first < k <= end and attends(trace.spec):
            seen = None if own is None else np.repeat(own[:k], len(parts), axis=1)
            y = read_out(trace.spec, trace.params, states, seen)[-1]
        elif first < k <= end:
            y = run.y[k - first - 1] + (0.0 if trace.rest is None else trace.rest[k - 1])
        h, c = _state(run, end - first)
        on_part(done, total)
    with np.errstate(all="ignore"):
        whole = sizes[parts.index(100)] if 100 in parts else np.full(trace.T + 1, np.nan)
        way = sizes / whole
    frozen(sizes)
    frozen(way)
    return Perturbation(
        t=t,
        last=k,
        other=other,
        parts=parts,
        sizes=sizes,
        way=way,
        answers=tuple(_answer(scene, y[p]) for p in range(len(parts))),
        answer=_answer(scene, trace.y[k - 1, 0]),
        other_answer=_target(scene, other),
    )


def _pieces(first: int, end: int, pieces: int) -> list[tuple[int, int]]:
    """The steps from first to end, cut into at most so many pieces."""
    cuts = np.linspace(first, end, min(pieces, end - first) + 1).astype(int).tolist()
    return list(pairwise(cuts))


def _forward(trace: Trace, x: Array, state: tuple[Array | None, Array | None], mask: Array | None) -> Forward:
    h, c = (None if s is None else np.ascontiguousarray(s) for s in state)
    return trace.engine.forward(trace.spec, trace.params, np.ascontiguousarray(x), h, c, mask)


def another(scene: Scene, t: int) -> int | None:
    """The next sequence with another right answer at the last loss step, and at least t steps."""
    task, k = scene.task, scene.last_loss_step
    for by in range(1, len(task)):
        j = (scene.sample + by) % len(task)
        is_judged = k <= task.lengths[j] and t <= task.lengths[j]
        if is_judged and not np.array_equal(task.targets[j, k - 1], task.targets[scene.sample, k - 1]):
            return j
    return None


def _state(forward: Forward, t: int) -> tuple[Array, Array | None]:
    """(L, 1, H) each: h and c of all layers after step t."""
    cells = [layer.c[t] for layer in forward.layers if layer.c is not None]
    return np.stack([layer.h[t] for layer in forward.layers]), np.stack(cells) if cells else None


def _answer(scene: Scene, y: Array) -> str:
    return scene.task.answers(y[None])[0] if scene.task.loss == "cross_entropy" else fixed(float(y[0]), 2)


def _target(scene: Scene, j: int) -> str:
    target = scene.task.targets[j, scene.last_loss_step - 1]
    return scene.task.labels[int(target)] if scene.task.loss == "cross_entropy" else fixed(float(target[0]), 2)
