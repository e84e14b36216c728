"""The processes of this machine: one for each processor, one thread each.

with Processes() as executor:
    run(store, executor)
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from rnnviz.errors import InputError
from rnnviz.maps.dispatch import ExecutorEndedError
from rnnviz.maps.grid import Job
from rnnviz.maps.point import Point
from rnnviz.maps.run import dispatch_of, keep
from rnnviz.maps.store import Store

#: How the libraries below NumPy are asked for one thread.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
#: So many times processes are begun anew without a point that is done. A point that ends them is known after four.
MOST_IN_VAIN = 8


def processors() -> int:
    """How many processors this process may use."""
    with contextlib.suppress(AttributeError):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Processes:
    """An executor of processes that end with this one, however it ends."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or processors()
        context = get_context("spawn")  # a fork would copy the app's threads' locks
        theirs, self._ours = context.Pipe(duplex=False)
        self._theirs = theirs
        self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin, initargs=(theirs,))

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        with _as_children():
            return self._pool.submit(fn, *args)

    def close(self) -> None:
        """End the processes, whatever they do at the moment."""
        self._ours.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._theirs.close()


def run_here(
    store: Store,
    *,
    workers: int | None = None,
    jobs: list[Job] | None = None,
    on_point: Callable[[Point], None] = lambda point: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Run the missing points in processes of this machine. If one ends (killed, out of memory), all are begun anew, and
    what was under way runs again; a point that ends its process when it is computed alone is one that failed. Raises
    InputError if no process can be started."""
    many = workers or processors()
    dispatch = dispatch_of(store, jobs, workers=lambda: many, cancelled=cancelled)
    in_vain = 0
    while True:
        before = len(store)
        try:
            with Processes(many) as executor:
                keep(store, dispatch.to(executor), on_point)
                return
        except ExecutorEndedError as error:
            in_vain = in_vain + 1 if len(store) == before else 0
            if in_vain == MOST_IN_VAIN:
                raise InputError(f"workers: the processes end at once: {error}") from None
        except OSError as error:  # too many files or processes
            raise InputError(f"workers: processes cannot be started: {error.strerror or error}") from None


def _begin(pipe: Connection) -> None:
    """In a new process: the keys of the terminal are for the one that started it, and it ends with that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()


def _end_with(pipe: Connection) -> None:
    """Nothing is ever sent: the other end is closed, by its owner or by the end of its process."""
    with contextlib.suppress(OSError, EOFError):
        pipe.poll(None)
    os._exit(1)


@contextlib.contextmanager
def _as_children() -> Iterator[None]:
    """Processes that are started meanwhile have one thread each, hear nothing of ctrl+c, and do not run the program's
    main file again, which need not be made for that."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    main, can_block = sys.modules["__main__"], hasattr(signal, "pthread_sigmask")
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if can_block else set()  # it is inherited
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if can_block:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
