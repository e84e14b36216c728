"""numba and llvmlite for a strict type checker: what they say of their types is too little, so all is Any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
import llvmlite.ir
import numba
import numba.core.cgutils
import numba.extending

njit: Any = numba.njit
cfunc: Any = numba.cfunc
carray: Any = numba.__dict__["carray"]
types: Any = numba.types
models: Any = numba.extending.models
cgutils: Any = numba.core.cgutils
ir: Any = llvmlite.ir
llvm: Any = llvmlite.binding

_Decorator = Callable[[Any], Any]


def intrinsic(function: Any) -> Any:
    made: Any = numba.extending.intrinsic
    return made(function)


def overload(target: Any, options: Any) -> _Decorator:
    made: Any = numba.extending.overload
    decorator: _Decorator = made(target, jit_options=options, strict=False)
    return decorator


def type_callable(target: Any) -> _Decorator:
    made: Any = numba.extending.type_callable
    decorator: _Decorator = made(target)
    return decorator


def lower_builtin(target: Any, *kinds: Any) -> _Decorator:
    made: Any = numba.extending.lower_builtin
    decorator: _Decorator = made(target, *kinds)
    return decorator


def register_model(kind: Any) -> _Decorator:
    made: Any = numba.extending.register_model
    decorator: _Decorator = made(kind)
    return decorator
