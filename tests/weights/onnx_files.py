"""ONNX files: those that PyTorch exports and those that onnx' own helpers make, read without either. What each layer
computes from what was read is what PyTorch and onnxruntime compute."""

from __future__ import annotations

import contextlib
import itertools
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).parents[1] / "watching"))

from checks import run

from rnnviz.errors import InputError
from rnnviz.weights.reading import read
from rnnviz.weights.states import states

warnings.filterwarnings("ignore")
torch.manual_seed(0)
RNG = np.random.default_rng(0)
T, B, I, H = 6, 2, 3, 4  # noqa: E741
X = RNG.standard_normal((T, B, I)).astype(np.float32)
CLASSES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}
FOLDER = Path(tempfile.mkdtemp())


class Net(torch.nn.Module):
    def __init__(self, cell: str, embedded: bool = False, **options: Any) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(9, I) if embedded else torch.nn.Identity()
        self.rnn = CLASSES[cell](I, H, **options)
        self.out = torch.nn.Linear(H * (2 if options.get("bidirectional") else 1), 2)

    def forward(self, x: Any) -> Any:
        return self.out(self.rnn(self.words(x))[0])


def exported(name: str, net: Any, x: Any, **options: Any) -> Any:
    path = FOLDER / f"{name}.onnx"
    torch.onnx.export(net.eval(), (x,), path, **{"dynamo": False, **options})
    return read(path)


def of_torch(file: Any, net: Any, batch_first: bool, name: str | None = None) -> None:
    """The file's layer and readout compute what the module does."""
    ours = file.layer(name)
    x = torch.tensor(X)
    with torch.no_grad():
        states_, wanted = (
            net.rnn(x.swapaxes(0, 1) if batch_first else x)[0],
            net(x.swapaxes(0, 1) if batch_first else x),
        )
    back = (lambda tensor: tensor.swapaxes(0, 1)) if batch_first else lambda tensor: tensor
    got, readout = states(ours, X), file.readout_of(ours)
    np.testing.assert_allclose(got, back(states_).numpy(), atol=1e-6)
    np.testing.assert_allclose(got @ readout.weight.T + readout.bias, back(wanted).numpy(), atol=2e-6)
    assert readout.name == "out"


def check_every_cell_and_option_of_pytorch() -> None:
    for n, (cell, layers, both, bias, batch_first) in enumerate(
        itertools.product(CLASSES, (1, 3), (False, True), (False, True), (False, True))
    ):
        options: dict[str, Any] = {"nonlinearity": "relu"} if cell == "rnn" and n % 2 else {}
        net = Net(cell, num_layers=layers, bidirectional=both, bias=bias, batch_first=batch_first, **options)
        x = torch.tensor(X.swapaxes(0, 1).copy() if batch_first else X)
        dynamic = {"input_names": ["x"], "dynamic_axes": {"x": {0: "a", 1: "b"}}} if n % 3 else {}
        file = exported(f"torch{n}", net, x, do_constant_folding=bool(n % 5), **dynamic)
        ours = file.layer()
        assert (ours.name, ours.cell, ours.levels, len(ours.directions)) == ("rnn", cell, layers, 1 + both)
        assert (ours.biases, ours.activation) == (2 * bias, options.get("nonlinearity", "tanh"))
        assert ours.notes == ()
        of_torch(file, net, batch_first)


def check_the_newer_exporter_and_numbers_beside_the_file() -> None:
    net = Net("gru", num_layers=2, bidirectional=True, batch_first=True)
    x, sizes = (
        torch.tensor(X.swapaxes(0, 1).copy()),
        {0: torch.export.Dim("b", max=99), 1: torch.export.Dim("t", max=99)},
    )
    file = exported("newer", net, x, dynamo=True, external_data=True, verbose=False, dynamic_shapes=(sizes,))
    assert (FOLDER / "newer.onnx.data").exists()
    assert file.layer().levels == 2
    of_torch(file, net, True)
    (FOLDER / "newer.onnx.data").rename(FOLDER / "elsewhere")
    (FOLDER / "newer.onnx.data").symlink_to(FOLDER / "elsewhere")
    with contextlib.suppress(InputError):
        raise AssertionError(read(FOLDER / "newer.onnx"))


def check_an_embedding_and_half_precision() -> None:
    net = Net("gru", embedded=True, batch_first=True)
    file = exported("tokens", net, torch.zeros(B, T, dtype=torch.long))
    table = file.embedding_of(file.layer())
    assert (table.name, table.words) == ("words", 9)
    np.testing.assert_array_equal(table.weight, net.words.weight.detach().numpy())
    for kind, stored in (
        (TensorProto.FLOAT16, "float16"),
        (TensorProto.DOUBLE, "float64"),
        (TensorProto.BFLOAT16, "bfloat16"),
    ):
        layer = torch.nn.GRU(I, H)
        file = made("gru", *of_module("gru", layer), kind=kind, linear_before_reset=1)
        for tensor, name in ((layer.weight_hh_l0, "weight_hh_l0"), (layer.bias_ih_l0, "bias_ih_l0")):
            rounded = tensor.detach().to(
                {"float16": torch.float16, "bfloat16": torch.bfloat16}.get(stored, torch.float64)
            )
            np.testing.assert_array_equal(
                file.layer().weights[name], rounded.to(torch.float64 if stored == "float64" else torch.float32)
            )
        assert file.layer().dtype == stored


def of_module(cell: str, layer: Any) -> tuple[Any, Any, Any]:
    """W, R, B as the ONNX documents describe them, without our own code."""
    order = {"rnn": [0], "lstm": [0, 3, 1, 2], "gru": [1, 0, 2]}[cell]
    put = lambda a: np.concatenate([np.split(a.detach().numpy(), len(order))[n] for n in order])  # noqa: E731
    W, R, b, c = (put(a) for a in (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0))
    return W[None], R[None], np.concatenate([b, c])[None]


def made(
    cell: str,
    W: Any,
    R: Any,
    B_: Any,
    *,
    kind: int = TensorProto.FLOAT,
    raw: bool = True,
    inputs: Any = (),
    **given: Any,
) -> Any:
    """A file of one node, made by onnx' helpers; given: attributes."""
    dtype = np.float64 if kind == TensorProto.DOUBLE else np.float32
    as_raw = raw and kind in (TensorProto.FLOAT, TensorProto.DOUBLE)
    tensors = [
        numpy_helper.from_array(a.astype(dtype), name) if as_raw
        else helper.make_tensor(name, kind, a.shape, a.astype(dtype).reshape(-1))
        for name, a in zip("WRB", (W, R, B_), strict=True)
    ]  # fmt: skip
    node = helper.make_node(
        cell.upper(), ["X", "W", "R", "B", *inputs], ["Y"], hidden_size=W.shape[1] // BLOCKS[cell], **given
    )
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("X", kind, ["t", "b", W.shape[2]])],
        [helper.make_tensor_value_info("Y", kind, None)], tensors,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, FOLDER / "made.onnx")
    return read(FOLDER / "made.onnx")


def check_each_node_beside_onnxruntime() -> None:
    for cell, D, raw in itertools.product(CLASSES, (1, 2), (True, False)):
        G = BLOCKS[cell]
        W, R, B_ = (RNG.normal(0, 0.5, s).astype(np.float32) for s in ((D, G * H, I), (D, G * H, H), (D, 2 * G * H)))
        given: dict[str, Any] = {"linear_before_reset": 1} if cell == "gru" else {}
        given |= {"direction": "bidirectional"} if D == 2 else {}
        given |= {"activations": ["Relu"] * D} if cell == "rnn" and raw else {}
        file = made(cell, W, R, B_, raw=raw, **given)
        (Y,) = onnxruntime.InferenceSession(FOLDER / "made.onnx").run(None, {"X": X})
        np.testing.assert_allclose(states(file.layer(), X), Y.transpose(0, 2, 1, 3).reshape(T, B, D * H), atol=1e-6)


def check_what_cannot_be_computed_is_refused_with_the_reason() -> None:
    lstm, gru, rnn = ([RNG.normal(size=s) for s in ((1, g * H, I), (1, g * H, H), (1, 2 * g * H))] for g in (4, 3, 1))
    cases: list[tuple[str, Any, dict[str, Any]]] = [
        ("linear_before_reset is 0", ("gru", *gru), {}),
        ("linear_before_reset is 0", ("gru", *gru), {"linear_before_reset": 0}),
        ("clip is 3", ("lstm", *lstm), {"clip": 3.0}),
        ("input_forget is 1", ("lstm", *lstm), {"input_forget": 1}),
        ("direction is reverse", ("lstm", *lstm), {"direction": "reverse"}),
        ("activations are sigmoid, tanh, relu", ("lstm", *lstm), {"activations": ["Sigmoid", "Tanh", "Relu"]}),
        ("activations are elu", ("rnn", *rnn), {"activations": ["Elu"]}),
        ("shapes of its W, R and B", ("lstm", *gru), {}),
        ("peepholes", ("lstm", *lstm), {"inputs": ["", "", "", "X"]}),
    ]
    for reason, arrays, given in cases:
        file = made(*arrays, **given)
        assert file.layers == ()
        assert reason in file.refused[0].reason, (reason, file.refused)
    computed = helper.make_graph(
        [helper.make_node("Add", ["W0", "W0"], ["W"]), helper.make_node("LSTM", ["X", "W", "R"], ["Y"], hidden_size=H)],
        "g", [helper.make_tensor_value_info("X", 1, None)], [helper.make_tensor_value_info("Y", 1, None)],
        [numpy_helper.from_array(lstm[0], "W0"), numpy_helper.from_array(lstm[1], "R")],
    )  # fmt: skip
    onnx.save(helper.make_model(computed), FOLDER / "computed.onnx")
    assert "the graph computes it" in read(FOLDER / "computed.onnx").refused[0].reason
    net = Net("gru")
    exported("zero", net, torch.tensor(X))
    model = onnx.load(FOLDER / "zero.onnx")
    (node,) = (node for node in model.graph.node if node.op_type == "GRU")
    next(a for a in node.attribute if a.name == "linear_before_reset").i = 0
    onnx.save(model, FOLDER / "zero.onnx")
    assert "before version 2.13" in read(FOLDER / "zero.onnx").refused[0].reason


def check_what_stands_between_layers_keeps_them_apart() -> None:
    class Apart(torch.nn.Module):
        def __init__(self, between: Any) -> None:
            super().__init__()
            self.a, self.b, self.between = torch.nn.GRU(I, H), torch.nn.GRU(H, H), between

        def forward(self, x: Any) -> Any:
            return self.b(self.between(self.a(x)[0]))[0]

    apart = [
        torch.relu,
        torch.nn.LayerNorm(H),
        lambda y: y.swapaxes(0, 1),
        lambda y: y.flip(0),
        lambda y: y.reshape(B, T, H),
    ]
    for n, between in enumerate(apart):
        file = exported(f"apart{n}", Apart(between), torch.tensor(X))
        assert [layer.name for layer in file.layers] == ["a", "b"], n
    for n, between in enumerate((lambda y: y, lambda y: y.swapaxes(0, 1).swapaxes(0, 1))):
        file = exported(f"together{n}", Apart(between), torch.tensor(X))
        assert [(layer.name, layer.levels) for layer in file.layers] == [("/a/GRU+/b/GRU", 2)], n


def check_states_and_lengths_that_the_graph_gives_are_noted() -> None:
    arrays = [RNG.normal(size=s) for s in ((1, 4 * H, I), (1, 4 * H, H), (1, 8 * H))]
    assert "own length" in made("lstm", *arrays, inputs=["X"]).layer().notes[0]
    assert "first states" in made("lstm", *arrays, inputs=["", "X"]).layer().notes[0]
    file = exported("loop", torch.nn.RNN(I, H), torch.tensor(X), dynamo=True, verbose=False, external_data=False)
    assert file.layers == ()
    assert "dynamo=False" in file.notes[0]


run(globals())
