"""Run the points of a map that are not done, on any executor.

    run(store, executor)       # returns when every point is in the store

The workers compute; this process alone writes. Order, number of workers and size of the chunks change no number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rnnviz.errors import InputError
from rnnviz.maps.dispatch import Dispatch, Executor, ExecutorEndedError
from rnnviz.maps.grid import Job
from rnnviz.maps.point import Point
from rnnviz.maps.store import Store

#: How many workers an executor has that does not say so: enough chunks under way for some tens of them.
MANY = 32


def run(
    store: Store,
    executor: Executor,
    *,
    workers: int | None = None,
    chunk: int | None = None,
    jobs: Sequence[Job] | None = None,
    on_point: Callable[[Point], None] = lambda point: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Run the jobs (None: store.missing()) and keep each point as it is done; on_point(point) follows.

    workers  how many chunks the executor computes at once: twice as many are handed over at a time. None: what it says
    chunk    points in a chunk. None: what takes half a second

    Returns early if `cancelled()`: what has not begun is taken back. Raises InputError if the executor ends, or if it
    cannot compute: the points that were done by then are kept.
    """
    many = workers or workers_of(executor)
    dispatch = dispatch_of(store, jobs, workers=lambda: many, chunk=chunk, cancelled=cancelled)
    try:
        keep(store, dispatch.to(executor), on_point)
    except ExecutorEndedError as error:
        raise InputError(f"executor: it has ended: {error}; what is done is kept, run the map again to go on") from None


def dispatch_of(
    store: Store,
    jobs: Sequence[Job] | None,
    *,
    workers: Callable[[], int],
    chunk: int | None = None,
    look: Callable[[], None] = lambda: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Dispatch:
    """The jobs of a store (None: all that are missing), ready to be sent."""
    left = store.missing(jobs)
    return Dispatch(left, len(left), store.engine, workers=workers, chunk=chunk, look=look, cancelled=cancelled)


def keep(store: Store, points: Iterable[Point], on_point: Callable[[Point], None]) -> None:
    for point in points:
        if store.add(point):
            on_point(point)


def workers_of(executor: Executor) -> int:
    """How many workers an executor says it has: ours, mpi4py's, or a pool of Python."""
    for name in ("workers", "num_workers", "_max_workers"):
        count = getattr(executor, name, None)
        if isinstance(count, int) and count > 0:
            return count
    return MANY


def shard_of(jobs: Iterable[Job], shard: tuple[int, int]) -> list[Job]:
    """Every n-th of the jobs, from the i-th on: shard (i, n), i from 1."""
    i, n = shard
    if not 1 <= i <= n:
        raise InputError(f"shard: {i}/{n} is none of {n}; use 1/{n} to {n}/{n}")
    return list(jobs)[i - 1 :: n]
