"""The compiled kernels: how they are compiled, and how they come into use. Where they are kept: kernel_cache.py.

    python -m rnnviz.nn.compile            compiles for every cell what is not in the cache yet, and says where

Nobody waits for the compiler. `start` looks into the cache in a thread and takes what is there into use within
some hundredths of a second; what is missing is compiled by another process at the lowest priority, which hands it
back through a pipe, so that it works without a writable place as well. Of all sessions that share a cache one
compiles; the others take from the cache what it puts there.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import rnnviz
from rnnviz.nn import kernel_cache
from rnnviz.nn.kernel_cache import Kernel, cached, keep, next_sealed, sealed, unsealed
from rnnviz.nn.machine_code import MachineCode
from rnnviz.nn.spec import CELLS, DTYPES

#: Numba's own switches for looking into kernels work on kernels that run inside this process.
IN_PROCESS = any(os.environ.get(f"NUMBA_{name}", "0") not in ("", "0") for name in ("DISABLE_JIT", "BOUNDSCHECK"))

LOOK_EVERY = 0.5  # seconds between two looks at what another session has compiled
BEAT_EVERY = 1.0  # seconds between two signs of life of a compiler

_PACKAGE = Path(rnnviz.__file__).parent


class CompilerError(RuntimeError):
    """The kernels could not be compiled; the message is the end of what the compiler said."""


# -- compiling -----------------------------------------------------------------------------------------


def compiled(
    wanted: Iterable[Kernel], *, lowest_priority: bool = False, stop: threading.Event | None = None
) -> Iterator[tuple[Kernel, bytes]]:
    """The object files, one after the other: first those in the cache, then what one other process compiles (seconds
    each), kept for the next time. While another session compiles for the same cache, what it makes is waited for.

    Raises CompilerError if that fails or `stop` is set meanwhile. The process is gone when the iterator is.
    """
    stop = stop or threading.Event()
    missing = list(wanted)
    turn: kernel_cache.Turn | None = None
    try:
        while True:
            for kernel in tuple(missing):
                code = cached(*kernel)
                if code is not None:
                    missing.remove(kernel)
                    yield kernel, code
            if not missing:
                return
            turn = turn or kernel_cache.Turn()
            if turn.take():
                break
            if stop.wait(LOOK_EVERY):
                raise CompilerError("stopped")
        with _Compiler(lowest_priority, stop, turn.number) as compiler:
            for kernel in missing:
                code = cached(*kernel)  # another session may just have made it
                if code is None:
                    code = compiler.make(kernel)
                    keep(*kernel, code)
                yield kernel, code
    finally:
        if turn is not None:
            turn.close()


class _Compiler:
    """The process that compiles, begun with the first kernel it is asked for. lock: what it holds as long as it
    lives."""

    def __init__(self, lowest_priority: bool, stop: threading.Event, lock: int | None) -> None:
        self._lowest_priority, self._stop, self._lock = lowest_priority, stop, lock
        self._process: subprocess.Popen[bytes] | None = None
        self._made: queue.Queue[bytes | None] = queue.Queue()
        self._said: list[bytes] = []
        self._readers: list[threading.Thread] = []

    def __enter__(self) -> _Compiler:
        return self

    def make(self, kernel: Kernel) -> bytes:
        """Raises CompilerError if it cannot be compiled or `stop` is set meanwhile."""
        if self._process is None:
            self._process = self._begin()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # a process that is gone says more below
            self._process.stdin.write(f"{' '.join(kernel)}\n".encode())
            self._process.stdin.flush()
        content = self._wait()
        code = None if content is None else unsealed(kernel, content)
        if code is None:
            self._readers[1].join(5 if content is None else 0)
            lines = b"".join(self._said).decode(errors="replace").strip().splitlines()
            raise CompilerError(lines[-1] if lines else "the compiler ended without a word")
        return code

    def _begin(self) -> subprocess.Popen[bytes]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        ours["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_PACKAGE.parent), ours.get("PYTHONPATH"))))
        command = [sys.executable, "-P", "-m", "rnnviz.nn.compile", "--pipe"]
        if self._lowest_priority:
            command.append("--nice")
        held = () if self._lock is None else (self._lock,)
        if self._lock is not None:
            command.append(f"--lock={self._lock}")
        try:
            # its standard input stays open as long as we live: when it closes, the compiler stops (see _requests);
            # in a group of its own: what the terminal sends to the program in front of it is none of its business
            process = subprocess.Popen(
                command,
                env=ours,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=held,
                process_group=0,
            )
        except OSError as error:
            raise CompilerError(str(error)) from error
        self._readers = [
            threading.Thread(target=_read_codes, args=(process.stdout, self._made), daemon=True),
            threading.Thread(target=_read_words, args=(process.stderr, self._said), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        return process

    def _wait(self) -> bytes | None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Empty):
                return self._made.get(timeout=0.1)
        raise CompilerError("stopped")

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        process.kill()
        process.wait()
        for reader in self._readers:
            reader.join(1)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what it never read
                    pipe.close()


def _read_codes(pipe: IO[bytes], made: queue.Queue[bytes | None]) -> None:
    content: bytes | None = b""
    with contextlib.suppress(OSError, ValueError):
        while content is not None:
            content = next_sealed(pipe)
            made.put(content)
    made.put(None)


def _read_words(pipe: IO[bytes], said: list[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        said.append(pipe.read())


# -- into use ------------------------------------------------------------------------------------------


class Handle:
    """A compilation in the background. `stop` ends it and its process; it may be called twice, from anywhere."""

    def __init__(
        self,
        in_use: Iterable[Kernel],
        in_cache: Iterable[Kernel],
        on_ready: Callable[[str], None] | None,
        on_note: Callable[[str], None] | None = None,
    ) -> None:
        self._on_ready, self._on_note = on_ready, on_note
        self._stopping = threading.Event()
        self._queue: queue.Queue[Kernel | None] = queue.Queue()
        self._in_use = set(in_use)
        for kernel in (*self._in_use, *in_cache):
            self._queue.put(kernel)
        self._thread = threading.Thread(target=self._run, name="rnnviz-compile", daemon=True)
        self._thread.start()

    def want(self, cell: str, dtype: str) -> None:
        """Have these kernels taken into use as soon as they are compiled. Returns at once."""
        if (cell, dtype) not in self._in_use:
            self._in_use.add((cell, dtype))
            self._queue.put((cell, dtype))

    def stop(self) -> None:
        self._stopping.set()
        self._queue.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        # without a compiler or a fitting machine the numpy engine simply stays in use
        with contextlib.suppress(Exception):
            from rnnviz.nn import numba_engine

            numba_engine.in_background(self)
        if self._on_note is not None:
            with contextlib.suppress(Exception):
                for kernel in self._in_use:
                    cached(*kernel)
                for note in kernel_cache.notes:
                    self._on_note(note)
        while not self._stopping.is_set():
            wanted = self._drained()
            with contextlib.suppress(Exception):
                for kernel, code in compiled(wanted, lowest_priority=True, stop=self._stopping):
                    # what was asked for since is not worth another process if it is in this one's work anyway
                    if kernel in self._in_use:
                        self._use(kernel, code)

    def _drained(self) -> list[Kernel]:
        """All that waits in the queue, or the next that will."""
        wanted = [self._queue.get()]
        with contextlib.suppress(queue.Empty):
            while True:
                wanted.append(self._queue.get_nowait())
        return list(dict.fromkeys(kernel for kernel in wanted if kernel is not None))

    def _use(self, kernel: Kernel, code: bytes) -> None:
        from rnnviz.nn import engine, numba_engine

        if numba_engine.loaded(*kernel) is None:
            numba_engine.install(*kernel, MachineCode(code))
            engine.load_numba()
            if self._on_ready is not None:
                self._on_ready(kernel[0])


def start(
    on_ready: Callable[[str], None] | None = None,
    cell: str = "rnn",
    dtype: str = "float64",
    *,
    on_note: Callable[[str], None] | None = None,
) -> Handle:
    """Bring the compiled kernels into use without ever making the caller wait.

    Those of `cell` come first; then the other cells are compiled for when they are wanted. Until a cell's kernels are
    there the numba engine leaves its work to the numpy engine. `on_ready(cell)` is called in another thread whenever
    a cell's kernels come into use, `on_note(text)` where a cache cannot be believed. Whatever else goes wrong, nothing
    is said and the numpy engine stays.
    """
    if IN_PROCESS:
        return Handle((), (), None)
    return Handle([(cell, dtype)], [(name, dtype) for name in CELLS if name != cell], on_ready, on_note)


def load_cached(cell: str = "rnn", dtype: str = "float64") -> bool:
    """Take the kernels of a cell into use if they are in the cache: some hundredths of a second, no compiler."""
    from rnnviz.nn import engine, numba_engine

    with contextlib.suppress(Exception):
        if numba_engine.loaded(cell, dtype) is None:
            code = cached(cell, dtype)
            if code is None:
                return False
            numba_engine.install(cell, dtype, MachineCode(code))
        engine.load_numba()
        return True
    return False


# -- python -m rnnviz.nn.compile -----------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--pipe"]:
        return _compile_into_pipe(arguments[1:])
    began = time.perf_counter()
    for (cell, dtype), _ in compiled([(cell, dtype) for dtype in DTYPES for cell in CELLS]):
        print(f"{time.perf_counter() - began:6.1f} s  {cell} {dtype}", flush=True)
    for note in kernel_cache.notes:
        print(note, file=sys.stderr)
    print(kernel_cache.kept_in() or "kept nowhere: no cache here can be written")
    return 0


def _compile_into_pipe(options: list[str]) -> int:
    """Compiles what standard input asks for, a line `CELL DTYPE` each, until that ends: then nobody wants it any
    more."""
    if "--nice" in options and hasattr(os, "nice"):
        os.nice(19)
    for option in options:
        if option.startswith("--lock="):
            _daemon(_beat, int(option.removeprefix("--lock=")))
    wanted: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    _daemon(_requests, wanted)
    # numba prints nothing, but what somebody else prints must not get into the object files
    out = os.dup(1)
    os.dup2(2, 1)
    from rnnviz.nn.kernels.build import build

    with os.fdopen(out, "wb") as pipe:
        while True:
            cell, dtype = wanted.get()
            pipe.write(sealed((cell, dtype), build(cell, dtype)))
            pipe.flush()


def _requests(wanted: queue.SimpleQueue[list[str]]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in sys.stdin:
            wanted.put(line.split())
    os._exit(1)


def _beat(lock: int) -> None:
    while True:
        kernel_cache.beat(lock)
        time.sleep(BEAT_EVERY)


def _daemon(function: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
