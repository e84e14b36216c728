"""A network from a file: with weights alone the row is ‖∂h_T/∂h_t‖, and every place that names it says so."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.nn.cell_table import CELLS
from rnnviz.player.kinds.network import NetworkRun
from rnnviz.player.kinds.opening import NetworkOpening
from rnnviz.player.player import Player
from rnnviz.recordings import passes
from rnnviz.scene.commands import Check, Compare, Left, Measure, Pin, Right, Seek, ShowGradient, ShowSample, Train
from rnnviz.views import analysis, ledger
from rnnviz.words.ledger import sentence
from rnnviz.words.narration import narrate
from rnnviz.words.voice import Voice
from tests.networks_here import file_of, layer_of

VOICE = Voice(200, {})


def opened(*layers, outputs=0, words=0, **opening):
    return Player(NetworkRun(NetworkOpening("model.pt", **opening), file_of(*layers, outputs=outputs, words=words)))


@pytest.mark.parametrize("cell", CELLS)
def test_the_row_is_what_the_last_state_does_with_earlier_ones(cell):
    if not CELLS[cell].recurrent:
        pytest.skip("its layers have other names of weights")
    player = opened(layer_of(cell))
    frame = player.do(Seek(40))
    trace, row = frame.scene.trace, frame.gradient
    assert not frame.scene.has_loss
    assert frame.scene.loss is None
    assert row.norms[40] == 1.0
    np.testing.assert_array_equal(row.norms, trace.sensitivity_of(40).h.largest)
    np.testing.assert_allclose(row.frobenius.norms, np.linalg.norm(row.states[:, 0], axis=1))
    assert (row.norms <= row.frobenius.norms * (1 + 1e-12)).all()
    assert (row.highway is None) == (not CELLS[cell].gates)
    if cell == "gru":
        kept = np.cumprod(trace.gates["z"][::-1, 0], axis=0)[::-1]
        np.testing.assert_allclose(row.highway.norms[:40], kept.max(axis=1))
    if cell == "lstm":
        np.testing.assert_array_equal(row.highway.norms, trace.sensitivity_of(40).c.largest)


def test_t_switches_between_the_two_norms_and_there_is_no_total():
    player = opened(layer_of("rnn"))
    player.do(Seek(40))
    for _ in range(2):
        player.do(Right())
    largest = player.frame.gradient
    frame = player.do(ShowGradient("switch"))
    assert frame.loss_step == 40
    assert frame.gradient is largest.frobenius
    assert "Frobenius" in " ".join(narrate(player.do(Seek(30)), VOICE))
    assert player.do(ShowGradient("total")).loss_step == 40
    assert player.do(ShowGradient("switch")).gradient is largest
    chosen = player.do(ShowGradient(12))
    assert chosen.gradient.norms[12] == 1.0
    assert not chosen.gradient.norms[13:].any()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_no_word_of_a_loss_but_that_there_is_none(cell):
    player = opened(layer_of(cell))
    said = [player.frame.scene.describe(answered=True)]
    for command in (Seek(40), Right(), Seek(40), Seek(39), Seek(20), ShowGradient("switch"), Seek(0), ShowGradient(9)):
        frame = player.do(command)
        said += [*narrate(frame, VOICE), frame.hint]
    frame = player.do(Measure("ledger", 9))
    said.append(sentence(ledger.table(frame.scene, 9), frame.gradient))
    for text in said:
        rest = text.replace("there is no loss", "")
        assert "loss" not in rest, text
        assert "gradient" not in rest, text
        assert "error" not in rest, text
        assert "nan" not in rest, text


def test_the_instruments_work():
    player = opened(layer_of("lstm"))
    frame = player.do(Measure("triangle"))
    triangle = analysis.triangle(frame.scene).norms
    assert (np.diag(triangle)[1:] == 1).all()
    np.testing.assert_array_equal(triangle[40], frame.gradient.norms)
    assert "match" in player.do(Check()).hint
    frame = player.do(Measure("gain"))
    assert analysis.gain(frame.scene).shape == (40,)
    assert player.do(ShowSample(1)).scene.sample == 1


def test_a_large_network_is_there_before_its_singular_values(monkeypatch):
    monkeypatch.setattr("rnnviz.views.prepare.SOON", 0)
    player = opened(layer_of("rnn"))
    assert player.frame.gradient.waits
    for command in (Seek(40), Right(), Left()):
        player.do(command)
    assert "not worked out" in narrate(player.frame, VOICE)[0]
    frame = player.do(Measure("gradient", 40))
    assert not frame.gradient.waits
    assert frame.gradient.norms[40] == 1.0


@pytest.mark.parametrize(("level", "direction"), [(0, "forward"), (0, "backward"), (1, "forward"), (1, "backward")])
def test_every_level_and_direction_is_the_states_of_the_layer(level, direction):
    layer = layer_of("gru", levels=2, both=True)
    player = opened(layer, level=level, direction=direction)
    from rnnviz.player.kinds.network_inputs import record_of

    x = player.frame.scene.task.x[0, :, None]
    whole = passes.passes(record_of(layer, x))[level, direction].forward.h
    np.testing.assert_allclose(player.frame.scene.trace.h, whole)


def test_the_inputs_that_nobody_gave_are_said_to_be_made_here():
    assert "unit noise, made here (seed 0)" in opened(layer_of()).frame.scene.describe(answered=False)
    frame = opened(layer_of(), words=11).frame
    assert "random rows of embedding (seed 0)" in frame.scene.describe(answered=False)
    token = int(frame.scene.task.tokens(0)[0])
    table = file_of(layer_of(), words=11).embeddings[0].weight
    np.testing.assert_array_equal(frame.scene.trace.x[0, 0], table[token])


def test_the_other_layers_of_the_file_that_can_read_the_same_stand_beside_it():
    player = opened(
        layer_of("lstm", name="a", levels=2), layer_of("gru", name="b"), layer_of(name="c", inputs=4), layer="a"
    )
    frame = player.do(Compare())
    assert [one.settings.title for one in frame.beside] == ["a level 0", "b"]
    for one in frame.beside:
        assert not one.scene.gradient(40).waits
    player.do(Pin())
    assert player.frame.pinned == frame.settings


def test_what_it_cannot_do_it_says():
    player = opened(layer_of())
    frame = player.do(Train("epoch"))
    assert frame.hint == frame.cannot["epoch"]
    for name in ("layer", "level", "direction"):
        with pytest.raises(InputError):
            opened(layer_of(), **{name: {"layer": "other", "level": 3, "direction": "backward"}[name]})
