"""The header of a safetensors file: where each array lies. A u64 length, a JSON object, then the numbers.

    >>> head, start = read_head(file.read, size, longest=2**20)
    >>> entries(head, start, size, ("F32", "F64"))["weight"].shape

It is read here rather than by the safetensors library, which maps the file into memory: a mapped file that another
program shortens ends the process. Each length is checked against the file's own size before memory is taken.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.spec import whole_number

METADATA = "__metadata__"
#: Bytes of a number, by the name of its dtype.
WIDTHS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}


@dataclass(frozen=True)
class Entry:
    """Where an array lies in a file: bytes start to stop. dtype: its name in the header, "F32"."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def read_head(read: Callable[[int], bytes], size: int, longest: int) -> tuple[dict[str, Any], int]:
    """(header, where the arrays begin), from the next bytes of the file. Raises InputError with the reason."""
    first = read(8)
    if len(first) < 8:
        raise InputError(f"it ends after {len(first)} bytes")
    (length,) = struct.unpack("<Q", first)
    if length > size - 8:
        raise InputError(f"it has {size:,} bytes, and its header alone should have {length:,}")
    if length > longest:
        raise InputError(f"its header has {length:,} bytes, more than the {longest:,} allowed")
    return json_object(read(length), "its header"), 8 + length


def json_object(text: bytes | str, what: str) -> dict[str, Any]:
    """Raises InputError with the reason if the text is not a JSON object that can be printed."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    try:
        found = json.loads(text, parse_constant=refuse)
        json.dumps(found, ensure_ascii=False).encode()  # an escaped half of a character cannot be printed
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} cannot be read: {short_repr(str(error))}") from None
    if not isinstance(found, dict):
        raise InputError(f"{what} is not a JSON object")
    return found


def entries(
    head: Mapping[str, Any], start: int, size: int, dtypes: Iterable[str], most_axes: int = 64
) -> dict[str, Entry]:
    """The arrays: each as long as its shape says, and all together exactly the rest of the file. Raises InputError with
    the reason."""
    widths = {name: WIDTHS[name] for name in dtypes}
    found = {}
    for name, entry in head.items():
        if name == METADATA:
            continue
        try:
            width = widths[entry["dtype"]]
            shape = tuple(whole_number("shape", length, low=0) for length in entry["shape"])
            first, last = (whole_number("offset", offset, low=0) for offset in entry["data_offsets"])
        except (KeyError, TypeError, ValueError):  # InputError is a ValueError
            raise InputError(
                f"{short_repr(name)}: {short_repr(entry)} is not an array of {', '.join(widths)}"
            ) from None
        fits = len(shape) <= most_axes and last - first == math.prod(shape) * width
        if not fits or start + last > size:
            where = f"shape {short_repr(shape)} at bytes {short_repr(first)} to {short_repr(last)}"
            raise InputError(f"{short_repr(name)}: {where} does not fit into the file of {size:,} bytes")
        found[name] = Entry(entry["dtype"], shape, start + first, start + last)
    end = start
    for place in sorted(found.values(), key=lambda entry: (entry.start, entry.stop)):
        if place.start != end:
            raise InputError("its arrays overlap, or leave gaps")
        end = place.stop
    if end != size:
        raise InputError(f"its arrays take {end:,} bytes of the file's {size:,}")
    return found
