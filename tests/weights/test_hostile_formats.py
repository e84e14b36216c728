"""Keras' and ONNX files that are damaged, that lie about their sizes, or that lead elsewhere: one line, and no memory.

Keras 3.15 wrote two_lstms.h5 and two_lstms.keras: Embedding(7, 3, mask_zero=True), LSTM(4), LSTM(4), Dense(2).
"""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from rnnviz.errors import InputError
from rnnviz.weights import read
from rnnviz.weights.contents import WeightFile
from rnnviz.weights.convert import convert
from rnnviz.weights.writing import onnx_encode as encode

HERE = Path(__file__).parent
KINDS = ("h5", "keras", "onnx")
NODE = encode.node("LSTM", "lstm", ["x", "W", "R"], ["y"], hidden_size=4)
W, R = np.ones((1, 16, 3), np.float32), np.ones((1, 16, 4), np.float32)
MANY = 2**31 // 4


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    drawn = np.random.default_rng(0)
    shapes = {"rnn.weight_ih_l0": (12, 3), "rnn.weight_hh_l0": (12, 4), "out.weight": (2, 4), "out.bias": (2,)}
    save_file(
        {name: drawn.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}, folder / "a.safetensors"
    )
    convert(str(folder / "a.safetensors"), str(folder / "a.onnx"))
    files = {"h5": HERE / "two_lstms.h5", "keras": HERE / "two_lstms.keras", "onnx": folder / "a.onnx"}
    return {kind: path.read_bytes() for kind, path in files.items()}


def contents(file: WeightFile) -> list[bytes]:
    found = [array.tobytes() for layer in file.layers for array in layer.weights.values()]
    return found + [one.weight.tobytes() for one in file.linears] + [one.weight.tobytes() for one in file.embeddings]


def attempt(path: Path) -> tuple[str, list[bytes]]:
    """(the reason for which it is refused or "", what was read)"""
    try:
        found = contents(read(path))
    except InputError as error:
        reason, found = str(error), []
    else:
        reason = ""
    assert "\n" not in reason
    return reason, found


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_read_without_a_framework(kind, whole, tmp_path):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(whole[kind])
    file = read(path)
    layer = file.layer()
    if kind == "onnx":
        assert (layer.name, layer.cell, layer.levels, layer.biases) == ("rnn", "gru", 1, 0)
    else:
        assert (layer.name, layer.cell, layer.levels, layer.biases) == ("first+second", "lstm", 2, 1)
        np.testing.assert_array_equal(layer.weights["bias_ih_l0"], np.repeat(np.float32([0, 1, 0, 0]), 4))
        assert [(one.words, one.size) for one in file.embeddings] == [(7, 3)]
    assert [(one.inputs, one.outputs) for one in file.linears] == [(4, 2)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_was_cut_off_is_refused_or_has_the_same_numbers(kind, whole, tmp_path):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(whole[kind])
    _, wanted = attempt(path)
    step = 7 if kind == "onnx" else 512
    refused = 0
    for length in range(0, len(whole[kind]), step):
        path.write_bytes(whole[kind][:length])
        reason, found = attempt(path)
        refused += bool(reason)
        assert reason or all(array in wanted for array in found), length
    assert refused > 0.8 * len(whole[kind]) / step


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_with_wrong_bytes_is_refused_or_read(kind, whole, tmp_path):
    path, drawn = tmp_path / f"a.{kind}", random.Random(0)
    for _ in range(150):
        content = bytearray(whole[kind])
        for _ in range(drawn.choice([1, 1, 4, 16])):
            content[drawn.randrange(drawn.choice([len(content), min(len(content), 3000)]))] = drawn.choice(
                [0, 127, 128, 255]
            )
        path.write_bytes(content)
        with np.errstate(all="ignore"):
            attempt(path)  # any error but InputError fails


def onnx_file(folder: Path, *tensors: bytes, nodes: bytes = NODE) -> Path:
    path = folder / "a.onnx"
    path.write_bytes(encode.field(1, 8) + encode.message(7, nodes, *tensors))
    return path


def external(name: str, shape: tuple[int, ...], **where: str) -> bytes:
    entries = [encode.message(13, encode.field(1, key), encode.field(2, value)) for key, value in where.items()]
    return encode.message(5, *(encode.field(1, n) for n in shape), encode.field(2, 1), encode.field(8, name), *entries,
                          encode.field(14, 1))  # fmt: skip


def sized(name: str, shape: tuple[int, ...], raw: bytes) -> bytes:
    return encode.message(
        5, *(encode.field(1, n) for n in shape), encode.field(2, 1), encode.field(8, name), encode.field(9, raw)
    )


def test_onnx_sizes_that_are_not_stored_are_refused_without_taking_memory(tmp_path):
    right = encode.tensor(5, "R", R)
    cases = {
        "needs": onnx_file(tmp_path, sized("W", (1, 16, MANY), b"1234"), right).read_bytes(),
        "no such shape": onnx_file(tmp_path, sized("W", (1, -1, 3), b""), right).read_bytes(),
        "claims": encode.field(1, 8) + b"\x3a\xff\xff\xff\xff\x07" + NODE,
        "a number too long": encode.field(1, 8) + b"\x3a" + b"\xff" * 40,
        "unknown kind": b"\x0b" * 100,
        "no graph": encode.field(1, 8),
        "without a number": b"\x00" * 50,
        "longer than": onnx_file(tmp_path, encode.message(5, encode.field(8, b"n" * 10_000))).read_bytes(),
        "parts": onnx_file(tmp_path, encode.message(5, encode.field(1, 1) * 20_000)).read_bytes(),
    }
    path = tmp_path / "case.onnx"
    for words, content in cases.items():
        path.write_bytes(content)
        tracemalloc.start()
        reason, _ = attempt(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6, words
        tracemalloc.stop()
        assert words in reason, (words, reason)
        assert reason.startswith(str(path))


def test_onnx_numbers_in_other_files_are_read_from_the_same_folder_alone(tmp_path):
    (tmp_path / "inner").mkdir()
    for place in (tmp_path / "a.data", tmp_path.parent / "out.data", tmp_path / "inner" / "b.data"):
        place.write_bytes(np.ones(48, np.float32).tobytes())
    (tmp_path / "link.data").symlink_to(tmp_path / "a.data")
    right = encode.tensor(5, "R", R)
    reason, found = attempt(onnx_file(tmp_path, external("W", (1, 16, 3), location="a.data"), right))
    assert not reason
    assert found[0] == W.tobytes()
    for location in (
        "../out.data",
        str(tmp_path / "a.data"),
        "inner/b.data",
        "..",
        "",
        ".",
        "c:\\x",
        "link.data",
        "missing",
    ):
        reason, _ = attempt(onnx_file(tmp_path, external("W", (1, 16, 3), location=location), right))
        assert any(words in reason for words in ("same folder", "is a link", "No such file")), (location, reason)
    for where in ({"offset": "8"}, {"length": str(2**31)}, {"offset": "-1"}, {"offset": "9" * 30}):
        reason, _ = attempt(onnx_file(tmp_path, external("W", (1, 16, 3), location="a.data", **where), right))
        assert any(words in reason for words in ("ends beyond", "not a place", "needs")), (where, reason)


def test_onnx_tensors_that_refer_to_each_other_do_not_end_in_a_circle(tmp_path):
    nodes = NODE + b"".join(
        encode.node("Identity", f"n{n}", [f"a{(n + 1) % 3}"], [f"a{n}"]) for n in range(3)
    ) + encode.node("Identity", "w", ["a0"], ["W"])  # fmt: skip
    file = read(onnx_file(tmp_path, encode.tensor(5, "R", R), nodes=nodes))
    assert "the graph computes it" in file.refused[0].reason
    doubled = [encode.node("Concat", f"n{n}", [f"a{n + 1}"] * 2, [f"a{n}"], axis=2) for n in range(45)]
    nodes = NODE + b"".join(doubled) + encode.node("Identity", "w", ["a0"], ["W"])
    file = read(onnx_file(tmp_path, encode.tensor(5, "R", R), encode.tensor(5, "a45", W), nodes=nodes))
    assert "the graph computes it" in file.refused[0].reason
    states = b"".join(encode.node("Concat", f"s{n}", [f"y{n}", f"y{n}"], [f"y{n + 1}"], axis=2) for n in range(45))
    nodes = encode.node("LSTM", "lstm", ["x", "W", "R"], ["y0"], hidden_size=4) + states
    nodes += encode.node("MatMul", "out", ["y45", "V"], ["z"])
    tensors = [encode.tensor(5, name, array) for name, array in (("W", W), ("R", R), ("V", W[0]))]
    assert read(onnx_file(tmp_path, *tensors, nodes=nodes)).linears[0].reads == "lstm"
    reason, _ = attempt(onnx_file(tmp_path, nodes=NODE * 4_000))
    assert "more than 3,000 layers" in reason


def test_a_readout_is_the_layer_that_the_graph_shows(tmp_path):
    """Two linear layers fit by their sizes, and what stands between them and the states decides."""
    lstm = encode.node("LSTM", "lstm", ["x", "W", "R"], ["y0"], hidden_size=4)
    arrays = {"W": W, "R": R, "one.weight": np.ones((4, 2), np.float32), "two.weight": np.ones((4, 3), np.float32)}
    tensors = [encode.tensor(5, name, array) for name, array in arrays.items()]
    squeezed = encode.node("Squeeze", "s", ["y0"], ["y1"], axes=[1]) + encode.node("Relu", "r", ["y1"], ["y2"])
    for first, second, wanted in (("y1", "y2", "one"), ("y2", "y1", "two"), ("y2", "y2", None)):
        products = encode.node("MatMul", "a", [first, "one.weight"], ["p"])
        products += encode.node("MatMul", "b", [second, "two.weight"], ["q"])
        file = read(onnx_file(tmp_path, *tensors, nodes=lstm + squeezed + products))
        readout = file.readout_of(file.layer())
        assert (readout and readout.name) == wanted
        assert bool(file.why_no_readout(file.layer())) == (wanted is None)
        assert file.readout_of(file.layer(), "two").name == "two"
