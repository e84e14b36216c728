"""A step whose gradients are complete: how it becomes arrays and figures, in the thread of the writer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.types import Array
from rnnviz.watching.torch_cells import broken_loop
from rnnviz.watching.torch_layers import Moment, Use, Weights, as_array
from rnnviz.watching.writer import Job, Part

#: Squares in float32 are added up in rows of so many, and these in float64. Between these bounds such a sum has lost
#: nothing to underflow or overflow.
_ROW, _SAFE = 1024, (1e-24, 1e36)


class FinishedStep:
    """A step whose gradients are complete, while its update is awaited."""

    def __init__(self, number: int, loss: float | None, moment: Moment) -> None:
        self.number, self.loss, self.moment = number, loss, moment
        moment.settle()

    def job(self, used: Sequence[Use], after: Mapping[str, Weights], refused: Mapping[str, str]) -> Job:
        moment = self.moment
        refusals = {**refused, **moment.refused}
        for layer in {id(use.layer): use.layer for use in used}.values():
            reason = broken_loop([use for use in used if use.layer is layer])
            if reason is not None:
                refusals[layer.name] = reason
        uses = sorted((use for use in used if use.layer.name not in refusals), key=lambda use: use.order)
        names = list(_named(uses))
        tensors = {id(tensor): tensor for use in uses for tensor in use.weights.tensors.values()}
        given = {key: moment.gradient(tensor) for key, tensor in tensors.items()}
        given = {key: grad for key, grad in given.items() if grad is not None}
        parts = {name: Part(partial(_arguments, use, moment.scale), {
            weight: id(tensor) for weight, tensor in use.weights.tensors.items()}, tuple(use.notes))
            for name, use in zip(names, uses, strict=True)}  # fmt: skip

        def grads() -> dict[int, Array]:
            arrays = {key: as_array(grad) for key, grad in given.items()}
            return arrays if moment.scale == 1.0 else {key: array / moment.scale for key, array in arrays.items()}

        return Job(
            self.number,
            self.loss,
            parts,
            grads,
            partial(_extra, moment.extra, moment.left, moment.clipped, uses, after),
            refusals,
        )


def _named(uses: Iterable[Use]) -> Iterable[str]:
    """The layer's name, and for its second use in a step with #2."""
    seen: dict[str, int] = {}
    for use in uses:
        count = seen[use.layer.name] = seen.get(use.layer.name, 0) + 1
        yield use.layer.name if count == 1 else f"{use.layer.name}#{count}"


def _arguments(use: Use, scale: float) -> dict[str, Any]:
    found = use.arrays()
    if scale != 1.0:
        found |= {name: found[name] / scale for name in ("direct", "direct_h", "direct_c") if name in found}
    weights = {name: as_array(copy) for name, copy in use.weights.copies.items()}
    activation = getattr(use.layer.module, "nonlinearity", CELLS[use.layer.cell].activation or "tanh")
    return {"cell": use.layer.cell, "weights": weights, "activation": activation, **found}


@np.errstate(all="ignore")
def _extra(
    about: Mapping[str, Any],
    left: tuple[int, Any] | None,
    clipped: tuple[int, Any] | None,
    uses: Sequence[Use],
    after: Mapping[str, Weights],
    grads: Mapping[int, Array],
) -> dict[str, Any]:
    """The figures of a step beside its layers' arrays: see `watch`."""
    extra = dict(about)
    for use in uses:
        name, keys = use.layer.name, {id(tensor) for tensor in use.weights.tensors.values()} & grads.keys()
        if keys:
            extra[f"gradient_norm: {name}"] = _norm(_flat(grads[key] for key in keys))
        if name in after:
            before, now = (_flat(map(as_array, weights.copies.values())) for weights in (use.weights, after[name]))
            size = _norm(before)
            if size:
                extra[f"update_ratio: {name}"] = _norm(now - before) / size
    if left is not None and (own := grads.get(left[0])) is not None:
        held_before = 0.0 if left[1] is None else _norm(as_array(left[1]).ravel())
        if held_before == 0.0 or own.any():
            extra["left_over"] = held_before / _norm(own.ravel()) if held_before else 0.0
    if clipped is not None and clipped[0] in grads:
        factor = _factor(as_array(clipped[1]), grads[clipped[0]])
        if factor is not None:
            extra["clip_factor"] = factor
    return extra


def _flat(arrays: Iterable[Array]) -> Array:
    return np.concatenate([a.ravel() for a in arrays])


def _norm(flat: Array) -> float:
    whole = flat.size // _ROW * _ROW
    rows = flat[:whole].reshape(-1, _ROW), flat[None, whole:]
    squares = [np.einsum("ij,ij->i", a, a).sum(dtype=np.float64) for a in rows]  # einsum stays in this thread
    square = float(sum(squares))
    if not _SAFE[0] < square < _SAFE[1]:
        square = float(np.einsum("i,i->", flat, flat, dtype=np.float64))
    return math.sqrt(square)


def _factor(used: Array, computed: Array) -> float | None:
    """f where used = f * computed; None if it is no multiple (clipped by value, accumulated, …)."""
    with np.errstate(all="ignore"):
        size = float((computed.astype(np.float64) ** 2).sum())
        factor = float((used.astype(np.float64) * computed).sum()) / size if size else np.nan
        fits = np.abs(used - factor * computed).max() <= 1e-3 * np.abs(used).max() if np.isfinite(factor) else False
    return (1.0 if abs(factor - 1.0) < 1e-6 else factor) if fits else None
