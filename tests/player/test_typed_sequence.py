"""A typed sequence: what the score shows of it, its ghost, and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.player.kinds.network import NetworkRun
from rnnviz.player.kinds.opening import CANNOT, NetworkOpening, Opening
from rnnviz.player.player import Player, open_player
from rnnviz.scene.commands import Go, ShowSample, Train, TypeSequence, Undo
from rnnviz.scene.cursor import Phase
from rnnviz.views.ghost import behind
from tests.networks_here import file_of, layer_of
from tests.recordings_here import made


def names():
    player = open_player(Experiment(task="names", cell="gru", hidden_size=6))
    player.do(Train("batch"))
    return player


def test_the_trace_is_that_of_the_network_reading_it():
    player = names()
    frame = player.do(TypeSequence("rossi = italian"))
    scene, task = frame.scene, frame.scene.task
    x = np.eye(26)[[task.vocab.index(letter) for letter in "rossi"]][:, None]
    target = np.full((5, 1), task.labels.index("Italian"))
    own = scene.model.trace(x, target, loss="cross_entropy", loss_at="last")
    np.testing.assert_allclose(scene.trace.grad_h, own.grad_h)
    assert scene.loss == pytest.approx(own.loss)
    assert frame.T == 5
    assert (frame.cursor.phase, frame.cursor.t) == (Phase.FORWARD, 5)


def test_its_own_answer_is_the_target_where_none_was_typed():
    scene = names().do(TypeSequence("rossi")).scene
    label, share = scene.guesses(5)[0]
    assert scene.answer(5) == label
    assert scene.loss == pytest.approx(-np.log(share))


def test_the_sequence_before_is_its_ghost_and_undo_and_another_sequence_take_it_away():
    player = names()
    before = player.do(Go("backward", 0))
    frame = player.do(TypeSequence("rossi"))
    assert frame.ghost.scene.trace is before.scene.trace
    assert frame.ghost.name == "sequence 1"
    lags = np.arange(6)
    np.testing.assert_array_equal(behind(frame)[5 - lags], before.gradient.norms[before.T - lags])
    assert frame.cursor.t == 0
    again = player.do(TypeSequence("2 = a"))
    assert again.ghost.name == "rossi"
    assert player.do(Undo()).scene.trace is frame.scene.trace
    assert player.do(ShowSample(1)).ghost is None
    assert player.do(ShowSample(-1)).scene.is_typed
    back = player.do(TypeSequence(""))
    assert not back.scene.is_typed
    assert back.ghost is None
    np.testing.assert_array_equal(back.scene.trace.x, before.scene.trace.x)


def test_training_goes_on_with_the_data_and_the_typed_sequence_stays_in_view():
    player, other = names(), names()
    player.do(TypeSequence("rossi = italian"))
    frame, plain = player.do(Train("epoch")), other.do(Train("epoch"))
    assert frame.scene.is_typed
    for name, array in plain.scene.model.params.items():
        np.testing.assert_array_equal(frame.scene.model.params[name], array)
    assert frame.scene.outcome.accuracy == plain.scene.outcome.accuracy


def test_bad_text_changes_nothing():
    player = names()
    before = player.frame
    with pytest.raises(InputError):
        player.do(TypeSequence("O'Neil"))
    assert player.frame.scene is before.scene
    assert player.job is None


def test_a_recording_gives_its_reason(tmp_path):
    made(tmp_path / "run", records=1)
    player = open_player(Opening(str(tmp_path / "run")))
    assert player.do(TypeSequence("1 2")).hint == CANNOT["type"]


def test_a_network_reads_numbers_and_rows_of_its_embedding():
    player = Player(NetworkRun(NetworkOpening("model.pt"), file_of(layer_of(inputs=2))))
    frame = player.do(TypeSequence("1 2; 3 4; 5 6"))
    assert frame.T == 3
    assert frame.gradient.norms[3] == 1
    assert frame.ghost.is_like(frame.experiment)
    assert behind(frame) is not None
    player = Player(NetworkRun(NetworkOpening("model.pt"), file_of(layer_of(inputs=2), words=9)))
    frame = player.do(TypeSequence("8 0 8"))
    table = file_of(layer_of(inputs=2), words=9).embeddings[0].weight
    np.testing.assert_array_equal(frame.scene.trace.x[:, 0], table[[8, 0, 8]])
    assert frame.scene.task.tokens(0)[:3] == ("8", "0", "8")
    for text in ("9", "1.5", "-1", "one"):
        with pytest.raises(InputError):
            player.do(TypeSequence(text))
