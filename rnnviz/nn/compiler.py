"""Compile the kernels in another process. kernel_cache.py stores the result; loading.py installs it.

    python -m rnnviz.nn.compiler           compiles the kernels that the cache lacks, and prints the cache's folder

The other process returns the object files through a pipe, so this works without a writable folder, too. Only one of the
sessions that share a cache compiles; the others read its results from the cache.
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
from rnnviz.nn import compiler_errors, kernel_cache
from rnnviz.nn.kernel_cache import Kernel, cached, keep, next_packed, pack, unpack
from rnnviz.nn.spec import CELLS, DTYPES

#: Numba's switches for debugging work only on kernels that run in this process.
IN_PROCESS = any(os.environ.get(f"NUMBA_{name}", "0") not in ("", "0") for name in ("DISABLE_JIT", "BOUNDSCHECK"))

LOOK_EVERY = 0.5  # seconds between two checks for another session's results
BEAT_EVERY = 1.0  # seconds between two signs of life of a compiler

_PACKAGE = Path(rnnviz.__file__).parent


class CompilerError(RuntimeError):
    """The kernels could not be compiled. The message is the compiler's last line, `details` its whole output."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


# -- compiling -----------------------------------------------------------------------------------------


def compiled(
    wanted: Iterable[Kernel], *, lowest_priority: bool = False, stop: threading.Event | None = None
) -> Iterator[tuple[Kernel, bytes]]:
    """Yield the object files one by one: first those in the cache, then those that another process compiles (seconds
    each) and that the cache then stores. While another session compiles for the same cache, wait for its results.

    Raises CompilerError if the compilation fails or `stop` is set. The process ends with the iterator.
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
                code = cached(*kernel)  # another session may have just compiled it
                if code is None:
                    code = compiler.make(kernel)
                    compiler_errors.forget()
                    keep(*kernel, code)
                yield kernel, code
    finally:
        if turn is not None:
            turn.close()


class _Compiler:
    """The process that compiles; it starts with the first request. lock: the descriptor of the lock that it holds until
    it ends."""

    def __init__(self, lowest_priority: bool, stop: threading.Event, lock: int | None) -> None:
        self._lowest_priority, self._stop, self._lock = lowest_priority, stop, lock
        self._process: subprocess.Popen[bytes] | None = None
        self._made: queue.Queue[bytes | None] = queue.Queue()
        self._errors: list[bytes] = []
        self._readers: list[threading.Thread] = []

    def __enter__(self) -> _Compiler:
        return self

    def make(self, kernel: Kernel) -> bytes:
        """Raises CompilerError if it cannot be compiled or `stop` is set meanwhile."""
        if self._process is None:
            self._process = self._begin()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # if the process is gone, its error output is read below
            self._process.stdin.write(f"{' '.join(kernel)}\n".encode())
            self._process.stdin.flush()
        content = self._wait()
        code = None if content is None else unpack(kernel, content)
        if code is None:
            self._readers[1].join(5 if content is None else 0)
            written = b"".join(self._errors).decode(errors="replace").strip()
            raise CompilerError(written.splitlines()[-1] if written else self._ending(), written)
        return code

    def _ending(self) -> str:
        """A description of the end of a compiler that wrote nothing."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(1)
            return f"signal {-code} ended the compiler" if code < 0 else f"the compiler ended with exit code {code}"
        return "the compiler returned no kernel"

    def _begin(self) -> subprocess.Popen[bytes]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        ours["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_PACKAGE.parent), ours.get("PYTHONPATH"))))
        command = [sys.executable, "-P", "-m", "rnnviz.nn.compiler", "--pipe"]
        if self._lowest_priority:
            command.append("--nice")
        held = () if self._lock is None else (self._lock,)
        if self._lock is not None:
            command.append(f"--lock={self._lock}")
        try:
            # its standard input stays open until this process ends; then the compiler stops (see _requests);
            # it has its own process group, so that it gets no signals of the terminal's keys
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
            threading.Thread(target=_read_errors, args=(process.stderr, self._errors), daemon=True),
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
                with contextlib.suppress(OSError):  # unread requests
                    pipe.close()


def _read_codes(pipe: IO[bytes], made: queue.Queue[bytes | None]) -> None:
    content: bytes | None = b""
    with contextlib.suppress(OSError, ValueError):
        while content is not None:
            content = next_packed(pipe)
            made.put(content)
    made.put(None)


def _read_errors(pipe: IO[bytes], errors: list[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        errors.append(pipe.read())


# -- python -m rnnviz.nn.compiler ----------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--pipe"]:
        return _compile_into_pipe(arguments[1:])
    began = time.perf_counter()
    for (cell, dtype), _ in compiled([(cell, dtype) for dtype in DTYPES for cell in CELLS]):
        print(f"{time.perf_counter() - began:6.1f} s  {cell} {dtype}", flush=True)
    for note in kernel_cache.notes:
        print(note, file=sys.stderr)
    print(kernel_cache.existing_directory() or "not saved: no cache folder can be written")
    return 0


def _compile_into_pipe(options: list[str]) -> int:
    """Compile the kernels requested on standard input, one line `CELL DTYPE` each, until it closes: then the session
    has ended."""
    if "--nice" in options and hasattr(os, "nice"):
        os.nice(19)
    for option in options:
        if option.startswith("--lock="):
            _daemon(_beat, int(option.removeprefix("--lock=")))
    wanted: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    _daemon(_requests, wanted)
    # other modules may print; their output must not get into the object files
    out = os.dup(1)
    os.dup2(2, 1)
    from rnnviz.nn.kernels.build import build

    with os.fdopen(out, "wb") as pipe:
        while True:
            cell, dtype = wanted.get()
            pipe.write(pack((cell, dtype), build(cell, dtype)))
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
