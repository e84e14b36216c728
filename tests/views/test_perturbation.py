"""Perturbation: a linear network carries every move along as it is, a latched one lets small ones die out and follows
large ones, and what is moved the whole way is where the other sequence's state would have led."""

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import engine
from rnnviz.nn.spec import CELLS
from rnnviz.player.player import Player
from rnnviz.scene.commands import Measure, Seek, Train
from rnnviz.scene.frame import Progress
from rnnviz.scene.scene import Scene
from rnnviz.views import prepare as preparing
from rnnviz.views.metrics import needs as missing
from rnnviz.views.metrics import parse, value
from rnnviz.views.perturbation import PARTS, Perturbation, another, known, needs
from rnnviz.views.prepare import prepare
from tests.nn.cells_here import on_either_engine

LINEAR = Experiment(task="recall", lag=10, activation="identity", init="orthogonal", hidden_size=6, samples=20)
#: A unit that feeds itself 1.7 times its own output has two stable states.
LATCH = Experiment(
    task="recall", lag=30, hidden_size=32, init="identity", gain=1.7, optimizer="adam", learning_rate=0.003,
    samples=200, batch_size=32, epochs=40,
)  # fmt: skip


def perturbation(scene: Scene, t: int, parts: tuple[int, ...] = PARTS) -> Perturbation | None:
    return known(prepare(scene, Measure("perturbed", t, parts)), t, parts)


@pytest.mark.parametrize("gain", [0.5, 1.0, 1.5])
def test_a_linear_network_keeps_every_move_in_proportion(gain: float) -> None:
    found = perturbation(Player(LINEAR.with_(gain=gain)).frame.scene, 4)
    assert found is not None
    assert found.left == pytest.approx([gain**7] * len(PARTS))
    for s in range(4, 12):
        assert found.way[:, s] == pytest.approx(np.array(PARTS) / 100)
    assert np.isnan(found.sizes[:, :4]).all()


@pytest.mark.parametrize(("cell", "which"), on_either_engine(*CELLS))
@pytest.mark.parametrize("layers", [1, 2])
def test_the_whole_way_is_the_state_the_other_sequence_has_read_on_with_this_input(
    cell: str, layers: int, which: str
) -> None:
    if which == "numba":
        pytest.importorskip("numba")
    try:
        engine.select(which)
        scene = Player(Experiment(task="recall", lag=8, cell=cell, num_layers=layers, samples=20)).frame.scene
        found = perturbation(scene, 3)
    finally:
        engine.select(None)
    assert found is not None
    assert found.other == another(scene, 3)
    task = scene.task
    assert not np.array_equal(task.targets[found.other, -1], task.targets[0, -1])
    mixed = np.concatenate([task.x[found.other, :3], task.x[0, 3:]])[:, None]
    trace = scene.model.trace(mixed, task.targets[0, :, None], "cross_entropy", "last")
    moved = np.linalg.norm(trace.h[3:, 0] - scene.trace.h[3:, 0], axis=1)
    assert found.sizes[-1, 3:] == pytest.approx(moved, rel=1e-9, abs=1e-15)
    assert found.answers[-1] == task.answers(trace.y[-1])[0]


def test_a_small_move_is_the_gradient_s_view() -> None:
    """By a millionth of the way: what is left is ‖J v‖ / ‖v‖, the product of the steps' Jacobians on the way."""
    scene = Player(Experiment(task="recall", lag=10, hidden_size=5, samples=20)).frame.scene
    tiny = perturbation(scene, 4, (1, 100))
    assert tiny is not None
    h, W = scene.trace.h[:, 0], scene.trace.params["rnn.weight_hh_l0"]
    J = np.eye(5)
    for s in range(5, 12):
        J = np.diag(1 - h[s] ** 2) @ W @ J
    run = scene.model.forward(scene.task.x[tiny.other, :4, None])
    assert run is not None
    its = scene.model.trace(scene.task.x[tiny.other, :, None], scene.task.targets[tiny.other, :, None],
                            "cross_entropy", "last").h[4, 0]  # fmt: skip
    v = its - h[4]
    assert tiny.left[0] == pytest.approx(np.linalg.norm(J @ v) / np.linalg.norm(v), rel=0.05)


def test_its_metrics() -> None:
    frame = Player(LINEAR.with_(gain=0.5)).do(Seek(4))
    assert value(frame, "perturb_left") == pytest.approx(0.5**7)
    assert value(frame, "perturb_left[6, 50]") == pytest.approx(0.5**5)
    assert value(frame, "perturb_way[6, 25]") == pytest.approx(0.25)
    assert value(frame, "perturb_answer[6, 1]") == value(frame, "answer")
    assert value(frame, "perturb_flips[6, 1]") == 0
    assert value(frame, "perturb_left[11, 1]") is None, "nothing comes after the loss"


def test_where_no_state_can_be_moved_there_is_none() -> None:
    scene = Player(LINEAR).frame.scene
    assert perturbation(scene, 0) is None
    assert perturbation(scene, 11) is None
    for task in ("sine", "names", "adding", "copying", "characters", "captions"):
        try:
            scene = Player(Experiment(task=task)).frame.scene
        except Exception:  # a task that needs a file of its own
            continue
        found = perturbation(scene, 1)
        assert found is None or found.way[-1, found.last] == pytest.approx(1.0)


def test_what_is_no_number_is_none() -> None:
    frame = Player(LINEAR.with_(learning_rate=1e200)).do(Train("epoch", 3))
    found = perturbation(frame.scene, 4)
    assert found is None or not np.isfinite(found.left).any()
    assert value(frame, "perturb_left[4, 1]") is None


@pytest.mark.slow
@pytest.mark.usefixtures("compiled_where_slow")
def test_a_latched_network_remembers_thirty_steps_with_a_horizon_of_a_few() -> None:
    """These settings were searched for on seeds 0 to 9; here they are tried on others. Of the 20 networks, whose
    horizon is 3 to 4 steps before training, 10 learn to answer after 30 steps (measured once): half do not, so that
    nothing is said of training in general. Those that have learnt end with a horizon of 1.8 to 11.6 steps, far below
    the 30, and 4e-2 to 3e-17 of the gradient arrives. Half way, at step 15, a move of 1 % changes no answer (less than
    2e-4 of it is left in eight, 4e-3 and 9e-2 in two), one of 75 % goes over to another state and stays there. (At
    steps 2 and 5 one of the ten goes over by a move of 1 % already: its state lies at the edge of the basin then.)"""
    learnt = 0
    for seed in range(10, 30):
        player = Player(LATCH.with_(seed=seed))
        start = value(player.frame, "horizon")
        assert isinstance(start, float)
        assert 3 < start < 4, seed
        frame = player.do(Train("all"))
        if value(frame, "learnt") != 1:
            continue
        learnt += 1
        end = value(frame, "horizon")
        assert isinstance(end, float)
        assert end < 15, seed
        little, much = value(frame, "perturb_left[15, 1]"), value(frame, "perturb_way[15, 75]")
        assert isinstance(little, float)
        assert isinstance(much, float)
        assert little < 0.2, seed
        assert 0.9 < much < 1.1, seed
        assert value(frame, "perturb_flips[15, 1]") == 0, seed
        assert value(frame, "perturb_flips[15, 100]") == 1, seed
    assert learnt >= 5, "else this says nothing"


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize("t", [1, 4, 11, 20])
def test_in_parts_it_is_the_same(cell: str, t: int, monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player(Experiment(task="recall", lag=20, cell=cell, num_layers=2, samples=20))
    whole = perturbation(player.frame.scene, t)
    assert whole is not None
    player = Player(player.frame.experiment)
    monkeypatch.setattr(preparing, "AT_ONCE", 0)
    scene = player.frame.scene
    assert known(scene, t) is None
    command = needs(scene, t)
    assert command is not None
    scene = player.do(command).scene
    assert needs(scene, t) is None
    found = known(scene, t)
    assert found is not None
    assert found.sizes == pytest.approx(whole.sizes, rel=1e-9, abs=1e-15, nan_ok=True)
    assert found.way == pytest.approx(whole.way, rel=1e-9, abs=1e-15, nan_ok=True)
    assert found.answers == whole.answers


def test_it_tells_how_far_it_is_and_stops_between_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "AT_ONCE", 0)
    player = Player(LINEAR)
    job = player.begin(Measure("perturbed", 4, PARTS))
    assert job is not None
    told: list[int] = []

    def report(progress: Progress) -> None:
        told.append(progress.done)
        if progress.done == 3:
            job.cancel()

    job.run(report)
    player.finish(job)
    assert told == [1, 2, 3]
    assert known(player.frame.scene, 4) is None


def test_who_moves_on_waits_for_the_step_moved_to_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "AT_ONCE", 0)
    player = Player(LINEAR)
    first = player.begin(Measure("perturbed", 4, PARTS))
    second = player.begin(Measure("perturbed", 5, PARTS))
    assert first is not None
    assert second is not None
    assert first.is_cancelled
    assert player.begin(Measure("gain")) is None, "another measurement waits"
    second.run()
    player.finish(second)
    assert known(player.frame.scene, 5) is not None


def test_a_metric_waits_in_a_live_frame_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "AT_ONCE", 0)
    assert value(Player(LINEAR).frame, "perturb_left[4, 10]") == pytest.approx(1.0)
    player = Player(LINEAR, live=True)
    assert value(player.frame, "perturb_left[4, 10]") is None
    command = missing(player.frame, [parse("loss"), parse("perturb_left[4, 10]")])
    assert command == Measure("perturbed", 4, PARTS)
    frame = player.do(command)
    assert value(frame, "perturb_left[4, 10]") == pytest.approx(1.0)
    assert missing(frame, [parse("perturb_left[4, 10]"), parse("perturb_flips[4, 75]")]) is None
    assert missing(frame, [parse("perturb_left[4, 33]")]) == Measure("perturbed", 4, (33, 100))
