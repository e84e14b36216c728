"""An array in a file of weights that has not been read yet.

A format's reader makes one of each array: shape and dtype, and how to read it. So a file of 2 GB is opened without
reading its arrays; each is read when it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn import checks
from rnnviz.nn.types import Array, frozen

#: The dtypes of weights as they are stored. bfloat16 has none in NumPy: its reader gives float32.
DTYPES = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True, eq=False)
class Stored:
    """An array in a file, not read yet.

    dtype  as in the file, one of DTYPES
    load   reads it: an array of `shape`, in float16, float32 or float64. Raises InputError naming the file
    row    reads one entry along the first axis in the same way; None: the format allows the whole array alone
    """

    shape: tuple[int, ...]
    dtype: str
    load: Callable[[], Array]
    row: Callable[[int], Array] | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=object))

    @property
    def at(self) -> Array:
        """The array, read-only, in float32, or in float64 where it is stored so. Raises InputError if it would take
        too much memory."""
        width = 8 if self.dtype == "float64" else 4
        checks.memory("weights", width * self.size, f"an array of shape {self.shape}")
        array = np.ascontiguousarray(self.load(), np.float64 if width == 8 else np.float32)
        checks.fit_shape("weights", array, self.shape, "the file's shape")
        return frozen(array)


def stored(value: Any) -> Stored:
    """An array as one that is read already; a Stored as it is. Raises InputError for another dtype."""
    if isinstance(value, Stored):
        return value
    array = np.asarray(value)
    if array.dtype.name not in DTYPES:
        raise InputError(f"weights: {array.dtype.name} is not one of {', '.join(DTYPES)}")
    return Stored(tuple(array.shape), array.dtype.name, lambda: array)


class Arrays(Mapping[str, Array]):
    """name -> array, each read when it is first used, then kept."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self.stored: dict[str, Stored] = {name: stored(value) for name, value in arrays.items()}
        self._read: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._read:
            self._read[name] = self.stored[name].at
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)
