"""An ONNX graph of a layer: x (time, batch, numbers), or the tokens (time, batch) of an embedding, to y.

Each level is one operation, and its states, both directions side by side, go to the next, as PyTorch exports them.
"""

from __future__ import annotations

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn import onnx_layout
from rnnviz.nn.cell import CHOSEN
from rnnviz.nn.cell_table import CELLS
from rnnviz.weights.formats.onnx import ACTIVATIONS
from rnnviz.weights.writing import onnx_encode as encode
from rnnviz.weights.writing.network import Network, Written, name_of

_IR_VERSION, _OPSET = 8, 17
_TENSOR, _INPUT, _OUTPUT = 5, 11, 12
_LARGEST = 2**31 - 1


def write(network: Network) -> Written:
    """Raises InputError for a cell or an activation that ONNX does not have, and for more than the 2 GB of a file."""
    layer, about = network.layer, CELLS[network.layer.cell]
    if about.onnx is None:
        raise InputError(f"{layer.name}: ONNX has no {about.title}")
    if layer.activation not in ACTIVATIONS:
        raise InputError(f"{layer.name}: ONNX has no activation {layer.activation}, only {', '.join(ACTIVATIONS)}")
    nodes: list[bytes] = []
    tensors: list[bytes] = []
    value, path = "x", "/" + name_of(layer).strip("/").replace(".", "/")
    if (table := network.embedding) is not None:
        tensors.append(encode.tensor(_TENSOR, f"{table.name}.weight", table.weight))
        nodes.append(encode.node("Gather", f"{table.name}/Gather", [f"{table.name}.weight", "x"], ["embedded"]))
        value = "embedded"
    tensors.append(encode.tensor(_TENSOR, "side_by_side", np.array([0, 0, -1])))
    directions = len(layer.directions)
    functions = [layer.activation if one == CHOSEN else one for one in about.onnx.functions] * directions
    given: dict[str, int] = {"linear_before_reset": 1} if about.has_reset else {}
    for level in range(layer.levels):
        arrays = onnx_layout.to_onnx(layer.cell, network.sides(level))
        names = [f"{name_of(layer)}.{kind}_{level}" for kind in ("W", "R", "B")[: len(arrays)]]
        tensors += [encode.tensor(_TENSOR, name, array) for name, array in zip(names, arrays, strict=True)]
        op = f"{path}/{about.onnx.op}" + (f"_{level}" if level else "")
        nodes.append(
            encode.node(
                about.onnx.op, op, [value, *names], [f"Y_{level}"], hidden_size=layer.hidden_size,
                direction="bidirectional" if directions == 2 else "forward",
                activations=[one.capitalize() for one in functions], **given,
            )
        )  # fmt: skip
        turned = f"turned_{level}"
        nodes.append(encode.node("Transpose", f"{op}/Transpose", [f"Y_{level}"], [turned], perm=[0, 2, 1, 3]))
        value = f"states_{level}"
        nodes.append(encode.node("Reshape", f"{op}/Reshape", [turned, "side_by_side"], [value]))
    width = layer.output_size
    if (linear := network.readout) is not None:
        name, width = linear.name, linear.outputs
        tensors.append(encode.tensor(_TENSOR, f"{name}.weight", linear.weight.T))
        product = "product" if linear.has_bias else "y"
        nodes.append(encode.node("MatMul", f"/{name}/MatMul", [value, f"{name}.weight"], [product]))
        if linear.bias is not None:
            tensors.append(encode.tensor(_TENSOR, f"{name}.bias", linear.bias))
            nodes.append(encode.node("Add", f"/{name}/Add", [product, f"{name}.bias"], ["y"]))
    else:
        nodes.append(encode.node("Identity", "y", [value], ["y"]))
    of_x = encode.value_info(_INPUT, "x", encode.FLOAT, ["time", "batch", layer.input_size])
    if table is not None:
        of_x = encode.value_info(_INPUT, "x", encode.INT64, ["time", "batch"])
    graph = [*nodes, encode.field(2, "rnnviz"), *tensors, of_x,
             encode.value_info(_OUTPUT, "y", encode.FLOAT, ["time", "batch", width])]  # fmt: skip
    opset = encode.message(8, encode.field(1, ""), encode.field(2, _OPSET))
    content = encode.field(1, _IR_VERSION) + encode.field(2, "rnnviz") + encode.message(7, *graph) + opset
    if len(content) > _LARGEST:
        raise InputError(f"{layer.name}: {len(content):,} bytes are more than the 2 GB of an ONNX file")
    notes = ["float64 is rounded to float32, in which ONNX programs compute."] if network.dtype == "float64" else []
    return Written(content, tuple(notes))
