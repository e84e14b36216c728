"""Which known mistake gives just the learner's numbers: each is computed, none is guessed from the text of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.workshop.exercise import Case, Exercise, Mistake, Quantity, outputs

#: Two numbers are equal if they differ by less than this share of the largest in their array.
EQUAL = 1e-8


def same(yours: Array, exact: Array, tolerance: float = EQUAL) -> bool:
    """Whether two arrays have one shape and, but for rounding, equal numbers; two nan are not equal."""
    if yours.shape != exact.shape:
        return False
    if not exact.size:
        return True
    with np.errstate(all="ignore"):
        most = float(np.abs(exact).max())
        return bool((np.abs(yours - exact) <= tolerance * most).all())


#: One case, and what the learner's function returned for it, where that can be compared.
Run = tuple[Case, Mapping[str, Array]]


def known(exercise: Exercise, runs: list[Run], at: int, name: str, row: int | None) -> str:
    """The mistake, in words that complete "as if …", whose numbers are the learner's where those first differ: in run
    `at`, in row `row` of the quantity `name`. Of several the one that explains most of all runs; "" if none does."""
    case, yours = runs[at]
    best, words = 0, ""
    for one in exercise.mistakes:
        wrong = _wrong(exercise, one, case)
        if name not in wrong or not same(_row(yours[name], row), _row(wrong[name], row)):
            continue
        if same(_row(wrong[name], row), _row(case.exact[name], row)):
            continue
        explained = sum(_explained(exercise, one, run) for run in runs)
        if explained > best:
            best, words = explained, one.as_if
    return words


def _explained(exercise: Exercise, mistake: Mistake, run: Run) -> int:
    """How many rows of what the learner's function returned the mistake gives, too."""
    case, yours = run
    wrong = _wrong(exercise, mistake, case)
    return sum(
        same(part, other)
        for quantity in exercise.quantities
        if quantity.name in yours and quantity.name in wrong
        for part, other in _parts(quantity, yours[quantity.name], wrong[quantity.name])
    )


def _row(array: Array, row: int | None) -> Array:
    return array if row is None or not 0 <= row < len(array) else array[row]


def _parts(quantity: Quantity, yours: Array, wrong: Array) -> Iterator[tuple[Array, Array]]:
    if quantity.first is None or yours.shape != wrong.shape:
        yield yours, wrong
    else:
        yield from zip(yours, wrong, strict=True)


@lru_cache(maxsize=512)
def program(exercise: Exercise, mistake: Mistake | None) -> Any:
    """The solution's function; with a mistake, the function of the text that it makes."""
    text = exercise.solution()
    for old, new in () if mistake is None else mistake.changes:
        text = text.replace(old, new)
    names: dict[str, Any] = {"np": np}
    exec(compile(text, exercise.file, "exec"), names)  # our own file
    return names[exercise.function]


def _wrong(exercise: Exercise, mistake: Mistake, case: Case) -> dict[str, Array]:
    """What the mistake makes of this case; {} if it raises an error there."""
    given = {
        name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in case.arguments.items()
    }
    try:
        with np.errstate(all="ignore"):
            return outputs(exercise, program(exercise, mistake)(*given.values()))
    except (ValueError, IndexError):
        return {}


def relation(
    quantity: Quantity,
    row: int | None,
    yours: Array,
    exact: Array,
    counts: Mapping[int, str],
    near: float = EQUAL,
) -> str:
    """What one array is to the other, whatever the exercise, in words that complete "as if …"; "" if nothing is found.

    counts  numbers by which a mean and a sum can differ, with their names
    near    how near two equal numbers are
    """
    mine, true = _row(yours, row), _row(exact, row)
    if row is not None:
        for by in (1, -1):
            if 0 <= row + by < len(exact) and same(mine, exact[row + by], near):
                at = row + by + (quantity.first or 0)
                return f"it were that of step {at}: the steps are off by one"
        if same(mine, exact[len(exact) - 1 - row], near):
            return "the order of the steps were reversed"
    if true.ndim == 2 and true.shape[0] == true.shape[1] and same(mine, true.T, near):
        return "it were transposed"
    if true.size > 1 and same(np.sort(mine.reshape(-1)), np.sort(true.reshape(-1)), near):
        return "the right numbers stood in another order"
    factor = constant_factor(mine, true, near)
    for number, name in {2: "2", **counts}.items() if factor else ():
        if number > 1 and same(np.asarray(factor), np.asarray(float(number)), near):
            return f"there were a factor {name} too many"
        if number > 1 and same(np.asarray(factor), np.asarray(1.0 / number), near):
            return f"a factor {name} were missing" if number == 2 else f"it were divided by {name} once more"
    return ""


def constant_factor(yours: Array, exact: Array, near: float = EQUAL) -> float | None:
    """k, if yours is k times exact in every number; else None."""
    with np.errstate(all="ignore"):
        length = float(np.vdot(exact, exact))
        if not length or not np.isfinite(yours).all():
            return None
        factor = float(np.vdot(exact, yours)) / length
        return factor if factor and same(yours, factor * exact, near) else None
