"""`rnnviz gradients WEIGHTS` and `rnnviz diagnose WEIGHTS`: figures, words, and one line for what cannot be."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from rnnviz.cli.commands import COMMANDS
from rnnviz.cli.flags import read
from rnnviz.cli.main import main
from rnnviz.errors import InputError
from rnnviz.player.kinds.network import NetworkRun
from rnnviz.player.kinds.opening import NetworkOpening
from tests.networks_here import layer_of


@pytest.fixture
def path(tmp_path):
    """A tanh RNN, whose activation the file does not contain, and a GRU."""
    arrays = {}
    for name, layer in {"rnn": layer_of("rnn", scale=0.2), "gru": layer_of("gru")}.items():
        arrays |= {f"{name}.{key}": np.asarray(array, np.float32) for key, array in layer.weights.items()}
    np.savez(tmp_path / "model.npz", **arrays)
    return str(tmp_path / "model.npz")


def out(capsys, *words):
    assert main(list(words)) == 0
    return capsys.readouterr().out


def error(capsys, *words):
    assert main(list(words)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_gradients_are_the_singular_values_of_the_jacobian_and_say_so(path, capsys):
    found = json.loads(out(capsys, "gradients", path, "--layer", "gru", "--json"))
    trace = NetworkRun(NetworkOpening(path, layer="gru")).scene(0).trace
    np.testing.assert_allclose(found["grad_norm"], trace.sensitivity_of(40).h.largest, rtol=1e-12)
    np.testing.assert_allclose(found["frobenius"], trace.sensitivity_of(40).h.frobenius, rtol=1e-12)
    assert found["grad_norm"][40] == 1
    assert found["horizon"] == pytest.approx(trace.horizon)
    assert found["loss"] is None
    assert found["network"]["norm"].startswith("largest singular value")
    assert "unit noise, made here" in found["network"]["reads"]
    assert "knobs" in found["cannot"]
    text = out(capsys, "gradients", path, "--layer", "gru")
    assert "With weights alone there is no loss" in text
    assert "‖∂h₄₀/∂h‖" in text
    assert "∂L" not in text


def test_a_step_and_an_activation_are_chosen(path, capsys):
    tanh, relu = (
        json.loads(out(capsys, "gradients", path, "--layer", "rnn", "--loss-step", "9", "--activation", name, "--json"))
        for name in ("tanh", "relu")
    )
    assert tanh["loss_step"] == 9
    assert tanh["grad_norm"][9] == 1
    assert not any(tanh["grad_norm"][10:])
    assert tanh["grad_norm"] != relu["grad_norm"]
    assert tanh["network"]["doubts"] == []
    assert "--activation relu" in out(capsys, "gradients", path, "--layer", "rnn")


def test_what_cannot_be_is_one_line(path, capsys):
    assert "--layer" in error(capsys, "gradients", path)
    assert "no total" in error(capsys, "gradients", path, "--layer", "gru", "--loss-step", "total")
    assert "choose 1 to 40" in error(capsys, "gradients", path, "--layer", "gru", "--loss-step", "41")
    assert "knobs" in error(capsys, "gradients", path, "--hidden", "7")
    assert "not trained" in error(capsys, "gradients", path, "--after-epochs", "3")
    assert "not trained" in error(capsys, "train", path)
    assert "no records" in error(capsys, "gradients", path, "--record", "2")
    assert "choose 0 to 7" in error(capsys, "gradients", path, "--layer", "gru", "--sample", "8")
    assert "No such file" in error(capsys, "gradients", "missing.npz")
    assert "name it first" in error(capsys, "gradients", "--readout", "head")


def test_the_app_opens_a_file_of_weights(path):
    options = read([path, "--layer", "gru", "--readout", "none"])
    assert options.network == NetworkOpening(path, layer="gru", readout="none")
    assert options["free"]


def test_the_same_flag_is_an_experiments_readout(capsys):
    for words in (["--readout", "additive", "--task", "recall"], ["--readout=additive", "--task=recall"]):
        (experiment,) = read(words).experiments
        assert experiment.readout == "additive"
    assert read(["--readout", "linear"])["free"]
    (experiment,) = read(["--readout", "attention"], COMMANDS["train"]).experiments
    assert experiment.readout == "attention"
    assert "linear, attention and additive are known" in error(capsys, "gradients", "--readout", "dot")
    assert "choose from linear, attention, additive" in error(capsys, "train", "--readout", "dot")
    linear, looks_back = (
        json.loads(
            out(capsys, "gradients", "--task", "recall", "--lag", "30", "--gain", "0.5", "--readout", kind, "--json")
        )
        for kind in ("linear", "attention")
    )
    assert linear["horizon"] < 30
    assert looks_back["horizon"] is None
    assert looks_back["half_life"] is None
    assert looks_back["loop_horizon"] < 30
    assert looks_back["loop_norm"][1] < 1e-3 * looks_back["grad_norm"][1]
    assert "loop_norm" not in linear
    text = out(capsys, "gradients", "--task", "recall", "--lag", "30", "--gain", "0.5", "--readout", "additive")
    assert "through the loop alone: horizon" in text


def test_diagnose_judges_the_way_back_of_the_last_state(path, capsys):
    found = json.loads(out(capsys, "diagnose", path, "--layer", "rnn", "--json"))
    assert found["kind"] == "network"
    assert "vanishing-gradient" in [one["rule"] for one in found["findings"]]
    (finding,) = [one for one in found["findings"] if one["rule"] == "vanishing-gradient"]
    assert "∂h_T/∂h_t" in finding["what"]
    assert "loss" not in finding["what"]
    figures = finding["evidence"]
    assert math.isclose(figures["factor"] ** figures["lag"], figures["left"], rel_tol=1e-9)
    assert math.isclose(figures["slope"] * figures["weight"], figures["factor"], rel_tol=1e-9)
    assert any("No training is known" in note for note in found["notes"])
    text = out(capsys, "diagnose", path, "--layer", "gru")
    assert "horizon" in text


def test_a_file_with_a_nan_is_found(tmp_path, capsys):
    weights = {name: np.array(a, np.float32) for name, a in layer_of("gru").weights.items()}
    weights["weight_hh_l0"][2, 1] = np.nan
    np.savez(tmp_path / "bad.npz", **weights)
    found = json.loads(out(capsys, "diagnose", str(tmp_path / "bad.npz"), "--json"))
    assert found["findings"][0]["rule"] == "not-finite"
    assert "weight_hh_l0" in found["findings"][0]["what"]


def test_two_files_stand_side_by_side(path, tmp_path):
    from rnnviz.player.kinds.network import NetworkRun as Run
    from rnnviz.player.player import Player
    from rnnviz.scene.commands import Compare, TypeSequence

    other = tmp_path / "later.npz"
    np.savez(other, **{f"gru.{key}": np.array(a, np.float32) for key, a in layer_of("gru", seed=5).weights.items()})
    options = read([path, "--layer", "gru", "--beside", str(other)])
    player = Player(Run(options.network))
    (beside,) = player.do(Compare()).beside
    assert beside.settings.title == "later.npz gru"
    np.testing.assert_array_equal(beside.scene.trace.x, player.frame.scene.trace.x)
    alone = Run(NetworkOpening(str(other))).scene(0)
    np.testing.assert_allclose(beside.scene.gradient(40).norms, alone.gradient(40).norms)
    frame = player.do(TypeSequence("1 2 3; 4 5 6"))
    assert frame.beside[0].scene.T == 2


def test_what_cannot_stand_beside_it_is_one_line(path, tmp_path, capsys):
    narrow = tmp_path / "narrow.npz"
    np.savez(narrow, **{key: np.array(a, np.float32) for key, a in layer_of("gru", inputs=1).weights.items()})
    with pytest.raises(InputError, match="reads 1 inputs"):
        NetworkRun(NetworkOpening(path, layer="gru", beside=str(narrow)))
    with pytest.raises(InputError, match=r"beside: only a file of weights"):
        read(["--beside", str(narrow)])


def test_generated_sequences_have_the_steps_that_were_asked_for(path):
    options = read([path, "--layer", "gru", "--steps", "12"])
    assert NetworkRun(options.network).scene(0).T == 12
