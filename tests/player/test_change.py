"""Changing the cause: settings, the loop; the ghost of the run before; and the way back, exactly."""

import random
from contextlib import suppress
from dataclasses import fields, replace

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import BY_GROUP, SETTINGS, Experiment
from rnnviz.experiment.run import train
from rnnviz.nn.spec import CELLS
from rnnviz.player.player import Player
from rnnviz.scene.commands import (
    Change,
    Command,
    Cut,
    DismissGhost,
    Redo,
    Seek,
    SelectUnit,
    ShowGradient,
    ShowSample,
    Train,
    Undo,
)
from rnnviz.scene.cursor import Phase
from rnnviz.scene.frame import Frame
from rnnviz.views import ghost as ghosts
from rnnviz.views import knobs

SMALL = Experiment(seq_len=5, points=20, hidden_size=4)


def change(**settings: object) -> Change:
    return Change(tuple(settings.items()))


def all_of(player: Player, *commands: Command) -> Frame:
    for command in commands:
        player.do(command)
    return player.frame


def same(a: Frame, b: Frame) -> bool:
    """Every field, and the very same scene."""
    return all(getattr(a, f.name) == getattr(b, f.name) for f in fields(Frame))


# -- change ------------------------------------------------------------------------------------------


def test_the_cursor_stays_where_it_is() -> None:
    player = Player(SMALL)
    before = all_of(player, Seek(5), *[SelectUnit(1)] * 3, ShowGradient("total")).cursor
    after = player.do(change(gain=0.5))
    assert (after.cursor, after.loss_step) == (before, None)
    assert after.experiment.gain == 0.5


def test_where_the_new_sequence_is_shorter_and_smaller_the_cursor_goes_to_its_end() -> None:
    player = Player(SMALL)
    all_of(player, Seek(5), *[SelectUnit(1)] * 3)
    cursor = player.do(change(seq_len=3, hidden_size=2)).cursor
    assert (cursor.phase, cursor.t, cursor.unit) == (Phase.FORWARD, 3, 1)


def test_what_cannot_be_raises_and_changes_nothing() -> None:
    player = Player(SMALL)
    before = player.do(Seek(2))
    for wrong in (change(seq_len=20), change(gain=-1.0), change(lag=3), change(sed=1)):
        with pytest.raises(InputError, match=wrong.settings[0][0]):
            player.do(wrong)
        assert player.frame is before
    assert same(player.do(Undo()), replace(before, cursor=replace(before.cursor, t=0))), "no trace of them in undo"


def test_a_change_begins_anew_and_says_so_where_training_is_left() -> None:
    player = Player(SMALL)
    player.do(Train("epoch", 2))
    frame = player.do(change(learning_rate=0.02))
    assert (frame.cursor.epoch, frame.learning.loss) == (0, ())
    assert "untrained" in frame.hint


def test_more_epochs_to_go_leave_the_training_as_it_is() -> None:
    player = Player(SMALL)
    before = player.do(Train("epoch", 2))
    after = player.do(change(epochs=30))
    assert after.scene is before.scene
    assert (after.cursor.epoch, after.learning.epochs, after.learning.loss) == (2, 30, before.learning.loss)
    assert player.do(Train("all")).cursor.epoch == 30


def test_a_new_task_chooses_its_own_length_and_loss() -> None:
    player = Player(Experiment(seq_len=12, loss_at="every"))
    assert player.do(change(task="recall")).experiment.seq_len == 21
    assert player.frame.experiment.loss_at == "last"
    assert player.do(change(task="sine")).experiment.seq_len == 10, "and neither is carried back"
    assert player.do(change(task="recall", lag=7)).experiment.seq_len == 8


# -- undo and redo -----------------------------------------------------------------------------------


def test_undo_brings_back_the_same_weights_and_training_goes_on_from_there() -> None:
    player = Player(SMALL)
    before = all_of(player, Train("batch", 3), Seek(4))
    all_of(player, change(cell="gru"), Train("epoch"), change(seed=9))
    all_of(player, Undo(), Undo())
    assert same(player.frame, before)
    losses = player.do(Train("epoch", 2)).learning.loss
    assert losses == tuple(train(SMALL.with_(epochs=3)).history["loss"]), "on from batch 1 of epoch 1"


def test_undo_past_training_with_the_loop_cut_goes_back_to_the_weights_of_then() -> None:
    player = Player(SMALL)
    all_of(player, Train("batch", 3), Cut(), Train("epoch", 2), Undo())
    assert (player.frame.cursor.epoch, player.frame.cursor.batch) == (1, 1)
    went_on = player.do(Train("batch")).scene.trace
    other = Player(SMALL).do(Train("batch", 4)).scene.trace
    assert all((went_on.params[name] == other.params[name]).all() for name in other.params)


def test_redo_takes_the_undo_back_with_all_that_was_done_since() -> None:
    player = Player(SMALL)
    present = all_of(player, change(gain=0.5), Train("batch"), Seek(3))
    player.do(Undo())
    assert same(player.do(Redo()), present)
    all_of(player, Undo(), change(gain=0.9))
    assert "Nothing" in player.do(Redo()).hint, "a new change leaves nothing to redo"


@pytest.mark.parametrize("seed", range(6))
def test_undone_to_the_start_it_is_the_first_frame(seed: int) -> None:
    chance = random.Random(seed)
    player = Player(SMALL)
    first = player.frame
    for _ in range(25):
        knob = chance.choice([k for k in BY_GROUP if k.name not in ("samples", "points", "task")])
        turned = knobs.turned(player.frame, knob.name, chance.choice((-1, 1)))
        command = chance.choice(
            [turned, turned, Cut(), Seek(chance.randrange(9)), Train("batch", 2), ShowSample(1), Undo(), Redo()]
        )
        if isinstance(command, str):
            continue
        with suppress(InputError):
            player.do(command)
    for _ in range(30):
        player.do(Undo())
    assert same(replace(player.frame, hint=""), first)
    fresh = Player(SMALL).frame.scene.trace
    assert (player.frame.scene.trace.grad_h == fresh.grad_h).all()


def test_the_past_is_forgotten_from_its_far_end_when_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player(SMALL)
    first = player.frame
    monkeypatch.setattr("rnnviz.player.history.BUDGET", 1)
    all_of(player, change(gain=0.5), change(gain=0.6), change(gain=0.7))
    assert player.do(Undo()).experiment.gain == 0.6
    assert same(player.do(Undo()), first), "the very first is always there"


# -- the ghost ---------------------------------------------------------------------------------------


def test_the_ghost_is_the_run_before_the_first_change_until_it_is_dismissed() -> None:
    player = Player(SMALL)
    before = player.frame
    assert before.ghost is None
    ghost = player.do(change(gain=0.5)).ghost
    assert ghost is not None
    assert ghost.name == "recurrent gain 1.0"
    assert (ghost.norms == before.gradient.norms).all()
    assert (ghost.half_life, ghost.horizon) == (before.gradient.half_life, before.gradient.horizon)
    ghost = all_of(player, change(gain=0.6), change(hidden_size=8), Train("epoch")).ghost
    assert ghost is not None
    assert ghost.scene is before.scene
    assert ghost.name == "units 4 · recurrent gain 1.0 · epoch 0"
    assert player.do(DismissGhost()).ghost is None
    ghost = player.do(change(gain=0.7)).ghost
    assert ghost is not None
    assert ghost.name == "recurrent gain 0.6 · epoch 1"
    assert player.do(Undo()).ghost is None


def test_the_ghost_stands_loss_step_under_loss_step() -> None:
    player = Player(SMALL)
    norms = player.frame.gradient.norms
    frame = player.do(change(seq_len=8))
    behind = ghosts.behind(frame)
    assert behind is not None
    assert (behind[3:] == norms).all(), "three steps longer: the same lag in the same column"
    assert np.isnan(behind[:3]).all()
    behind = ghosts.behind(player.do(ShowGradient(2)))
    assert behind is not None
    assert (behind[:3] == Player(SMALL).do(ShowGradient(2)).gradient.norms[:3]).all()
    behind = ghosts.behind(player.do(ShowGradient("total")))
    assert behind is not None
    assert (behind[3:] == Player(SMALL).do(ShowGradient("total")).gradient.norms).all()
    behind = ghosts.behind(all_of(player, ShowGradient("last"), change(seq_len=3)))
    assert behind is not None
    assert (behind == norms[2:]).all(), "two steps shorter"


def test_the_ghost_reads_the_sequence_that_is_shown() -> None:
    player = Player(SMALL)
    all_of(player, change(gain=0.5), ShowSample(2))
    ghost = player.frame.ghost
    assert ghost is not None
    assert (ghost.norms == Player(SMALL).do(ShowSample(2)).gradient.norms).all()


# -- the loop cut ------------------------------------------------------------------------------------


def test_cut_the_memory_is_gone() -> None:
    player = Player(SMALL)
    trace = player.do(Cut()).scene.trace
    assert player.frame.cut
    p = trace.params
    alone = np.tanh(trace.x @ p["rnn.weight_ih_l0"].T + p["rnn.bias_ih_l0"])
    np.testing.assert_array_equal(trace.h[1:], alone)
    norms = player.frame.gradient.norms
    assert norms[5] > 0
    assert (norms[:5] == 0).all()
    assert player.frame.gradient.horizon == 0.0


def test_training_knows_nothing_of_the_cut() -> None:
    player, other = Player(SMALL), Player(SMALL)
    cut = all_of(player, Cut(), Train("epoch", 2))
    whole = other.do(Train("epoch", 2))
    assert cut.learning == whole.learning
    assert cut.scene.trace.loss != whole.scene.trace.loss
    closed = player.do(Cut())
    assert not closed.cut
    assert (closed.scene.trace.h == whole.scene.trace.h).all()


def test_a_network_without_a_loop_is_trained_without_it() -> None:
    player, other = Player(SMALL.with_(loop=False)), Player(SMALL)
    frame = player.do(Train("epoch", 2))
    assert frame.cut
    assert not frame.scene.trace.params["rnn.weight_hh_l0"].any()
    assert frame.learning.loss != other.do(Train("epoch", 2)).learning.loss
    refused = player.do(Cut())
    assert refused.cut
    assert "the setting loop is off" in refused.hint
    again = player.do(change(loop=True))
    assert not again.cut
    assert again.scene.trace.params["rnn.weight_hh_l0"].any()


def test_a_change_leaves_the_loop_cut_and_undo_closes_it() -> None:
    player = Player(SMALL)
    assert all_of(player, Cut(), change(seed=1)).cut
    assert not all_of(player, Undo(), Undo()).cut


def test_past_the_cut_an_lstm_still_remembers_through_c() -> None:
    player = Player(SMALL.with_(cell="lstm"))
    lane = player.do(Cut()).gradient.highway
    assert lane is not None
    assert (lane.norms[:5] > 0).all()


# -- knobs -------------------------------------------------------------------------------------------


def test_every_setting_has_a_knob_that_says_what_it_is() -> None:
    assert {knob.name for knob in BY_GROUP} == {f.name for f in fields(Experiment)}
    frame = Player(SMALL).frame
    for knob in BY_GROUP:
        assert knobs.value_of(frame, knob.name)
        assert knobs.range_of(frame, knob.name) or knob.name == "source"


@pytest.mark.parametrize("task", ["sine", "recall", "characters"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_knob_turned_up_and_down_again_is_where_it_was(cell: str, task: str) -> None:
    player = Player(Experiment(cell=cell, task=task, seq_len=12, points=30, lag=10 if task == "recall" else None))
    frame = player.frame
    for knob in BY_GROUP:
        up = knobs.turned(frame, knob.name, +1)
        if isinstance(up, str):
            assert knobs.why_not(frame, knob.name) or "type a file name" in up or "is the" in up
            continue
        [(name, value)] = up.settings
        there = replace(frame, requested=knobs.requested(frame).with_(**{name: value}))
        down = knobs.turned(replace(there, experiment=frame.experiment.with_(**{name: value})), knob.name, -1)
        assert isinstance(down, Change)
        was = getattr(frame.requested, name)
        assert down.settings == ((name, was if was is not None else down.settings[0][1]),)


def test_a_learning_rate_goes_in_steps_of_one_two_five() -> None:
    player = Player(SMALL)
    seen = []
    for _ in range(4):
        command = knobs.turned(player.frame, "learning_rate", +1)
        assert isinstance(command, Change)
        seen.append(player.do(command).experiment.learning_rate)
    assert seen == [0.02, 0.05, 0.1, 0.2]


def test_what_has_no_effect_says_why() -> None:
    frame = Player(SMALL).frame
    assert knobs.why_not(frame, "forget_bias") == "only an LSTM has a forget gate"
    assert knobs.why_not(frame, "lag") == "this task has no lag"
    assert knobs.why_not(frame, "momentum") is None
    lstm = Player(Experiment(cell="lstm", task="recall", lag=5, optimizer="adam")).frame
    assert knobs.why_not(lstm, "forget_bias") is None
    assert knobs.why_not(lstm, "lag") is None
    assert "adam" in (knobs.why_not(lstm, "momentum") or "")
    assert knobs.why_not(lstm, "activation") == "an LSTM's activations are fixed"
    assert knobs.turned(lstm, "momentum", 1) == "momentum: only sgd has momentum, not adam."


def test_what_is_left_open_says_what_came_of_it_and_steps_on_from_there() -> None:
    frame = Player(Experiment()).frame
    assert knobs.value_of(frame, "seq_len") == "auto 10"
    assert knobs.turned(frame, "seq_len", +1) == change(seq_len=12)
    assert knobs.turned(frame, "seq_len", -1) == change(seq_len=8)
    lowest = Player(Experiment(seq_len=1)).frame
    assert knobs.turned(lowest, "seq_len", -1) == change(seq_len=None)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("gain", "0.85", 0.85), ("hidden_size", " 7 ", 7), ("seq_len", "", None), ("clip_norm", "off", None),
        ("loss_at", "3,7", "3,7"), ("shuffle", "off", False), ("cell", "gru", "gru"),
    ],
)  # fmt: skip
def test_a_typed_value(name: str, text: str, value: object) -> None:
    assert SETTINGS[name].parse(text) == value


@pytest.mark.parametrize(
    ("name", "text"), [("gain", "much"), ("hidden_size", "1.5"), ("shuffle", "maybe"), ("gain", "")]
)
def test_a_typed_value_that_is_none(name: str, text: str) -> None:
    with pytest.raises(InputError, match=name):
        SETTINGS[name].parse(text)


def test_a_knob_says_whether_it_draws_other_weights() -> None:
    """Those that do not leave every weight matrix as it is but for its size."""
    experiment = Experiment(seq_len=5, points=20, hidden_size=6, init="orthogonal", batch_size=1)
    before = Player(experiment).frame.scene.model.params
    for knob in BY_GROUP:
        turned = knobs.turned(Player(experiment).frame, knob.name, +1)
        if isinstance(turned, str) or knob.name in ("task", "biases"):  # another task may read other inputs
            continue
        after = Player(experiment).do(turned).scene.model.params
        kept = all(
            name in after and np.shape(after[name]) == np.shape(w) and np.allclose(
                after[name] * np.linalg.norm(w), w * np.linalg.norm(after[name])
            ) for name, w in before.items() if "weight" in name
        ) and set(before) == set(after)  # fmt: skip
        assert kept != knob.redraws, knob.name


def test_a_ghost_of_another_task_stands_behind_nothing() -> None:
    player = Player(SMALL)
    frame = all_of(player, change(gain=0.5))
    assert ghosts.behind(frame) is not None
    frame = player.do(change(task="recall"))
    assert frame.ghost is not None
    assert ghosts.behind(frame) is None
    assert ghosts.behind(player.do(change(task="sine"))) is not None


def test_more_spectral_radius_is_more_than_what_was_drawn() -> None:
    frame = Player(SMALL).frame
    for by, compare in ((1, float.__gt__), (-1, float.__lt__)):
        asked = knobs.turned(frame, "spectral_radius", by)
        assert isinstance(asked, Change)
        assert compare(dict(asked.settings)["spectral_radius"], frame.experiment.gain)


@pytest.mark.parametrize(("name", "value"), [
    ("optimizer", "0.1"), ("cell", "x"), ("task", "q"), ("loss_at", "foo"), ("truncate", "3"), ("learning_rate", -1.0),
    ("hidden_size", 0),
])  # fmt: skip
def test_a_bad_value_is_told_with_its_setting_named_once(name: str, value: object) -> None:
    with pytest.raises(InputError) as told:
        Player(Experiment()).do(Change(((name, value),)))
    assert str(told.value).startswith(f"{name}: ")
    assert str(told.value).count(f"{name}:") == 1
