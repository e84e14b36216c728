"""nn.RNN, nn.LSTM, nn.GRU: one call, or several calls each of which starts from the state of the one before (a decoder
that computes one time step a call)."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.watching.torch_graph import MOST_NODES, direct_part, edges
from rnnviz.watching.torch_layers import (
    Layer,
    Moment,
    RefusalError,
    Use,
    as_array,
    data_of,
    is_packed,
    on_host,
)


@dataclass(eq=False)
class Call:
    """received: all that comes to output, h_n and c_n. returned: what comes to h_n and c_n through the next call."""

    x: Any
    packing: tuple[Any, Any] | None  # sizes of the batch by time step, order of the sequences
    shapes: tuple[tuple[int, ...], ...]
    received: tuple[list[Any], list[Any], list[Any]] = field(default_factory=lambda: ([], [], []))
    returned: tuple[list[Any], list[Any]] = field(default_factory=lambda: ([], []))


class FusedUse(Use):
    """One or more calls of a fused layer."""

    def __init__(self, layer: Layer, moment: Moment, states: tuple[Any, ...], output: Any) -> None:
        super().__init__(layer, moment, output)
        self.calls: list[Call] = []
        self.start: dict[str, Any] = {}

    def is_continued_by(self, states: tuple[Any, ...]) -> bool:
        is_one_way = not self.layer.module.bidirectional and self.calls[-1].packing is None
        return is_one_way and super().is_continued_by(states)

    def add(self, x: Any, states: tuple[Any, ...], output: Any) -> None:
        out, last = output
        lasts = last if isinstance(last, tuple) else (last,)
        packing = None
        if is_packed(x):
            packing = (x.batch_sizes.clone(), None if x.unsorted_indices is None else x.unsorted_indices.clone())
        outputs = (data_of(out), *lasts)
        # Packed rows belong to many sequences, so that all are collected.
        is_batched = packing is None and outputs[0].dim() == 3
        dims = (0 if self.layer.module.batch_first else 1, 1, 1) if is_batched else (None, None, None)
        kept = self.kept(data_of(x), dims[0])
        if not self.calls:
            self.batch = 1 if packing is None and not is_batched else int(lasts[0].shape[1])
            self.start = {name: self.kept(state, dims[1]) for name, state in zip(("h0", "c0"), states, strict=False)}
        shapes = [list(tensor.shape) for tensor in outputs]
        for shape, dim in zip(shapes, dims, strict=False):
            if dim is not None and self.moment.keep is not None:
                shape[dim] = min(shape[dim], self.moment.keep)
        call = Call(kept, packing, tuple(map(tuple, shapes)))
        if self.calls:
            if packing is not None or self.calls[-1].shapes[1] != call.shapes[1]:
                raise RefusalError("its batch changes in size, or is packed, from one call to the next")
            before = self.calls[-1].returned
            most = MOST_NODES * x.numel()
            for node, i, name in edges(outputs, dict(zip("01", states, strict=False)), [x], most):
                node.register_hook(self.receive(before[int(name)], dims[1], i))
        self.calls.append(call)
        self.last = tuple(map(weakref.ref, lasts))
        for found, tensor, dim in zip(call.received, outputs, dims, strict=False):
            if tensor.requires_grad:
                tensor.register_hook(self.receive(found, dim))

    def settle(self) -> None:
        self.start = {name: on_host(tensor) for name, tensor in self.start.items()}
        for call in self.calls:
            call.x = on_host(call.x)
            for found in (*call.received, *call.returned):
                found[:] = map(on_host, found)
            if call.packing is not None:
                sizes, order = call.packing
                call.packing = on_host(sizes), None if order is None else on_host(order)

    def arrays(self) -> dict[str, Any]:
        steps = [self._steps(call) for call in self.calls]
        for i, call in enumerate(self.calls[:-1]):
            x, direct = steps[i]
            steps[i] = x, np.concatenate([direct[:-1], direct[-1:] + self._between(call)])
        end = self.calls[-1]
        found = {name: as_array(tensor) for name, tensor in self.start.items()}
        for name, received, shape in zip(("direct_h", "direct_c"), end.received[1:], end.shapes[1:], strict=False):
            if received:
                found[name] = direct_part(received, [], shape)
        if len(end.shapes[0]) == 2 and end.packing is None:
            found = {name: a[:, None] for name, a in found.items()}
        found["x"], found["direct"] = (
            parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in zip(*steps, strict=True)
        )
        if end.packing is not None:
            lengths = (end.packing[0].numpy()[:, None] > np.arange(found["x"].shape[1])).sum(0)
            found["lengths"] = lengths if end.packing[1] is None else lengths[end.packing[1].numpy()]
        return {**found, "total": self.batch}

    def _steps(self, call: Call) -> tuple[Array, Array]:
        """x and direct of a call, (T, B, N)."""
        pair = as_array(call.x), direct_part(call.received[0], [], call.shapes[0])
        if call.packing is not None:
            sizes, order = call.packing[0].numpy(), call.packing[1]
            return padded(pair[0], sizes, order), padded(pair[1], sizes, order)
        if len(call.shapes[0]) == 2:
            return pair[0][:, None], pair[1][:, None]
        if self.layer.module.batch_first:
            return pair[0].swapaxes(0, 1), pair[1].swapaxes(0, 1)
        return pair

    def _between(self, call: Call) -> Array:
        """(B, H): what the loss sends to the last state of a call that another one continues."""
        parts = [
            direct_part(received, returned, shape)
            for received, returned, shape in zip(call.received[1:], call.returned, call.shapes[1:], strict=False)
        ]
        if any(a[:-1].any() for a in parts) or any(a.any() for a in parts[1:]):
            raise RefusalError(
                "the loss reads c_n, or h_n of a lower level, between two calls, for which a record has no place"
            )
        top: Array = parts[0][-1]
        return top if top.ndim == 2 else top[None]


def padded(data: Array, sizes: Array, order: Any) -> Array:
    """(T, B, N) in the user's order, from the rows of a PackedSequence; zeros behind each sequence's end."""
    found = np.zeros((len(sizes), int(sizes[0]), data.shape[1]), data.dtype)
    found[np.arange(sizes[0]) < sizes[:, None]] = data
    return found if order is None else found[:, order.numpy()]
