"""Model.load, Model.save, and a trace without targets."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import rnnviz
from rnnviz.errors import InputError
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.spec import ACTIVATIONS
from rnnviz.weights import models
from tests.weights import made

SUFFIXES = models.SUFFIXES


def layer(prefix: str, blocks: int, H: int = 3, inputs: int = 2, suffix: str = "_l0") -> dict[str, np.ndarray]:
    draw = np.random.default_rng(blocks).normal
    shapes = {"weight_ih": (blocks * H, inputs), "weight_hh": (blocks * H, H)}
    return {f"{prefix}{name}{suffix}": draw(size=shape) for name, shape in shapes.items()}


def npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_saved_is_loaded_again(cell: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{suffix}"
    for dtype, biases, activation in (("float32", 1, "relu"), ("float64", 2, "sigmoid"), ("float64", 1, "identity")):
        model = rnnviz.Model.create(
            cell, 2, 4, 3, num_layers=2, activation=activation, biases=biases, dtype=dtype, init="pytorch"
        )
        model.save(path)
        found = rnnviz.Model.load(path)
        assert found.spec == model.spec
        assert list(found.params) == list(model.params)
        assert all(np.array_equal(found.params[name], array) for name, array in model.params.items())
    assert os.listdir(tmp_path) == [path.name]


def test_a_readout_with_as_many_outputs_as_units_is_found_again(tmp_path: Path) -> None:
    model = rnnviz.Model.create("gru", 2, 4, 4, seed=3)
    model.save(tmp_path / "model.npz")
    assert np.array_equal(
        rnnviz.Model.load(tmp_path / "model.npz").params["readout.weight"], model.params["readout.weight"]
    )


def test_a_model_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    model = rnnviz.Model.create()
    with pytest.raises(InputError, match=r"saved as \.safetensors or \.npz"):
        model.save(tmp_path / "model.pt")
    with pytest.raises(InputError, match="it cannot be written: No such file"):
        model.save(tmp_path / "missing" / "model.npz")
    (tmp_path / "model.npz").mkdir()
    with pytest.raises(InputError, match="it cannot be written"):
        model.save(tmp_path / "model.npz")
    assert os.listdir(tmp_path) == ["model.npz"]


def test_without_a_readout_the_states_are_the_output(tmp_path: Path) -> None:
    path = npz(
        tmp_path / "model.npz", **layer("rnn.", 4), **{"fc.weight": np.ones((5, 3)), "a.weight": np.ones((1, 3))}
    )
    model, x = rnnviz.Model.load(path), np.ones((4, 1, 2))
    assert (model.spec.output_size, model.spec.biases) == (3, 1)
    assert np.array_equal(model.forward(x), model.trace(x).h[1:])
    assert rnnviz.Model.load(path, readout="fc").spec.output_size == 5
    assert rnnviz.Model.load(path, readout="none").spec.output_size == 3
    with pytest.raises(InputError, match="'fcc' is not a linear layer of it; did you mean fc"):
        rnnviz.Model.load(path, readout="fcc")


def test_the_layer_is_chosen_by_name(tmp_path: Path) -> None:
    path = npz(tmp_path / "model.npz", **layer("a.", 4), **layer("b.", 3), **layer("c.", 1))
    with pytest.raises(InputError, match=r"--layer a \| b \| c"):
        rnnviz.Model.load(path)
    assert [rnnviz.Model.load(path, name).spec.cell for name in "abc"] == ["lstm", "gru", "rnn"]
    assert rnnviz.Model.load(path, "c", activation="relu").spec.activation == "relu"
    assert rnnviz.Model.load(path, "b").spec.biases == 2


def test_a_layer_of_both_directions_is_a_bidirectional_model(tmp_path: Path) -> None:
    both = layer("rnn.", 4) | layer("rnn.", 4, suffix="_l0_reverse")
    model, x = rnnviz.Model.load(npz(tmp_path / "model.npz", **both)), np.ones((4, 1, 2))
    assert model.spec.bidirectional
    assert model.spec.output_size == 6  # without a readout both states side by side
    states = [model.trace(x, direction=way).h[1:] for way in ("forward", "backward")]
    assert np.array_equal(model.forward(x), np.concatenate([states[0], states[1][::-1]], axis=2))


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_a_bidirectional_model_is_saved_and_loaded(tmp_path: Path, suffix: str) -> None:
    model = rnnviz.Model.create("gru", 2, 3, 2, num_layers=2, bidirectional=True)
    model.save(tmp_path / f"model{suffix}")
    found = rnnviz.Model.load(tmp_path / f"model{suffix}")
    assert found.spec == model.spec
    assert list(found.params) == list(model.params)
    assert all(np.array_equal(found.params[name], w) for name, w in model.params.items())


def test_an_activation_that_nothing_needs_is_an_error(tmp_path: Path) -> None:
    path = made.write(tmp_path / "model.pt", made.torch_members(made.rnn()))
    with pytest.raises(InputError, match="has no simple RNN"):
        rnnviz.Model.load(path, activation="relu")
    with pytest.raises(InputError, match=", ".join(ACTIVATIONS)):
        rnnviz.Model.load(path, activation="step")


def test_a_file_of_a_newer_rnnviz_is_refused(tmp_path: Path) -> None:
    text = '{"version": 2, "layer": "rnn", "cell": "lstm", "activation": "tanh"}'
    path = npz(tmp_path / "model.npz", **layer("rnn.", 4), rnnviz=np.array(text))
    with pytest.raises(InputError, match="newer rnnviz"):
        rnnviz.Model.load(path)
    for text in ('{"version": 1, "layer": "rnn", "cell": "qrnn"}', '{"version": 1, "layer": [], "cell": {}}'):
        with pytest.raises(InputError, match="makes no sense"):
            rnnviz.Model.load(npz(path, **layer("rnn.", 4), rnnviz=np.array(text)))
    for text in ("[", "7", "{}", "x" * 20_000):  # not ours: left alone
        assert rnnviz.Model.load(npz(path, **layer("rnn.", 4), rnnviz=np.array(text))).spec.cell == "lstm"


def test_a_trace_without_targets_has_the_states_and_no_loss() -> None:
    model = rnnviz.Model.create("lstm", 2, 3, 1, num_layers=2)
    x = np.random.default_rng(0).normal(size=(6, 2, 2))
    whole, alone = model.trace(x, np.zeros((6, 2, 1))), model.trace(x)
    assert not alone.has_loss
    for name in ("h", "c", "pre", "y"):
        assert np.array_equal(getattr(whole, name), getattr(alone, name))
    with pytest.raises(InputError, match="grad_h: this trace has no loss"):
        _ = alone.grad_h
    with pytest.raises(InputError, match="x: shape"):
        model.trace(x[..., :1])
    start = np.ones((2, 2, 3))
    assert np.array_equal(model.trace(x, h0=start, c0=start).h[0], start[1])
