"""The groups and arrays of an HDF5 file, read by h5py within bounds: nothing leads out of the file, and no array is
larger than what is stored for it.

    >>> tree = read_tree(Source("model.weights.h5"))
    >>> tree.at("layers", "lstm", "cell", "vars").arrays["0"].shape
    (3, 16)

Refused: soft and external links, arrays that are stored in other files, and virtual arrays, all of which make a reader
open files that the person did not name; compression by other filters than HDF5's own, which are loaded as programs; and
groups that contain themselves.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.types import Array
from rnnviz.weights.contents import DTYPES, Stored
from rnnviz.weights.source import Source, from_bfloat16

if TYPE_CHECKING:
    import h5py

_DEEPEST, _MOST_MEMBERS = 40, 50_000
_LONGEST_LIST, _LONGEST_TEXT = 100_000, 64 * 2**20
#: Bytes that deflate makes of one, at most; what a small chunk may take beyond.
_MOST_RATIO, _SLACK = 1032, 1 << 16
#: The dtype of an opaque array of two bytes that Keras marks as such.
_BFLOAT16 = "bfloat16"


@dataclass(frozen=True)
class Group:
    """groups, arrays: by name, in the file's order. attributes: texts and lists of texts by name."""

    groups: dict[str, Group] = field(default_factory=dict)
    arrays: dict[str, Stored] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def at(self, *names: str) -> Group:
        """The group inside of groups; an empty one if there is none."""
        found = self
        for name in names:
            found = found.groups.get(name, _EMPTY)
        return found


_EMPTY = Group()


def read_tree(source: Source, start: int = 0, length: int | None = None, *, content: bytes | None = None) -> Group:
    """All groups of a file, of the part of a file that is one, or of `content`, which was unpacked from it.

    Raises InputError naming the file for anything that is refused, and if h5py is not installed.
    """
    h5py = imported_h5py()
    raw: io.BufferedIOBase
    if content is None:
        length = source.size - start if length is None else length
        raw = io.BufferedReader(_Window(source, start, length), 1 << 16)
    else:
        length, raw = len(content), io.BytesIO(content)
    try:
        file = h5py.File(raw, "r")
        return _Reader(source, length, file).group(file.id, "", ())
    except InputError:
        raise
    except Exception as error:  # a damaged file makes h5py raise anything
        reason = " ".join(str(error).split())[:120]
        raise source.error(f"it is damaged, or not an HDF5 file: {reason}") from None


def imported_h5py() -> Any:
    """Raises InputError with the command that installs it."""
    try:
        import h5py
    except ImportError:
        raise InputError(
            'reading and writing Keras\' files needs h5py; install it: python -m pip install "rnnviz[keras]"'
        ) from None
    return h5py


class _Window(io.RawIOBase):
    """A part of a file as a file."""

    def __init__(self, source: Source, start: int, length: int) -> None:
        self._source, self._start, self._length, self._at = source, start, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._length - self._at))
        view[:count] = self._source.read(self._start + self._at, count)
        self._at += count
        return count


class _Reader:
    def __init__(self, source: Source, length: int, file: h5py.File) -> None:
        self.source, self.length, self.file = source, length, file
        self.members = 0

    def group(self, group: Any, path: str, above: tuple[Any, ...]) -> Group:
        import h5py

        found = Group(attributes=self.attributes(group, path))
        here = h5py.h5o.get_info(group)
        place = here.fileno, here.addr
        if place in above or len(above) > _DEEPEST:
            raise self.source.error(f"{short_repr(path)} in it contains itself, or is too deep")
        for name in group:
            self.members += 1
            if self.members > _MOST_MEMBERS:
                raise self.source.error(f"it has more than {_MOST_MEMBERS:,} groups and arrays")
            text = name.decode("utf-8", "replace")
            inside = f"{path}/{text}"
            if group.links.get_info(name).type != h5py.h5l.TYPE_HARD:
                raise self.source.error(f"{short_repr(inside)} in it is a link, which could lead to another file")
            member = h5py.h5o.open(group, name)
            if isinstance(member, h5py.h5g.GroupID):
                found.groups[text] = self.group(member, inside, (*above, place))
            elif isinstance(member, h5py.h5d.DatasetID):
                found.arrays[text] = self.array(member, inside)
        return found

    def array(self, dataset: Any, path: str) -> Stored:
        shape, dtype = dataset.shape, self.dtype(dataset)
        if dtype not in DTYPES or shape is None:
            return Stored(shape or (), "other", lambda: np.empty(0))
        needed = math.prod(shape) * dataset.get_type().get_size()
        if reason := self.refusal(dataset, needed):
            raise self.source.error(f"{short_repr(path)} in it {reason}")
        return Stored(shape, dtype, self.loader(dataset, dtype, path))

    def dtype(self, dataset: Any) -> str:
        import h5py

        kind = dataset.get_type()
        if isinstance(kind, h5py.h5t.TypeFloatID):
            return str(dataset.dtype.name)
        if isinstance(kind, h5py.h5t.TypeOpaqueID) and kind.get_size() == 2:
            marked = self.attributes(dataset, "").get("dtype")
            return _BFLOAT16 if marked == _BFLOAT16 else "other"
        return "other"

    def refusal(self, dataset: Any, needed: int) -> str:
        """Why an array is not read; "" if it is."""
        import h5py

        made = dataset.get_create_plist()
        layout, stored = made.get_layout(), dataset.get_storage_size()
        if layout == h5py.h5d.VIRTUAL:
            return "is a virtual array, which reads from other files"
        if made.get_external_count():
            return "is stored in another file"
        filters = {made.get_filter(n)[0] for n in range(made.get_nfilters())}
        if filters - {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}:
            return "is compressed in a way that rnnviz does not read"
        if layout == h5py.h5d.CHUNKED:
            chunk = made.get_chunk()
            count = math.prod(-(-size // part) for size, part in zip(dataset.shape, chunk, strict=True))
            unpacked = count * math.prod(chunk) * dataset.get_type().get_size()
            most = stored * _MOST_RATIO + _SLACK if filters else stored
            if dataset.get_num_chunks() != count or unpacked > most or stored > self.length:
                return f"should have {needed:,} bytes, but {stored:,} are stored"
        elif layout == h5py.h5d.CONTIGUOUS:
            offset = dataset.get_offset() if needed else 0
            if offset is None or stored < needed or offset + needed > self.length:
                return f"should have {needed:,} bytes, but {0 if offset is None else stored:,} are stored"
        elif stored < needed:
            return f"should have {needed:,} bytes, but {stored:,} are stored"
        return ""

    def loader(self, dataset: Any, dtype: str, path: str) -> Callable[[], Array]:
        import h5py

        def load() -> Array:
            try:
                array = np.asarray(h5py.Dataset(dataset)[()])
            except Exception as error:
                reason = " ".join(str(error).split())[:120]
                raise self.source.error(f"{short_repr(path)} in it is damaged: {reason}") from None
            return from_bfloat16(array.view("<u2")) if dtype == _BFLOAT16 else array

        return load

    def attributes(self, owner: Any, path: str) -> dict[str, Any]:
        """Those that are text, or a list of texts."""
        import h5py

        found = {}
        for n in range(min(h5py.h5a.get_num_attrs(owner), 1000)):
            attribute = h5py.h5a.open(owner, index=n)
            kind, name = attribute.get_type(), attribute.name.decode("utf-8", "replace")
            is_text = isinstance(kind, h5py.h5t.TypeStringID)
            count = math.prod(attribute.shape or ())
            if not is_text or count > _LONGEST_LIST or attribute.get_storage_size() > min(self.length, _LONGEST_TEXT):
                continue
            array = np.empty(attribute.shape, attribute.dtype)
            attribute.read(array)
            texts = [_text(entry) for entry in array.reshape(-1)]
            found[name] = texts if attribute.shape else texts[0]
        return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
