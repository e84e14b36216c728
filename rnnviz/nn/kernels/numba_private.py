"""What the kernels need of numba beyond what its manual promises. Seen with numba 0.68.1 and llvmlite 0.50.0.

The rest is documented: njit, cfunc with native_name and inspect_llvm, carray, intrinsic, overload, the typing and
lowering decorators of numba.extending, numba.core.cgutils, and llvmlite's builder, targets, passes and MCJIT.
tests/nn/test_private.py fails when one of these moves; pyproject.toml bounds both packages at what was tested.
"""

from __future__ import annotations

from typing import Any

from rnnviz.nn.kernels.numba_untyped import cgutils

#: A kernel's arrays belong to its caller, so numba's reference counts of them are never used. Numba gives each module
#: its own NRT_incref and NRT_decref, which LLVM may not inline; called at every load, they would cost more than the
#: arithmetic. These take their places.
NOTHING_TO_COUNT = """
define void @NRT_incref(ptr %p) alwaysinline { ret void }
define void @NRT_decref(ptr %p) alwaysinline { ret void }
"""


def data_of(context: Any, builder: Any, array: Any, value: Any) -> Any:
    """The pointer to an array's first number: the member `data` of the struct that numba makes of an array."""
    return cgutils.create_struct_proxy(array)(context, builder, value=value).data
