"""Files as torch.save writes them, made by hand: with whatever they should not hold."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

STOP = b"."
_STORAGES = {"float16": "HalfStorage", "float32": "FloatStorage", "float64": "DoubleStorage"}


def text(value: str) -> bytes:
    encoded = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def whole(value: int) -> bytes:
    return b"\x8a" + bytes([9]) + value.to_bytes(9, "little", signed=True)


def tensor(
    key: str, shape: tuple[int, ...], stride: tuple[int, ...], length: int, offset: int = 0, kind: str = "FloatStorage"
) -> bytes:
    """The opcodes of one tensor."""
    storage = (
        b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text(key) + text("cpu") + whole(length) + b"tQ"
    )
    sizes = b"(" + b"".join(map(whole, shape)) + b"t(" + b"".join(map(whole, stride)) + b"t"
    rest = b"\x89ccollections\nOrderedDict\n)RtR"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + whole(offset) + sizes + rest


def of_array(key: str, array: np.ndarray) -> bytes:
    stride = tuple(step // array.itemsize for step in array.strides)
    return tensor(key, array.shape, stride, array.size, kind=_STORAGES[array.dtype.name])


def entries(values: Mapping[str, bytes]) -> bytes:
    """The opcodes of a dict."""
    return b"}(" + b"".join(text(key) + value for key, value in values.items()) + b"u"


def archive(members: Mapping[str, bytes | int], crc: bool = True) -> bytes:
    """An uncompressed zip archive."""
    head, hole, tail = _parts(members, crc)
    assert not hole
    return head + tail


def _parts(members: Mapping[str, bytes | int], crc: bool) -> tuple[bytes, int, bytes]:
    """(bytes, how many zeros follow, bytes after them). A number is a member of that many zeros; only the last can be
    one."""
    out, directory, hole = b"", b"", 0
    for name, content in members.items():
        assert not hole
        full = f"model/{name}".encode()
        hole, held = (content, b"") if isinstance(content, int) else (0, content)
        size = min(hole or len(held), 0xFFFFFFFF)
        extra = struct.pack("<HHQQ", 1, 16, hole, hole) if hole > 0xFFFFFFFF else b""
        sums = (zlib.crc32(held) if crc else 0, size, size, len(full), len(extra))
        fields = struct.pack("<5H3L2H", 20, 0x800, 0, 0, 0, *sums)
        at = struct.pack("<3H2L", 0, 0, 0, 0, len(out))
        directory += b"PK\1\2" + struct.pack("<H", 20) + fields + at + full + extra
        out += b"PK\3\4" + fields + full + extra + held
    start, count = len(out) + hole, len(members)
    if start > 0xFFFFFFFF:
        place = start + len(directory)
        directory += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), start)
        directory += struct.pack("<4sLQL", b"PK\6\7", 0, place, 1)
    length = len(directory) if start <= 0xFFFFFFFF else 0xFFFFFFFF
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, min(start, 0xFFFFFFFF), 0)
    return out, hole, directory + end


def write(path: Path, members: Mapping[str, bytes | int], crc: bool = True) -> Path:
    """The archive as a file; the zeros of a number take no place on the disk."""
    head, hole, tail = _parts(members, crc)
    with path.open("wb") as file:
        file.write(head)
        file.seek(hole, 1)
        file.write(tail)
    return path


def rnn(H: int = 3, inputs: int = 2, blocks: int = 4, seed: int = 0) -> dict[str, np.ndarray]:
    """A layer as nn.LSTM has it (blocks 4), with other arrays behind it."""
    draw = np.random.default_rng(seed).normal
    shapes = {
        "rnn.weight_ih_l0": (blocks * H, inputs), "rnn.weight_hh_l0": (blocks * H, H),
        "rnn.bias_ih_l0": (blocks * H,), "rnn.bias_hh_l0": (blocks * H,), "fc.weight": (5, H), "fc.bias": (5,),
    }  # fmt: skip
    return {name: draw(size=shape).astype(np.float32) for name, shape in shapes.items()}


def torch_members(arrays: Mapping[str, np.ndarray], more: Mapping[str, bytes] | None = None) -> dict[str, bytes | int]:
    """The members of a file of a state_dict. more: other entries of it, as opcodes."""
    values = {name: of_array(str(n), array) for n, (name, array) in enumerate(arrays.items())}
    members: dict[str, bytes | int] = {
        "data.pkl": b"\x80\2" + entries(values | dict(more or {})) + STOP,
        "byteorder": b"little",
    }
    return members | {f"data/{n}": array.tobytes() for n, array in enumerate(arrays.values())}
