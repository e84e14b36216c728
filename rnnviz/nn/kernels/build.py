"""From kernels to machine code: one object file with all entries of a cell for one dtype.

Numba translates (at its lowest level of optimisation, where its time goes into the types), LLVM then optimises
everything at once. The result needs nothing of numba or Python when it runs.
"""

from __future__ import annotations

import os

os.environ["NUMBA_OPT"] = "0"  # before numba is imported

from typing import Any

from rnnviz.nn.kernels.c_api import ENTRIES, for_table
from rnnviz.nn.kernels.jit import OPTIONS
from rnnviz.nn.kernels.numba_untyped import llvm, njit, types

#: A kernel's arrays belong to its caller, so numba's reference counts of them are never used. Numba keeps its own
#: from being inlined; called at every load, they would cost more than the arithmetic.
NOTHING_TO_COUNT = """
define void @NRT_incref(ptr %p) alwaysinline { ret void }
define void @NRT_decref(ptr %p) alwaysinline { ret void }
"""

#: An entry as C sees it: int64_t *table -> 0, or numba's number of an error that no kernel should make.
C_ENTRY = """
declare i32 @"{native}"(ptr, ptr, ptr)
define i32 @"{name}"(ptr %table) {{
  %result = alloca ptr
  %error = alloca ptr
  %status = call i32 @"{native}"(ptr %result, ptr %error, ptr %table)
  ret i32 %status
}}
"""


def build(cell: str, dtype: str) -> bytes:
    """The object file with the entries of `cell`, under their names, for this machine's processor."""
    table = types.CPointer(types.int64)
    whole = llvm.parse_assembly(NOTHING_TO_COUNT)
    for name in ENTRIES[cell]:
        compiled: Any = njit(types.void(table), no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(
            for_table(cell, name, dtype)
        )
        native = compiled.overloads[(table,)].fndesc.llvm_func_name
        whole.link_in(llvm.parse_assembly(compiled.inspect_llvm((table,))))
        whole.link_in(llvm.parse_assembly(C_ENTRY.format(native=native, name=name)))
    for function in whole.functions:
        if not function.is_declaration and function.name not in ENTRIES[cell]:
            function.linkage = "internal"
    machine = target_machine()
    optimise(whole, machine)
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
