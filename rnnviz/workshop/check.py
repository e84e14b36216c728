"""Check a learner's file: run it, and find the first of its numbers that is not the exact one.

result = check(exercise, Path("workshop/05_bptt.py"))
result.status, result.headline
('wrong', '∂L/∂h₇ is the first that differs: yours is 2.6 × too large, as if the slope 1 − h² were missing.')
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz import files
from rnnviz.workshop import own_cell, running
from rnnviz.workshop.compare import judge
from rnnviz.workshop.exercise import Case, Exercise
from rnnviz.workshop.failures import UNREADABLE, failed
from rnnviz.workshop.result import ERROR, MISSING, SOLVED, UNWRITTEN, Result

LONGEST = 1 << 20  # bytes of a learner's file


def check(exercise: Exercise, path: Path, seed: int | None = None, stop: running.Stop | None = None) -> Result:
    """Run the file and compare. seed: of the last case; None: another one at each check. Raises OSError if no process
    can be started."""
    try:
        source = files.read(path, LONGEST).decode("utf-8-sig")
    except FileNotFoundError:
        return Result(exercise, MISSING, f"{path.name} is not there. rnnviz workshop init writes it again.")
    except UnicodeDecodeError:
        return Result(exercise, ERROR, f"{path.name} is not text in UTF-8: save it as UTF-8.")
    except OSError as error:
        return Result(exercise, ERROR, f"{path.name} cannot be read: {error.strerror or error}.")
    if not source.strip():
        return Result(exercise, UNWRITTEN, f"{path.name} is empty. Delete it; rnnviz workshop init writes it again.")
    try:
        if exercise.case is None:
            return own_cell.check(exercise, path, source, seed, stop)
        return _checked(exercise, path, source, seed, stop)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):  # an answer that is none
        return Result(exercise, ERROR, UNREADABLE)


def _checked(exercise: Exercise, path: Path, source: str, seed: int | None, stop: running.Stop | None) -> Result:
    cases = exercise.cases(secrets.randbits(32) if seed is None else seed)
    job = {"functions": [exercise.function], "own": False, "calls": calls_of(exercise, cases)}
    ran = running.run(path, source, job, stop)
    if "returned" not in ran.answer:
        return failed(exercise, source, ran).with_printed(ran.printed)
    found = judge(exercise, cases, ran.answer["returned"], ran.answer["unwritten"])
    return (found or Result(exercise, SOLVED, f"{path.name} is solved.")).with_printed(ran.printed)


def calls_of(exercise: Exercise, cases: list[Case]) -> list[dict[str, Any]]:
    """The calls of the learner's function, one for each case, for the job of its process."""
    return [
        {
            "function": exercise.function,
            "arguments": {
                name: value.tolist() if isinstance(value, np.ndarray) else float(value)
                for name, value in case.arguments.items()
            },
        }
        for case in cases
    ]
