"""What is private in PyTorch: seen with 2.13. tests/watching/ runs it with the PyTorch that tests/peers.txt names."""

from __future__ import annotations

from typing import Any


def current_backward(torch: Any) -> int:
    """The number of the backward pass under way in this thread; -1 if there is none."""
    return int(torch._C._current_graph_task_id())


def weights_of(layer: Any) -> dict[str, Any]:
    """The tensors that a forward pass of nn.RNN, nn.LSTM or nn.GRU reads, by name: with weight_norm and the like not
    the module's parameters."""
    return dict(zip(layer._flat_weights_names, layer._flat_weights, strict=True))


def version_of(tensor: Any) -> int:
    """A number that grows whenever the tensor is changed in place."""
    return int(tensor._version)
