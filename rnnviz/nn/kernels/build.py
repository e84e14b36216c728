"""From kernels to machine code: one object file with all entries of a cell for one dtype.

Numba translates (at its lowest level of optimisation, where its time goes into the types), LLVM then optimises
everything at once. The result needs nothing of numba or Python when it runs.
"""

from __future__ import annotations

import os
import re

os.environ["NUMBA_OPT"] = "0"  # before numba is imported

from typing import Any

from rnnviz.nn.kernels.c_api import ENTRIES, for_table
from rnnviz.nn.kernels.jit import ARITHMETIC
from rnnviz.nn.kernels.numba_private import NOTHING_TO_COUNT
from rnnviz.nn.kernels.numba_untyped import cfunc, llvm, types

#: What an object file may need of the process that it is loaded into: the C library.
NEEDED = re.compile(r"(exp|log|pow|sqrt|sin|cos|mem(set|cpy|move))f?")


def build(cell: str, dtype: str) -> bytes:
    """The object file with the entries of `cell`, under their names, for this machine's processor.

    Raises RuntimeError if it needs numba or Python when it runs, as a kernel does that can raise.
    """
    table = types.CPointer(types.int64)
    whole = llvm.parse_assembly(NOTHING_TO_COUNT)
    for name in ENTRIES[cell]:
        compiled = cfunc(types.void(table), **ARITHMETIC)(for_table(cell, name, dtype))
        module = llvm.parse_assembly(compiled.inspect_llvm())
        module.get_function(compiled.native_name).name = name
        whole.link_in(module)
    for function in whole.functions:
        if not function.is_declaration and function.name not in ENTRIES[cell]:
            function.linkage = "internal"
    machine = target_machine()
    optimise(whole, machine)
    needed = [f.name for f in whole.functions if f.is_declaration and not f.name.startswith("llvm.")]
    foreign = [name for name in needed if not NEEDED.fullmatch(name)]
    if foreign:
        raise RuntimeError(f"the kernels of {cell} need {', '.join(foreign)} when they run")
    code: bytes = machine.emit_object(whole)
    return code


def target_machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic",
        codemodel="small",
    )


def optimise(module: Any, machine: Any) -> None:
    tuning = llvm.create_pipeline_tuning_options(3)
    tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_unrolling = True
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(module, builder)
