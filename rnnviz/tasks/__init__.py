"""The tasks: the sequences that a network learns.

    >>> task = build("sine", seq_len=10)
    >>> task.x.shape, task.n_train                     # (N, T, I): 40 windows of 10 points, 36 to train on
    ((40, 10, 1), 36)

One small file per task; `catalog.py` lists them. numpy is imported when the first task is built.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rnnviz.errors import InputError
from rnnviz.tasks.catalog import CATALOG, NAMES, OPTIONAL, OWN, TaskInfo, accepts, dimensions, info
from rnnviz.tasks.own.decisions import NONE, Decisions

if TYPE_CHECKING:
    from rnnviz.tasks.base import LossAt
    from rnnviz.tasks.base import Task as Task

__all__ = ["CATALOG", "NAMES", "Task", "TaskInfo", "build", "info"]


def build(
    name: str,
    *,
    seq_len: int | None = None,
    points: int = 50,
    noise: float = 0.1,
    lag: int | None = None,
    samples: int | None = None,
    seed: int = 0,
    validation_split: float = 0.1,
    source: str | None = None,
    data: str | None = None,
    decisions: Decisions = NONE,
    loss_at: LossAt = "auto",
    shortest: int | None = None,
    padding: str = "after",
    mask: str = "packed",
    rows: int | None = None,
) -> Task:
    """Make the sequences of task `name`; the same arguments always give the same ones.

    An argument that is None takes the task's default (`catalog.py`). `loss_at` is "auto" (the task's default), "every",
    "last", or steps counted from 1. `shortest`, `padding` and `mask`: see padding.py. `data` and `decisions` are for
    the tasks in `OWN`. `rows`: sequences that continue one another, in so many rows, for state that is carried
    (rows.py); only for a task that uses "carry". Raises InputError, in one line, for wrong or conflicting arguments.
    """
    from rnnviz.nn.spec import LARGEST, real_number, whole_number
    from rnnviz.tasks.padding import arranged

    info(name)
    for setting, value in (("seq_len", seq_len), ("lag", lag), ("samples", samples), ("shortest", shortest)):
        if value is not None:
            whole_number(setting, value, low=1, high=LARGEST)
    whole_number("points", points, low=2, high=LARGEST)
    whole_number("seed", seed, low=0)
    noise, validation_split = real_number("noise", noise), real_number("validation_split", validation_split)
    module = import_module(f"rnnviz.tasks.{name}")
    accepts(name, "samples", samples)
    accepts(name, "source", source)
    accepts(name, "data", data)
    accepts(name, "shortest", shortest)
    more: dict[str, Any] = {}
    if rows is not None:
        accepts(name, "carry", rows)
        more = {"rows": whole_number("rows", rows, low=1)}
    if name in OWN:
        if data is None:
            raise InputError(f"data: the task {name!r} learns your own data; name its file with --data")
        own: Task = module.build(
            data=data, decisions=decisions, seq_len=seq_len, samples=samples, seed=seed,
            validation_split=validation_split, loss_at=loss_at, **more,
        )  # fmt: skip
        if shortest is not None and own.series is None:
            raise InputError("shortest: your own sequences have lengths of their own; leave it out")
        return arranged(own, shortest, padding, mask, seed)
    T, lag = dimensions(name, seq_len, lag)
    given = {"lag": lag, "points": points, "noise": noise, "samples": samples, "source": source}
    used = {setting: given[setting] for setting in OPTIONAL if setting in info(name).uses}
    task: Task = module.build(seq_len=T, seed=seed, validation_split=validation_split, loss_at=loss_at, **used, **more)
    return arranged(task, shortest, padding, mask, seed)


def __getattr__(name: str) -> Any:
    if name == "Task":
        return import_module("rnnviz.tasks.base").Task
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
