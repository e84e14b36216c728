"""The points of a map on their way: any executor, and what is lost."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from rnnviz.errors import InputError
from rnnviz.maps.dispatch import Dispatch, ExecutorEndedError
from rnnviz.maps.point import Point
from rnnviz.maps.remote import Remote, Task
from rnnviz.maps.run import run
from rnnviz.maps.store import Store
from tests.maps.maps_here import spec

SPEC = spec(x="gain=0.5:2:4", cells=("rnn",))


def points(store: Store) -> dict[str, str]:
    """Each as a line, whose numbers are exact, without the seconds it took."""
    return {point.key: replace(point, seconds=0.0).to_json() for point in store}


@pytest.fixture(scope="module")
def one_after_the_other() -> dict[str, str]:
    store = Store(SPEC)
    run(store, ThreadPoolExecutor(1), chunk=1)
    assert len(store) == len(SPEC)
    assert all(point.error is None for point in store)
    return points(store)


@pytest.mark.parametrize("chunk", [None, 1, 5, 1000])
def test_chunks_and_threads_change_no_number(one_after_the_other: dict[str, str], chunk: int | None) -> None:
    store = Store(SPEC)
    with ThreadPoolExecutor(4) as threads:
        run(store, threads, chunk=chunk)
    assert points(store) == one_after_the_other


class SlurmLike:
    """An executor like submitit's: its jobs are no futures."""

    class Job:
        def __init__(self, future: Future[Any]) -> None:
            self.done, self.result, self.cancel = future.done, future.result, future.cancel

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def submit(self, fn: Callable[..., Any], *args: Any) -> SlurmLike.Job:
        return self.Job(self._pool.submit(fn, *args))


def test_jobs_that_are_no_futures(one_after_the_other: dict[str, str]) -> None:
    store = Store(SPEC)
    run(store, SlurmLike(ThreadPoolExecutor(1)), chunk=8)
    assert points(store) == one_after_the_other


def test_a_chunk_is_plain_text() -> None:
    sent: list[Any] = []

    class Looks(ThreadPoolExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:  # type: ignore[override]
            sent.append((fn, args))
            return super().submit(fn, *args)

    run(Store(SPEC), Looks(1), chunk=4)
    numbers = [number for _, (_, number) in sent]
    assert len(numbers) == len(set(numbers)) == len(SPEC) // 4  # Dask takes two equal calls for one
    for function, (tasks, _) in sent:
        assert type(function) is Remote
        assert all(type(task) is Task and all(type(text) is str for text in task) for task in tasks)


# -- what is lost --------------------------------------------------------------------------------------------

#: The point that ends its process, as if it needed more memory than there is.
ENDS = next(SPEC.jobs()).key


def ends_with_one(function: Remote, tasks: list[Task], number: int) -> list[str]:
    if any(task.key == ENDS for task in tasks):
        os._exit(1)
    return function(tasks, number)


class Ends:
    """Processes, each of which ends with that point; a pool that has lost one is replaced, as a cluster does."""

    workers = 1

    def __init__(self) -> None:
        self.pools: list[ProcessPoolExecutor] = []

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        try:
            return self.pools[-1].submit(ends_with_one, function, *args)
        except Exception:
            self.pools.append(ProcessPoolExecutor(1))
            return self.pools[-1].submit(ends_with_one, function, *args)


@pytest.mark.slow
def test_a_point_that_ends_its_process_is_one_finding(one_after_the_other: dict[str, str]) -> None:
    store, executor = Store(SPEC), Ends()
    run(store, executor, chunk=2)
    assert len(executor.pools) <= 5
    found = points(store)
    failed = json.loads(found.pop(ENDS))
    assert failed["status"] == "failed"
    assert failed["error"].startswith("the process that computed it ended each time")
    expected = dict(one_after_the_other)
    expected.pop(ENDS)
    assert found == expected


def test_an_executor_that_loses_everything_computes_nothing() -> None:
    class Loses:
        def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(ConnectionError("the worker is gone"))
            return future

    store = Store(SPEC)
    with pytest.raises(InputError, match=r"executor: it computes nothing; .*the worker is gone"):
        run(store, Loses())
    assert len(store) < len(SPEC)


def test_an_executor_that_has_ended() -> None:
    store, pool = Store(SPEC), ThreadPoolExecutor(1)
    with pytest.raises(InputError, match="executor: it has ended: cannot schedule new futures after shutdown; what is"):
        run(store, pool, chunk=1, on_point=lambda point: pool.shutdown(wait=False, cancel_futures=True))
    assert 1 <= len(store) < len(SPEC)
    run(store, ThreadPoolExecutor(1))
    assert len(store) == len(SPEC)


def test_another_executor_takes_over_what_was_under_way(one_after_the_other: dict[str, str]) -> None:
    class EndsAfter(ThreadPoolExecutor):
        """Takes two chunks, and computes the first of them."""

        taken = 0

        def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:  # type: ignore[override]
            self.taken += 1
            if self.taken > 2:
                raise RuntimeError("it has ended")
            return super().submit(fn, *args) if self.taken == 1 else Future()

    jobs = list(SPEC.jobs())
    dispatch = Dispatch(jobs, len(jobs), "numpy", workers=lambda: 1, chunk=1)
    found: list[Point] = []
    with pytest.raises(ExecutorEndedError, match="it has ended"):
        found.extend(dispatch.to(EndsAfter(1)))
    assert len(found) == 1
    found += dispatch.to(ThreadPoolExecutor(1))
    assert len(found) == len(SPEC)
    assert {point.key: replace(point, seconds=0.0).to_json() for point in found} == one_after_the_other
    assert {(point.key, point.x, point.y) for point in found} == {(job.key, job.site.x, job.site.y) for job in jobs}


def test_an_answer_about_another_point_is_refused() -> None:
    class Mixes(ThreadPoolExecutor):
        def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:  # type: ignore[override]
            return super().submit(lambda: fn(*args)[::-1])

    with pytest.raises(InputError, match="a worker answered with other points than those it was sent"):
        run(Store(SPEC), Mixes(1), chunk=2)


def test_workers_without_rnnviz_are_refused() -> None:
    class Without:
        def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_exception(ModuleNotFoundError("No module named 'rnnviz'"))
            return future

    with pytest.raises(InputError, match="executor: its workers cannot run rnnviz: No module named 'rnnviz'"):
        run(Store(SPEC), Without())


def test_workers_of_another_version_are_refused() -> None:
    function = Remote.of_here("numpy")
    other = replace(function, versions=(("rnnviz", "0.0.1"), *function.versions[1:]))
    with pytest.raises(InputError, match=r"a worker has rnnviz \S+, and this machine has 0\.0\.1; numbers may differ"):
        other([])


def test_a_worker_that_cannot_read_an_experiment_fails_that_point() -> None:
    first, second = Remote.of_here("numpy")([Task("a", "units = 3"), Task("b", SPEC.base.to_toml())])
    assert json.loads(first)["error"].startswith("experiment: unknown setting 'units'")
    assert json.loads(second)["status"] == "not"
