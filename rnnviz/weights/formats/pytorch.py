"""`.pt`, `.pth`, `.ckpt` as torch.save writes them: a state_dict, a checkpoint that contains one, or a whole model.

    ROOT/data.pkl     a pickle; tensors are calls that name a storage, its dtype, and sizes and strides in it
    ROOT/data/N       the numbers of storage N, uncompressed
    ROOT/byteorder    "little" or "big"; before PyTorch 2.1 it is missing

ROOT is the name under which it was saved. The pickle is read without calling anything (weights/inert_pickle.py). The
format before PyTorch 1.6 is a bare pickle, or a tar archive, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from rnnviz.nn import checks
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.types import Array
from rnnviz.weights.archive import Archive
from rnnviz.weights.contents import Decisions, WeightFile
from rnnviz.weights.inert_pickle import BrokenPickleError, Named, Object, Persistent, load
from rnnviz.weights.source import Source
from rnnviz.weights.stored import DTYPES, Stored
from rnnviz.weights.torch_names import Module, from_names, layer_of

_LONGEST_PICKLE = 64 * 2**20
_DEEPEST = 50
_MOST_AXES = 16
_DTYPES = {
    "Half": "float16", "BFloat16": "bfloat16", "Float": "float32", "Double": "float64",
    "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8", "Bool": "bool",
    "ComplexFloat": "complex64", "ComplexDouble": "complex128",
}  # fmt: skip
#: What a class is called in a file of torch.jit.save, before its own name.
_SCRIPT = "__torch__."
_RESAVE = "load it with PyTorch and save its state_dict again"


@dataclass(frozen=True)
class _Tensor:
    """storage: its key and dtype. offset, shape and stride count numbers of it."""

    key: str
    dtype: str
    length: int
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def read(path: str, decisions: Decisions) -> WeightFile:
    """Raises InputError naming the file."""
    source = Source(path)
    if source.read(0, min(4, source.size)) != b"PK\3\4":
        raise source.error(_legacy(source))
    archive = Archive(source)
    pickles = [name for name in archive.members if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise source.error(f"it has {len(pickles)} members called data.pkl; a file of PyTorch has one")
    root = pickles[0].removesuffix("data.pkl")
    try:
        content = load(archive.read(pickles[0], _LONGEST_PICKLE), _called)
    except BrokenPickleError as error:
        raise source.error(f"its data.pkl cannot be read: {error}") from None
    reader = _Reader(archive, root)
    found = _Found(content)
    arrays = {name: reader.stored(tensor) for name, tensor in found.by_name.items()}
    return from_names(path, "PyTorch", arrays, decisions, modules=found.modules_by_name)


def _legacy(source: Source) -> str:
    first = source.read(0, min(512, source.size))
    if first[:1] == b"\x80" or first[257:262] == b"ustar":
        return f"it is in the format that PyTorch had before 1.6, which rnnviz does not read; {_RESAVE}"
    return f"it is not a file that torch.save wrote; {_RESAVE}"


# -- from calls to tensors -----------------------------------------------------------------------------


def _called(function: Any, args: Any) -> Any:
    """What stands for the result of a call: a _Tensor for one that makes a tensor, an Object for any other."""
    if not isinstance(function, Named) or not isinstance(args, tuple):
        return Object(function, args)
    name = function.name if function.module in ("torch._utils", "torch._tensor") else ""
    made: Any = None
    if name in ("_rebuild_parameter", "_rebuild_parameter_with_state") and args:
        made = args[0] if isinstance(args[0], _Tensor | Object) else None
    elif name == "_rebuild_from_type_v2" and len(args) > 2:
        made = _called(args[0], args[2])
    elif name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3") and len(args) > 3:
        dtype = args[6] if name.endswith("v3") and len(args) > 6 else None
        made = _tensor(args[0], args[1], args[2], args[3], dtype)
    return Object(function, args) if made is None else made


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, dtype: Any) -> _Tensor | None:
    shape, stride = (one.args[0] if isinstance(one, Object) and one.args else one for one in (shape, stride))
    if not isinstance(storage, Persistent) or not isinstance(storage.id, tuple) or len(storage.id) < 5:
        return None
    _, kind, key, _, length = storage.id[:5]
    if not all(isinstance(one, tuple | list) for one in (shape, stride)) or len(shape) != len(stride):
        return None
    if not all(type(n) is int and n >= 0 for n in (offset, length, *shape, *stride)) or not isinstance(kind, Named):
        return None
    if not isinstance(key, str) or len(shape) > _MOST_AXES:
        return None
    name = dtype.name if isinstance(dtype, Named) else _DTYPES.get(kind.name.removesuffix("Storage"), kind.name)
    return _Tensor(key, name, length, offset, tuple(shape), tuple(stride))


class _Reader:
    """Tensors as arrays of the archive."""

    def __init__(self, archive: Archive, root: str) -> None:
        self._archive, self._root = archive, root
        order = f"{root}byteorder"
        self._is_swapped = order in archive.members and archive.read(order, 100) == b"big"
        self._checked: set[str] = set()

    def stored(self, tensor: _Tensor | Object) -> Stored:
        """Raises InputError if the tensor does not lie in its storage. One that is of no known kind has the name of
        what makes it as its dtype."""
        if isinstance(tensor, Object):
            return Stored((), str(tensor.maker), lambda: np.empty(0))
        if tensor.dtype not in DTYPES:
            return Stored(tensor.shape, tensor.dtype, lambda: np.empty(0))
        name, width = f"{self._root}data/{tensor.key}", _width(tensor.dtype)
        start, length = self._archive.place(name)
        last = tensor.offset + _span(tensor)
        if tensor.length * width > length or last > tensor.length:
            raise self._archive.source.error(
                f"{name} has {length:,} bytes; a tensor of shape {tensor.shape} needs {last * width:,}"
            )
        whole, one = partial(self._load, tensor, name, start), partial(self._row, tensor, start)
        return Stored(tensor.shape, tensor.dtype, whole, one)

    def _load(self, tensor: _Tensor, name: str, start: int) -> Array:
        if name not in self._checked:
            self._archive.check(name)
            self._checked.add(name)
        return self._read(tensor, start)

    def _row(self, tensor: _Tensor, start: int, row: int) -> Array:
        """One row, without a look at the checksum of all."""
        offset = tensor.offset + row * tensor.stride[0]
        return self._read(replace(tensor, offset=offset, shape=tensor.shape[1:], stride=tensor.stride[1:]), start)

    def _read(self, tensor: _Tensor, start: int) -> Array:
        span, width = _span(tensor), _width(tensor.dtype)
        checks.memory("weights", 2 * span * width, f"a tensor of shape {tensor.shape}")
        flat = self._archive.source.array(start + tensor.offset * width, (span,), tensor.dtype, self._is_swapped)
        strides = tuple(step * flat.itemsize for step in tensor.stride)
        return np.lib.stride_tricks.as_strided(flat, tensor.shape, strides, writeable=False)


def _span(tensor: _Tensor) -> int:
    """Numbers of the storage from the tensor's first to its last."""
    if 0 in tensor.shape:
        return 0
    return 1 + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride, strict=True))


def _width(dtype: str) -> int:
    return {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}[dtype]


# -- from the pickle's tree to names -------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """keys: of the dicts that lead to a state_dict or a model, outermost first. name: in the model."""

    keys: tuple[str, ...]
    name: str

    def __str__(self) -> str:
        return ".".join((*self.keys, self.name)) if self.name else ".".join(self.keys)


class _Found:
    """All tensors and modules of a pickle by their places; what is in several places is found in the first."""

    def __init__(self, content: Any) -> None:
        self.tensors: dict[_Place, _Tensor | Object] = {}
        self.modules: dict[_Place, Module] = {}
        self._seen: set[int] = set()
        self._walk(content, (), "", 0)
        wrapper = self._wrapper()
        self.by_name = {_inside(place, wrapper): tensor for place, tensor in self.tensors.items()}
        self.modules_by_name = {_inside(place, wrapper): module for place, module in self.modules.items()}

    def _walk(self, value: Any, keys: tuple[str, ...], name: str, depth: int) -> None:
        if depth > _DEEPEST or id(value) in self._seen:
            return
        self._seen.add(id(value))
        is_module = _is_module(value)
        if is_module:
            self.modules[_Place(keys, name)] = _module(value)
        for key, entry in _entries(value):
            if isinstance(entry, _Tensor) or _is_odd_tensor(entry):
                self.tensors[_Place(keys, f"{name}.{key}" if name else key)] = entry
            elif is_module:
                self._walk(entry, keys, f"{name}.{key}" if name else key, depth + 1)
            else:
                self._walk(entry, (*keys, key), "", depth + 1)

    def _wrapper(self) -> tuple[str, ...]:
        """The keys that lead to all recurrent layers of a checkpoint, "state_dict" or "model": they are not part of
        the names in the model. But a layer that was saved by itself is called by its key."""
        places = [place for place in self.tensors if layer_of(place.name) is not None]
        depth = 0
        while places and all(place.keys[depth : depth + 1] == places[0].keys[depth : depth + 1] for place in places):
            is_last = any(len(place.keys) <= depth + 1 for place in places)
            if not places[0].keys[depth:] or (is_last and any(layer_of(place.name) == "" for place in places)):
                break
            depth += 1
        return places[0].keys[:depth] if places else ()


def _inside(place: _Place, wrapper: tuple[str, ...]) -> str:
    keys = place.keys[len(wrapper) :] if place.keys[: len(wrapper)] == wrapper else place.keys
    return str(_Place(keys, place.name))


def _is_module(value: Any) -> bool:
    """Whether it is a model, or a module in one: of torch.save, or of torch.jit.save."""
    if not isinstance(value, Object):
        return False
    return "_parameters" in value.state or (isinstance(value.maker, Named) and value.maker.module.startswith(_SCRIPT))


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """What is in a container, or in an object; of a module its parameters, and the modules in it."""
    if isinstance(value, Object):
        if "_parameters" in value.state:
            for part in ("_parameters", "_buffers", "_modules"):
                found = value.state.get(part)
                if isinstance(found, dict):
                    yield from found.items()
        else:
            yield from value.state.items()
            yield from value.items.items()
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            if isinstance(entry, dict | list | tuple | Object):
                yield str(number), entry


def _is_odd_tensor(value: Any) -> bool:
    """A tensor that is stored otherwise: quantized, sparse, or what the file says of it makes no sense."""
    maker = value.maker if isinstance(value, Object) else None
    return isinstance(maker, Named) and maker.module.startswith("torch.") and maker.name.startswith("_rebuild_")


def _module(found: Object) -> Module:
    """What the file says of a module: its class, and its attributes beside the parameters."""
    kind, state = found.maker, found.state
    if not isinstance(kind, Named):
        return Module()
    by_layer = {cell.torch.layer.removeprefix("nn."): cell for cell in CELLS.values() if not cell.torch.source}
    if not kind.module.removeprefix(_SCRIPT).startswith("torch.nn."):
        return Module(notes=(f"Its class is {kind}, whose code is not read; it is taken to be PyTorch's own.",))
    layer = kind.name.removesuffix("Cell")
    if layer not in by_layer:
        return Module(kind=layer.lower())
    cell = by_layer[layer]
    if cell.activation is not None:
        return Module(cell=cell.name)
    activation = state.get("nonlinearity") or str(state.get("mode", "")).lower().rpartition("_")[2]
    return Module(cell=cell.name, activation=activation if activation in ("tanh", "relu") else None)
