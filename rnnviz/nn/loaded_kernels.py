"""The kernels of each cell and dtype: where they come from, and those that are loaded.

While the app compiles in the background, a cell that is not ready has none yet, and the numpy engine stands in;
otherwise the first call of a cell waits for its compiler.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Protocol

from rnnviz.nn import compiler
from rnnviz.nn.kernels.arguments import signatures
from rnnviz.nn.machine_code import Kernels, MachineCode
from rnnviz.nn.spec import ModelSpec


class Background(Protocol):
    """The compilation in the background (loading.Handle)."""

    def request(self, cell: str, dtype: str) -> None: ...


_kernels: dict[tuple[str, str], Kernels] = {}
_lock = threading.Lock()
_background: Background | None = None


def loaded(cell: str, dtype: str) -> Kernels | None:
    return _kernels.get((cell, dtype))


def install(cell: str, dtype: str, kernels: Kernels) -> None:
    _kernels[cell, dtype] = kernels


def in_background(handle: Background | None) -> None:
    """From now on let `handle` compile what is missing, and use the numpy engine meanwhile. None: wait instead."""
    global _background
    _background = handle


def kernels_of(spec: ModelSpec) -> Kernels | None:
    """The kernels for a model, or None: the numpy engine stands in. Raises compiler.CompilerError."""
    if spec.about_cell.is_own:
        return None
    found = loaded(spec.about_cell.name, spec.dtype)  # an unknown cell is an error, and not something to compile
    if found is not None:
        return found
    if _background is not None:
        _background.request(spec.cell, spec.dtype)
        return None
    with _lock:
        if loaded(spec.cell, spec.dtype) is None:
            install(spec.cell, spec.dtype, _make(spec.cell, spec.dtype))
        return loaded(spec.cell, spec.dtype)


def _make(cell: str, dtype: str) -> Kernels:
    if compiler.IN_PROCESS:
        return InProcess(cell, dtype)
    ((_, code),) = compiler.compiled([(cell, dtype)])
    return MachineCode(code, cell, dtype)


class InProcess:
    """The kernels as numba or Python run them in this process."""

    def __init__(self, cell: str, dtype: str) -> None:
        os.environ.setdefault("NUMBA_OPT", "0")  # looked at, not raced; numba reads it when it is imported
        from rnnviz.nn.kernels.c_api import ENTRIES

        self._entries, self._signatures = ENTRIES[cell], signatures(cell, dtype)

    def call(self, name: str, **values: Any) -> None:
        self._entries[name](*self._signatures[name].values(values))
