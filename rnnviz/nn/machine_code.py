"""Compiled kernels in use: machine code from a file, and calls of it with NumPy arrays. Free of numba.

    code = MachineCode(object_file)                        # some milliseconds
    code.call("update", sizes, rates, params, grads, m, v)

Importing numba takes the better part of a second and some 130 MB; what it compiled needs neither. LLVM's
loader (llvmlite) puts the object file into memory, and ctypes calls it, letting go of the GIL.
"""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

import numpy as np

from rnnviz.nn.types import Array

ENTRIES = ("forward", "backward", "triangle", "train", "update")


class Kernels(Protocol):
    """The entries of one cell for one dtype, by name; see kernels/c_api.py for their arguments."""

    def call(self, name: str, *arrays: Array) -> None: ...


class MachineCode:
    """The entries of an object file. Raises RuntimeError if it is not one for this machine."""

    def __init__(self, code: bytes) -> None:
        llvm: Any = _llvm()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=0
        )
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)
        self._functions = {}
        for name in ENTRIES:
            address = self._engine.get_function_address(name)
            if not address:
                raise RuntimeError(f"the compiled kernels lack {name}")
            self._functions[name] = function(address)

    def call(self, name: str, *arrays: Array) -> None:
        table = make_table(arrays)
        if self._functions[name](table.__array_interface__["data"][0]) != 0:
            raise RuntimeError(f"the kernel {name} failed")


def make_table(arrays: tuple[Array, ...]) -> Array:
    """What a compiled entry takes: for each array its address and then its shape. The arrays must outlive the call."""
    words: list[int] = []
    for array in arrays:
        if not array.flags.c_contiguous:
            raise ValueError("kernels take contiguous arrays only")
        words.append(array.__array_interface__["data"][0])
        words.extend(array.shape)
    return np.array(words, np.int64)


def _llvm() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding
