"""Check a cell of the learner's own: its exact gradients are the central differences of its own step."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.workshop import running
from rnnviz.workshop.compare import in_place
from rnnviz.workshop.exercise import Exercise, Quantity
from rnnviz.workshop.failures import failed
from rnnviz.workshop.mistakes import relation, same
from rnnviz.workshop.result import SOLVED, UNWRITTEN, WRONG, Result
from rnnviz.workshop.values import Value, value
from rnnviz.workshop.wording import beside, difference

FUNCTIONS = ("parameters", "step", "backward_step")
#: (I, H) of the cases; the last gets a seed of its own at each check.
SIZES = ((2, 3), (1, 1), (3, 2), (1, 4))
NEAR = 1e-5  # central differences of a smooth step are right to 9 digits
LEAST = 1e-9  # a derivative smaller than this is none


def check(
    exercise: Exercise, path: Path, source: str, seed: int | None = None, stop: running.Stop | None = None
) -> Result:
    """Run the file and compare. Raises KeyError, TypeError, ValueError or AttributeError for an answer that is none."""
    calls = calls_of(secrets.randbits(32) if seed is None else seed)
    ran = running.run(path, source, {"functions": list(FUNCTIONS), "own": True, "calls": calls}, stop)
    if "returned" not in ran.answer:
        return failed(exercise, source, ran).with_printed(ran.printed)
    found = judge(exercise, ran.answer["returned"])
    return (found or Result(exercise, SOLVED, f"{path.name} is solved.")).with_printed(ran.printed)


def calls_of(seed: int) -> list[dict[str, int]]:
    """The sizes and seeds of the cases, for the job of the file's process. seed: of the last."""
    seeds = [*range(len(SIZES) - 1), seed]
    return [{"I": sizes[0], "H": sizes[1], "seed": number} for sizes, number in zip(SIZES, seeds, strict=True)]


def judge(exercise: Exercise, returned: list[dict[str, Any]]) -> Result | None:
    """The result for all cases; None if all is right. Raises KeyError, TypeError or ValueError for an answer that is
    none."""
    results = (
        _step(exercise, answer, sizes[1]) or _gradients(exercise, answer)
        for sizes, answer in zip(SIZES, returned, strict=True)
    )
    return next((result for result in results if result is not None), None)


def _step(exercise: Exercise, answer: dict[str, Any], H: int) -> Result | None:
    """What a step must be before its gradient can be compared."""

    def wrong(headline: str, place: str, as_if: str = "") -> Result:
        return Result(exercise, WRONG, headline, place=place, as_if=as_if)

    params = answer["params"]
    if params["kind"] != "dict":
        return wrong("parameters should return a dict of arrays by name.", "parameters")
    for name, one in params["entries"].items():
        if one["kind"] != "array":
            return wrong(f'params["{name}"] should be an array of numbers.', "parameters")
    h = answer["h"]
    if h["kind"] == "unwritten":
        return Result(exercise, UNWRITTEN, "step is not written yet.", place="step")
    if h["kind"] == "None":
        return wrong("step returns None: its last line should be return h.", "step")
    if h["kind"] != "array" or h["shape"] != [H]:
        got = tuple(h["shape"]) if h["kind"] == "array" else "no array"
        return wrong(f"step returns {got}, and should return the new state, an array (H,).", "step")
    if answer["h_again"] != h:
        return wrong("step returned another state for the same arguments: no random numbers in it.", "step")
    if answer["changed"]:
        return in_place(exercise, [str(name) for name in answer["changed"]])
    if not np.isfinite(h["numbers"]).all():
        return wrong("step returns nan or inf.", "step")
    for place, what in (("grad_h_before", "h_before"), ("grad_x", "x_t")):
        if not answer["moves"][place] > LEAST:
            return wrong(f"The new state does not depend on {what}: a recurrent cell reads both.", "step")
    return None


def _gradients(exercise: Exercise, answer: dict[str, Any]) -> Result | None:
    names = [one.name for one in exercise.quantities]
    values = list(answer["values"])
    if len(values) == 1 and values[0]["kind"] == "None":
        return Result(
            exercise, WRONG, f"backward_step returns None: its last line should be return {', '.join(names)}."
        )
    if len(values) == 1 and values[0]["kind"] == "unwritten":
        return Result(exercise, UNWRITTEN, "step is written; backward_step is not yet.", place="backward_step")
    if len(values) != len(names):
        return Result(
            exercise, WRONG, f"backward_step returns {len(values)} values, and should return 3: {', '.join(names)}."
        )
    given = dict(zip(names, values, strict=True))
    found = _gradient(exercise, exercise.quantities[0], given["grad_h_before"], answer) or _gradient(
        exercise, exercise.quantities[1], given["grad_x"], answer
    )
    if found is not None:
        return found
    grads = given["grad_params"]
    if grads["kind"] == "unwritten":
        return Result(
            exercise,
            UNWRITTEN,
            "grad_h_before and grad_x are right. grad_params is not written yet.",
            place="grad_params",
        )
    if grads["kind"] != "dict":
        return Result(
            exercise, WRONG, "grad_params should be a dict: an array for each name in params.", place="grad_params"
        )
    for name in answer["params"]["entries"]:
        if name not in grads["entries"]:
            return Result(exercise, WRONG, f'grad_params["{name}"] is missing.', place=f"grad_params[{name}]")
        one = Quantity(f"grad_params[{name}]", f"∂L/∂{name}")
        found = _gradient(exercise, one, grads["entries"][name], answer)
        if found is not None:
            return found
    return None


def _gradient(
    exercise: Exercise, quantity: Quantity, described: dict[str, Any], answer: dict[str, Any]
) -> Result | None:
    exact = _array(answer["exact"][quantity.name])
    mine: Value = value(described, exact)
    if mine.array is None:
        if described["kind"] == "unwritten":
            return Result(exercise, UNWRITTEN, f"{quantity.name} is not written yet.", place=quantity.name)
        as_if = f": as if {mine.as_if}" if mine.as_if else ""
        return Result(exercise, WRONG, f"{quantity.name} {mine.wrong}{as_if}.", place=quantity.name, as_if=mine.as_if)
    if same(mine.array, exact, NEAR) or (not exact.any() and not mine.array.any()):
        return None
    if np.abs(mine.array - exact).max(initial=0.0) < LEAST:
        return None
    as_if = relation(quantity, None, mine.array, exact, {}, NEAR)
    words = f", as if {as_if}" if as_if else ""
    return Result(
        exercise,
        WRONG,
        f"{quantity.symbol} is the first that differs: {difference(mine.array, exact, NEAR)}{words}.",
        beside(mine.array, exact),
        quantity.name,
        as_if=as_if,
    )


def _array(described: dict[str, Any]) -> Array:
    return np.array(described["numbers"], dtype=np.float64).reshape(described["shape"])
