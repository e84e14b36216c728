"""The compiled kernels: where they are kept, how they get there, and how they come into use.

    python -m rnnviz.nn.compile            compiles for every cell what is not in the cache yet, and says where

Nobody waits for the compiler. `start` looks into the cache in a thread and takes what is there into use within
some hundredths of a second; what is missing is compiled by another process at the lowest priority, which hands it
back through a pipe, so that it works without a writable place as well.

The cache is a directory of object files under the user's cache directory (or NUMBA_CACHE_DIR). Its name is a hash
of all that the code depends on: the kernels' sources, numba, LLVM, rnnviz and the processor. A file appears
complete or not at all, carries its own checksum, and a broken one counts as missing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import IO

import rnnviz
from rnnviz.nn.machine_code import MachineCode
from rnnviz.nn.spec import CELLS, DTYPES

#: Of other versions, removed when they have not been used for so long.
STALE_SECONDS = 30 * 24 * 3600

#: Numba's own switches for looking into kernels work on kernels that run inside this process.
IN_PROCESS = any(os.environ.get(f"NUMBA_{name}", "0") not in ("", "0") for name in ("DISABLE_JIT", "BOUNDSCHECK"))

#: A cell and a dtype.
Kernel = tuple[str, str]

_PACKAGE = Path(rnnviz.__file__).parent
_MAGIC = b"rnnviz kernels\n"
_HEAD = struct.Struct("<15sQ32s")  # what it is, how long, SHA-256
_LARGEST = 1 << 28  # bytes; a heading that says more is damaged


class CompilerError(RuntimeError):
    """The kernels could not be compiled; the message is the end of what the compiler said."""


# -- the cache -----------------------------------------------------------------------------------------


@cache
def cache_directory() -> Path:
    """Where this version's object files belong. It need not exist, nor be writable."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        base = Path(chosen) / "rnnviz"
    else:
        import platformdirs

        base = Path(platformdirs.user_cache_dir("rnnviz", appauthor=False)) / "kernels"
    return base / fingerprint()


@cache
def fingerprint() -> str:
    """A hash of everything that the machine code depends on."""
    from llvmlite import binding

    digest = hashlib.sha256()
    for source in sorted((_PACKAGE / "nn" / "kernels").glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    processor = binding.get_host_cpu_name() + binding.get_host_cpu_features().flatten()
    for fact in (rnnviz.__version__, version("numba"), version("llvmlite"), processor, sys.version):
        digest.update(fact.encode() + b"\0")
    return digest.hexdigest()[:20]


def cached(cell: str, dtype: str) -> bytes | None:
    """The object file from the cache, or None if it is not there, not readable or not complete."""
    try:
        with open(cache_directory() / f"{cell}-{dtype}.o", "rb") as file:
            code = opened(file)
        with contextlib.suppress(OSError):
            os.utime(cache_directory())
        return code
    except OSError:
        return None


def keep(cell: str, dtype: str, code: bytes) -> bool:
    """Puts an object file into the cache; False if that is not possible. Safe when others do the same."""
    directory = cache_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{cell}-{dtype}-", dir=directory)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(sealed(code))
            os.replace(name, directory / f"{cell}-{dtype}.o")
        except BaseException:
            os.unlink(name)
            raise
    except OSError:
        return False
    remove_stale(directory)
    return True


def sealed(code: bytes) -> bytes:
    """With a heading of its length and a checksum, so that half a file is told from a whole one."""
    return _HEAD.pack(_MAGIC, len(code), hashlib.sha256(code).digest()) + code


def opened(file: IO[bytes]) -> bytes | None:
    """The next sealed code of a file or a pipe; None if it is not whole or there is none."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    magic, length, checksum = _HEAD.unpack(head)
    code = file.read(length) if magic == _MAGIC and length <= _LARGEST else b""
    return code if code and hashlib.sha256(code).digest() == checksum else None


def remove_stale(directory: Path) -> None:
    """Removes the caches of other versions that nobody used for a month, and what was left half written. Whoever
    still runs one of them has its code in memory."""
    old = time.time() - STALE_SECONDS
    with contextlib.suppress(OSError):
        for other in directory.parent.iterdir():
            is_cache = len(other.name) == len(directory.name) and other.is_dir()
            if is_cache and other != directory and other.stat().st_mtime < old:
                shutil.rmtree(other, ignore_errors=True)
        for half in directory.glob(".*-*"):
            if half.stat().st_mtime < old:
                half.unlink()


# -- compiling -----------------------------------------------------------------------------------------


def compiled(
    wanted: Iterable[Kernel], *, lowest_priority: bool = False, stop: threading.Event | None = None
) -> Iterator[tuple[Kernel, bytes]]:
    """The object files, one after the other: first those in the cache, then what one other process compiles (seconds
    each), kept for the next time.

    Raises CompilerError if that fails or `stop` is set meanwhile. The process is gone when the iterator is.
    """
    missing = []
    for kernel in wanted:
        code = cached(*kernel)
        if code is None:
            missing.append(kernel)
        else:
            yield kernel, code
    if missing:
        for kernel, code in _compile_elsewhere(missing, lowest_priority, stop or threading.Event()):
            keep(*kernel, code)
            yield kernel, code


def _compile_elsewhere(
    wanted: list[Kernel], lowest_priority: bool, stop: threading.Event
) -> Iterator[tuple[Kernel, bytes]]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    ours["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_PACKAGE.parent), ours.get("PYTHONPATH"))))
    command = [
        sys.executable,
        "-P",
        "-m",
        "rnnviz.nn.compile",
        "--pipe",
        *(word for kernel in wanted for word in kernel),
    ]
    if lowest_priority:
        command.append("--nice")
    try:
        # its standard input stays open as long as we live: when it closes, the compiler stops (see _die_with_parent)
        process = subprocess.Popen(
            command, env=ours, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise CompilerError(str(error)) from error
    codes: queue.Queue[bytes | None] = queue.Queue()
    said: list[bytes] = []
    readers = [
        threading.Thread(target=_read_codes, args=(process.stdout, codes), daemon=True),
        threading.Thread(target=_read_words, args=(process.stderr, said), daemon=True),
    ]
    try:
        for reader in readers:
            reader.start()
        for kernel in wanted:
            code = _wait_for(codes, stop)
            if code is None:
                readers[1].join(5)
                lines = b"".join(said).decode(errors="replace").strip().splitlines()
                raise CompilerError(lines[-1] if lines else "the compiler ended without a word")
            yield kernel, code
    finally:
        process.kill()
        process.wait()
        for reader in readers:
            reader.join(1)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _wait_for(codes: queue.Queue[bytes | None], stop: threading.Event) -> bytes | None:
    while not stop.is_set():
        with contextlib.suppress(queue.Empty):
            return codes.get(timeout=0.1)
    raise CompilerError("stopped")


def _read_codes(pipe: IO[bytes], codes: queue.Queue[bytes | None]) -> None:
    code: bytes | None = b""
    with contextlib.suppress(OSError, ValueError):
        while code is not None:
            code = opened(pipe)
            codes.put(code)
    codes.put(None)


def _read_words(pipe: IO[bytes], said: list[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        said.append(pipe.read())


# -- into use ------------------------------------------------------------------------------------------


class Handle:
    """A compilation in the background. `stop` ends it and its process; it may be called twice, from anywhere."""

    def __init__(
        self, in_use: Iterable[Kernel], in_cache: Iterable[Kernel], on_ready: Callable[[str], None] | None
    ) -> None:
        self._on_ready = on_ready
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


def start(on_ready: Callable[[str], None] | None = None, cell: str = "rnn", dtype: str = "float64") -> Handle:
    """Bring the compiled kernels into use without ever making the caller wait.

    Those of `cell` come first; then the other cells are compiled for when they are wanted. Until a cell's kernels are
    there the numba engine leaves its work to the numpy engine. `on_ready(cell)` is called in another thread whenever
    a cell's kernels come into use. Whatever goes wrong, nothing is said and the numpy engine stays.
    """
    if IN_PROCESS:
        return Handle((), (), None)
    return Handle([(cell, dtype)], [(name, dtype) for name in CELLS if name != cell], on_ready)


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
        words = [word for word in arguments[1:] if word != "--nice"]
        return _compile_into_pipe(list(zip(words[::2], words[1::2], strict=True)), "--nice" in arguments)
    began = time.perf_counter()
    for (cell, dtype), _ in compiled([(cell, dtype) for dtype in DTYPES for cell in CELLS]):
        print(f"{time.perf_counter() - began:6.1f} s  {cell} {dtype}", flush=True)
    print(cache_directory())
    return 0


def _compile_into_pipe(wanted: list[Kernel], lowest_priority: bool) -> int:
    _die_with_parent()
    if lowest_priority and hasattr(os, "nice"):
        os.nice(19)
    # numba prints nothing, but what somebody else prints must not get into the object files
    out = os.dup(1)
    os.dup2(2, 1)
    from rnnviz.nn.kernels.build import build

    with os.fdopen(out, "wb") as pipe:
        for cell, dtype in wanted:
            pipe.write(sealed(build(cell, dtype)))
            pipe.flush()
    return 0


def _die_with_parent() -> None:
    """Standard input is a pipe from whoever wants the code. When it ends, nobody wants it any more."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1):
                pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
