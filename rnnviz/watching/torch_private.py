"""What is private in PyTorch: seen with 2.13. tests/watching/ runs it with the PyTorch that tests/peers.txt names."""

from __future__ import annotations

import sys
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


def multiplies_in_tf32(device: str, is_cell: bool) -> bool:
    """Whether float32 products are made in TF32, as a card of compute capability 8.0 or later can. is_cell: ordinary
    products, not those of a fused layer. The older switch cannot be read once the newer one has been set."""
    torch = sys.modules["torch"]
    if device != "cuda" or torch.cuda.get_device_capability() < (8, 0):
        return False
    backends = torch.backends
    try:
        return bool(backends.cuda.matmul.allow_tf32 if is_cell else backends.cudnn.allow_tf32)
    except RuntimeError:
        return bool((backends.cuda.matmul if is_cell else backends.cudnn.rnn).fp32_precision != "ieee")
