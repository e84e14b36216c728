"""The table of metrics, and what it takes to enter one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnviz.scene.commands import Measure
    from rnnviz.scene.frame import Frame


Value = float | str | None

Axes = tuple[str, ...]

#: What an index may count: its first and last value in a frame.
AXES: dict[str, Callable[[Frame], tuple[int, int]]] = {
    "state": lambda frame: (0, frame.T),
    "step": lambda frame: (1, frame.T),
    "unit": lambda frame: (0, frame.scene.H - 1),
    "from": lambda frame: (0, frame.scene.H - 1),
    "input": lambda frame: (0, frame.scene.trace.I - 1),
    "output": lambda frame: (0, frame.scene.trace.O - 1),
    "percent": lambda frame: (1, 100),
}

INDEX_WORDS: dict[str, Callable[[Frame], int]] = {
    "t": lambda frame: frame.cursor.t,
    "T": lambda frame: frame.T,
    "K": lambda frame: frame.scene.last_loss_step,
    "first": lambda frame: frame.scene.task.span(frame.scene.sample)[0],
    "last": lambda frame: frame.scene.task.span(frame.scene.sample)[1],
    "unit": lambda frame: frame.cursor.unit,
}

INDEX_DEFAULTS: dict[str, int | str] = {"state": "t", "step": "t", "unit": "unit", "percent": 1}


@dataclass(frozen=True)
class Metric:
    """name, about: one line. format: how prose writes it. axes: what its index counts, () for none.
    low, high: limits it can never pass. setting: it is that setting of the experiment, and never changes
    unless the setting does. is_text: its value is a word. needs: the command that works it out where that takes
    long, None where it does not or is done."""

    name: str
    about: str
    format: str
    read: Callable[..., Any]
    axes: Axes = ()
    low: float = -math.inf
    high: float = math.inf
    setting: str | None = None
    is_text: bool = False
    needs: Callable[..., Measure | None] | None = None


@dataclass(frozen=True)
class Reference:
    """A metric as it is written: `grad_norm[1]`, `horizon`, `start.loss`. at_start: its value when the question
    or exercise was opened, not now."""

    name: str
    index: tuple[int | str, ...] = ()
    at_start: bool = False

    @property
    def now(self) -> Reference:
        return Reference(self.name, self.index)

    def __str__(self) -> str:
        index = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return f"{'start.' if self.at_start else ''}{self.name}{index}"


METRICS: dict[str, Metric] = {}


def metric(name: str, about: str, format: str = ".3g", *axes: str, **limits: Any) -> Callable[[Any], Any]:
    def add(read: Callable[..., Any]) -> Callable[..., Any]:
        METRICS[name] = Metric(name, about, format, read, axes, **limits)
        return read

    return add


def if_unknown(what: str) -> Callable[[Frame, *tuple[int, ...]], Measure | None]:
    """What makes it known, where it is not; index or not."""

    def missing(frame: Frame, *index: int) -> Measure | None:
        command = _measure(frame, what)
        return None if command in frame.scene.known else command

    return missing


def _measure(frame: Frame, what: Any) -> Measure:
    from rnnviz.scene.commands import Measure  # not above: checking a lesson needs only the names

    if what == "ledger":
        return Measure("ledger", frame.scene.last_loss_step)
    return Measure(what, experiment={"left_out": frame.experiment, "map": frame.requested}.get(what))


def prepared(frame: Frame, what: str) -> Any:
    """What was prepared of that kind; None while it is not known."""
    return frame.scene.known.get(_measure(frame, what))


def outcome(frame: Frame, what: str) -> Any:
    return None if frame.scene.outcome is None else getattr(frame.scene.outcome, what)


def left_out_needs(frame: Frame) -> Measure | None:
    return if_unknown("left_out")(frame) if frame.scene.task.is_shuffled else None
