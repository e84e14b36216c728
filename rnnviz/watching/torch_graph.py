"""Where in autograd's graph the recurrence runs: which nodes of a call send a gradient to the state before it.

A hook on a state receives all that comes to it: what the loss sends there (the direct gradient) and what the next call
sends back through the recurrence. The second part is read where it leaves the next call: at those nodes of its graph
whose edges lead to the state. The direct gradient is the difference. Where the loss sends nothing, both are the same
sum of the same numbers, so that exactly 0 remains.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.watching.torch_layers import RefusalError, as_array, total

#: A time step has about fifteen nodes a level; more than this belong to something else.
MOST_NODES = 500


def edge_of(tensor: Any) -> tuple[Any, int]:
    """The edge by which a gradient reaches the tensor."""
    return tensor.grad_fn, tensor.output_nr


def edges(
    outputs: Iterable[Any], targets: dict[str, Any], inputs: Iterable[Any], most: int = MOST_NODES
) -> list[tuple[Any, int, str]]:
    """(node, i, name) of every edge, the i-th of a node, that leads from the graph of one call to a target.

    outputs   the tensors that the call returned
    targets   tensors, by name
    inputs    the tensors that it read; the graph behind them is another's

    Raises RefusalError if the graph has more than `most` nodes, since it does not end there then.
    """
    wanted = {edge_of(tensor): name for name, tensor in targets.items() if tensor.grad_fn is not None}
    waiting = list(dict.fromkeys(tensor.grad_fn for tensor in outputs))  # on a graphics card one node gives h and c
    seen = {tensor.grad_fn for tensor in (*inputs, *targets.values())} | set(waiting)
    found: list[tuple[Any, int, str]] = []
    for node in waiting:
        for i, edge in enumerate(node.next_functions):
            if edge in wanted:
                found.append((node, i, wanted[edge]))
            elif edge[0] is not None and edge[0] not in seen:
                seen.add(edge[0])
                waiting.append(edge[0])
        if len(waiting) > most:
            raise RefusalError("the graph of one call leads to that of other code (weights that a network computes?)")
    return found


def direct_part(received: list[Any], others: list[Any], shape: tuple[int, ...]) -> Array:
    """What came to a state and is not among the others; in the tensors' own precision, so that equal sums cancel."""
    if not received:
        return np.zeros(shape, np.float32)
    return as_array(total(received) - total(others) if others else total(received))
