"""A loop over nn.RNNCell, nn.LSTMCell or nn.GRUCell in the user's own code, as one use of a layer: a step is a call.

A hook on the state h_t that a call returns receives all that comes to it: what the loss sends there (the direct
gradient) and what the next call sends back through the recurrence. The second part is read where it leaves the next
call: at those nodes of its graph whose edges lead to h_t. The direct gradient is the difference. Where the loss sends
nothing to h_t, both are the same sum of the same numbers, so that exactly 0 remains.

A call continues a loop if the state that enters it is the very tensor that the call before returned. If something
between changes it (dropout, normalization, a mask), the recurrence is another than the cell's, and this is no record.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnviz.watching.torch_layers import Layer, Moment, RefusalError, Use, as_array, copy_of, held, on_host, total

#: A call of a cell has about fifteen nodes; more than this belong to something else.
MOST_NODES = 300


@dataclass(eq=False)
class Call:
    """One time step. The gradients are lists whose sum is meant."""

    x: Any
    shape: tuple[int, ...]
    received: dict[str, list[Any]] = field(default_factory=lambda: {"h": [], "c": []})  # all that comes to h_t, to c_t
    returned: dict[str, list[Any]] = field(default_factory=lambda: {"h": [], "c": []})  # through call t + 1
    inside: list[Any] = field(default_factory=list)  # to c_t from this call's own h_t


class LoopUse(Use):
    """The calls of one cell, each of which read the state of the one before."""

    def __init__(self, layer: Layer, moment: Moment, state: tuple[Any, ...], output: Any) -> None:
        super().__init__(layer, moment, output)
        self.start = dict(zip(("h0", "c0"), map(copy_of, state), strict=False))
        self.calls: list[Call] = []
        self.last: tuple[Any, ...] = ()

    def is_continued_by(self, state: tuple[Any, ...]) -> bool:
        return bool(state) and all(last() is tensor for last, tensor in zip(self.last, state, strict=True))

    def add(self, x: Any, state: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        call = Call(copy_of(x), tuple(outputs[0].shape))
        if self.calls:
            if self.calls[-1].shape != call.shape:
                raise RefusalError("its batch changes in size from one call to the next")
            self._follow_recurrence(self.calls[-1], x, state, outputs)
        self.calls.append(call)
        self.last = tuple(weakref.ref(tensor) for tensor in outputs)
        for name, tensor in zip(("h", "c"), outputs, strict=False):
            tensor.register_hook(self._receiver(call.received[name]))
        if len(outputs) == 2:
            h, c = outputs
            borders = {x.grad_fn, *(tensor.grad_fn for tensor in state)}
            for node, i, _ in edges([h.grad_fn], {edge_of(c): "c"}, borders):
                node.register_hook(self._leaving(i, call.inside))

    def _follow_recurrence(self, before: Call, x: Any, state: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        targets = {edge_of(tensor): name for name, tensor in zip(("h", "c"), state, strict=False)}
        if edge_of(x) in targets:
            raise RefusalError("it reads its own state as its input, and the two gradients cannot be told apart")
        for node, i, name in edges([tensor.grad_fn for tensor in outputs], targets, {x.grad_fn}):
            node.register_hook(self._leaving(i, before.returned[name]))

    def _receiver(self, found: list[Any]) -> Any:
        def receive(grad: Any) -> None:
            if self.moment.is_open:
                found.append(held(grad))
                self.moment.reached(self)

        return receive

    def _leaving(self, i: int, found: list[Any]) -> Any:
        def leave(grad_inputs: Any, _: Any) -> None:
            if self.moment.is_open and grad_inputs[i] is not None:
                found.append(held(grad_inputs[i]))

        return leave

    def settle(self) -> None:
        self.start = {name: on_host(tensor) for name, tensor in self.start.items()}
        for call in self.calls:
            call.x = on_host(call.x)
            for found in (*call.received.values(), *call.returned.values(), call.inside):
                found[:] = map(on_host, found)

    def arrays(self) -> dict[str, Any]:
        rows = [as_array(call.x) for call in self.calls]
        direct = [_difference(call.received["h"], call.returned["h"], call.shape) for call in self.calls]
        cells = [_difference(call.received["c"], call.returned["c"] + call.inside, call.shape) for call in self.calls]
        if any(a.any() for a in cells[:-1]):
            raise RefusalError(
                "the loss reads the cell state c_t before the last step, for which a record has no place"
            )
        found = {name: as_array(tensor) for name, tensor in self.start.items()}
        if self.layer.cell == "lstm" and cells[-1].any():
            found["direct_c"] = cells[-1]
        single = rows[0].ndim == 1
        found = {name: (a[None] if single else a)[None] for name, a in found.items()}
        found |= {"x": np.stack(rows), "direct": np.stack(direct)}
        if single:
            found |= {name: found[name][:, None] for name in ("x", "direct")}
        return found


def unchained(loops: list[LoopUse]) -> str | None:
    """Why several loops of one cell in a step are not what the user meant by one; None if they may be."""
    if sum(len(loop.calls) == 1 for loop in loops) > 1:
        return (
            "its state is changed between the calls (by dropout, normalization, a mask, …), so that they form no loop"
        )
    return None


def edge_of(tensor: Any) -> tuple[Any, int]:
    return tensor.grad_fn, tensor.output_nr


def edges(roots: Any, targets: dict[tuple[Any, int], str], borders: set[Any]) -> list[tuple[Any, int, str]]:
    """(node, i, name) of every edge, the i-th of a node, that leads from the graph of one call to a target."""
    targets = {edge: name for edge, name in targets.items() if edge[0] is not None}
    borders = (borders | {node for node, _ in targets}) - set(roots)
    found: list[tuple[Any, int, str]] = []
    seen = list(roots)
    for node in seen:
        for i, edge in enumerate(node.next_functions):
            if edge in targets:
                found.append((node, i, targets[edge]))
            elif edge[0] is not None and edge[0] not in borders and edge[0] not in seen:
                seen.append(edge[0])
        if len(seen) > MOST_NODES:
            raise RefusalError("the graph of one call leads to that of other code (weights that a network computes?)")
    return found


def _difference(received: list[Any], others: list[Any], shape: tuple[int, ...]) -> Any:
    if not received:
        return np.zeros(shape, np.float32)
    return as_array(total(received) - total(others) if others else total(received))
