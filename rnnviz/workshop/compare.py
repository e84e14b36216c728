"""Compare what a function returned with the exact values, in the order in which they are computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.workshop.exercise import SIZES, Case, Exercise, Quantity
from rnnviz.workshop.mistakes import known, relation, same
from rnnviz.workshop.result import UNWRITTEN, WRONG, Result, Score
from rnnviz.workshop.values import UNWRITTEN as NOT_YET
from rnnviz.workshop.values import Value, value
from rnnviz.workshop.wording import beside, difference, name_of


def judge(
    exercise: Exercise, cases: list[Case], returned: list[dict[str, Any]], unwritten: list[list[Any]] | None = None
) -> Result | None:
    """The result for all cases; None if all is right. unwritten: [name, row or None, line] of each statement
    `name[row] = ...` that was left out. Raises KeyError, TypeError or ValueError for an answer that is none."""
    names = [one.name for one in exercise.quantities]
    runs: list[_Run] = []
    for case, answer in zip(cases, returned, strict=True):
        values = list(answer["values"])
        if len(values) != len(names):
            return _wrong_count(exercise, values, names)
        if answer["changed"]:
            return in_place(exercise, [str(name) for name in answer["changed"]])
        runs.append(_Run(case, {name: value(one, case.exact[name]) for name, one in zip(names, values, strict=True)}))
    results = (_judged(exercise, runs, n, unwritten or []) for n in range(len(runs)))
    return next((result for result in results if result is not None), None)


class _Run(NamedTuple):
    """A case, and what the function returned for it."""

    case: Case
    values: Mapping[str, Value]

    @property
    def arrays(self) -> dict[str, Array]:
        return {name: one.array for name, one in self.values.items() if one.array is not None}


def _judged(exercise: Exercise, runs: list[_Run], at: int, unwritten: list[list[Any]]) -> Result | None:
    """The result of one run; None if all in it is right."""
    case, values = runs[at]
    for quantity, row in _order(exercise, case):
        mine = values[quantity.name]
        if mine.array is None or mine.wrong:
            return _wrong_form(exercise, case, quantity, values)
        if not _row_is_right(mine.array, case.exact[quantity.name], row):
            for name, index, line in unwritten:
                if name == quantity.name and index in (None, row):
                    return _not_yet(exercise, quantity, int(line))
            return _departure(exercise, runs, at, quantity, row)
    return None


def in_place(exercise: Exercise, changed: list[str]) -> Result:
    name = changed[0][:40]
    return Result(
        exercise,
        WRONG,
        f"The function changes its argument {name}: {name} += … and {name}[…] = … write into the caller's array. "
        f"Write {name} = {name} + …, or begin with {name} = {name}.copy().",
        place=name,
        as_if=f"{name} were changed in place",
    )


def _wrong_count(exercise: Exercise, returned: list[Any], names: list[str]) -> Result:
    expected = ", ".join(names)
    if len(returned) == 1 and returned[0]["kind"] == "None":
        return Result(exercise, WRONG, f"The function returns None: its last line should be return {expected}.")
    if len(returned) == 1 and returned[0]["kind"] == "unwritten":
        return Result(exercise, UNWRITTEN, f"{exercise.function} is not written yet.")
    count = f"{len(returned)} value{'s' * (len(returned) != 1)}"
    return Result(exercise, WRONG, f"The function returns {count}, and should return {len(names)}: {expected}.")


def _order(exercise: Exercise, case: Case) -> Iterator[tuple[Quantity, int | None]]:
    """The quantities and their rows in the order in which they are computed."""
    for group in exercise.groups:
        members = [exercise.quantity(name) for name in group]
        if members[0].first is None:
            yield from ((one, None) for one in members)
            continue
        times = range(case.sizes.T + 1)
        for t in reversed(times) if exercise.backward else times:
            for one in members:
                assert one.first is not None
                if 0 <= t - one.first < len(case.exact[one.name]):
                    yield one, t - one.first


def _row_is_right(yours: Array, exact: Array, row: int | None) -> bool:
    if row is None:
        return same(yours, exact)
    # a step of a sequence is compared on its own scale: a gradient may have vanished there
    return same(yours[row], exact[row], 1e-7)


def score(exercise: Exercise, case: Case, first: Quantity, row: int | None, values: Mapping[str, Value]) -> Score:
    rows = []
    for quantity in exercise.quantities:
        mine, exact = values[quantity.name].array, case.exact[quantity.name]
        count = 1 if quantity.first is None else len(exact)
        right: tuple[bool | None, ...] = (None,) * count
        if mine is not None:
            right = tuple(_row_is_right(mine, exact, None if quantity.first is None else n) for n in range(count))
        rows.append((quantity, right))
    return Score(tuple(rows), first, row, values[first.name].array, case.exact[first.name])


def _where(case: Case) -> tuple[str, ...]:
    """The sizes of a case after the first, as details: some mistakes show only there."""
    if case.sizes == SIZES[0]:
        return ()
    return (f"These are the numbers for {case.sizes}; for the sizes before all is right.",)


def _wrong_form(exercise: Exercise, case: Case, quantity: Quantity, values: Mapping[str, Value]) -> Result:
    mine, name = values[quantity.name], quantity.name
    if mine.wrong == NOT_YET.wrong:
        return _not_yet(exercise, quantity)
    as_if = f": as if {mine.as_if}" if mine.as_if else ""
    return Result(exercise, WRONG, f"{name} {mine.wrong}{as_if}.", _where(case), name, as_if=mine.as_if)


def _not_yet(exercise: Exercise, quantity: Quantity, line: int | None = None) -> Result:
    """All that comes before this quantity is right."""
    group = next(names for names in exercise.groups if quantity.name in names)
    before = [name for names in exercise.groups[: exercise.groups.index(group)] for name in names]
    right = f"{', '.join(before)} {'is' if len(before) == 1 else 'are'} right. " if before else ""
    where = f": replace the … in line {line}" if line else ""
    return Result(
        exercise, UNWRITTEN, f"{right}{quantity.name} is not written yet{where}.", place=quantity.name, line=line
    )


def _departure(exercise: Exercise, runs: list[_Run], at: int, quantity: Quantity, row: int | None) -> Result:
    case, values = runs[at]
    arrays = runs[at].arrays
    yours, exact = arrays[quantity.name], case.exact[quantity.name]
    mine, true = (yours, exact) if row is None else (yours[row], exact[row])
    as_if = _exchanged(exercise, case, arrays) or known(
        exercise, [(run.case, run.arrays) for run in runs], at, quantity.name, row
    )
    if not as_if:
        sizes = case.sizes
        counts = {
            sizes.T: "T", sizes.O: "O", sizes.H: "H", sizes.T * sizes.O: "N = T · O",
        }  # fmt: skip
        as_if = relation(quantity, row, yours, exact, counts)
    name = name_of(quantity, row)
    only = len(exercise.quantities) == 1
    headline = f"{name} {'differs' if only else 'is the first that differs'}: {difference(mine, true)}"
    return Result(
        exercise,
        WRONG,
        f"{headline}{f', as if {as_if}' if as_if else ''}.",
        (*beside(mine, true), *_where(case)),
        quantity.name,
        None if row is None or quantity.first is None else row + quantity.first,
        as_if,
        score=score(exercise, case, quantity, row, values),
    )


def _exchanged(exercise: Exercise, case: Case, arrays: Mapping[str, Array]) -> str:
    """Whether the right values are returned in another order."""
    wrong = [
        one.name
        for one in exercise.quantities
        if one.name in arrays and not _all_right(arrays[one.name], case, one.name)
    ]
    if len(wrong) < 2:
        return ""
    others = {}
    for name in wrong:
        found = [other for other in wrong if other != name and _all_right(arrays[name], case, other)]
        if not found:
            return ""
        others[name] = found[0]
    return (
        f"{wrong[0]} and {others[wrong[0]]} were returned in the wrong order"
        if len(set(others.values())) == len(wrong)
        else ""
    )


def _all_right(array: Array, case: Case, name: str) -> bool:
    return same(array, np.asarray(case.exact[name]))
