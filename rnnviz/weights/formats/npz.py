"""`.npz`, by PyTorch's names: np.savez("model.npz", **{name: array of each entry of a state_dict}).

Each member is a `.npy`: a short header with dtype, order and shape, then the numbers. NumPy's own reader evaluates the
header as Python, and takes the memory that it asks for before it looks for the numbers; here the header has one form,
which is compared with the member first, and an array of objects, which is a pickle, is never read.
"""

from __future__ import annotations

import re
from math import prod

import numpy as np

from rnnviz.errors import short_repr
from rnnviz.nn import checks
from rnnviz.nn.types import Array
from rnnviz.weights import own
from rnnviz.weights.archive import Archive
from rnnviz.weights.contents import Decisions, WeightFile
from rnnviz.weights.source import Source
from rnnviz.weights.stored import Stored
from rnnviz.weights.torch_names import from_names

_NPY = ".npy"
_LONGEST_HEADER = 20_000
_MOST_AXES = 32
_HEADER = re.compile(
    rb"\x93NUMPY(?:\x01\x00..|[\x02\x03]\x00....)\{'descr': '(?P<dtype>[<>|=][A-Za-z][0-9]{0,9}(?:\[[a-z0-9]+\])?)', "
    rb"'fortran_order': (?P<order>True|False), 'shape': \((?P<shape>[0-9]*(?:, ?[0-9]+)*),?\),? *\} *\n",
    re.DOTALL,
)
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
        match = _HEADER.match(archive.begin(member, _LONGEST_HEADER))
        try:
            assert match is not None
            dtype = np.dtype(match["dtype"].decode())
            shape = tuple(int(length) for length in match["shape"].replace(b",", b" ").split())
        except (AssertionError, TypeError, ValueError):
            raise archive.source.error(f"{short_repr(member)} in it is not an array that rnnviz reads") from None
        left = size - match.end()
        if dtype.kind != "O" and (len(shape) > _MOST_AXES or prod(shape) * dtype.itemsize != left):
            raise archive.source.error(
                f"{short_repr(member)} has {left:,} bytes of numbers, which do not fit shape {short_repr(shape)}"
            )
        self._shape, self._dtype, self._start, self._size = shape, dtype, match.end(), size
        self._is_fortran = match["order"] == b"True"

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
        checks.memory("weights", 2 * self._size, f"an array of shape {self._shape}")
        array = np.frombuffer(self._content(), self._dtype).astype(self._dtype.newbyteorder("="), copy=False)
        return array.reshape(self._shape, order="F" if self._is_fortran else "C")

    def _content(self) -> bytes:
        return self._archive.read(self._member, self._size)[self._start :]
