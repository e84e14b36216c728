"""An ONNX model's graph: its operations and its tensors, whose numbers stay in the file until they are used.

    >>> graph = Graph(Source("model.onnx"))
    >>> graph.nodes[0].op, graph.tensors["W"].shape
    ('LSTM', (1, 16, 3))

The numbers of the fields are those of ModelProto, GraphProto, NodeProto and AttributeProto:
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rnnviz.errors import short_repr
from rnnviz.weights.formats.onnx_tensors import read_tensor
from rnnviz.weights.formats.onnx_wire import (
    LONGEST_LIST,
    LONGEST_TEXT,
    Message,
    Part,
    WireError,
    as_floats,
    as_ints,
    as_part,
    as_whole,
    signed,
)
from rnnviz.weights.source import Source
from rnnviz.weights.stored import Stored


@dataclass(frozen=True)
class Node:
    """An operation. inputs, outputs: names of tensors, "" where there is none. attributes: a number, bytes, a list of
    these, or a Stored tensor."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def input(self, n: int) -> str:
        return self.inputs[n] if n < len(self.inputs) else ""


class Graph:
    """The nodes of a model's graph in their order, and its tensors by name."""

    def __init__(self, source: Source) -> None:
        """Raises InputError if the file is not an ONNX model."""
        self.producer = ""
        self.nodes: list[Node] = []
        self.tensors: dict[str, Stored] = {}
        self.inputs: set[str] = set()
        self.outputs: list[str] = []
        try:
            graphs = [self._read(number, value) for number, value in Message(source).whole.fields()]
        except WireError as error:
            raise source.error(f"it is damaged, or not an ONNX file: {error}") from None
        if not any(graphs):
            raise source.error("it is damaged, or not an ONNX file: it has no graph")

    def _read(self, number: int, value: Any) -> bool:
        """A field of ModelProto; whether it is the graph."""
        if number == 2:
            self.producer = as_part(value).text()
        if number == 7:
            self._read_graph(as_part(value))
        return number == 7

    def _read_graph(self, graph: Part) -> None:
        for number, value in graph.fields():
            if number == 1:
                node = _node(as_part(value))
                if node is not None:
                    self.nodes.append(node)
            elif number == 5:
                name, tensor = read_tensor(as_part(value))
                self.tensors[name] = tensor
            elif number == 11:
                self.inputs |= set(_names(as_part(value)))
            elif number == 12:
                self.outputs += _names(as_part(value))
        self.inputs -= set(self.tensors)

    @cached_property
    def makers(self) -> dict[str, Node]:
        """tensor -> the node that computes it."""
        return {name: node for node in self.nodes for name in node.outputs if name}


def _names(value_info: Part) -> list[str]:
    return [as_part(value).text() for number, value in value_info.fields() if number == 1]


def _node(part: Part) -> Node | None:
    """None for an operation of another domain than ONNX' own."""
    inputs, outputs, attributes, texts = [], [], {}, {3: "", 4: "", 7: ""}
    for number, value in part.fields():
        if number == 1:
            inputs.append(as_part(value).text())
        elif number == 2:
            outputs.append(as_part(value).text())
        elif number in texts:
            texts[number] = as_part(value).text()
        elif number == 5:
            name, found = _attribute(as_part(value))
            attributes[name] = found
    op = texts[4] if texts[7] in ("", "ai.onnx") else f"{texts[7]}.{texts[4]}"
    return Node(op, texts[3], tuple(inputs), tuple(outputs), attributes)


def _attribute(part: Part) -> tuple[str, Any]:
    name = ""
    found: Any = None
    lists: list[Any] = []
    for number, value in part.fields():
        if number == 1:
            name = as_part(value).text()
        elif number == 2:
            found = as_floats(value)[0]
        elif number == 3:
            found = signed(as_whole(value))
        elif number == 4:
            found = as_part(value).text() if len(as_part(value)) <= LONGEST_TEXT else ""
        elif number == 5:
            found = read_tensor(as_part(value))[1]
        elif number == 7:
            lists += as_floats(value)
        elif number == 8:
            lists += as_ints(value)
        elif number == 9:
            lists.append(as_part(value).text())
        if len(lists) > LONGEST_LIST:
            raise WireError(f"attribute {short_repr(name)} has more than {LONGEST_LIST:,} entries")
    return name, lists if found is None else found
