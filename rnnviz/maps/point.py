"""Point: what came of one run of a map.

>>> compute(Experiment(task="recall", lag=5, samples=100, epochs=3))
Point(key='…', cell='rnn', seed=0, status='not', epoch=3, …)
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.experiment.divergence import diverged
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run
from rnnviz.nn import engine as engines
from rnnviz.nn.compiler import CompilerError
from rnnviz.views.prepare import CancelledError
from rnnviz.views.reach import answers_of, horizon_of

LEARNT, NOT, DIVERGED, FAILED = "learnt", "not", "diverged", "failed"
STATUSES = (LEARNT, NOT, DIVERGED, FAILED)
LONGEST_ERROR = 300
_LARGEST_WHOLE = 2**53

UNJUDGED = "it cannot be told whether this is learnt: there are fewer than 10 sequences to judge it by"


@dataclass(frozen=True)
class Point:
    """What came of one run.

    key      what it ran (grid.key_of): runs with the same key have the same numbers
    cell, seed, x, y  where it is; None where the map has no such axis
    status   "learnt": training ended there; "not" after all its epochs; "diverged"; "failed": it could not be run
    epoch    epochs trained: learnt after this one
    loss     training loss of the last epoch
    right    share of right answers at the end; None where answers are numbers
    horizon_before, horizon_after   lag at which 1 % of the last loss's gradient is left in the first sequence, before
             and after training; inf: more is left after all its steps; nan: not known, such as of a gradient of 0
    factor_before, factor_after     what a step back keeps of it, the mean over its way to what the answer depends on
    seconds  of this run; the one number that is not the same each time
    error    why it failed, in one line
    """

    key: str
    cell: str
    seed: int
    x: Any = None
    y: Any = None
    status: str = NOT
    epoch: int = 0
    loss: float = math.nan
    right: float | None = None
    horizon_before: float = math.nan
    horizon_after: float = math.nan
    factor_before: float = math.nan
    factor_after: float = math.nan
    seconds: float = 0.0
    error: str | None = None

    @property
    def learnt(self) -> bool:
        return self.status == LEARNT

    def placed(self, x: Any, y: Any) -> Point:
        """The same at another place of the map: there its axis has no effect."""
        return replace(self, x=x, y=y)

    def to_json(self) -> str:
        """One line, without its end. A number that is not finite is a text: "inf", "nan"."""
        values = {name: _as_text(value) for name, value in asdict(self).items()}
        return json.dumps(values, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, values: Any) -> Point:
        """The point of a line that was parsed. Raises InputError where it is none."""
        if not isinstance(values, Mapping) or not {"key", "cell", "seed", "status"} <= values.keys():
            raise InputError("is no point of a map")
        known = {f.name for f in fields(cls)}
        made = {name: _FIELDS[name](value) for name, value in values.items() if name in known}
        if made["status"] not in STATUSES:
            raise InputError(f"status: {short_repr(made['status'])} is unknown; choose from {', '.join(STATUSES)}")
        return cls(**made)


def compute(
    experiment: Experiment, cancelled: Callable[[], bool] = lambda: False, *, key: str = "", engine: str | None = None
) -> Point:
    """Train until the task is learnt (views/reach.py decides), the loss is not finite, or the epochs are over.

    Whatever goes wrong in it is a point that failed. engine: "numpy", "numba" or None, the one in use. Raises
    CancelledError if `cancelled()`, asked after each epoch, and CompilerError if the engine's kernels cannot be had:
    that says nothing about the point.
    """
    start = time.perf_counter()
    point = Point(key, experiment.cell, experiment.seed)
    try:
        with engines.chosen(engine) if engine else nullcontext(), np.errstate(all="ignore"):
            point = _trained(point, experiment, cancelled)
    except (CancelledError, CompilerError):
        raise
    except InputError as error:
        point = replace(point, status=FAILED, error=_line(str(error)))
    except Exception as error:
        point = replace(point, status=FAILED, error=_line(f"{type(error).__name__}: {error}"))
    return replace(point, seconds=round(time.perf_counter() - start, 4))


def _trained(point: Point, experiment: Experiment, cancelled: Callable[[], bool]) -> Point:
    ready = Run(experiment)
    training, losses = ready.training, ready.training.history["loss"]
    horizon_before, factor_before = horizon_of(training.model, ready.task)
    while True:
        answers = answers_of(training.model, ready.task)
        if answers is None or answers.learnt is None:
            raise InputError(UNJUDGED)
        is_lost = bool(losses) and not math.isfinite(losses[-1])
        if answers.learnt or is_lost or training.epoch >= ready.experiment.epochs:
            break
        if cancelled():
            raise CancelledError
        training.run_epoch()
    status = LEARNT if answers.learnt else DIVERGED if losses and diverged(losses, ready.task.baseline) else NOT
    horizon_after, factor_after = horizon_of(training.model, ready.task)
    return replace(
        point, status=status, epoch=training.epoch, loss=losses[-1] if losses else math.nan, right=answers.right,
        horizon_before=horizon_before, horizon_after=horizon_after,
        factor_before=factor_before, factor_after=factor_after,
    )  # fmt: skip


def _line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_ERROR else text[: LONGEST_ERROR - 1] + "…"


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"{short_repr(value)} is not text")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST_WHOLE:
        raise InputError(f"{short_repr(value)} is not a whole number")
    return value


def _real(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):  # a whole number of more than 308 digits
            return float(value)
    if value in ("inf", "-inf", "nan"):
        return float(value)
    raise InputError(f"{short_repr(value)} is not a number")


def _or_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _place(value: Any) -> Any:
    return value if value is None or isinstance(value, str | bool | int) else _real(value)


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "key": _text, "cell": _text, "seed": _whole, "x": _place, "y": _place, "status": _text, "epoch": _whole,
    "loss": _real, "right": _or_none(_real), "horizon_before": _real, "horizon_after": _real,
    "factor_before": _real, "factor_after": _real, "seconds": _real, "error": _or_none(_text),
}  # fmt: skip
