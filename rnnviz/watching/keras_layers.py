"""The recurrent layers of a Keras model, and what one of them did in a pass as a LayerRecord.

A layer that reads from the end to the beginning by itself (go_backwards) is recorded in the order in which it reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.keras_layout import to_ours
from rnnviz.nn.types import Array
from rnnviz.recordings.layer_record import STATES, LayerRecord, first_sequences
from rnnviz.watching.keras_private import sublayers
from rnnviz.watching.keras_probe import Call, Found, as_numpy

#: Keras' class of a cell -> our name of it
_NAMES = {
    getattr(keras.layers, f"{cell.keras.layer}Cell"): name
    for name, cell in CELLS.items()
    if hasattr(keras.layers, f"{cell.keras.layer}Cell")
}
_TANH, _RELU, _SIGMOID = (
    (getattr(keras.activations, name), getattr(keras.ops, name)) for name in ("tanh", "relu", "sigmoid")
)


@dataclass(frozen=True)
class Watched:
    """name: the layer's name, with its parents' if another layer is called the same. layers: the layer, or both
    directions of a Bidirectional."""

    name: str
    layers: tuple[Any, ...]

    @property
    def cells(self) -> list[Any]:
        return [cell for layer in self.layers for cell in _cells(layer)]

    def refusal(self) -> str:
        """Why it cannot be recorded; "" if it can."""
        cells = self.cells
        for cell in cells:
            if reason := _refusal_of_cell(cell):
                return reason
        if len({(_name(cell), cell.units, _activation(cell), cell.use_bias) for cell in cells}) > 1:
            return "its stacked cells differ in kind, units, activation or bias"
        return ""

    def refusal_of(self, calls: Sequence[Call]) -> str:
        """Why what its layers read in these calls cannot be recorded; "" if it can."""
        try:
            self._arrays(calls)
        except InputError as error:
            return str(error)
        return ""

    def _arrays(self, calls: Sequence[Call]) -> dict[str, Any]:
        by_layer = [[call for call in calls if call.layer is layer] for layer in self.layers]
        if not all(by_layer):
            raise InputError("the model does not call it")
        if len({len(of_layer) for of_layer in by_layer}) > 1:
            raise InputError("the model calls one of its directions by itself")
        return _joined([_use(together) for together in zip(*by_layer, strict=True)])

    def record(self, found: Found) -> LayerRecord:
        """Of the whole batch. Raises InputError with the reason if this pass cannot be recorded."""
        joined = self._arrays(found.calls)
        weights: dict[str, Array] = {}
        grads: dict[str, Array] = {}
        for layer in self.layers:
            suffix = "_reverse" if layer is not self.layers[0] else ""
            for level, cell in enumerate(_cells(layer)):
                variables = [cell.kernel, cell.recurrent_kernel, *([cell.bias] if cell.use_bias else [])]
                values = [as_numpy(variable.value) for variable in variables]
                for target, arrays in ((weights, values), (grads, [found.grads[id(v)] for v in variables])):
                    ours = to_ours(_name(cell), arrays)
                    target |= {f"{name}_l{level}{suffix}": array for name, array in ours.items()}
        cell = self.cells[0]
        half = self.layers[0].compute_dtype in ("float16", "bfloat16")
        return LayerRecord(
            cell=_name(cell), weights=weights, grads=grads, activation=_activation(cell),
            notes=(f"Keras computes this layer in {self.layers[0].compute_dtype}.",) if half else (), **joined,
        )  # fmt: skip


def found_in(model: Any) -> list[Watched]:
    """Every recurrent layer of the model once, in the model's order."""
    found = list(_walk(model, ()))
    names = [path[-1] for path, _ in found]
    names = [path[-1] if names.count(path[-1]) == 1 else "/".join(path) for path, _ in found]
    before = [names[:n].count(name) for n, name in enumerate(names)]  # a list in the model may hold two of one name
    names = [f"{name}#{n + 1}" if n else name for name, n in zip(names, before, strict=True)]
    return [Watched(name, layers) for name, (_, layers) in zip(names, found, strict=True)]


def _walk(
    layer: Any, path: tuple[str, ...], seen: set[int] | None = None
) -> Iterator[tuple[tuple[str, ...], tuple[Any, ...]]]:
    seen = set() if seen is None else seen
    for child in sublayers(layer):
        if id(child) in seen:
            continue
        seen.add(id(child))
        here = (*path, child.name)
        if isinstance(child, keras.layers.Bidirectional):
            both = child.forward_layer, child.backward_layer
            if _is_pair(*both):
                yield here, both
            else:
                yield from (((*here, one.name), (one,)) for one in both if isinstance(one, keras.layers.RNN))
        elif isinstance(child, keras.layers.RNN):
            yield here, (child,)
        else:
            yield from _walk(child, here, seen)


def _is_pair(forward: Any, backward: Any) -> bool:
    """Whether PyTorch's bidirectional layer has a place for both: stacked cells of Keras do not read each other's other
    direction."""
    both = forward, backward
    if not all(isinstance(one, keras.layers.RNN) and len(_cells(one)) == 1 for one in both):
        return False
    if forward.go_backwards or any(_refusal_of_cell(one.cell) for one in both):
        return False
    return len({(_name(one.cell), one.cell.units, _activation(one.cell), one.cell.use_bias) for one in both}) == 1


def _cells(layer: Any) -> list[Any]:
    cell = layer.cell
    return list(cell.cells) if isinstance(cell, keras.layers.StackedRNNCells) else [cell]


def _name(cell: Any) -> str:
    return next((name for kind, name in _NAMES.items() if isinstance(cell, kind)), "")


def _activation(cell: Any) -> str:
    return "relu" if cell.activation in _RELU else "tanh"


def _refusal_of_cell(cell: Any) -> str:
    name = _name(cell)
    if not name:
        *others, last = (CELLS[one].keras.layer for one in _NAMES.values())
        return f"its cell, {type(cell).__name__}, is not that of {', '.join(others)} or {last}"
    gated = CELLS[name].activation is not None
    functions = [
        (cell.activation, _TANH if gated else _TANH + _RELU, "activation", "tanh" if gated else "tanh or relu")
    ]
    if gated:
        functions.append((cell.recurrent_activation, _SIGMOID, "recurrent_activation", "sigmoid"))
    for function, known, what, wanted in functions:
        if function not in known:
            return f"its {what} is {getattr(function, '__name__', function)}, not {wanted}"
    if not getattr(cell, "reset_after", True):
        return "it was made with reset_after=False, another equation: the reset gate acts before the product with W_hh"
    return ""


# -- one use of a layer, in PyTorch's layout --------------------------------------------------------------------------


def _use(calls: tuple[Call, ...]) -> dict[str, Any]:
    """The arrays of a LayerRecord from one call of a layer, or of both directions. Sequences whose every step is masked
    are left out: nothing comes back through them."""
    first = calls[0]
    if first.x.ndim != 3:
        raise InputError(f"it reads an input of shape {first.x.shape}, not (B, T, input_size)")
    lengths = _lengths(first)
    kept = lengths > 0
    if not kept.any():
        raise InputError("every step of the probe batch is masked")
    lengths, sides = lengths[kept], []
    for call in calls:
        direct = _direct(call, kept, lengths)
        sides.append(_turned(direct, lengths) if call.layer.go_backwards and len(calls) > 1 else direct)
    x = first.x[kept].swapaxes(0, 1)
    alone_backwards = len(calls) == 1 and first.layer.go_backwards
    use: dict[str, Any] = {
        "x": _turned(x, lengths) if alone_backwards else x,
        "direct": np.concatenate(sides, axis=-1),
        "lengths": lengths,
        "which": np.flatnonzero(kept) + 1,
        "all": len(kept),
    }
    for which, gradient, start in (("h", "direct_h", "h0"), ("c", "direct_c", "c0")):
        for name, states in ((gradient, [call.grad_states for call in calls]), (start, [c.initial for c in calls])):
            use[name] = _states(which, first.layer, states, kept)
    return use


def _lengths(call: Call) -> Array:
    B, T = call.x.shape[:2]
    if call.mask is None:
        return np.full(B, T)
    lengths: Array = call.mask.sum(axis=1)
    if (call.mask != (np.arange(T) < lengths[:, None])).any():
        raise InputError("it masks steps that are not at the end of a sequence")
    return lengths


def _direct(call: Call, kept: Array, lengths: Array) -> Array:
    """(T, B, H): the direct gradient of each step's output, in the order in which the layer reads."""
    T, layer, grad = call.x.shape[1], call.layer, call.grad_output[kept]
    direct = np.zeros((T, len(grad), grad.shape[-1]), grad.dtype)
    # A masked step repeats the output before it, unless it gives 0.
    repeats = not layer.go_backwards and not layer.zero_output_for_mask
    for b, n in enumerate(lengths):
        if not layer.return_sequences:
            if repeats or layer.go_backwards or n == T:
                direct[n - 1, b] = grad[b]
        elif layer.go_backwards:  # the masked steps come first
            direct[:n, b] = grad[b, T - n :]
        else:
            direct[:n, b] = grad[b, :n]
            if repeats:
                direct[n - 1, b] += grad[b, n:].sum(axis=0)
    return direct


def _turned(a: Array, lengths: Array) -> Array:
    """a (T, B, ·) with each sequence's steps from the last to the first, and 0 after them."""
    out = np.zeros_like(a)
    for b, n in enumerate(lengths):
        out[:n, b] = a[:n, b][::-1]
    return out


def _states(which: str, layer: Any, of_sides: Sequence[Sequence[Array]], kept: Array) -> Array | None:
    """(levels * directions, B, H) from h, or h and c, of each level of each direction; None for a cell without c."""
    each = len(of_sides[0]) // len(_cells(layer))  # states of one cell
    n = "hc".index(which)
    if n >= each:
        return None
    levels = range(len(_cells(layer)))
    return np.stack([side[level * each + n][kept] for level in levels for side in of_sides])


def _joined(uses: list[dict[str, Any]]) -> dict[str, Any]:
    """Several uses of one layer side by side as one batch: the gradients of its weights are the sum over all."""
    T = max(len(use["x"]) for use in uses)
    lengths = np.concatenate([use["lengths"] for use in uses])
    joined: dict[str, Any] = {"lengths": None if (lengths == T).all() else lengths}
    for name in ("x", "direct"):
        padded = [np.pad(use[name], ((0, T - len(use[name])), (0, 0), (0, 0))) for use in uses]
        joined[name] = np.concatenate(padded, axis=1)
    for name in ("direct_h", "direct_c", "h0", "c0"):
        parts = [use[name] for use in uses]
        if any(part is not None and part.any() for part in parts):
            joined[name] = np.concatenate(parts, axis=1)
    which = [(n, b) for n, use in enumerate(uses, 1) for b in use["which"]]
    if len(uses) > 1:
        joined["names"] = tuple(f"call {n}, sequence {b}" for n, b in which)
    elif len(which) < uses[0]["all"]:
        joined["names"] = tuple(f"sequence {b}" for _, b in which)
    return joined


def cut(record: LayerRecord, keep: int, **changes: Any) -> LayerRecord:
    """The record with its first sequences only, and as long as the longest of these."""
    fields = {name: getattr(record, name) for name in ("x", "direct", *STATES, "lengths", "names")}
    return replace(record, **first_sequences(fields, keep), **changes)
