"""ONNX files (.onnx): the operations RNN, LSTM and GRU, and what stands before and behind them. Nothing is computed but
weights that the graph makes from stored tensors by moving numbers.

One operation is one level; operations that read each other's states are levels of one layer, as PyTorch exports them.
https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rnnviz.errors import InputError
from rnnviz.nn import onnx_layout
from rnnviz.nn.cell import CHOSEN
from rnnviz.nn.cell_table import CELLS
from rnnviz.weights.contents import Decisions, Embedding, Linear, Refused, WeightFile
from rnnviz.weights.formats.onnx_graph import Graph, Node
from rnnviz.weights.formats.onnx_moves import moved, whole, written
from rnnviz.weights.parts import Part, activation_of, joined
from rnnviz.weights.source import Source
from rnnviz.weights.stored import DTYPES, Stored

_CELLS = {cell.onnx.op: name for name, cell in CELLS.items() if cell.onnx is not None}
#: Operations that move numbers and change none: of weights they are followed.
_OTHERS = ("Gemm", "MatMul", "Gather")
_MOST_LAYERS = 3_000
_MOVES = ("Identity", "Unsqueeze", "Squeeze", "Transpose", "Concat", "Slice", "Reshape")
_DEEPEST = 50
#: Operations behind which states, or the last of them, are still states.
_PASS = ("Transpose", "Squeeze", "Reshape", "Identity", "Dropout", "Gather", "Slice", "Concat", "Flatten", "Unsqueeze")
#: Of a simple RNN: ONNX' names are ours, but for capitals.
ACTIVATIONS = ("tanh", "relu", "sigmoid")


def read(path: str, decisions: Decisions) -> WeightFile:
    """Raises InputError if the file is damaged or not ONNX."""
    source = Source(path)
    graph = Graph(source)
    try:
        model = _Model(graph)
    except InputError as error:
        raise source.error(str(error)) from None
    parts, refused = [], []
    for node in model.graph.nodes:
        if node.op in _CELLS:
            try:
                parts.append(model.part(node, decisions))
            except InputError as error:
                refused.append(Refused(model.names[id(node)], str(error)))
    layers, names_of = joined(parts)
    notes: tuple[str, ...] = ()
    if not parts and not refused:
        notes = (
            "The graph has no operation RNN, LSTM or GRU. PyTorch's exporter writes nn.RNN and layers in a loop as "
            "single products; export with torch.onnx.export(…, dynamo=False), or open the .pt file.",
        )
    return WeightFile(
        path, "ONNX", tuple(layers), tuple(model.linears(names_of)), tuple(model.embeddings()), notes, tuple(refused)
    )


class _Model:
    def __init__(self, graph: Graph) -> None:
        """Raises InputError for more layers than a network has."""
        self.graph = graph
        if sum(node.op in (*_CELLS, *_OTHERS) for node in graph.nodes) > _MOST_LAYERS:
            raise InputError(f"it has more than {_MOST_LAYERS:,} layers")
        self._adds = {name: node for node in graph.nodes if node.op == "Add" for name in node.inputs}
        self._stored = sum(tensor.size for tensor in graph.tensors.values())
        self._constants: dict[str, Stored | None] = {}
        self._read: dict[str, str] = {}
        recurrent = [node for node in graph.nodes if node.op in _CELLS]
        names = [node.name or (node.outputs[0] if node.outputs else "") or node.op for node in recurrent]
        self.names = {
            id(node): name if names.count(name) == 1 else f"{name}#{1 + names[:n].count(name)}"
            for n, (node, name) in enumerate(zip(recurrent, names, strict=True))
        }

    # -- recurrent layers ---------------------------------------------------------------------------------------------

    def part(self, node: Node, decisions: Decisions) -> Part:
        """Raises InputError with the reason if the operation cannot be computed rightly."""
        cell, name = _CELLS[node.op], self.names[id(node)]
        directions, notes = _directions(node), []
        known = self._refuse(node, cell, directions)
        W, R = self._weights(node, 1), self._weights(node, 2)
        B = self._weights(node, 3) if node.input(3) else None
        blocks = len(CELLS[cell].blocks)
        shapes = W.shape, R.shape, B.shape if B else None
        H = R.shape[2] if R.ndim == 3 else 0
        right = W.ndim == 3 and W.shape[:2] == (directions, blocks * H) and R.shape == (directions, blocks * H, H)
        if not H or not right or not W.shape[2] or (B and B.shape != (directions, 2 * blocks * H)):
            raise InputError(f"the shapes of its W, R and B, {shapes}, are not those of {directions} × {node.op}.")
        if node.input(4):
            notes.append("The graph gives each sequence its own length (sequence_lens).")
        if any(self._starts(node.input(n)) for n in (5, 6)):
            notes.append("The graph gives the first states; here they are 0 unless you give others.")
        activation, doubts = activation_of(cell, known, decisions)
        sides = [self._side(cell, (W, R, B), direction) for direction in range(directions)]
        path = re.fullmatch(rf"/(.*)/{node.op}(_[0-9]+)?", name)
        return Part(
            name, cell, tuple(sides), activation, tuple(notes), doubts, self._below(node),
            path[1].replace("/", ".") if path else "",
        )  # fmt: skip

    def _refuse(self, node: Node, cell: str, directions: int) -> str | None:
        """Raise InputError for what our cells do not compute. Returns the activation of a simple RNN."""
        attributes, about = node.attributes, CELLS[cell]
        assert about.onnx is not None
        if about.has_reset and attributes.get("linear_before_reset", 0) != 1:
            more = ""
            if "pytorch" in self.graph.producer.lower():
                more = (
                    " PyTorch's nn.GRU computes 1, but torch.onnx.export(…, dynamo=True) wrote 0 before version 2.13: "
                    "export it again, or open the .pt file."
                )
            raise InputError(
                "its linear_before_reset is 0, another equation: the reset gate acts before the product with W_hh."
                + more
            )
        if node.input(7):
            raise InputError("it has peepholes (P): its gates read the cell state, which rnnviz does not compute.")
        if attributes.get("input_forget", 0):
            raise InputError("its input_forget is 1: one gate in place of two, which rnnviz does not compute.")
        clip = attributes.get("clip")
        if isinstance(clip, float) and clip < 1e30:
            raise InputError(f"its clip is {clip:g}: it cuts the sums of each gate, which rnnviz does not compute.")
        given = [str(name).lower() for name in attributes.get("activations") or []]
        wanted = list(about.onnx.functions) * directions
        if CHOSEN in wanted:
            given = given or ["tanh"] * directions
            if len(set(given)) > 1 or len(given) != directions or given[0] not in ACTIVATIONS:
                raise InputError(f"its activations are {', '.join(given)}, not {' or '.join(ACTIVATIONS)}.")
            return given[0]
        if given and given != wanted:
            raise InputError(f"its activations are {', '.join(given)}, not {', '.join(wanted)}.")
        return None

    def _weights(self, node: Node, n: int) -> Stored:
        """W, R or B of a node, which must be stored in the file."""
        found = self.constant(node.input(n)) if node.input(n) else None
        letter = "WRB"[n - 1]
        if found is None:
            raise InputError(f"its {letter} is not stored in the file: the graph computes it.")
        if found.dtype not in DTYPES:
            raise InputError(f"its {letter} is stored as {found.dtype}, not as one of {', '.join(DTYPES)}.")
        return found

    def _side(self, cell: str, tensors: tuple[Stored, Stored, Stored | None], direction: int) -> dict[str, Stored]:
        """The arrays of one direction in our layout, each read when it is used."""
        W, R, B = tensors

        def matrix(tensor: Stored) -> Stored:
            return Stored(
                tensor.shape[1:], tensor.dtype, lambda: onnx_layout.matrix_to_ours(cell, tensor.load(), direction)
            )

        def bias(tensor: Stored, half: int) -> Stored:
            load = lambda: onnx_layout.bias_to_ours(cell, tensor.load(), direction, half)  # noqa: E731
            return Stored((tensor.shape[1] // 2,), tensor.dtype, load)

        side = {"weight_ih": matrix(W), "weight_hh": matrix(R)}
        return side if B is None else side | {"bias_ih": bias(B, 0), "bias_hh": bias(B, 1)}

    def _starts(self, name: str) -> bool:
        """Whether a first state is given that is not known to be 0."""
        if not name:
            return False
        maker = self.graph.makers.get(name)
        while maker is not None and maker.op in ("Slice", "Expand", "Unsqueeze", "Identity", "Cast") and maker.inputs:
            name = maker.inputs[0]
            maker = self.graph.makers.get(name)
        if maker is not None and maker.op == "ConstantOfShape":
            return _is_not_zero(maker.attributes.get("value"))
        found = self.constant(name)
        return found is None or _is_not_zero(found)

    def _below(self, node: Node) -> str | None:
        """The name of the recurrent node whose states this one reads unchanged: from Y to X the graph only moves axes,
        and time, batch and numbers end where X has them."""
        steps: list[Node] = []
        name = node.input(0)
        while (maker := self.graph.makers.get(name)) is not None and len(steps) < _DEEPEST:
            if maker.op in _CELLS:
                if name != maker.outputs[0]:
                    return None
                axes = _moved(list("BTDH" if maker.attributes.get("layout", 0) else "TDBH"), steps, self, maker)
                wanted = ["B", "T", "DH"] if node.attributes.get("layout", 0) else ["T", "B", "DH"]
                return self.names[id(maker)] if axes == wanted else None
            if maker.op not in ("Transpose", "Squeeze", "Reshape", "Identity", "Dropout") or not maker.inputs:
                return None
            steps.insert(0, maker)
            name = maker.inputs[0]
        return None

    # -- linear layers and embeddings ---------------------------------------------------------------------------------

    def linears(self, names_of: Mapping[str, str]) -> list[Linear]:
        """names_of: the top part of each recurrent layer -> the layer's name."""
        found: list[tuple[str, Stored, Stored | None]] = []
        reads: list[str] = []
        for node in self.graph.nodes:
            if node.op == "Gemm":
                found += self._gemm(node)
            elif node.op == "MatMul" and (weight := self._table(node.input(1))) and not self._table(node.input(0)):
                bias_name, bias = self._added(node.outputs[0]) if node.outputs else ("", None)
                if bias is not None and bias.shape != weight.shape[1:]:
                    continue
                found.append((self._named(node, node.input(1), bias_name), _transposed(weight), bias))
            reads += [self._read_by(node.input(0), names_of)] * (len(found) - len(reads))
        names = [name for name, _, _ in found]
        return [Linear(_numbered(names, n), weight, bias, reads[n]) for n, (_, weight, bias) in enumerate(found)]

    def _read_by(self, name: str, names_of: Mapping[str, str], depth: int = 0) -> str:
        """The layer whose states a tensor is, or a part of them; "" for any other tensor."""
        if name not in self._read:
            self._read[name] = ""  # while it is being found: it may follow from itself
            self._read[name] = self._followed(name, names_of, depth)
        return self._read[name]

    def _followed(self, name: str, names_of: Mapping[str, str], depth: int) -> str:
        maker = self.graph.makers.get(name)
        if maker is None or depth > _DEEPEST:
            return ""
        if maker.op in _CELLS:
            return names_of.get(self.names[id(maker)], "") if name in maker.outputs[:2] else ""
        if maker.op not in _PASS or not maker.inputs:
            return ""
        below = {self._read_by(one, names_of, depth + 1) for one in maker.inputs[: None if maker.op == "Concat" else 1]}
        return below.pop() if len(below) == 1 else ""

    def _gemm(self, node: Node) -> list[tuple[str, Stored, Stored | None]]:
        weight, given = self._table(node.input(1)), node.attributes
        plain = given.get("alpha", 1.0) == 1.0 and given.get("beta", 1.0) == 1.0 and not given.get("transA", 0)
        if weight is None or not plain:
            return []
        weight = weight if given.get("transB", 0) else _transposed(weight)
        bias = self.constant(node.input(2)) if node.input(2) else None
        if node.input(2) and (bias is None or bias.shape != weight.shape[:1] or bias.dtype not in DTYPES):
            return []
        return [(self._named(node, node.input(1), node.input(2)), weight, bias)]

    def _added(self, name: str) -> tuple[str, Stored | None]:
        """The stored vector that the graph adds to a tensor: a product's bias."""
        node = self._adds.get(name)
        if node is not None and len(node.inputs) == 2:
            other = node.inputs[1 - node.inputs.index(name)]
            found = self.constant(other)
            if found is not None and found.ndim == 1 and found.dtype in DTYPES:
                return other, found
        return "", None

    def embeddings(self) -> list[Embedding]:
        found = [
            (self._named(node, node.input(0)), table)
            for node in self.graph.nodes
            if node.op == "Gather" and not node.attributes.get("axis", 0)
            and (table := self._table(node.input(0))) and self.constant(node.input(1)) is None
        ]  # fmt: skip
        names = [name for name, _ in found]
        return [Embedding(_numbered(names, n), table) for n, (_, table) in enumerate(found)]

    def _table(self, name: str) -> Stored | None:
        found = self.constant(name) if name else None
        fits = found is not None and found.ndim == 2 and 0 not in found.shape and found.dtype in DTYPES
        return found if fits else None

    def _named(self, node: Node, *tensors: str) -> str:
        """By the module's name where a tensor carries it ("fc.weight"), else by the operation's own."""
        for tensor in tensors:
            prefix, _, kind = tensor.rpartition(".")
            if prefix and kind in ("weight", "bias"):
                return prefix
        path = re.fullmatch(rf"/(.*)/{node.op}(_[0-9]+)?", node.name)
        return path[1].replace("/", ".") if path else node.name or (node.outputs[0] if node.outputs else node.op)

    # -- what is stored -----------------------------------------------------------------------------------------------

    def constant(self, name: str, depth: int = 0) -> Stored | None:
        """A tensor that is in the file, or follows from such by moving numbers; None for any other."""
        if name in self.graph.tensors:
            return self.graph.tensors[name]
        if name not in self._constants:
            self._constants[name] = None  # while it is being found: it may follow from itself
            self._constants[name] = self._found(name, depth)
        return self._constants[name]

    def _found(self, name: str, depth: int) -> Stored | None:
        node = self.graph.makers.get(name)
        if node is None or depth > _DEEPEST:
            return None
        if node.op == "Constant":
            value = node.attributes.get("value")
            return value if isinstance(value, Stored) else written(node.attributes)
        if node.op not in _MOVES:
            return None
        inputs = [self.constant(one, depth + 1) if one else None for one in node.inputs]
        if not inputs or any(found is None for one, found in zip(node.inputs, inputs, strict=True) if one):
            return None
        move = moved(node, inputs)
        if move is None or math.prod(move[0]) > self._stored:  # no larger than all that it can follow from
            return None
        return Stored(move[0], inputs[0].dtype if inputs[0] else "other", move[1])


def _directions(node: Node) -> int:
    direction = node.attributes.get("direction") or "forward"
    if direction == "bidirectional":
        return 2
    if direction != "forward":
        raise InputError(f"its direction is {direction}: it reads a sequence from the end to the beginning alone.")
    return 1


def _moved(axes: list[str], steps: Sequence[Node], model: _Model, maker: Node) -> list[str] | None:
    """The axes of Y after operations that move them: D and H side by side become "DH". None if they end otherwise."""
    both = maker.attributes.get("direction") == "bidirectional"
    for node in steps:
        inputs = [model.constant(name) if name else None for name in node.inputs[1:]]
        if node.op == "Transpose":
            perm = node.attributes.get("perm") or list(range(len(axes)))[::-1]
            if sorted(perm) != list(range(len(axes))):
                return None
            axes = [axes[n] for n in perm]
        elif node.op == "Squeeze":
            gone = node.attributes.get("axes") or (whole(inputs[0]) if inputs else None)
            if both or gone is None or len(gone) != 1 or not -len(axes) <= gone[0] < len(axes) or axes[gone[0]] != "D":
                return None
            axes = ["DH" if axis == "H" else axis for axis in axes if axis != "D"]
        elif node.op == "Reshape":
            # PyTorch's newer exporter writes the sizes themselves, or computes them, where the older writes 0, 0, -1.
            shape = whole(inputs[0]) if inputs else None
            kept = shape is not None and shape[:2] == [0, 0] and not node.attributes.get("allowzero", 0)
            if len(axes) != 4 or axes[2:] != ["D", "H"] or (shape is not None and len(shape) != 3):
                return None
            if not kept and "pytorch" not in model.graph.producer.lower():
                return None
            axes = [*axes[:2], "DH"]
    return axes


def _transposed(found: Stored) -> Stored:
    return Stored(found.shape[::-1], found.dtype, lambda: found.load().T)


def _numbered(names: Sequence[str], n: int) -> str:
    return names[n] if names.count(names[n]) == 1 else f"{names[n]}#{1 + list(names[:n]).count(names[n])}"


def _is_not_zero(found: Any) -> bool:
    """Of a tensor that is stored; a large one is taken for one that is not 0."""
    if found is None:
        return False
    return not isinstance(found, Stored) or found.size > 1 << 24 or bool(found.load().any())
