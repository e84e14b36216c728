"""Runs beside one another: each is exactly what it would be alone, at the same place in training."""

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.cell_table import CELLS
from rnnviz.player.kinds.companions import MOST_CELLS
from rnnviz.player.player import Player
from rnnviz.scene.commands import Alone, Back, Change, Compare, Pin, Redo, ShowGradient, ShowSample, Train, Undo
from rnnviz.views.comparison import compared

TITLES = [cell.title for cell in CELLS.values()][: 1 + MOST_CELLS]
SMALL = Experiment(hidden_size=6, seq_len=8, points=30, epochs=4)


def alone(experiment: Experiment, *commands: object) -> Player:
    player = Player(experiment)
    for command in commands:
        player.do(command)
    return player


def losses(player: Player) -> dict[str, float]:
    return {row.name: row.loss for row in compared(player.frame)}


@pytest.mark.parametrize("cell", CELLS)
def test_all_cells_train_in_lock_step_with_whichever_is_present(cell: str) -> None:
    player = alone(SMALL.with_(cell=cell), Compare())
    there_and_back = (Train("epoch"), Train("batch", 2), Back("batch"), Train("all"), Back("epoch"), ShowSample(3))
    for command in there_and_back:
        player.do(command)
    place = Train("epoch", 3)
    for row in compared(player.frame):
        same = alone(SMALL.with_(cell=row.name.lower()), place, ShowSample(3)).frame.scene
        assert row.loss == same.trace.loss
        assert row.gradient.norms.tolist() == same.trace.grad_norm(8).tolist()
        assert row.parameters == same.model.parameter_count
    others = [name for name in CELLS if name != cell][:MOST_CELLS]
    shown = [about.title for name, about in CELLS.items() if name in (cell, *others)]
    assert [row.name for row in compared(player.frame)] == shown
    assert [row.name.lower() for row in compared(player.frame) if row.is_present] == [cell]


def test_what_is_compared_late_is_trained_as_far_first() -> None:
    early = alone(SMALL, Compare(), Train("epoch", 2))
    late = alone(SMALL, Train("epoch", 2), Compare())
    assert losses(early) == losses(late)


def test_a_stopped_catching_up_leaves_nothing_half_done() -> None:
    player = alone(SMALL.with_(epochs=50), Train("all"))
    job = player.begin(Compare())
    job.cancel()
    job.run()
    frame = player.finish(job)
    assert compared(frame) == ()
    assert "Stopped" in frame.hint
    assert len(compared(player.do(Compare()))) == 1 + MOST_CELLS


def test_a_pinned_run_stands_beside_what_it_is_changed_to() -> None:
    player = alone(SMALL, Train("epoch"), Pin(), Change((("gain", 0.3), ("cell", "gru"))), Compare())
    now, pinned = compared(player.frame)
    assert (now.name, pinned.name) == ("now", "then")
    assert now.what == "cell gru · recurrent gain 0.3"
    assert pinned.what == "cell rnn · recurrent gain 1.0"
    assert pinned.loss == alone(SMALL).frame.scene.trace.loss, "both stand at the same place in training"
    player.do(Train("epoch", 2))
    assert losses(player) == {
        "now": alone(SMALL.with_(gain=0.3, cell="gru"), Train("epoch", 2)).frame.scene.trace.loss,
        "then": alone(SMALL, Train("epoch", 2)).frame.scene.trace.loss,
    }


def test_pinning_the_same_again_lets_go() -> None:
    player = alone(SMALL, Pin())
    assert player.frame.pinned is not None
    assert player.do(Pin()).pinned is None
    player.do(Compare())
    assert [row.name for row in compared(player.do(Pin()))] == ["now", "then"]
    assert [row.name for row in compared(player.do(Pin()))] == TITLES


def test_all_rows_show_the_chosen_loss_step_or_their_own_last() -> None:
    player = alone(SMALL, Pin(), Change((("seq_len", 12),)), Compare())
    now, pinned = compared(player.do(ShowGradient(11)))
    assert (now.gradient.loss_step, pinned.gradient.loss_step) == (11, 8)
    now, pinned = compared(player.do(ShowGradient(5)))
    assert (now.gradient.loss_step, pinned.gradient.loss_step) == (5, 5)
    now, pinned = compared(player.do(ShowGradient("total")))
    assert (now.gradient.loss_step, pinned.gradient.loss_step) == (None, None)


def test_a_pinned_run_may_have_another_task_and_fewer_sequences() -> None:
    player = alone(Experiment(task="names", hidden_size=5, samples=10), Pin())
    player.do(Change((("task", "sine"), ("points", 60))))
    player.do(Compare())
    player.do(ShowSample(-1))
    assert len(compared(player.do(Train("batch", 3)))) == 2


def test_a_cell_these_settings_cannot_have_is_left_out() -> None:
    player = alone(SMALL.with_(cell="lstm", init="chrono"), Compare())
    assert [row.name for row in compared(player.frame)] == [cell.title for cell in CELLS.values() if cell.chrono]


def test_undo_and_redo_bring_back_what_was_compared() -> None:
    player = alone(SMALL, Compare())
    before = losses(player)
    player.do(Change((("gain", 2.0),)))
    after = losses(player)
    assert before != after
    player.do(Undo())
    assert losses(player) == before
    player.do(Redo())
    assert losses(player) == after


def test_alone_again_trains_only_the_present_run() -> None:
    player = alone(SMALL, Compare(), Alone())
    assert compared(player.frame) == ()
    assert player.do(Train("epoch")).beside is None
