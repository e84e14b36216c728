"""Load compiled kernels from an object file and call them with NumPy arrays. Does not import numba.

    code = MachineCode(object_file, "rnn", "float64")      # some milliseconds
    code.call("update", rule=0, updates=1, rates=rates, params=w, grads=g, first=m, second=v)

LLVM's loader (llvmlite) loads the object file into memory, and ctypes calls it and releases the GIL. In a process with
NumPy (25 MB) this takes 53 MB and 73 ms of processor time; importing numba takes 64 MB and 225 ms, before some 20
seconds of compiling (2 cores of an AMD EPYC, Python 3.11, numba 0.68.1, llvmlite 0.50.0).
"""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

from rnnviz.nn.kernels.arguments import signatures


class Kernels(Protocol):
    """The entries of one cell for one dtype, by name; kernels/arguments.py lists their arguments."""

    def call(self, name: str, **values: Any) -> None:
        """Call an entry. Raises ArgumentError for an argument that the kernel would misread."""


#: Bytes that must be free before LLVM loads an object file: it ends the process if it lacks memory.
ROOM = 16_000_000


class MachineCode:
    """The entries of an object file. Raises RuntimeError for the file of another machine, MemoryError without ROOM."""

    def __init__(self, code: bytes, cell: str, dtype: str) -> None:
        self._signatures = signatures(cell, dtype)
        bytearray(ROOM)  # raises; its pages are never touched
        llvm: Any = _llvm()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=0
        )
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        function = ctypes.CFUNCTYPE(None, ctypes.c_char_p)
        self._functions = {}
        for name in self._signatures:
            address = self._engine.get_function_address(name)
            if not address:
                raise RuntimeError(f"the compiled kernels lack {name}")
            self._functions[name] = function(address)

    def call(self, name: str, **values: Any) -> None:
        self._functions[name](self._signatures[name].pack(values))


def _llvm() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding
