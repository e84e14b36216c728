"""Check the arguments of callers, in Python and before any computation. Each check raises InputError."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, HasShape, Params

LONGEST_REASON = 100


def numbers(what: str, value: Any, shape: tuple[int | None, ...], names: str, dtype: str, finite: bool = True) -> Array:
    """`value` as a contiguous float array of `shape` (None: any size above 0); an error describes it by `names`."""
    array = as_array(what, value, f"real numbers of shape {names}", kinds="fiub")
    with np.errstate(over="ignore"):  # a number too large for float32 becomes inf, which is refused
        array = np.asarray(array, dtype, order="C")  # ascontiguousarray would give a number one axis
    fit_shape(what, array, shape, names)
    if finite and not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{what}: {array[where]} at index {where}; the data must be finite")
    return array


def as_array(what: str, value: Any, wanted: str, kinds: str = "fiubc") -> Array:
    """`value` as a NumPy array of one of these kinds of dtype.

    Accepts tensors and variables of PyTorch, Keras, JAX and TensorFlow, including those that require a gradient, that
    are on a GPU, or that are in bfloat16.
    """
    if type(value) is np.ndarray and value.dtype.kind in kinds:
        return value
    try:
        array = _plain(value)
    except (TypeError, ValueError, OverflowError):  # ragged, or not an array
        array = np.empty(0, object)
    except Exception as error:  # a framework may raise anything for a tensor that it cannot convert
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{what}: cannot be read as an array: {reason[:LONGEST_REASON]}") from None
    if array.dtype.kind not in kinds:
        raise InputError(f"{what}: is not an array of {wanted}")
    return array


def _plain(value: Any) -> Array:
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise RuntimeError("some of its entries are masked; fill them first")
    if callable(getattr(value, "detach", None)):  # a tensor of PyTorch
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) in ("torch.bfloat16", "torch.float16") else value.resolve_neg()
    elif callable(getattr(value, "numpy", None)):  # a variable of Keras or TensorFlow; detaches one of PyTorch
        value = value.numpy()
    array = np.asarray(value)
    # NumPy itself has no bfloat16 or similar dtypes
    return array.astype(np.float32) if array.dtype.kind == "V" and "float" in array.dtype.name else array


def fit_shape(what: str, array: HasShape, shape: tuple[int | None, ...], names: str) -> None:
    fits = array.ndim == len(shape) and all(
        size == want or (want is None and size > 0) for size, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        spelled = tuple("1 or more" if want is None else want for want in shape)
        wanted = f"({', '.join(map(str, spelled))}{',' if len(spelled) == 1 else ''})"
        raise InputError(f"{what}: shape {array.shape} does not fit {names} = {wanted}")


def classes(what: str, value: Any, mask: Array, count: int | None, names: str) -> Array:
    """Class numbers 0 .. count-1 where `mask` is True; set to 0 elsewhere."""
    array = as_array(what, value, f"whole numbers of shape {names}, as cross_entropy needs", kinds="iu")
    fit_shape(what, array, mask.shape, names)
    array = np.where(mask, array, 0).astype(np.int64)
    if count is not None and (array.min() < 0 or array.max() >= count):
        wrong = int(array.min() if array.min() < 0 else array.max())
        raise InputError(f"{what}: class {wrong} is not one of the {count} outputs 0..{count - 1}")
    return array


def parameters(spec: ModelSpec, params: Mapping[str, Any]) -> Params:
    """Copies of `params` in the order and dtype of the spec. nan and inf are allowed: training can produce them."""
    shapes = spec.parameter_shapes
    if not isinstance(params, Mapping):
        raise InputError(f"params: {short_repr(params)} is not a dict of arrays by name")
    missing, extra = [n for n in shapes if n not in params], [n for n in params if n not in shapes]
    if missing or extra:
        found = (("missing", missing), ("unknown", extra))
        problems = [f"{word} {', '.join(map(str, some))}" for word, some in found if some]
        raise InputError(f"params: {'; '.join(problems)}; expected {', '.join(shapes)}")
    return {
        name: numbers(f"params[{name!r}]", params[name], shape, "the model's", spec.dtype, finite=False).copy()
        for name, shape in shapes.items()
    }


def step_mask(mask: Any, T: int, B: int) -> Array | None:
    """The steps that are read, (T, B) bool; None if all are."""
    if mask is None:
        return None
    wanted = "True and False of shape (T, B)"
    read = as_array("mask", mask, wanted, kinds="b")
    fit_shape("mask", read, (T, B), "(T, B)")
    return None if read.all() else read.copy()


def initial_state(spec: ModelSpec, B: int, h0: Any, c0: Any) -> tuple[Array | None, Array | None]:
    """h0 and c0 as (L, B, H) arrays of the spec's dtype, or None; (B, H) is enough for one layer. Each direction of a
    bidirectional layer counts as one, in PyTorch's order."""
    if c0 is not None and not spec.has_cell_state:
        nouns = " or ".join(cell.noun for cell in CELLS.values() if cell.has_cell_state)
        raise InputError(f"c0: {spec.about_cell.noun} has no cell state; only {nouns} does")
    return _state(spec, "h0", h0, B), _state(spec, "c0", c0, B)


def _state(spec: ModelSpec, what: str, value: Any, B: int) -> Array | None:
    if value is None:
        return None
    L, H = len(spec.suffixes), spec.hidden_size
    value = as_array(what, value, "real numbers of shape (num_layers, B, hidden_size)")
    if L == 1 and value.ndim == 2:
        value = value[None]
    return numbers(what, value, (L, B, H), "(num_layers, B, hidden_size)", spec.dtype)


#: The most bytes that a single request of this process may take, where that is less than the machine would allow.
most_bytes: int | None = None


def memory_limit() -> int:
    """The most bytes that a single request may take: `most_bytes`, or half of the machine's memory, at most 4 GiB."""
    if most_bytes is not None:
        return most_bytes
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # pragma: no cover - not every system reports it
        physical = 4 * 2**30
    return int(min(4 * 2**30, physical // 2))


def memory(what: str, needed: int, formula: str) -> None:
    """Raises InputError if `needed` bytes are more than the limit, before anything is allocated."""
    limit = memory_limit()
    if needed > limit:
        raise InputError(
            f"{what}: would take {_size(needed)} ({formula}), more than the {_size(limit)} allowed here; "
            "use fewer steps, sequences or units"
        )


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"
