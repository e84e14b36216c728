"""Perturbation: the hidden state moved a little and a lot at one step, and what becomes of that.

    >>> found = perturbation(scene, 5)
    >>> found.other, found.answers          # moved towards the state of a sequence whose answer is B
    (3, ('A', 'A', 'A', 'B', 'B', 'B'))

The state s_t (h, and c of an LSTM, of all layers) goes a part of the way towards the state s'_t that another sequence
has at that step, one with another answer; then the network reads on as before. How far is it off at the end?

    small moves die out, large ones go all the way    latched: the state lies in an attractor, and the move goes back
                                                      to it or over to another one
    every move stays what it is                       the state is carried along, not held
    every move dies out                               forgotten

The gradient sees small moves alone: what is latched has a short horizon and remembers all the same.
Bengio, Simard and Frasconi 1994 (10.1109/72.279181).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.nn.metrics import norm
from rnnviz.nn.types import Array
from rnnviz.player.numbers import fixed

if TYPE_CHECKING:
    from rnnviz.nn.passes import Forward
    from rnnviz.player.frame import Scene

#: Per cent of the way to the other sequence's state.
PARTS = (1, 10, 25, 50, 75, 100)
#: Multiplications for which a person need not wait; a network beyond is not perturbed.
AT_ONCE = 30_000_000


@dataclass(frozen=True, eq=False)
class Perturbation:
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
    return int((len(PARTS) + 2) * trace.T * trace.L * trace.H**2 * len(trace.spec.gates) * 2)


def perturbation(scene: Scene, t: int, parts: tuple[int, ...] = PARTS) -> Perturbation | None:
    """None where no other sequence can lend its state, t lies behind the last loss step, or the network is too large.
    Kept with the scene."""
    key = f"perturbation {t} {parts}"
    if key not in scene.measured:
        scene.measured[key] = _perturbation(scene, t, parts)
    found: Perturbation | None = scene.measured[key]
    return found


def _perturbation(scene: Scene, t: int, parts: tuple[int, ...]) -> Perturbation | None:
    k = scene.last_loss_step
    other = another(scene, t)
    if other is None or not 0 < t < k or cost(scene) > AT_ONCE:
        return None
    trace = scene.trace
    lent = trace.engine.forward(trace.spec, trace.params, np.ascontiguousarray(scene.task.x[other, :t, None]))
    share = np.array(parts)[None, :, None] / 100
    h, c = (
        None if own is None or its is None else np.ascontiguousarray(own + share * (its - own))
        for own, its in zip(_state(trace.forward, t), _state(lent, t), strict=True)
    )
    x = np.ascontiguousarray(np.repeat(trace.x[t:], len(parts), axis=1))
    run = trace.engine.forward(trace.spec, trace.params, x, h, c)
    with np.errstate(all="ignore"):
        own, its = trace.h[t:], run.layers[-1].h
        sizes = np.full((len(parts), trace.T + 1), np.nan)
        sizes[:, t:] = norm(its - own, axis=2).T
        whole = sizes[parts.index(100)] if 100 in parts else np.full(trace.T + 1, np.nan)
        way = sizes / whole
    return Perturbation(
        t=t,
        last=k,
        other=other,
        parts=parts,
        sizes=sizes,
        way=way,
        answers=tuple(_answer(scene, run.y[k - t - 1, p]) for p in range(len(parts))),
        answer=_answer(scene, trace.y[k - 1, 0]),
        other_answer=_target(scene, other),
    )


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
