"""Run the points of a map that are not done, on any executor of `concurrent.futures`.

    run(store, executor, workers=2)       # returns when every point is in the store

The workers compute; this process alone writes. Order, number of workers and size of the parts change no number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any, Protocol

from rnnviz.errors import InputError
from rnnviz.maps.grid import Job
from rnnviz.maps.point import Point, compute
from rnnviz.maps.store import Store

#: A part of several points takes about this many seconds, so that handing it over costs little.
PART_SECONDS = 0.5
LARGEST_PART = 100
#: Parts that wait or run at a time, for each worker.
PARTS_AHEAD = 2
LOOK_EVERY = 0.1  # seconds between two looks whether it is cancelled


class Submits(Protocol):
    """What is needed of an executor: concurrent.futures.Executor is one."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Any: ...


@dataclass(frozen=True)
class Part:
    """Some runs for one call of a worker."""

    jobs: tuple[Job, ...]
    engine: str


def compute_part(part: Part) -> list[Point]:
    """What a worker runs: the points of a part, in order."""
    return [
        compute(job.experiment, key=job.key, engine=part.engine).placed(job.site.x, job.site.y) for job in part.jobs
    ]


def run(
    store: Store,
    executor: Submits,
    *,
    workers: int = 1,
    jobs: Sequence[Job] | None = None,
    on_point: Callable[[Point], None] = lambda point: None,
    cancelled: Callable[[], bool] = lambda: False,
    largest_part: int = LARGEST_PART,
) -> None:
    """Run the jobs (None: store.missing()) and keep each point as it is done; on_point(point) follows.

    workers  how many the executor has, roughly: more parts than twice that are not handed over at a time

    Returns early if `cancelled()`: what was handed over and has not begun is taken back. Raises what a future raises,
    such as BrokenExecutor, after the points that were done by then are kept.
    """
    waiting = list(reversed(store.missing() if jobs is None else jobs))
    pending: dict[Any, Part] = {}
    seconds, done = 0.0, 0
    try:
        while waiting or pending:
            while waiting and len(pending) < PARTS_AHEAD * workers:
                mean = seconds / done if done else PART_SECONDS
                size = min(int(PART_SECONDS / max(mean, 1e-6)), len(waiting) // (2 * PARTS_AHEAD * workers))
                size = max(1, min(size, largest_part))
                part = Part(tuple(waiting.pop() for _ in range(size)), store.engine)
                pending[executor.submit(compute_part, part)] = part
            finished = _finished(pending)
            failure: BaseException | None = None
            for future in finished:
                try:
                    points = future.result()
                except Exception as error:
                    failure = failure or error
                    continue
                del pending[future]
                for point in points:
                    seconds, done = seconds + point.seconds, done + 1
                    if store.add(point):
                        on_point(point)
            if failure is not None:
                raise failure
            if cancelled():
                return
    finally:
        for future in pending:
            if hasattr(future, "cancel"):
                future.cancel()


def shard_of(jobs: Iterable[Job], shard: tuple[int, int]) -> list[Job]:
    """Every n-th of the jobs, from the i-th on: shard (i, n), i from 1."""
    i, n = shard
    if not 1 <= i <= n:
        raise InputError(f"shard: {i}/{n} is none of {n}; use 1/{n} to {n}/{n}")
    return list(jobs)[i - 1 :: n]


def _finished(pending: dict[Any, Part]) -> list[Any]:
    """Those that are done by now, after a wait for the first of them; in the order in which they were handed over."""
    if all(isinstance(future, Future) for future in pending):
        done = wait(pending, LOOK_EVERY, FIRST_COMPLETED).done
        return [future for future in pending if future in done]
    found = [future for future in pending if future.done()]  # submitit's jobs
    if not found:
        time.sleep(LOOK_EVERY)
    return found
