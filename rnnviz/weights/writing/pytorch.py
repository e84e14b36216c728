"""Arrays by PyTorch's names, as .safetensors or .npz: what load_state_dict takes."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.types import Array
from rnnviz.weights.contents import Embedding, Layer, Linear
from rnnviz.weights.writing.network import Written, distinct, identifier, name_of


def write(suffix: str, layers: Sequence[Layer], linears: Sequence[Linear], embeddings: Sequence[Embedding]) -> Written:
    """suffix: ".safetensors" or ".npz"."""
    modules: list[Layer | Linear | Embedding] = [*layers, *linears, *embeddings]
    called = [name_of(module) if isinstance(module, Layer) else module.name for module in modules]
    names = distinct([".".join(map(identifier, name.split("."))) for name in called])
    arrays: dict[str, Array] = {}
    notes: list[str] = []
    for name, module in zip(names, modules, strict=True):
        if isinstance(module, Layer):
            arrays |= {f"{name}.{kind}": array for kind, array in module.weights.items()}
            notes += _for_pytorch(name, module, arrays)
        else:
            arrays[f"{name}.weight"] = module.weight
            if isinstance(module, Linear) and module.bias is not None:
                arrays[f"{name}.bias"] = module.bias
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    if suffix == ".safetensors":
        from safetensors.numpy import save

        return Written(save(arrays, {"format": "pt"}), tuple(notes), tuple(names))
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    return Written(content.getvalue(), tuple(notes), tuple(names))


def _for_pytorch(name: str, layer: Layer, arrays: dict[str, Array]) -> list[str]:
    """Add what PyTorch's module has besides. Returns what a person should know."""
    notes = []
    if layer.biases == 1 and CELLS[layer.cell].biases != 1:
        for kind in [kind for kind in layer.weights if kind.startswith("bias_ih")]:
            second = kind.replace("bias_ih", "bias_hh")
            arrays[f"{name}.{second}"] = np.zeros_like(layer.weights[kind])
        notes.append(f"{name}: PyTorch has two biases; the second, bias_hh, is 0.")
    if layer.activation != "tanh":
        notes.append(
            f"{name}: the file does not contain the activation; nn.RNN needs nonlinearity='{layer.activation}'."
        )
    return notes
