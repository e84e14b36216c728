"""`.npz`, by PyTorch's names: np.savez("model.npz", **{name: array of each entry of a state_dict}).

Each member is a `.npy`: a short header with dtype, order and shape, then the numbers. NumPy's own reader takes the
memory that a header asks for before it looks for the numbers; here the header is compared with the member first, and an
array of objects, which is a pickle, is never read.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from math import prod

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn import checks
from rnnviz.nn.types import Array
from rnnviz.weights import own
from rnnviz.weights.archive import Archive
from rnnviz.weights.contents import DTYPES, Decisions, Stored, WeightFile
from rnnviz.weights.source import Source
from rnnviz.weights.torch_names import from_names

_NPY = ".npy"
_LONGEST_HEADER = 20_000
_MOST_AXES = 32
_WIDEST_TEXT = 40_000


def read(path: str, decisions: Decisions) -> WeightFile:
    """Raises InputError naming the file."""
    archive = Archive(Source(path))
    arrays: dict[str, Stored] = {}
    about: str | None = None
    for member in archive.members:
        if not member.endswith(_NPY):
            raise archive.source.error(f"{short_repr(member)} in it is not an array")
        name = member.removesuffix(_NPY)
        array = _Npy(archive, member)
        if name == own.KEY:
            about = array.text()
        else:
            arrays[name] = array.stored()
    return from_names(path, "NumPy", arrays, decisions, modules=own.modules(path, about))


class _Npy:
    """One member. Raises InputError for a header that does not fit it."""

    def __init__(self, archive: Archive, member: str) -> None:
        self._archive, self._member = archive, member
        size = archive.members[member].size
        begin = io.BytesIO(archive.begin(member, _LONGEST_HEADER))
        try:
            version = np.lib.format.read_magic(begin)
            readers: dict[tuple[int, int], Callable[..., tuple[tuple[int, ...], bool, np.dtype]]] = {
                (1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0,
            }  # fmt: skip
            shape, is_fortran, dtype = readers[version](begin)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, MemoryError):
            raise archive.source.error(f"{short_repr(member)} in it is not an array that rnnviz reads") from None
        if len(shape) > _MOST_AXES or min(shape, default=0) < 0 or prod(shape) * dtype.itemsize != size - begin.tell():
            raise archive.source.error(
                f"{short_repr(member)} has {size - begin.tell():,} bytes of numbers, which do not fit shape "
                f"{short_repr(shape)}"
            )
        self._shape, self._is_fortran, self._dtype, self._start, self._size = (
            shape, is_fortran, dtype, begin.tell(), size,
        )  # fmt: skip

    def stored(self) -> Stored:
        return Stored(self._shape, self._dtype.name, self._load)

    def text(self) -> str | None:
        """A short text, as Model.save writes it."""
        if self._dtype.kind != "U" or self._shape != () or self._dtype.itemsize > _WIDEST_TEXT:
            return None
        try:
            return str(np.frombuffer(self._content(), self._dtype)[0])
        except (ValueError, IndexError):  # not characters
            return None

    def _load(self) -> Array:
        if self._dtype.name not in DTYPES:
            raise InputError(f"{self._member}: it holds {self._dtype.name}")
        checks.memory("weights", 2 * self._size, f"an array of shape {self._shape}")
        array = np.frombuffer(self._content(), self._dtype)
        return array.reshape(self._shape, order="F" if self._is_fortran else "C")

    def _content(self) -> bytes:
        return self._archive.read(self._member, self._size)[self._start :]
