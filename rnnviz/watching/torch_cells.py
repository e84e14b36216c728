"""A loop over nn.RNNCell, nn.LSTMCell or nn.GRUCell in the user's own code: each call is a time step of one use.

A call continues a loop if the state that enters it is the very tensor that the call before returned. If something
between changes it (dropout, normalization, a mask), the recurrence is another than the cell's, and no record is made.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnviz.nn.cell_table import CELLS
from rnnviz.watching.torch_graph import direct_part, edge_of, edges
from rnnviz.watching.torch_layers import Layer, Moment, RefusalError, Use, as_array, on_host


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

    def __init__(self, layer: Layer, moment: Moment, states: tuple[Any, ...], output: Any) -> None:
        super().__init__(layer, moment, output)
        self.calls: list[Call] = []
        self.start: dict[str, Any] = {}

    def add(self, x: Any, states: tuple[Any, ...], output: Any) -> None:
        outputs = output if isinstance(output, tuple) else (output,)
        dim = 0 if x.dim() == 2 else None
        if not self.calls:
            self.batch = 1 if dim is None else int(x.shape[0])
            self.start = {name: self.kept(state, dim) for name, state in zip(("h0", "c0"), states, strict=False)}
        kept = self.kept(x, dim)
        call = Call(kept, (*kept.shape[:-1], outputs[0].shape[-1]))
        if self.calls:
            if self.batch != (1 if dim is None else x.shape[0]):
                raise RefusalError("its batch changes in size from one call to the next")
            if x.grad_fn is not None and edge_of(x) in map(edge_of, states):
                raise RefusalError("it reads its own state as its input, and the two gradients cannot be separated")
            for node, i, name in edges(outputs, dict(zip("hc", states, strict=False)), [x]):
                node.register_hook(self.receive(self.calls[-1].returned[name], dim, i))
        self.calls.append(call)
        self.last = tuple(map(weakref.ref, outputs))
        for name, tensor in zip("hc", outputs, strict=False):
            tensor.register_hook(self.receive(call.received[name], dim))
        if len(outputs) == 2:
            for node, i, _ in edges(outputs[:1], {"c": outputs[1]}, [x, *states]):
                node.register_hook(self.receive(call.inside, dim, i))

    def settle(self) -> None:
        self.start = {name: on_host(tensor) for name, tensor in self.start.items()}
        for call in self.calls:
            call.x = on_host(call.x)
            for found in (*call.received.values(), *call.returned.values(), call.inside):
                found[:] = map(on_host, found)

    def arrays(self) -> dict[str, Any]:
        rows = [as_array(call.x) for call in self.calls]
        direct = [direct_part(call.received["h"], call.returned["h"], call.shape) for call in self.calls]
        cells = [direct_part(call.received["c"], call.returned["c"] + call.inside, call.shape) for call in self.calls]
        if any(a.any() for a in cells[:-1]):
            raise RefusalError(
                "the loss reads the cell state c_t before the last step, for which a record has no place"
            )
        found = {name: as_array(tensor) for name, tensor in self.start.items()}
        if CELLS[self.layer.cell].has_cell_state and cells[-1].any():
            found["direct_c"] = cells[-1]
        single = rows[0].ndim == 1
        found = {name: (a[None] if single else a)[None] for name, a in found.items()}
        found |= {"x": np.stack(rows), "direct": np.stack(direct)}
        if single:
            found |= {name: found[name][:, None] for name in ("x", "direct")}
        return {**found, "total": self.batch}


def broken_loop(uses: list[Use]) -> str | None:
    """Why several uses of one layer in a step are not what their author means by one; None if they may be."""
    if sum(isinstance(use, LoopUse) and len(use.calls) == 1 for use in uses) > 1:
        return (
            "its state is changed between the calls (by dropout, normalization, a mask, …), so that they form no loop"
        )
    return None
