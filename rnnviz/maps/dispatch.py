"""Send the points of a map to an executor in chunks, a bounded number at a time; what is lost is sent again.

An executor is what concurrent.futures means by it: `submit(function, argument)` returns a future. The pools of Python,
Dask's and mpi4py's return Python's own Future. submitit's returns a Job, which is no Future, but has done(), result()
and cancel() too, and is asked now and then.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import pickle
import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any, Protocol

from rnnviz.errors import InputError
from rnnviz.maps.grid import Job
from rnnviz.maps.point import FAILED, Point
from rnnviz.maps.remote import Remote, Task

#: A chunk is as long as points that take this many seconds together: to send one costs some milliseconds.
CHUNK_SECONDS = 0.5
LARGEST_CHUNK = 1000
#: Chunks under way for each worker: one that it computes, one that is there when it is done.
PER_WORKER = 2
#: Seconds between two looks at what does not report by itself.
LOOK_EVERY = 0.1
#: After so many points that were lost to the end, and none that was computed, the fault is not the points'.
MOST_LOST_FIRST = 3


class Executor(Protocol):
    """What is needed of an executor."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Any: ...


class ExecutorEndedError(Exception):
    """The executor takes nothing more. What was under way is lost, and may be sent to another one."""


@dataclass(eq=False)
class _Chunk:
    """losses: how often the process that computed it ended"""

    jobs: tuple[Job, ...]
    losses: int = 0


class Dispatch:
    """The jobs of one map on their way: `to(executor)` yields their points until none is left.

    count      how many jobs there are; they are taken from `jobs` when they are sent
    workers    () -> how many chunks are computed at once; it may change meanwhile
    chunk      points in a chunk; None: what CHUNK_SECONDS is worth
    look       called at least every LOOK_EVERY seconds; what it raises ends the dispatch
    cancelled  asked as often; then what has not begun is taken back, and nothing more comes
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        count: int,
        engine: str,
        *,
        workers: Callable[[], int],
        chunk: int | None = None,
        look: Callable[[], None] = lambda: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._jobs, self._left, self._remote = iter(jobs), count, Remote.of_here(engine)
        self._workers, self._chunk, self._look, self._cancelled = workers, chunk, look, cancelled
        self._again: deque[_Chunk] = deque()
        self._alone: deque[_Chunk] = deque()  # of one point each, which is computed while no other one is
        self._seconds = math.nan  # of a point, lately
        self._sent, self._computed, self._given_up = 0, 0, 0

    def to(self, executor: Executor) -> Iterator[Point]:
        """Yield points in the order in which they come. Raises ExecutorEndedError, after which the rest may be sent to
        another executor, and InputError if points cannot be computed where the executor does."""
        under_way: dict[Any, _Chunk] = {}
        finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        try:
            while not self._cancelled():
                while (chunk := self._next(len(under_way))) is not None:
                    try:
                        future = self._submitted(executor, chunk)
                    except ExecutorEndedError:
                        for future in [one for one in under_way if one.done()]:
                            yield from self._points(under_way.pop(future), future)
                        raise
                    under_way[future] = chunk
                    if hasattr(future, "add_done_callback"):
                        future.add_done_callback(finished.put)
                if not under_way:
                    return
                self._look()
                for future in _ready(under_way, finished):
                    yield from self._points(under_way.pop(future), future)
        finally:
            for future, chunk in under_way.items():
                self._keep(chunk)
                with contextlib.suppress(Exception):
                    future.cancel()

    # -- what is sent next -----------------------------------------------------------------------------------

    def _next(self, under_way: int) -> _Chunk | None:
        if under_way >= PER_WORKER * max(1, self._workers()):
            return None
        if self._again:
            return self._again.popleft()
        if jobs := tuple(itertools.islice(self._jobs, self._length())):
            self._left -= len(jobs)
            return _Chunk(jobs)
        return self._alone.popleft() if self._alone and not under_way else None

    def _length(self) -> int:
        if self._chunk is not None:
            return self._chunk
        if math.isnan(self._seconds):
            return 1
        worth = int(CHUNK_SECONDS / max(self._seconds, 1e-6))
        fair = self._left // (2 * PER_WORKER * max(1, self._workers()))  # so that all end at about the same time
        return max(1, min(worth, fair, LARGEST_CHUNK))

    def _submitted(self, executor: Executor, chunk: _Chunk) -> Any:
        try:
            self._sent += 1
            tasks = [Task(job.key, job.experiment.to_toml()) for job in chunk.jobs]
            return executor.submit(self._remote, tasks, self._sent)
        except Exception as error:  # it was shut down, or has lost a process: each kind has errors of its own
            self._keep(chunk)
            raise ExecutorEndedError(_one_line(error)) from error

    # -- what comes back ---------------------------------------------------------------------------------------

    def _points(self, chunk: _Chunk, future: Any) -> Iterator[Point]:
        try:
            lines = future.result()
        except InputError:
            raise
        except CancelledError:  # its scheduler has ended, which is no point's fault
            self._keep(chunk)
            return
        except (ImportError, AttributeError, pickle.PickleError) as error:
            raise InputError(f"executor: its workers cannot run rnnviz: {_one_line(error)}") from error
        except Exception as error:
            yield from self._lost(chunk, error)
            return
        for job, line in zip(chunk.jobs, lines, strict=True):
            point = Point.from_json(json.loads(line)).placed(job.site.x, job.site.y)
            if point.key != job.key:
                raise InputError("executor: a worker answered with other points than those it was sent")
            self._seconds = point.seconds if math.isnan(self._seconds) else 0.9 * self._seconds + 0.1 * point.seconds
            self._computed += 1
            yield point

    def _keep(self, chunk: _Chunk) -> None:
        """Send it again as it was."""
        (self._again if chunk.losses < 2 else self._alone).append(chunk)

    def _lost(self, chunk: _Chunk, error: Exception) -> Iterator[Point]:
        """A process has ended. Others may have been computed in it or beside it, so that its points are sent once more
        one by one, and then each while no other one is: lost once more, it is at fault."""
        losses = chunk.losses + 1
        if losses <= 2:
            for job in chunk.jobs:
                self._keep(_Chunk((job,), losses))
            return
        reason = f"the process that computed it ended each time: {_one_line(error)}"
        self._given_up += 1
        if not self._computed and self._given_up >= MOST_LOST_FIRST:
            raise InputError(f"executor: it computes nothing; {reason}") from error
        (job,) = chunk.jobs
        site = job.site
        yield Point(job.key, site.cell, site.seed, site.x, site.y, status=FAILED, error=reason)


def _ready(under_way: dict[Any, _Chunk], finished: queue.SimpleQueue[Any]) -> list[Any]:
    """The futures that are done, after a wait for the first of them, which is not long."""
    ready = [future for future in under_way if not hasattr(future, "add_done_callback") and future.done()]
    with contextlib.suppress(queue.Empty):
        ready.append(finished.get(timeout=0 if ready else LOOK_EVERY))
        while True:
            ready.append(finished.get_nowait())
    return ready


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"
