"""`rnnviz inspect`: what is in a file of weights, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rnnviz.cli.main import main


@pytest.fixture
def path(tmp_path: Path) -> Path:
    shapes = {
        "words.weight": (9, 2), "rnn.weight_ih_l0": (3, 2), "rnn.weight_hh_l0": (3, 3),
        "fc.weight": (5, 3), "fc.bias": (5,),
        "lstm.weight_ih_l0": (16, 6), "lstm.weight_hh_l0": (16, 4),
        "lstm.weight_ih_l0_reverse": (16, 6), "lstm.weight_hh_l0_reverse": (16, 4),
        "p.weight_ih_l0": (8, 2), "p.weight_hh_l0": (8, 1), "p.weight_hr_l0": (1, 2),
    }  # fmt: skip
    made = tmp_path / "model.npz"
    np.savez(made, **{name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
    return made


def test_in_words(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for words in (
        "model.npz: NumPy, 2 recurrent layers",
        "rnn tanh RNN, 2 inputs, 3 units, no bias, float32 readout: fc, 5 outputs inputs: words, 9 vectors",
        "? The file does not contain the activation. It is taken to be tanh; --activation relu decides otherwise.",
        "lstm LSTM, 6 inputs, 4 units, both directions, no bias, float32 readout: none. No linear layer has 8 inputs",
        "p cannot be opened: it has proj_size",
        "linear layers fc 3 → 5",
        "embeddings words 9 vectors of 2",
    ):
        assert words in out
    assert main(["inspect", str(path), "--activation", "relu"]) == 0
    out = capsys.readouterr().out
    assert "relu RNN" in out
    assert "decides otherwise" not in out


def test_as_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["path", "format", "layers", "refused", "linear", "embeddings", "notes"]
    rnn, lstm = found["layers"]
    assert (rnn["cell"], rnn["activation"], rnn["hidden_size"], rnn["parameters"]) == ("rnn", "tanh", 3, 15)
    assert (rnn["readout"], rnn["no_readout"], rnn["embedding"]) == ("fc", None, "words")
    assert rnn["doubts"][0]["flag"] == "--activation relu"
    assert (lstm["directions"], lstm["readout"], lstm["doubts"]) == (["forward", "backward"], None, [])
    assert "No linear layer" in lstm["no_readout"]
    assert [one["name"] for one in found["refused"]] == ["p"]
    assert found["linear"] == [{"name": "fc", "inputs": 3, "outputs": 5, "bias": True, "dtype": "float32"}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "FILE"),
        (["missing.pt"], "missing.pt: No such file or directory"),
        (["."], "it is a folder, not a file"),
        (["model.npz", "--activation", "step"], "--activation: 'step' is unknown; choose from tanh, relu"),
        (["model.npz", "--activate"], "--activate: unknown flag; did you mean --activation?"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str], message: str, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(path.parent)
    assert main(["inspect", *words]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
