"""A program checked without a process of its own: its functions are called and described as in rnnviz.workshop.child.

The numbers of all cases are drawn from the seed, also those that a learner gets with fixed numbers.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rnnviz.workshop import child, own_cell
from rnnviz.workshop.check import calls_of
from rnnviz.workshop.compare import judge
from rnnviz.workshop.exercise import SIZES, Case, Exercise
from rnnviz.workshop.result import Result


@lru_cache
def _cases(exercise: Exercise, seed: int) -> list[Case]:
    assert exercise.case is not None
    return [exercise.case(sizes, np.random.default_rng([seed, n])) for n, sizes in enumerate(SIZES)]


def judged(exercise: Exercise, source: str, seed: int) -> Result | None:
    """The result of a program that raises nothing; None if it is right."""
    names: dict[str, object] = {}
    exec(compile(source, exercise.file, "exec"), names)
    with np.errstate(all="ignore"):
        if exercise.case is None:
            return own_cell.judge(exercise, [child.own_cell(names, call, np) for call in own_cell.calls_of(seed)])
        cases = _cases(exercise, seed)
        return judge(exercise, cases, [child.call(names, one, np) for one in calls_of(exercise, cases)])
