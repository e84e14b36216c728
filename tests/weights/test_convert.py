"""rnnviz convert without any framework: there and back, what is refused, and that nothing is lost."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rnnviz.cli.main import main
from rnnviz.errors import InputError
from rnnviz.nn import onnx_layout
from rnnviz.weights import read
from rnnviz.weights.convert import convert
from rnnviz.weights.states import states

I, H = 3, 4  # noqa: E741
BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}


def network(cell: str = "lstm", levels: int = 2, both: bool = False, biases: bool = True, **more: object) -> dict:
    """A state_dict with an embedding and a readout."""
    drawn, G = np.random.default_rng(0), BLOCKS[cell]
    sides = ("", "_reverse") if both else ("",)
    shapes = {}
    for level, side in itertools.product(range(levels), sides):
        shapes[f"rnn.weight_ih_l{level}{side}"] = (G * H, H * len(sides) if level else I)
        shapes[f"rnn.weight_hh_l{level}{side}"] = (G * H, H)
        if biases:
            shapes |= {f"rnn.bias_{kind}_l{level}{side}": (G * H,) for kind in ("ih", "hh")}
    shapes |= {"out.weight": (2, H * len(sides)), "out.bias": (2,), "words.weight": (9, I)}
    return {name: drawn.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes.items()} | more


def saved(folder: Path, **arguments: object) -> Path:
    path = folder / "model.safetensors"
    save_file(network(**arguments), path)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(("cell", "levels", "both", "biases"), list(itertools.product(BLOCKS, (1, 3), (0, 1), (0, 1))))
def test_there_and_back_every_number_is_the_same(cell, levels, both, biases, tmp_path):
    given = saved(tmp_path, cell=cell, levels=levels, both=bool(both), biases=bool(biases))
    there, back, last = (tmp_path / f"new{suffix}" for suffix in (".onnx", ".safetensors", ".npz"))
    assert convert(str(given), str(there)).is_exact
    assert convert(str(there), str(back)).is_exact
    assert convert(str(back), str(last)).is_exact
    arrays = load_file(given)
    for found in (load_file(back), dict(np.load(last))):
        assert {name: array.tobytes() for name, array in found.items()} == {
            name: array.tobytes() for name, array in arrays.items()
        }
    x = np.random.default_rng(1).standard_normal((5, 2, I))
    np.testing.assert_array_equal(states(read(given).layer(), x), states(read(there).layer(), x))


def test_the_order_of_blocks_is_that_of_the_standard():
    """LSTM: i o f c; GRU: z r h. Ours is PyTorch's: i f g o; r z n."""
    for cell, order in (("lstm", [0, 3, 1, 2]), ("gru", [1, 0, 2])):
        rows = np.repeat(np.arange(len(order)), H)[:, None].astype(np.float32)
        W, *_ = onnx_layout.to_onnx(cell, [{"weight_ih": rows, "weight_hh": rows}])
        assert W[0, ::H, 0].tolist() == order
        np.testing.assert_array_equal(onnx_layout.matrix_to_ours(cell, W, 0), rows)


def test_a_layer_is_chosen_and_what_is_left_out_is_named(tmp_path):
    given = saved(tmp_path, **{"other.weight_ih_l0": np.ones((4, 3), np.float32),
                               "other.weight_hh_l0": np.ones((4, 4), np.float32)})  # fmt: skip
    with pytest.raises(InputError, match=r"--layer (other|rnn) \| "):
        convert(str(given), str(tmp_path / "new.onnx"))
    done = convert(str(given), str(tmp_path / "new.onnx"), layer="rnn", readout="out")
    assert done.layers == ("rnn",)
    assert any(note.startswith("Not written: other") for note in done.notes)
    assert convert(str(given), str(tmp_path / "all.npz")).layers in (("rnn", "other"), ("other", "rnn"))
    assert convert(str(given), str(tmp_path / "none.onnx"), layer="rnn", readout="none").others == ("words",)


def test_the_activation_goes_along(tmp_path):
    given = saved(tmp_path, cell="rnn")
    assert "taken to be tanh" in " ".join(convert(str(given), str(tmp_path / "tanh.onnx")).notes)
    convert(str(given), str(tmp_path / "relu.onnx"), activation="relu")
    assert read(tmp_path / "relu.onnx").layer().activation == "relu"
    notes = convert(str(tmp_path / "relu.onnx"), str(tmp_path / "relu.npz")).notes
    assert "nonlinearity='relu'" in notes[-1]
    with pytest.raises(InputError, match="ONNX has no activation identity"):
        convert(str(given), str(tmp_path / "identity.onnx"), activation="identity")


def test_nothing_is_overwritten_and_a_wrong_file_does_not_appear(tmp_path, monkeypatch):
    given, new = saved(tmp_path), tmp_path / "new.onnx"
    before = given.read_bytes()
    with pytest.raises(InputError, match="it exists"):
        convert(str(given), str(given))
    assert given.read_bytes() == before
    with pytest.raises(InputError, match=r"\.safetensors, \.npz, \.keras, \.weights\.h5, \.onnx"):
        convert(str(given), str(tmp_path / "new.pt"))
    right = onnx_layout.to_onnx
    monkeypatch.setattr(onnx_layout, "to_onnx", lambda cell, sides: [array + 0.01 for array in right(cell, sides)])
    with pytest.raises(InputError, match="rnn computes other states there"):
        convert(str(given), str(new))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.safetensors"]


def test_without_h5py_the_message_has_the_command_that_installs_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "h5py", None)
    for suffix in (".keras", ".weights.h5"):
        assert main(["convert", str(saved(tmp_path)), str(tmp_path / f"new{suffix}")]) == 2
        error = capsys.readouterr().err
        assert 'python -m pip install "rnnviz[keras]"' in error
        assert error.count("\n") == 1


def test_the_command_says_what_it_did(tmp_path, capsys):
    given, new = saved(tmp_path, both=True), tmp_path / "new.onnx"
    assert main(["convert", str(given), str(new)]) == 0
    assert "every number is the same" in " ".join(capsys.readouterr().out.split())
    assert main(["convert", str(new), str(tmp_path / "back.npz"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["layers"], report["others"], report["exact"]) == (["rnn"], ["out", "words"], True)
    assert main(["convert", str(tmp_path / "missing.pt"), str(tmp_path / "x.onnx")]) == 2
    assert "missing.pt" in capsys.readouterr().err
