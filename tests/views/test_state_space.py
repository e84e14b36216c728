"""The state space: the states that are drawn are the network's own, and the fixed points are of the weights in view."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.cell_table import CELLS
from rnnviz.player.kinds.network import NetworkRun
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.player.kinds.recording import RecordingRun
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Measure, Train, TypeSequence
from rnnviz.scene.frame import Progress
from rnnviz.scene.scene import Scene
from rnnviz.views import prepare as preparing
from rnnviz.views import state_space
from rnnviz.views.metrics import value
from rnnviz.views.prepare import prepare
from rnnviz.views.state_space import SEQUENCES, StateSpace
from rnnviz.words import state_space as words
from tests import recordings_here
from tests.networks_here import file_of, layer_of

FLIPFLOP = Experiment(
    task="flipflop", hidden_size=8, optimizer="adam", learning_rate=0.01, batch_size=32, epochs=30, samples=500
)
#: One tanh unit that holds a bit: W_hh = 2.
UNIT = Experiment(task="recall", lag=6, samples=20, hidden_size=1, init="identity", spectral_radius=2.0)


def known(scene: Scene) -> tuple[Scene, StateSpace]:
    scene = prepare(scene, Measure("space"), Measure("fixed_points"))
    found = state_space.space(scene)
    assert found is not None
    return scene, found


def states(scene: Scene, sample: int) -> np.ndarray:
    """(T+1, H): read alone."""
    n = int(scene.task.lengths[sample])
    trace = scene.model.trace(scene.task.x[sample, :n, None])
    return trace.h[:, 0]


@pytest.mark.parametrize("settings", [
    {}, {"cell": "lstm"}, {"cell": "gru", "num_layers": 2}, {"task": "names", "samples": 30},
    {"task": "recall", "lag": 6, "shortest": 4},
], ids=str)  # fmt: skip
def test_each_path_is_that_of_its_sequence_read_alone(settings: dict[str, Any]) -> None:
    given: dict[str, Any] = {"task": "flipflop", "hidden_size": 5, "samples": 40, **settings}
    scene = prepare(Player(Experiment(**given)).frame.scene, Measure("space"))
    found = state_space.space(scene)
    assert found is not None
    assert found.samples == tuple(range(SEQUENCES))
    for number, sample in enumerate(found.samples):
        own = states(scene, sample)
        assert found.paths[number] == pytest.approx(found.plane.project(own), abs=1e-9)
        assert found.at(number, 3) == pytest.approx(found.paths[number][3].tolist())
        assert found.at(number, len(own)) is None


@pytest.mark.parametrize("settings", [
    {"bidirectional": True}, {"bidirectional": True, "view_direction": "backward"},
    {"task": "sine", "samples": None, "carry": True, "points": 90, "batch_size": 2},
    {"mask": "copy", "task": "recall", "shortest": 4},
    {"dtype": "float32"}, {"loop": False},
], ids=str)  # fmt: skip
def test_any_experiment_has_a_plane_and_fixed_points_that_stay(settings: dict[str, Any]) -> None:
    given: dict[str, Any] = {"task": "flipflop", "hidden_size": 3, "samples": 30, **settings}
    scene, found = known(Player(Experiment(**given)).frame.scene)
    trace, points = scene.trace, state_space.points(scene)
    assert len(found.paths[0]) == trace.T + 1
    assert found.paths[0] == pytest.approx(found.plane.project(trace.h[:, 0]))
    assert points is not None
    for s, kind in zip(points.states, points.kinds, strict=True):
        run = trace.engine.forward(trace.spec, trace.params, np.zeros((1, 1, trace.I)), s.reshape(1, 1, -1))
        assert kind == "slow" or run.layers[0].h[1, 0] == pytest.approx(s, abs=1e-8)


def test_of_a_carried_state_only_sequences_that_begin_from_zeros_are_read() -> None:
    player = Player(Experiment(task="sine", carry=True, points=90, batch_size=2, hidden_size=3))
    scene, found = known(player.frame.scene)
    previous = scene.task.previous
    assert previous is not None
    assert all(previous[i] < 0 for i in found.samples)
    assert len(found.samples) < len(scene.task)


@pytest.mark.parametrize("cell", [cell for cell, of in CELLS.items() if of.diagonal is None or of.diagonal.units == 1])
def test_a_single_unit_is_a_map_or_lies_in_h_and_c(cell: str) -> None:
    scene, found = known(Player(UNIT.with_(cell=cell, init="keras", spectral_radius=None)).frame.scene)
    h, points = scene.trace.h[:, 0], state_space.points(scene)
    assert points is not None
    assert found.is_map == (scene.trace.c is None)
    if scene.trace.c is not None:
        assert np.array_equal(found.paths[0], np.concatenate([h, scene.trace.c[:, 0]], axis=1))
        assert np.array_equal(found.places(points), points.states)
        return
    assert np.array_equal(found.paths[0], np.concatenate([h[:-1], h[1:]], axis=1))
    assert found.at(0, 0) is None
    assert found.grid is not None
    assert found.curves is not None
    for t in range(1, scene.T + 1):  # the curve of each step goes through the state that it made
        assert np.interp(h[t - 1, 0], found.grid, found.curves[t]) == pytest.approx(h[t, 0], abs=2e-3)
    on_it = [np.interp(p[0], found.grid, found.curves[0]) for p in points.hidden]
    assert on_it == pytest.approx(points.hidden[:, 0], abs=2e-3)


def test_a_unit_with_w_2_has_three_fixed_points_and_one_with_w_half_has_one() -> None:
    player = Player(UNIT)
    assert [value(player.frame, name) for name in ("fixed_points", "attractors", "unstable_points")] == [3, 2, 1]
    assert value(player.frame, "attractor_radius") == pytest.approx(0.1667, abs=1e-3)
    assert value(player.frame, "attractor_size") == pytest.approx(0.9575, abs=1e-3)
    frame = player.do(Change((("spectral_radius", 0.5),)))
    assert [value(frame, name) for name in ("fixed_points", "attractors", "slow_points")] == [1, 1, 0]
    assert value(frame, "plane_share") is None


def test_words_claim_no_more_than_the_linear_part_and_the_search_show() -> None:
    """At w = 1 small moves do die out, though λ = 1; and a tanh network always has a fixed point (Brouwer), which a
    search may miss."""
    scene, _ = known(Player(UNIT.with_(spectral_radius=1.0)).frame.scene)
    points = state_space.points(scene)
    assert points is not None
    assert points.kinds == ("marginal",)
    assert "to first order some small moves neither grow nor die out" in words.in_words(scene, points, 0)
    h = 0.5
    for _ in range(10_000):
        h = np.tanh(h)
    assert h < 0.02
    assert "did not reach" in words.NONE


def test_a_trained_flipflop_has_an_attractor_for_each_state_of_its_bits() -> None:
    frame = Player(FLIPFLOP).do(Train("all"))
    scene, found = known(frame.scene)
    points = state_space.points(scene)
    assert points is not None
    assert points.count("attractor") == 8
    assert {scene.task.class_mark(i, scene.T) for i in found.samples} <= set("01234567?")
    outputs = points.outputs[:8] > 0
    assert len(np.unique(outputs, axis=0)) == 8, "each holds other bits"
    assert value(frame, "attractors") == 8
    assert 0.5 < value(frame, "plane_share") <= 1  # type: ignore[operator]


def test_of_a_recording_only_the_sequence_in_view_is_known(tmp_path: Path) -> None:
    recordings_here.made(tmp_path / "run", records=1)
    scene, found = known(Player(RecordingRun(Opening(str(tmp_path / "run")))).frame.scene)
    assert found.samples == (0,)
    assert found.paths[0] == pytest.approx(found.plane.project(scene.trace.h[:, 0]))
    points = state_space.points(scene)
    assert points is not None
    assert points.starts > 0
    trace = scene.trace
    assert points.states.shape[1] == 2 * trace.H


@pytest.mark.parametrize("levels", [1, 2])
def test_a_network_from_a_file_is_read_on_its_own_sequences(levels: int) -> None:
    run = NetworkRun(NetworkOpening("model.pt"), file_of(layer_of("gru", levels=levels)))
    scene, found = known(Player(run).frame.scene)
    assert found.samples[0] == 0
    assert found.paths[0] == pytest.approx(found.plane.project(scene.trace.h[:, 0]))
    if levels == 2:  # what the upper level reads of other sequences is not in the scene
        assert found.samples == (0,)


def test_a_typed_sequence_has_its_own_path() -> None:
    player = Player(FLIPFLOP.with_(samples=20, seq_len=4))
    frame = player.do(TypeSequence("1 0 0; 0 1 0; 0 0 1; -1 0 0"))
    scene, found = known(frame.scene)
    assert found.paths[0] == pytest.approx(found.plane.project(scene.trace.h[:, 0]))
    assert len(found.samples) == SEQUENCES


def test_a_large_state_is_not_searched_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_space, "MOST_NUMBERS", 9)
    scene, _ = known(Player(UNIT.with_(cell="lstm", hidden_size=5, spectral_radius=None)).frame.scene)
    assert state_space.points(scene) is None
    assert state_space.why_no_points(scene) == "The state has 10 numbers; fixed points are searched for in at most 9."
    assert value(Player(UNIT.with_(hidden_size=9)).frame, "fixed_points") is not None


def test_states_that_are_no_numbers_have_no_plane() -> None:
    frame = Player(FLIPFLOP.with_(activation="identity", optimizer="sgd", learning_rate=1e200)).do(Train("epoch"))
    scene, _ = known(frame.scene)
    points = state_space.points(scene)
    assert not scene.is_finite
    assert points is not None
    assert len(points) == 0


def test_the_search_tells_how_far_it_is_and_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "AT_ONCE", 0)
    player = Player(FLIPFLOP.with_(samples=20))
    job = player.begin(Measure("fixed_points"))
    assert job is not None
    done: list[int] = []

    def report(progress: Progress) -> None:
        assert progress.what == "searching for fixed points"
        done.append(progress.done)
        if len(done) == 3:
            job.cancel()

    job.run(report)
    player.finish(job)
    assert done == [0, 1, 2]
    assert state_space.points(player.frame.scene) is None
