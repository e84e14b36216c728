"""Gradients of a step with respect to its parameters, all at once: what it computes is written down, and walked back.

A complex step needs one call for each number of the parameters. Here one call is recorded, with arrays that know where
they come from; each operation has its rule for the way back. A step that uses anything else than these operations is
left to the complex step. Runs in the process of a person's cell: imports NumPy alone.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np


class NotRecorded(Exception):  # noqa: N818
    """The step uses an operation that has no rule here."""


#: (gradient of the result, the result, *the arguments) -> that of each argument, before it is summed to its shape
_RULES: dict[Any, Callable[..., tuple[Any, ...]]] = {
    np.add: lambda g, y, a, b: (g, g),
    np.subtract: lambda g, y, a, b: (g, -g),
    np.multiply: lambda g, y, a, b: (g * b, g * a),
    np.true_divide: lambda g, y, a, b: (g / b, -g * y / b),
    np.negative: lambda g, y, a: (-g,),
    np.positive: lambda g, y, a: (g,),
    np.square: lambda g, y, a: (2 * g * a,),
    np.sqrt: lambda g, y, a: (g / (2 * y),),
    np.exp: lambda g, y, a: (g * y,),
    np.expm1: lambda g, y, a: (g * (y + 1),),
    np.log: lambda g, y, a: (g / a,),
    np.log1p: lambda g, y, a: (g / (1 + a),),
    np.tanh: lambda g, y, a: (g * (1 - y * y),),
    np.sin: lambda g, y, a: (g * np.cos(a),),
    np.cos: lambda g, y, a: (-g * np.sin(a),),
    np.sinh: lambda g, y, a: (g * np.cosh(a),),
    np.cosh: lambda g, y, a: (g * np.sinh(a),),
    np.arctan: lambda g, y, a: (g / (1 + a * a),),
    np.reciprocal: lambda g, y, a: (-g * y * y,),
    np.maximum: lambda g, y, a, b: (g * (a >= b), g * (a < b)),
    np.minimum: lambda g, y, a, b: (g * (a <= b), g * (a > b)),
    np.matmul: lambda g, y, a, b: (g @ b.T, a.T @ g),
}


class Recorded(np.lib.mixins.NDArrayOperatorsMixin):
    """An array and where it comes from: back(gradient) gives what that sends to each of `sources`."""

    __array_priority__ = 1000

    def __init__(self, data: Any, sources: tuple[Recorded, ...] = (), back: Callable[..., Any] | None = None) -> None:
        self.data, self.sources, self.back = data, sources, back

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)

    def __len__(self) -> int:
        return len(self.data)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **more: Any) -> Any:
        given = [one.data if isinstance(one, Recorded) else one for one in inputs]
        if ufunc is np.power and not isinstance(inputs[1], Recorded) and method == "__call__" and not more:
            n = given[1]
            return Recorded(given[0] ** n, (inputs[0],), lambda g: (_summed(g * n * given[0] ** (n - 1), inputs[0]),))
        if method != "__call__" or more or ufunc not in _RULES:
            raise NotRecorded(ufunc)
        if ufunc is np.matmul and not all(np.ndim(one) == 2 for one in given):
            raise NotRecorded(ufunc)
        y = ufunc(*given)
        sources = tuple(one for one in inputs if isinstance(one, Recorded))

        def back(g: Any) -> Any:
            sent = _RULES[ufunc](g, y, *given)
            return [_summed(s, one) for s, one in zip(sent, inputs, strict=True) if isinstance(one, Recorded)]

        return Recorded(y, sources, back)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.split and len(args) == 2 and not kwargs and isinstance(args[0], Recorded):
            ends = np.cumsum([0, *map(len, np.split(args[0].data, args[1]))])
            return [args[0][a:b] for a, b in pairwise(ends)]
        if func is np.concatenate and len(args) == 1 and not kwargs:
            parts = [one if isinstance(one, Recorded) else Recorded(np.asarray(one)) for one in args[0]]
            ends = np.cumsum([len(one) for one in parts])[:-1]
            joined = np.concatenate([one.data for one in parts])
            return Recorded(joined, tuple(parts), lambda g: np.split(g, ends))
        raise NotRecorded(func)

    def __getitem__(self, index: Any) -> Recorded:
        if not isinstance(index, slice):  # of rows, so that vectors and columns are cut alike
            raise NotRecorded("index")

        def back(g: Any) -> Any:
            whole = np.zeros_like(self.data)
            whole[index] = g
            return (whole,)

        return Recorded(self.data[index], (self,), back)

    @property
    def T(self) -> Recorded:
        return Recorded(self.data.T, (self,), lambda g: (g.T,))


def gradients(result: Any, grad: Any, of: dict[str, Recorded]) -> dict[str, Any]:
    """The gradients of Σ grad · result. Raises NotRecorded if the result is not recorded."""
    if not isinstance(result, Recorded) or result.shape != grad.shape:
        raise NotRecorded("result")
    order: list[Recorded] = []
    seen: set[int] = set()
    waiting = [(result, False)]
    while waiting:  # each after all that it comes from
        one, is_done = waiting.pop()
        if is_done:
            order.append(one)
        elif id(one) not in seen:
            seen.add(id(one))
            waiting += [(one, True), *((source, False) for source in one.sources)]
    sums: dict[int, Any] = {id(result): grad}
    for one in reversed(order):
        if one.back is not None and id(one) in sums:
            for source, sent in zip(one.sources, one.back(sums[id(one)]), strict=True):
                sums[id(source)] = sums[id(source)] + sent if id(source) in sums else sent
    return {name: sums.get(id(one), np.zeros(one.shape)) for name, one in of.items()}


def _summed(sent: Any, to: Any) -> Any:
    """A gradient summed over the axes that broadcasting has added or widened."""
    sent = np.asarray(sent)
    while sent.ndim > to.ndim:
        sent = sent.sum(axis=0)
    for axis, length in enumerate(to.shape):
        if length == 1 and sent.shape[axis] != 1:
            sent = sent.sum(axis=axis, keepdims=True)
    return np.broadcast_to(sent, to.shape)
