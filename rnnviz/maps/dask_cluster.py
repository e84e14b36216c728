"""A Dask cluster: connect to its scheduler, send it what a Dispatch has, and wait for it where it is away.

A scheduler that ends takes all its tasks with it, and `dask worker` ends as well. Dask's client looks for a new
scheduler at the same address for some seconds, this module for some minutes; what was under way is sent again.
"""

from __future__ import annotations

import asyncio
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.maps.dispatch import LOOK_EVERY, Dispatch, ExecutorEndedError
from rnnviz.maps.grid import Job
from rnnviz.maps.point import Point
from rnnviz.maps.remote import packages_of
from rnnviz.maps.run import dispatch_of, keep
from rnnviz.maps.store import Store

#: Seconds in which a scheduler answers, or is not there.
ANSWERS_WITHIN = 10.0
#: Seconds without a scheduler, or without workers, after which a map that runs is given up.
WAITS = 600.0
#: Seconds of one attempt to reach it: so long Ctrl-C waits.
ATTEMPT = 2.0
#: Seconds between two counts of the workers.
COUNT_EVERY = 2.0


def run_on(
    store: Store,
    address: str,
    *,
    jobs: list[Job] | None = None,
    on_point: Callable[[Point], None] = lambda point: None,
    cancelled: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Run the missing points on the Dask cluster whose scheduler has this address. say(text): takes a line for a person
    while the scheduler or all its workers are away. Raises InputError; what was done by then is kept."""
    cluster = Cluster(address, say, cancelled, packages_of(store.engine))
    dispatch = dispatch_of(store, jobs, workers=cluster.workers, look=cluster.look, cancelled=cancelled)
    keep(store, cluster.points(dispatch), on_point)


class Cluster:
    """The cluster whose scheduler has this address, such as tcp://host:8786.

    say        takes a line for a person while the cluster is away
    cancelled  asked while it is waited for
    packages   what each worker has in the same version as this machine

    Raises InputError if Dask is missing or the address is none.
    """

    def __init__(
        self,
        address: str,
        say: Callable[[str], None] = lambda text: None,
        cancelled: Callable[[], bool] = lambda: False,
        packages: Sequence[str] = (),
    ) -> None:
        try:
            distributed: Any = import_module("distributed")
        except ImportError:
            raise InputError(
                "on: Dask is not installed here; install it: python -m pip install 'rnnviz[dask]'"
            ) from None
        try:
            distributed.comm.get_address_host_port(address, strict=True)
        except (ValueError, TypeError, AttributeError):
            raise InputError(
                f"on: {short_repr(address)} is not the address of a scheduler, such as tcp://host:8786"
            ) from None
        self.address, self._say, self._cancelled = address, say, cancelled
        self._distributed = distributed
        self._client: Any = None
        self._packages, self._checked = list(packages), set[str]()
        self._count, self._counted, self._seen, self._said = 0, 0.0, 0.0, ""

    def ask(self) -> None:
        """Raises InputError if no scheduler answers."""
        with _quiet():
            self._reach(time.monotonic() + ANSWERS_WITHIN, ANSWERS_WITHIN)

    def workers(self) -> int:
        """How many tasks its workers compute at once, as last counted."""
        return self._count

    def points(self, dispatch: Dispatch) -> Iterator[Point]:
        """Yield what the dispatch does. Raises InputError if the scheduler does not answer, if it or all workers are
        away for too long, and if a worker has other versions."""
        with _quiet():
            try:
                self._connect(ANSWERS_WITHIN)
                while not self._cancelled():
                    try:
                        # A worker without rnnviz ends when it is sent a point: those that are there are asked before.
                        while not self._count and not self._cancelled():
                            self.look()
                            time.sleep(LOOK_EVERY)
                        yield from dispatch.to(self._client.get_executor(pure=False))
                        return
                    except ExecutorEndedError:
                        self._close()
                        self._connect(WAITS)
            finally:
                self._close()

    def look(self) -> None:
        """Count the workers now and then, and say what is away. Raises ExecutorEndedError if Dask's client has given
        the scheduler up, and InputError if there was no worker for too long, or one that has other versions."""
        now, status, fault = time.monotonic(), self._client.status, None
        if status != "running":
            self._say_once(f"the scheduler at {self.address} does not answer; waiting for it")
            if status != "connecting":
                raise ExecutorEndedError(f"the scheduler at {self.address} does not answer")
        elif now >= self._counted + (COUNT_EVERY if self._count else LOOK_EVERY):
            self._counted = now
            with suppress(Exception):  # the connection is lost meanwhile, as the client's status says the next time
                workers = self._client.nthreads()
                if not workers.keys() <= self._checked:
                    fault = self._other_versions()
                    self._checked.update(workers)
                self._count = sum(workers.values())
            if fault:
                raise InputError(f"on: {fault}; install the same on both")
            if self._count:
                self._seen, self._said = now, ""
            elif now < self._seen + WAITS:
                self._say_once(f"the scheduler at {self.address} has no worker; {self._remedy}")
            else:
                long = f"{WAITS:.0f} s"
                raise InputError(f"on: the scheduler at {self.address} had no worker for {long}; {self._remedy}")

    def _other_versions(self) -> str | None:
        """The first worker that has another version of a package, in words."""
        found = self._client.get_versions(packages=self._packages)
        here = found["client"]["packages"]
        for address, about in found["workers"].items():
            there = about["packages"] if isinstance(about, dict) else here  # it has ended meanwhile
            for name in self._packages:
                if there.get(name) != here.get(name):
                    has = f"{name} {there[name]}" if there.get(name) else f"no {name}"
                    return f"the worker {address} has {has}, and this machine has {name} {here.get(name)}"
        return None

    def _say_once(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._say(text)

    @property
    def _remedy(self) -> str:
        return f"start one: dask worker {self.address} --nthreads 1"

    def _connect(self, seconds: float) -> None:
        """Connect a client within so many seconds. Where that is cancelled, there is none."""
        deadline = time.monotonic() + seconds
        while self._client is None and not self._cancelled():
            # Before a client is made: one that cannot connect complains when Python forgets it.
            if not self._reach(deadline, seconds):
                return
            with suppress(OSError), warnings.catch_warnings(action="ignore"):  # each worker compares what matters
                self._client = self._distributed.Client(self.address, timeout=ANSWERS_WITHIN, set_as_default=False)
        self._counted, self._seen = 0.0, time.monotonic()

    def _reach(self, deadline: float, seconds: float) -> bool:
        """Wait until a scheduler answers; False if that is cancelled. Raises InputError at the deadline, so many
        seconds after the start."""
        while not self._cancelled():
            left = deadline - time.monotonic()
            if left <= 0:
                raise InputError(
                    f"on: no Dask scheduler answers at {self.address} within {seconds:g} s; start one: dask scheduler"
                )
            try:
                with ThreadPoolExecutor(1) as thread:  # this one may have a loop that runs, as in a notebook
                    kind = thread.submit(asyncio.run, self._kind_within(min(left, ATTEMPT))).result()
            except OSError:  # refused, or not there yet; a TimeoutError is one
                time.sleep(0.2)
            except Exception as error:
                raise InputError(f"on: {self.address} cannot be used: {' '.join(str(error).split())}") from error
            else:
                if kind != "Scheduler":
                    raise InputError(
                        f"on: {self.address} is the address of a {kind.lower()}; use that of its scheduler"
                    )
                return True
        return False

    async def _kind(self) -> str:
        """What answers there: "Scheduler", or another part of Dask."""
        keys = self._distributed.Security().get_connection_args("client")
        async with self._distributed.rpc(self.address, connection_args=keys) as there:
            return str((await there.identity())["type"])

    async def _kind_within(self, seconds: float) -> str:
        return await asyncio.wait_for(self._kind(), seconds)

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                client.close(timeout=1.0)


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's own lines on stderr, about what this module says itself, are left out."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
