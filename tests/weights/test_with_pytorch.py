"""Files that PyTorch wrote, every layer × option × precision × way to save, and the outputs that PyTorch itself gives
for the same input (pytorch_files.py)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import rnnviz
from rnnviz.errors import InputError
from rnnviz.weights import read
from tests import peers
from tests.weights.outputs import outputs_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pytorch")
    peers.run(Path(__file__).with_name("pytorch_files.py"), str(made), needs=("torch", "safetensors"))
    return made


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "expected.npz") as file:
        return dict(file)


def test_every_file_gives_pytorchs_outputs(folder: Path, expected: dict[str, np.ndarray]) -> None:
    about = json.loads((folder / "about.json").read_text())
    assert len(about) == 128
    assert len({one["style"] for one in about.values()}) == 15
    for name, said in about.items():
        activation = said["kind"] if said["kind"] in ("tanh", "relu") else None
        file = read(folder / name, activation if said["style"] not in ("whole", "parallel_whole") else None)
        assert [one.name for one in file.layers] == ["body.rnn"], name
        layer = file.layer()
        assert (layer.cell, layer.activation) == ("rnn", activation) if activation else layer.cell == said["kind"], name
        assert (layer.levels, len(layer.directions), layer.biases) == (
            said["layers"], 1 + said["both"], 2 * said["bias"],
        ), name  # fmt: skip
        stored = {"npz": "float32", "npz_small": "float64"}.get(said["style"], said["dtype"])
        assert layer.dtype == stored, name
        readout, embedding = file.readout_of(layer), file.embedding_of(layer)
        assert readout is not None, name
        assert embedding is not None, name
        assert (readout.name, embedding.name, embedding.weight.shape) == ("fc", "emb", (7, 2)), name
        bound = 1e-12 if stored == said["dtype"] == "float64" else 1e-6
        theirs = expected[name]
        assert np.abs(outputs_of(layer, expected["x"]) - theirs).max() < bound, name
        if not said["both"]:
            model = rnnviz.Model.load(folder / name, activation=activation if activation == "relu" else None)
            assert readout.bias is not None
            y = theirs @ readout.weight.T + readout.bias
            assert np.abs(model.forward(expected["x"]) - y).max() < max(bound, 1e-12) * 10, name


def test_cells_in_a_loop_of_the_users(folder: Path, expected: dict[str, np.ndarray]) -> None:
    for name, cell in (("cell", "lstm"), ("cell_relu", "rnn"), ("cell_gru", "gru")):
        layer = read(folder / f"{name}.pt").layer(name)
        assert layer.cell == cell
        assert layer.doubts == ()
        assert np.abs(outputs_of(layer, expected["x"]) - expected[f"{name}.pt"]).max() < 1e-6


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("projected", "proj_size"),
        ("projected_whole", "proj_size"),
        ("weight_norm", "weight_hh_l0 is computed from other arrays"),
        ("legacy", "the format that PyTorch had before 1.6"),
        ("quantized", "_rebuild_qtensor"),
        ("float8", "float8_e5m2"),
        ("linear", "no recurrent layer"),
    ],
)
def test_what_cannot_be_computed_rightly_is_refused_with_the_reason(folder: Path, name: str, reason: str) -> None:
    path = folder / f"odd_{name}.pt"
    with pytest.raises(InputError, match=reason) as error:
        read(path).layer("projected" if "projected" in name else None)
    assert str(error.value).startswith(f"{path}: ")
    if "projected" in name:
        assert read(path).layer().name == "good"


def test_a_file_of_torch_jit_save(folder: Path) -> None:
    assert read(folder / "odd_script.pt").layer("0").cell == "lstm"


def test_pytorch_loads_what_model_save_wrote(tmp_path: Path) -> None:
    model = rnnviz.Model.create("lstm", 2, 3, 1, num_layers=2, dtype="float32")
    model.save(tmp_path / "model.safetensors")
    x = np.random.default_rng(0).normal(size=(5, 2, 2)).astype(np.float32)
    np.savez(tmp_path / "pair.npz", x=x, y=model.forward(x))
    peers.run(Path(__file__).with_name("pytorch_loads.py"), str(tmp_path), needs=("torch", "safetensors"))
