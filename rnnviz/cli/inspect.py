"""`rnnviz inspect FILE`: what is in a file of weights, what the file does not contain, and which flag decides it."""

from __future__ import annotations

from typing import Any

from rnnviz.cli.command import Options
from rnnviz.cli.output import Output, paragraph, print_json
from rnnviz.glyphs import visible
from rnnviz.nn.cell_table import CELLS
from rnnviz.numbers import counted
from rnnviz.weights import read
from rnnviz.weights.contents import Embedding, Layer, Linear, WeightFile

_INDENT = "  "
_MOST = 20  # lines of linear layers and embeddings; --json has all


def run(options: Options) -> int:
    file = read(options["file"], options["activation"])
    if options["json"]:
        print_json(as_json(file))
    else:
        _write(Output(), file)
    return 0


def as_json(file: WeightFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "format": file.format,
        "layers": [_layer_as_json(file, layer) for layer in file.layers],
        "refused": [{"name": one.name, "reason": one.reason} for one in file.refused],
        "linear": [_linear_as_json(one) for one in file.linears],
        "embeddings": [_embedding_as_json(one) for one in file.embeddings],
        "notes": list(file.notes),
    }


def _layer_as_json(file: WeightFile, layer: Layer) -> dict[str, Any]:
    readout, embedding = file.readout_of(layer), file.embedding_of(layer)
    return {
        "name": layer.name,
        "cell": layer.cell,
        "activation": layer.activation,
        "levels": layer.levels,
        "directions": list(layer.directions),
        "input_size": layer.input_size,
        "hidden_size": layer.hidden_size,
        "biases": layer.biases,
        "dtype": layer.dtype,
        "parameters": sum(array.size for array in layer.stored.values()),
        "readout": None if readout is None else readout.name,
        "no_readout": file.why_no_readout(layer) or None,
        "embedding": None if embedding is None else embedding.name,
        "notes": list(layer.notes),
        "doubts": [{"what": one.what, "assumed": one.taken, "flag": one.flag} for one in layer.doubts],
    }


def _linear_as_json(linear: Linear) -> dict[str, Any]:
    return {
        "name": linear.name,
        "inputs": linear.inputs,
        "outputs": linear.outputs,
        "bias": linear.has_bias,
        "dtype": linear.dtype,
    }


def _embedding_as_json(table: Embedding) -> dict[str, Any]:
    return {"name": table.name, "words": table.words, "size": table.size, "dtype": table.dtype}


def _write(out: Output, file: WeightFile) -> None:
    _paragraph(out, f"{file.path}: {file.format}, {counted(len(file.layers), 'recurrent layer')}", "")
    for layer in file.layers:
        out.print()
        _write_layer(out, file, layer)
    for one in file.refused:
        out.print()
        out.print(visible(one.name))
        _paragraph(out, f"cannot be opened: {one.reason}")
    _list(out, "linear layers", [f"{visible(one.name)}  {one.inputs:,} → {one.outputs:,}" for one in file.linears])
    _list(
        out,
        "embeddings",
        [f"{visible(one.name)}  {counted(one.words, 'vector')} of {one.size:,}" for one in file.embeddings],
    )
    if file.layers:
        out.print()
        name = f" --layer {file.layers[0].name}" if len(file.layers) > 1 else ""
        out.print(visible(f"rnnviz {file.path}{name}  opens it in the app"))
    if file.notes:
        out.print()
    for note in file.notes:
        _paragraph(out, note, "")


def _write_layer(out: Output, file: WeightFile, layer: Layer) -> None:
    title = CELLS[layer.cell].described(layer.activation)
    size = [
        title,
        f"{counted(layer.input_size, 'input')}",
        f"{counted(layer.hidden_size, 'unit')}",
        *([f"{layer.levels} levels"] if layer.levels > 1 else []),
        *(["both directions"] if len(layer.directions) > 1 else []),
        {0: "no bias", 1: "one bias", 2: "two biases"}[layer.biases],
        layer.dtype,
    ]
    out.print(visible(layer.name))
    _paragraph(out, ", ".join(size))
    readout, embedding = file.readout_of(layer), file.embedding_of(layer)
    if readout is None:
        _paragraph(out, f"readout: none. {file.why_no_readout(layer)}")
    else:
        _paragraph(out, f"readout: {readout.name}, {counted(readout.outputs, 'output')}")
    if embedding is not None:
        _paragraph(out, f"inputs: {embedding.name}, {counted(embedding.words, 'vector')}")
    for doubt in layer.doubts:
        _paragraph(out, f"? {doubt.what} It is taken to be {doubt.taken}; {doubt.flag} decides otherwise.")
    for note in layer.notes:
        _paragraph(out, note)


def _list(out: Output, title: str, lines: list[str]) -> None:
    if lines:
        out.print(f"\n{title}")
        more = [f"… {len(lines) - _MOST:,} more; --json lists all"] if len(lines) > _MOST else []
        for line in lines[:_MOST] + more:
            _paragraph(out, line)


def _paragraph(out: Output, text: str, indent: str = _INDENT) -> None:
    for line in paragraph(visible(text), out.width, initial_indent=indent, subsequent_indent=indent):
        out.print(line)
