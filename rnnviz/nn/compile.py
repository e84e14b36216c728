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
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import rnnviz
from rnnviz.nn.machine_code import MachineCode
from rnnviz.nn.spec import CELLS, DTYPES

#: Of other versions, removed when they have not been used for so long.
STALE_SECONDS = 30 * 24 * 3600

_PACKAGE = Path(rnnviz.__file__).parent
_MAGIC = b"rnnviz kernels\n"


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
        content = (cache_directory() / f"{cell}-{dtype}.o").read_bytes()
        with contextlib.suppress(OSError):
            os.utime(cache_directory())
        return opened(content)
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
    """With a heading and a checksum, so that half a file is told from a whole one."""
    return _MAGIC + hashlib.sha256(code).digest() + code


def opened(content: bytes) -> bytes | None:
    head = len(_MAGIC) + 32
    code = content[head:]
    whole = content[:head] == _MAGIC + hashlib.sha256(code).digest()
    return code if whole and code else None


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


def compiled(cell: str, dtype: str, *, lowest_priority: bool = False, stop: threading.Event | None = None) -> bytes:
    """The object file: from the cache, or compiled by another process (seconds) and kept for the next time.

    Raises CompilerError if that fails or `stop` is set meanwhile; the process is gone then.
    """
    code = cached(cell, dtype)
    if code is None:
        code = _compile_elsewhere(cell, dtype, lowest_priority, stop)
        keep(cell, dtype, code)
    return code


def _compile_elsewhere(cell: str, dtype: str, lowest_priority: bool, stop: threading.Event | None) -> bytes:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    ours["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_PACKAGE.parent), ours.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", "rnnviz.nn.compile", "--pipe", cell, dtype]
    if lowest_priority:
        command.append("--nice")
    try:
        # its standard input stays open as long as we live: when it closes, the compiler stops (see _die_with_parent)
        process = subprocess.Popen(
            command, env=ours, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise CompilerError(str(error)) from error
    said: list[bytes] = [b"", b""]
    readers = [
        threading.Thread(target=_read, args=(pipe, said, place), daemon=True)
        for place, pipe in enumerate((process.stdout, process.stderr))
    ]
    try:
        for reader in readers:
            reader.start()
        while readers[0].is_alive():
            readers[0].join(0.1)
            if stop is not None and stop.is_set():
                raise CompilerError("stopped")
        code = opened(said[0])
        if code is None:
            process.wait(10)
            readers[1].join(1)
            lines = said[1].decode(errors="replace").strip().splitlines()
            raise CompilerError(lines[-1] if lines else f"the compiler ended with {process.returncode}")
        return code
    finally:
        process.kill()
        process.wait()
        for reader in readers:
            reader.join(1)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _read(pipe: object, said: list[bytes], place: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        said[place] = pipe.read()  # type: ignore[attr-defined]


# -- into use ------------------------------------------------------------------------------------------


class Handle:
    """A compilation in the background. `stop` ends it and its process; it may be called twice, from anywhere."""

    def __init__(self, wanted: Iterable[tuple[str, str]], on_ready: Callable[[str], None] | None) -> None:
        self._stopping = threading.Event()
        self._on_ready = on_ready
        self._queue: queue.Queue[tuple[str, str] | None] = queue.Queue()
        self._load: set[tuple[str, str]] = set()
        self._tried: set[tuple[str, str]] = set()
        for number, item in enumerate(wanted):
            if number == 0:
                self._load.add(item)
            self._queue.put(item)
        self._thread = threading.Thread(target=self._run, name="rnnviz-compile", daemon=True)
        self._thread.start()

    def want(self, cell: str, dtype: str) -> None:
        """Have these kernels taken into use as soon as they are compiled. Returns at once."""
        if (cell, dtype) not in self._load:
            self._load.add((cell, dtype))
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
        from rnnviz.nn import engine, numba_engine

        while not self._stopping.is_set():
            item = self._queue.get()
            if item is None or self._stopping.is_set():
                return
            if item in self._tried and item not in self._load:
                continue
            # without a compiler or a fitting machine the numpy engine simply stays in use
            with contextlib.suppress(Exception):
                self._tried.add(item)
                code = compiled(*item, lowest_priority=True, stop=self._stopping)
                if item in self._load and numba_engine.loaded(*item) is None:
                    numba_engine.install(*item, MachineCode(code))
                    engine.load_numba()
                    if self._on_ready is not None:
                        self._on_ready(item[0])


def start(on_ready: Callable[[str], None] | None = None, cell: str = "rnn", dtype: str = "float64") -> Handle:
    """Bring the compiled kernels into use without ever making the caller wait.

    Those of `cell` come first, then the other cells are compiled for when they are wanted. Until a cell's kernels are
    there the numba engine leaves its work to the numpy engine. `on_ready(cell)` is called in another thread whenever
    a cell's kernels come into use. Whatever goes wrong, nothing is said and the numpy engine stays.
    """
    from rnnviz.nn import numba_engine

    others = [(name, dtype) for name in CELLS if name != cell]
    handle = Handle([(cell, dtype), *others] if not numba_engine.IN_PROCESS else [], on_ready)
    numba_engine.in_background(handle)
    return handle


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
        return _compile_into_pipe(arguments[1], arguments[2], lowest_priority="--nice" in arguments)
    for cell in CELLS:
        for dtype in DTYPES:
            began = time.perf_counter()
            compiled(cell, dtype)
            print(f"{cell} {dtype}: {time.perf_counter() - began:.1f} s")
    print(cache_directory())
    return 0


def _compile_into_pipe(cell: str, dtype: str, lowest_priority: bool) -> int:
    _die_with_parent()
    if lowest_priority and hasattr(os, "nice"):
        os.nice(19)
    # numba prints nothing, but what somebody else prints must not get into the object file
    out = os.dup(1)
    os.dup2(2, 1)
    from rnnviz.nn.kernels.build import build

    with os.fdopen(out, "wb") as pipe:
        pipe.write(sealed(build(cell, dtype)))
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
