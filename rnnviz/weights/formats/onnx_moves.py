"""What an ONNX graph makes of stored tensors by moving their numbers: the shape, and how to get it. Nothing is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.weights.formats.onnx_graph import Node
from rnnviz.weights.stored import Stored


def written(attributes: dict[str, Any]) -> Stored | None:
    """A Constant that is written as numbers."""
    for name, dtype in (("value_int", "int64"), ("value_ints", "int64"), ("value_float", "float32"),
                        ("value_floats", "float32")):  # fmt: skip
        if name in attributes:
            array = np.array(attributes[name], dtype)
            return Stored(array.shape, dtype, partial(np.copy, array))
    return None


def whole(found: Stored | None) -> list[int] | None:
    """A short list of whole numbers that is stored."""
    if found is None or found.dtype not in ("int32", "int64") or found.size > 16:
        return None
    return [int(number) for number in found.load().reshape(-1)]


def moved(node: Node, inputs: Sequence[Stored | None]) -> tuple[tuple[int, ...], Callable[[], Array]] | None:
    """What the operation makes of stored tensors: the shape, and how to get it. None if it is not understood."""
    first, op, given = inputs[0], node.op, node.attributes
    if first is None or first.size > 1 << 40:
        return None
    apply: Callable[[list[Array]], Array]
    axes = given.get("axes") or (whole(inputs[1]) if len(inputs) > 1 and op in ("Unsqueeze", "Squeeze") else None)
    if op == "Identity":
        apply = lambda arrays: arrays[0]  # noqa: E731
    elif op == "Transpose":
        perm = given.get("perm")
        apply = lambda arrays: np.transpose(arrays[0], perm)  # noqa: E731
    elif op == "Unsqueeze" and axes:
        apply = lambda arrays: np.expand_dims(arrays[0], tuple(axes))  # noqa: E731
    elif op == "Squeeze":
        apply = lambda arrays: np.squeeze(arrays[0], None if axes is None else tuple(axes))  # noqa: E731
    elif op == "Concat":
        apply = lambda arrays: np.concatenate(arrays, axis=given.get("axis", 0))  # noqa: E731
    elif op == "Reshape" and (shape := whole(inputs[1])) and 0 not in shape:
        apply = lambda arrays: arrays[0].reshape(shape)  # noqa: E731
    elif op == "Slice":
        cut = _slices(first.ndim, inputs)
        if cut is None:
            return None
        apply = lambda arrays: arrays[0][cut]  # noqa: E731
    else:
        return None
    used = [one for one in (inputs if op == "Concat" else [first]) if one is not None]
    try:  # on arrays that take no memory, for the shape
        shape_of = apply([np.broadcast_to(np.float32(0), one.shape) for one in used]) if op != "Concat" else None
        made = _joined_shape(used, given.get("axis", 0)) if shape_of is None else shape_of.shape
    except (ValueError, IndexError, TypeError):
        return None
    if made is None or len({one.dtype for one in used}) > 1:
        return None
    return tuple(made), lambda: apply([one.load() for one in used])


def _joined_shape(used: Sequence[Stored], axis: Any) -> tuple[int, ...] | None:
    ndim = used[0].ndim
    if not isinstance(axis, int) or not -ndim <= axis < ndim or any(one.ndim != ndim for one in used):
        return None
    axis %= ndim
    if len({one.shape[:axis] + one.shape[axis + 1 :] for one in used}) > 1:
        return None
    return (*used[0].shape[:axis], sum(one.shape[axis] for one in used), *used[0].shape[axis + 1 :])


def _slices(ndim: int, inputs: Sequence[Stored | None]) -> tuple[slice, ...] | None:
    lists = [whole(one) for one in inputs[1:]]
    if len(lists) < 2 or any(one is None for one in lists):
        return None
    starts, ends, *more = (one or [] for one in lists)
    axes = more[0] if more else list(range(len(starts)))
    steps = more[1] if len(more) > 1 else [1] * len(starts)
    cut = [slice(None)] * ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=False):
        if not -ndim <= axis < ndim or step < 1:
            return None
        cut[axis] = slice(start, end, step)
    return tuple(cut)
