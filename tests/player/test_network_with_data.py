"""A network from a file with data of its own: where readout and targets fit, what goes back is a gradient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.build import build_task, resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.player.kinds.network import NetworkRun
from rnnviz.player.kinds.opening import NetworkOpening
from rnnviz.player.player import Player, open_player
from rnnviz.scene.commands import Check, Right, Seek, ShowGradient, TypeSequence
from rnnviz.tasks.typed import with_typed
from rnnviz.words.narration import narrate
from rnnviz.words.voice import Voice
from tests import peers
from tests.networks_here import file_of, layer_of

NAMES = Experiment(task="names")


def run_of(layer, *, outputs=8, words=0, data=NAMES, **opening):
    return NetworkRun(NetworkOpening("model.pt", data=data, **opening), file_of(layer, outputs=outputs, words=words))


def test_a_classifier_shows_its_answers_its_loss_and_the_gradient_of_it():
    run = run_of(layer_of("gru", inputs=26, levels=2))
    player = Player(run)
    scene = player.frame.scene
    assert run.has_loss
    assert scene.task.has_readout
    own = scene.model.trace(scene.trace.x, scene.task.targets[0, : scene.T, None], "cross_entropy", "last")
    assert scene.loss == pytest.approx(own.loss)
    np.testing.assert_allclose(scene.gradient(scene.T).states, own.grad_h)
    assert "fit" not in run.cannot
    assert player.do(ShowGradient("total")).loss_step is None
    assert "match" in player.do(Check()).hint


@pytest.mark.parametrize(("level", "direction"), [(0, "forward"), (1, "forward"), (1, "backward")])
def test_a_part_whose_outputs_are_not_the_networks_has_the_gradient_of_the_same_loss(level, direction):
    """By finite differences of the whole network's loss: a bias of that part moves."""
    layer = layer_of("lstm", inputs=26, levels=2, both=True)
    run = run_of(layer, level=level, direction=direction)
    scene = run.scene(0)
    assert not scene.task.has_readout
    assert scene.loss == pytest.approx(run._loss_of(0).loss)
    name = f"bias_ih_l{level}" + ("_reverse" if direction == "backward" else "")
    losses = []
    for sign in (1, -1):
        weights = {key: np.array(array) for key, array in layer.weights.items()}
        weights[name][3] += sign * 1e-5
        moved = run_of(type(layer)("encoder", "lstm", weights), level=level, direction=direction)
        losses.append(moved.scene(0).loss)
    own = scene.trace.grads["rnn.bias_ih_l0"][3]
    assert own == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-6)
    assert "readout reads more" in run.cannot["fit"]
    player = Player(run)
    player.do(Seek(scene.T))
    assert "The loss of this sequence is" in narrate(player.do(Right()), Voice(200, {}))[0]


def test_an_embedding_is_multiplied_into_the_first_weights():
    run = run_of(layer_of("gru", inputs=4), words=26)
    table = run.file.embeddings[0].weight
    np.testing.assert_allclose(
        run.layer.weights["weight_ih_l0"], layer_of("gru", inputs=4).weights["weight_ih_l0"] @ table.T
    )
    assert any("Row k" in note for note in run.task.notes)
    assert run.task.tokens(0)[0].isalpha()


@pytest.mark.parametrize(("outputs", "readout"), [(3, None), (8, "none"), (0, None)])
def test_without_a_readout_that_fits_there_is_no_loss_and_the_reason_is_given(outputs, readout):
    run = run_of(layer_of("gru", inputs=26), outputs=outputs, readout=readout)
    assert not run.has_loss
    assert not run.scene(0).has_loss
    assert any(note.startswith("No loss: ") for note in run.task.notes)
    assert "fit" in run.cannot
    assert run.task.tokens(0)[0].isalpha()


def test_data_that_the_layer_cannot_read_is_one_line():
    with pytest.raises(InputError, match=r"it has 26 symbols, but encoder reads 3"):
        run_of(layer_of("gru"))
    with pytest.raises(InputError, match=r"it has 1 inputs a step, but encoder reads 3"):
        run_of(layer_of("gru"), data=Experiment())


def test_a_typed_name_is_judged_by_the_networks_own_answer():
    for both in (False, True):
        player = Player(run_of(layer_of("gru", inputs=26, both=both)))
        frame = player.do(TypeSequence("rossi"))
        assert frame.T == 5
        assert frame.scene.has_loss
        p = np.exp(-frame.scene.loss)
        assert p >= 1 / 8, "it is the likeliest"
        assert frame.ghost is not None


@pytest.mark.slow
def test_a_typed_name_a_moved_value_and_the_gradient_of_the_inputs_are_pytorchs(tmp_path):
    experiment = resolved(Experiment())
    moved = with_typed(build_task(experiment), 0, "7 = 0.5")
    np.savez(tmp_path / "moved.npz", x=moved.x[0, :, None], targets=moved.targets[0, :, None])
    peers.run(Path(__file__).with_name("network_in_pytorch.py"), str(tmp_path), needs=("torch", "numpy"))
    with np.load(tmp_path / "found.npz") as file:
        found = {name: file[name] for name in file.files}
    for name in ("classifier", "words", "forecast", "both"):
        data, typed = (Experiment(), "7 = 0.5") if name == "forecast" else (NAMES, "rossi = Italian")
        parts = [{}] if name != "both" else [{"level": 0, "direction": way} for way in ("forward", "backward")]
        scenes = []
        for part in parts:
            player = open_player(NetworkOpening(str(tmp_path / f"{name}.pt"), data=data, **part))
            scenes.append(player.do(TypeSequence(typed)).scene)
        assert scenes[0].loss == pytest.approx(float(found[f"{name}.loss"]), rel=1e-9), name
        grad_x = scenes[0].trace.grad_x + (scenes[1].trace.grad_x[::-1] if len(scenes) > 1 else 0)
        np.testing.assert_allclose(grad_x, found[f"{name}.x"], rtol=1e-7, atol=1e-12, err_msg=name)
        if name != "both":
            np.testing.assert_allclose(scenes[0].trace.y, found[f"{name}.y"], rtol=1e-9)


def test_a_mask_that_copies_is_refused_and_padding_is_read_by_every_part():
    with pytest.raises(InputError, match=r"^mask: a network from a file reads the data packed"):
        run_of(layer_of("gru", inputs=26), data=NAMES.with_(mask="copy"))
    scene = run_of(
        layer_of("gru", inputs=26, levels=2), data=NAMES.with_(mask="none", padding="before"), level=0
    ).scene(0)
    assert scene.T == 11
    assert scene.task.tokens(0)[0] == "▫"
    assert scene.is_padding(1)
    assert scene.trace.h[1].any()  # its biases act
