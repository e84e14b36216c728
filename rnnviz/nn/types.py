"""The engine's array types, and a base class that keeps records of arrays read-only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Params = dict[str, Array]
ParamsLike = Mapping[str, Array]


class HasShape(Protocol):
    """An array, or one that is not read yet."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def ndim(self) -> int: ...


class ReadOnly:
    """A frozen record whose arrays are read-only, also in its copies: by default pickle (so also every other process)
    and deepcopy would return writeable arrays."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        for value in state.values():
            _freeze(value)
        self.__dict__.update(state)


def frozen(a: Array) -> Array:
    """The array itself, read-only from now on."""
    a.flags.writeable = False
    return a


def _freeze(value: Any) -> None:
    if isinstance(value, np.ndarray):
        frozen(value)
    elif isinstance(value, Mapping):
        for entry in value.values():
            _freeze(entry)
