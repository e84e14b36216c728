"""The player: one story of four moves, exact in both directions, and never stuck."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.player.player import Player
from rnnviz.scene.commands import (
    Back,
    Change,
    Left,
    Next,
    Previous,
    Right,
    Seek,
    SelectUnit,
    ShowGradient,
    ShowSample,
    Train,
)
from rnnviz.scene.cursor import Cursor, Phase, phase_and_step
from rnnviz.scene.frame import Frame
from rnnviz.tui.voice import VOICE
from rnnviz.words.narration import narrate

SMALL = Experiment(hidden_size=4, seq_len=5, points=20)


def walk(player: Player, *commands) -> Frame:
    for command in commands:
        player.do(command)
    return player.frame


def weights(player: Player) -> dict[str, np.ndarray]:
    return dict(player.frame.scene.trace.params)


def same_weights(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


@given(st.integers(1, 50), st.data())
def test_the_story_is_one_line(T: int, data) -> None:
    place = data.draw(st.integers(0, 2 * T + 3))
    phase, t = phase_and_step(place, T)
    assert Cursor(phase=phase, t=t).place(T) == place


def test_right_reads_and_left_takes_back() -> None:
    player = Player(SMALL)
    start = player.frame
    for t in range(1, 6):
        assert player.do(Right()).read == t
    for t in range(4, -1, -1):
        assert player.do(Left()).read == t
    assert player.frame.cursor == start.cursor
    assert player.do(Left()).hint  # nothing before the beginning, and it says so


def test_after_the_turn_left_goes_back_in_time_and_right_takes_it_back() -> None:
    player = Player(SMALL)
    frame = walk(player, Seek(5), Right())
    assert frame.cursor.phase is Phase.LOSS
    assert frame.reached is None
    for t in range(5, -1, -1):
        frame = player.do(Left())
        assert (frame.cursor.phase, frame.reached) == (Phase.BACKWARD, t)
    assert player.do(Left()).reached == 0
    for t in range(1, 6):
        assert player.do(Right()).reached == t
    assert player.do(Right()).cursor.phase is Phase.LOSS
    assert player.do(Right()).cursor.phase is Phase.LOSS  # the walk has turned; enter and backspace cross it
    assert player.do(Previous()).cursor == Cursor(phase=Phase.FORWARD, t=5)


def test_seek_stops_at_the_ends() -> None:
    player = Player(SMALL)
    assert player.do(Seek(99)).cursor.t == 5
    assert player.do(Seek(-3)).cursor.t == 0
    assert walk(player, Seek(5), Right(), Seek(2)).reached == 2


def test_the_story_goes_round_and_its_update_is_the_batch_it_trains() -> None:
    player = Player(SMALL)
    before = weights(player)
    for _ in range(2 * 5 + 3):
        player.do(Next())
    frame = player.frame
    assert frame.cursor.phase is Phase.UPDATE
    assert same_weights(weights(player), before), "the update is shown before it is made"
    told = frame.update
    assert told is not None
    frame = player.do(Next())
    assert (frame.cursor.phase, frame.cursor.t, frame.cursor.batch) == (Phase.FORWARD, 0, 1)
    after = weights(player)
    for name, size, step in told.rows:
        assert np.linalg.norm(before[name]) == pytest.approx(size, rel=1e-12)
        assert np.linalg.norm(after[name] - before[name]) == pytest.approx(step, rel=1e-12)
    assert frame.scene.trace.loss == pytest.approx(told.loss_after, rel=1e-12)


def test_previous_leaves_the_update_untaken() -> None:
    player = Player(SMALL)
    before = weights(player)
    for _ in range(2 * 5 + 3):
        player.do(Next())
    frame = player.do(Previous())
    assert (frame.cursor.phase, frame.cursor.t, frame.cursor.batch) == (Phase.BACKWARD, 0, 0)
    assert same_weights(weights(player), before)


def test_which_gradient_is_shown() -> None:
    player = Player(SMALL)
    trace = player.frame.scene.trace
    assert player.frame.loss_step == 5
    assert np.array_equal(player.frame.gradient.norms, trace.grad_norm(5))
    frame = player.do(ShowGradient("switch"))
    assert frame.loss_step is None
    assert np.allclose(frame.gradient.norms, np.linalg.norm(trace.grad_h, axis=(1, 2)), rtol=1e-14)
    frame = player.do(ShowGradient(3))
    assert np.allclose(frame.gradient.norms, trace.triangle[3], rtol=1e-12, atol=0)
    frame = player.do(ShowGradient(9))
    assert frame.loss_step == 3
    assert frame.hint


def test_going_back_in_training_is_exact() -> None:
    player = Player(SMALL)
    seen = {}
    for _ in range(3):
        seen[player.frame.cursor.epoch] = weights(player), player.frame.scene.trace.loss
        player.do(Train("epoch"))
    for epoch in (2, 1, 0):
        frame = player.do(Back("epoch"))
        assert frame.cursor.epoch == epoch
        assert same_weights(weights(player), seen[epoch][0])
        assert frame.scene.trace.loss == seen[epoch][1]
    assert len(player.frame.learning.loss) == 3, "what was learnt later stays on the loss curve"
    player.do(Train("epoch"))
    assert same_weights(weights(player), seen[1][0])
    assert player.do(Back("all")).cursor.epoch == 0
    assert player.do(Back("all")).hint


def test_batches_within_an_epoch() -> None:
    player = Player(SMALL)
    per_epoch = player.frame.learning.batches_per_epoch
    assert per_epoch == 2
    first = weights(player)
    player.do(Train("batch"))
    assert (player.frame.cursor.epoch, player.frame.cursor.batch) == (0, 1)
    player.do(Train("epoch"))  # to the end of the epoch under way
    assert (player.frame.cursor.epoch, player.frame.cursor.batch) == (1, 0)
    player.do(Back("batch"))
    assert (player.frame.cursor.epoch, player.frame.cursor.batch) == (0, 1)
    player.do(Back("batch"))
    assert same_weights(weights(player), first)


def test_all_epochs_and_not_one_more() -> None:
    player = Player(SMALL.with_(epochs=3))
    assert player.do(Train("all")).cursor.epoch == 3
    assert player.do(Train("all")).hint
    assert player.do(Train("epoch")).cursor.epoch == 4


def test_a_job_can_be_cancelled_and_keeps_what_is_done() -> None:
    player = Player(SMALL.with_(epochs=1000))
    job = player.begin(Train("all"))
    assert job is not None
    reports = []

    def stop(progress) -> None:
        reports.append(progress)
        if len(reports) == 2:
            job.cancel()

    job.run(stop)
    frame = player.finish(job)
    assert frame.cursor.epoch == 2
    assert frame.job is None
    assert "nothing is lost" in frame.hint
    assert reports[0].total == 2000


def test_while_a_job_runs_the_present_can_still_be_walked() -> None:
    player = Player(SMALL)
    job = player.begin(Train("epoch"))
    assert job is not None
    assert player.begin(Right()) is None
    assert player.frame.cursor.t == 1
    assert player.begin(Train("epoch")) is None  # a second slow command has to wait
    assert player.frame.hint
    job.run()
    assert player.finish(job).cursor.t == 1


def test_a_refused_change_changes_nothing() -> None:
    player = Player(SMALL)
    player.do(Train("batch"))
    before = player.frame
    for bad in ({"hidden_size": 0}, {"points": 3}, {"nonsense": 1}, {"source": "absent.txt"}):
        with pytest.raises(InputError):
            player.do(Change(tuple(bad.items())))
        assert player.frame.scene is before.scene
        assert player.frame.cursor == before.cursor
        assert player.job is None


def test_another_sequence() -> None:
    player = Player(SMALL)
    n = len(player.frame.scene.task)
    assert player.do(ShowSample(1)).scene.sample == 1
    assert player.do(ShowSample(-2)).scene.sample == n - 1


def test_units_stop_at_the_ends() -> None:
    player = Player(SMALL)
    assert player.do(SelectUnit(-1)).cursor.unit == 0
    assert player.do(SelectUnit(99)).cursor.unit == 3


@pytest.mark.parametrize("rate", [100.0, 1e300])
def test_an_explosion_is_told_and_everything_still_works(rate: float) -> None:
    player = Player(SMALL.with_(learning_rate=rate))
    start = weights(player)
    frame = player.do(Train("all"))
    assert frame.scene.has_exploded
    assert "loss is" in narrate(frame, VOICE)[0]
    for _ in range(2 * 5 + 4):
        narrate(player.do(Next()), VOICE)
    player.do(Back("all"))
    assert same_weights(weights(player), start)
    assert not player.frame.scene.has_exploded


COMMANDS = st.sampled_from(
    [
        Right(), Left(), Next(), Previous(), Seek(0), Seek(3), ShowGradient("switch"), ShowGradient(2),
        SelectUnit(1), Train("batch"), Train("epoch"), Back("batch"), Back("epoch"), Back("all"), ShowSample(1),
        Change((("seed", 3),)), Change((("cell", "gru"),)), Change((("cell", "lstm"), ("seq_len", 3))),
        Change((("task", "names"),)), Change((("task", "sine"),)),
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(COMMANDS, max_size=25))
def test_any_commands_leave_a_sound_frame(commands: list) -> None:
    player = Player(SMALL)
    for command in commands:
        try:
            frame = player.do(command)
        except InputError:
            frame = player.frame
        T, cursor = frame.T, frame.cursor
        assert phase_and_step(cursor.place(T), T) == (cursor.phase, cursor.t)
        assert 0 <= cursor.t <= T
        assert 0 <= cursor.unit < frame.scene.H
        assert frame.loss_step is None or frame.loss_step in frame.scene.loss_steps
        assert frame.gradient.norms.shape == (T + 1,)
        assert all(len(line) <= 78 for line in narrate(frame, VOICE)), narrate(frame, VOICE)
