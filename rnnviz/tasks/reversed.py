"""The sequences of a task as the backward direction of a bidirectional layer reads them: from their ends.

>>> from_the_end(task).tokens(0)[0] == task.tokens(0)[-1]
True

Step s is the time T + 1 - s of a sequence of T steps. What a network makes of the task is asked of the task itself,
which is `original`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from rnnviz.tasks.base import Array, Task


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FromTheEnd(Task):
    """of: the task in the order of time."""

    of: Task

    def __getattribute__(self, name: str) -> Any:
        """What does not depend on the order is the task's own."""
        return getattr(super().__getattribute__("of"), name) if name in _SAME else super().__getattribute__(name)

    def _turned(self, i: int, values: Any) -> Any:
        """One value a step, of the other order."""
        steps = int(self.lengths[i])
        return (*values[:steps][::-1], *values[steps:])

    def tokens(self, i: int) -> tuple[str, ...]:
        return tuple(self._turned(i, self.of.tokens(i)))

    def in_words(self, i: int, y: Array | None = None) -> str:
        return self.of.in_words(i, None if y is None else y[::-1])

    def needs(self, i: int, k: int) -> tuple[int, ...]:
        """Those that this order reads up to step k: what lies on the other side of the answer is not its to find."""
        T = int(self.lengths[i])
        at, targets = T + 1 - k, self.of.targets[i, :T]
        is_one_answer = bool((targets == targets[:1]).all())  # then what it depends on may come after it
        needed = self.of.needs(i, T if is_one_answer else at)
        return tuple(sorted(T + 1 - t for t in needed if t >= at))

    def class_mark(self, i: int, t: int) -> str:
        return self.of.class_mark(i, int(self.lengths[i]) + 1 - t if t else 0)

    def amount(self, i: int, t: int) -> float | None:
        return self.of.amount(i, int(self.lengths[i]) + 1 - t)


_SAME = frozenset(
    ("continues", "is_shuffled", "has_readout", "has_words", "has_own_data", "has_targets", "has_marker",
     "has_features", "features", "curve", "describe", "picture", "answers", "in_numbers", "has_right_answers", "right",
     "about_marks")
)  # fmt: skip


def from_the_end(task: Task) -> FromTheEnd:
    """Each sequence reversed as far as it goes; what lies behind its end stays there."""
    T = task.seq_len
    time = np.arange(T)
    order = np.where(time < task.lengths[:, None], task.lengths[:, None] - 1 - time, time)

    def turned(a: Array) -> Array:
        return np.take_along_axis(a, order.reshape(*order.shape, *[1] * (a.ndim - 2)), axis=1)

    same = {one.name: getattr(task, one.name) for one in fields(Task)}
    own = None if task.own_steps is None else task.lengths[:, None] + 1 - task.own_steps[:, ::-1]
    arrays = {name: turned(same[name]) for name in ("x", "targets", "loss_mask")}
    return FromTheEnd(**{**same, **arrays, "own_steps": own, "original": task.original or task, "of": task})
