"""How every kernel is compiled, and views without a reference count.

    view(a, 5, (2, 3))     numbers 5..10 of the contiguous array a as a matrix (2, 3), sharing its memory

No fastmath flag that would assume nan or inf away; "contract" lets a·b + c be one instruction with one rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rnnviz.nn.kernels.numba_private import data_of
from rnnviz.nn.kernels.numba_untyped import carray, intrinsic, njit, overload, types

ARITHMETIC: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
OPTIONS: dict[str, Any] = {"nogil": True, **ARITHMETIC}


def kernel(function: Any) -> Any:
    """Decorator: compiled without the GIL, dividing as NumPy does (1/0 is inf), nan and inf kept."""
    return njit(**OPTIONS)(function)


def compiled_as(function: Any) -> Callable[[Any], Any]:
    """Decorator: what is compiled where kernels call the Python function `function`. It is given the arguments' types
    and returns the implementation; a constant of the types costs nothing when it runs."""
    return overload(function, OPTIONS)


def view(array: Any, start: int, shape: Any) -> Any:
    """The numbers of the contiguous `array` (of any shape) from `start` on, as an array that shares its memory."""
    return array.reshape(-1)[start : start + int(np.prod(shape))].reshape(shape)


@intrinsic
def address(typingctx: Any, array: Any, start: Any) -> Any:
    """A pointer to array[start], counted through all its axes."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.gep(data_of(context, builder, array, args[0]), [args[1]])

    return types.CPointer(array.dtype)(array, types.intp), build


@compiled_as(view)
def _view_overload(array: Any, start: Any, shape: Any) -> Any:
    return lambda array, start, shape: carray(address(array, start), shape)


@kernel
def flat(array: Any) -> Any:
    """All numbers of a contiguous array as one row, sharing its memory."""
    return view(array, 0, (array.size,))
