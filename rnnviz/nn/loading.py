"""Load the compiled kernels in the background; nothing waits for the compiler.

`start` reads the cache in a thread and installs its kernels within some hundredths of a second; another process
compiles missing ones at the lowest priority (compiler.py). Until then the numpy engine computes.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable

from rnnviz.nn import compiler, compiler_errors, engine, kernel_cache, loaded_kernels
from rnnviz.nn.kernel_cache import Kernel, cached
from rnnviz.nn.machine_code import MachineCode
from rnnviz.nn.spec import CELLS

NOT_COMPILED = "The compiled engine is not prepared here: NumPy computes, more slowly."


class Handle:
    """A compilation in the background. `stop` ends it and its process; it may be called twice, from anywhere."""

    def __init__(
        self,
        in_use: Iterable[Kernel],
        in_cache: Iterable[Kernel],
        on_ready: Callable[[str], None] | None,
        on_note: Callable[[str], None] | None = None,
        compiles: bool = True,
    ) -> None:
        self._on_ready, self._on_note, self._compiles = on_ready, on_note, compiles
        self._stopping, self._has_failed = threading.Event(), False
        self._installing = threading.Lock()
        self._ready: set[Kernel] = set()
        self._queue: queue.Queue[Kernel | None] = queue.Queue()
        self._in_use = set(in_use)
        for kernel in (*self._in_use, *in_cache):
            if loaded_kernels.loaded(*kernel) is None:
                self._queue.put(kernel)
        self._thread = threading.Thread(target=self._run, name="rnnviz-compile", daemon=True)
        self._thread.start()

    def request(self, cell: str, dtype: str) -> None:
        """Install these kernels as soon as they are compiled. Returns at once."""
        if (cell, dtype) not in self._in_use:
            self._in_use.add((cell, dtype))
            # not in the compiling thread: that one may be busy with other cells for minutes
            threading.Thread(target=self._from_cache, args=((cell, dtype),), name="rnnviz-kernel", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._queue.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        # without a compiler or a supported machine the numpy engine stays in use
        try:
            loaded_kernels.in_background(self)
            for kernel in self._in_use:
                if loaded_kernels.loaded(*kernel) is not None:  # by an earlier app of this process, or a host
                    self._use(kernel, b"")
                else:
                    cached(*kernel)
            for note in kernel_cache.notes:
                self._note(note)
        except Exception as error:
            self._failed(error)
        while not self._stopping.is_set():
            wanted = self._drained()
            try:
                if not self._compiles:
                    self._take_from_cache(wanted)
                    continue
                for kernel, code in compiler.compiled(wanted, lowest_priority=True, stop=self._stopping):
                    # this includes kernels that were requested in the meantime
                    if kernel in self._in_use:
                        self._use(kernel, code)
            except Exception as error:
                self._failed(error)

    def _take_from_cache(self, wanted: Iterable[Kernel]) -> None:
        """Install what is compiled already; what is not stays with the numpy engine."""
        for kernel in wanted:
            code = cached(*kernel)
            if code is not None:
                self._use(kernel, code)
            elif not self._has_failed:
                self._has_failed = True
                self._note(NOT_COMPILED)

    def _from_cache(self, kernel: Kernel) -> None:
        try:
            code = cached(*kernel)
            if code is None:
                self._queue.put(kernel)
            else:
                self._use(kernel, code)
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """Save the error for `rnnviz doctor`, and report once that there is one."""
        if self._stopping.is_set():  # which ends the compiler
            return
        if self._compiles:  # else nothing is written, either
            compiler_errors.keep(error)
        if not self._has_failed:
            self._has_failed = True
            self._note(compiler_errors.UNAVAILABLE)

    def _note(self, text: str) -> None:
        if self._on_note is not None:
            with contextlib.suppress(Exception):  # the app is closing
                self._on_note(text)

    def _drained(self) -> list[Kernel]:
        """All kernels in the queue; if it is empty, wait for the next."""
        wanted = [self._queue.get()]
        with contextlib.suppress(queue.Empty):
            while True:
                wanted.append(self._queue.get_nowait())
        return list(dict.fromkeys(kernel for kernel in wanted if kernel is not None))

    def _use(self, kernel: Kernel, code: bytes) -> None:
        with self._installing:
            if kernel in self._ready:
                return
            if loaded_kernels.loaded(*kernel) is None:
                loaded_kernels.install(*kernel, MachineCode(code, *kernel))
            engine.load_numba()
            self._ready.add(kernel)
        if self._on_ready is not None:
            self._on_ready(kernel[0])


def start(
    on_ready: Callable[[str], None] | None = None,
    cell: str = CELLS[0],
    dtype: str = "float64",
    *,
    on_note: Callable[[str], None] | None = None,
    compiles: bool = True,
) -> Handle:
    """Load the compiled kernels in the background. Returns at once.

    The kernels of `cell` come first; the other cells are compiled afterwards, for later use. Until a cell's kernels are
    installed, the numpy engine computes. Another thread calls `on_ready(cell)` when a cell's kernels are installed, and
    `on_note(text)` for a cache that cannot be trusted, and once if kernels cannot be compiled, loaded or run: then the
    numpy engine stays in use, and the error is saved for `rnnviz doctor`. Without `compiles` the cache is read and
    nothing else: no process is started, no file is written.
    """
    if compiler.IN_PROCESS:
        return Handle((), (), None)
    if cell not in CELLS:  # a person's own, which NumPy computes; the others are compared with it
        cell = CELLS[0]
    others = [(name, dtype) for name in CELLS if name != cell]
    return Handle([(cell, dtype)], others if compiles else [], on_ready, on_note, compiles)


def load(kernels: Iterable[Kernel]) -> None:
    """Load these kernels into this process, for it and for those that it forks; wait for what has to be compiled.
    Raises compiler.CompilerError."""
    for kernel, code in compiler.compiled(kernels):
        if loaded_kernels.loaded(*kernel) is None:
            loaded_kernels.install(*kernel, MachineCode(code, *kernel))
    engine.load_numba()
