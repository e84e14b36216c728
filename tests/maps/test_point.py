"""A point: what runs there is what a person would run, until it has learnt."""

import json
import math

import numpy as np
import pytest

import rnnviz
from rnnviz.errors import InputError
from rnnviz.experiment.build import build_model, build_task, resolved, trace_of
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import train
from rnnviz.maps.axis import Axis
from rnnviz.maps.grid import Site
from rnnviz.maps.point import UNJUDGED, Point, compute
from rnnviz.maps.result import MapResult
from rnnviz.maps.store import Store
from rnnviz.views.prepare import CancelledError
from rnnviz.views.reach import answers_of, reach_of
from tests.maps.maps_here import TINY, AtOnce, filled, spec

LEARNS = Experiment(
    task="recall", lag=2, samples=100, hidden_size=8, batch_size=10, learning_rate=0.3, epochs=40, clip_norm=1.0
)


@pytest.fixture(scope="module")
def point():
    return compute(LEARNS, key="k")


def test_it_ends_after_the_first_epoch_in_which_the_task_is_learnt(point):
    assert (point.status, point.learnt, point.error) == ("learnt", True, None)
    assert 1 < point.epoch < LEARNS.epochs
    for epochs, has_learnt in ((point.epoch - 1, False), (point.epoch, True)):
        result = train(LEARNS.with_(epochs=epochs))
        assert answers_of(result.model, result.task).learnt is has_learnt
    assert result.history["loss"][-1] == point.loss


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_its_horizon_is_that_of_the_first_sequence(cell):
    """Of an LSTM along c, where more arrives."""
    experiment = resolved(LEARNS.with_(cell=cell, lag=8, gain=0.3, forget_bias=-1.0, epochs=0))
    task = build_task(experiment)
    found = reach_of(trace_of(build_model(experiment, task), task), task, 0, experiment)
    point = compute(experiment)
    assert found.horizon is not None
    assert point.horizon_before == point.horizon_after == found.horizon
    assert point.factor_before == pytest.approx(found.arrives ** (1 / 8))


def test_a_gradient_that_lasts_has_no_end_and_one_of_0_no_horizon():
    assert compute(LEARNS.with_(epochs=0)).horizon_before == math.inf
    cut = compute(LEARNS.with_(epochs=0, gain=0.0))
    assert (cut.horizon_before, cut.factor_before) == (0.0, 0.0)


def test_a_training_that_diverges_is_one_and_ends_where_its_loss_is_no_number():
    large, infinite = (
        compute(LEARNS.with_(learning_rate=rate, clip_norm=None, activation="relu")) for rate in (1e30, 1e300)
    )
    assert (large.status, large.epoch) == ("diverged", LEARNS.epochs)
    assert large.loss > 1e6
    point = infinite
    assert point.status == "diverged"
    assert point.epoch < LEARNS.epochs
    assert not math.isfinite(point.loss)
    assert Point.from_json(json.loads(point.to_json())).status == "diverged"


def test_what_cannot_be_run_or_judged_fails_with_its_reason():
    assert compute(LEARNS.with_(seq_len=2)).error == "lag: 2 does not fit into 2 steps; use at most 1, or more steps"
    few = compute(LEARNS.with_(samples=20))
    assert (few.status, few.error) == ("failed", UNJUDGED)


def test_it_can_be_cancelled():
    with pytest.raises(CancelledError):
        compute(LEARNS, lambda: True)


# -- arrays --------------------------------------------------------------------------------------------------


def test_arrays_have_cells_y_x_and_seeds():
    store = Store(spec())
    filled(store)
    found = MapResult.of(store)
    assert found.share.shape == (2, 2, 2)
    for c, cell in enumerate(found.cells):
        for j, y in enumerate(found.y):
            for i, x in enumerate(found.x):
                points = [store.at(Site(cell, seed, x, y)) for seed in (0, 1)]
                assert found["loss"][c, j, i].tolist() == [point.loss for point in points]
                assert found.share[c, j, i] == sum(point.learnt for point in points) / 2
    with pytest.raises(InputError, match="'right_answers' is no number of a point; choose from epoch, loss"):
        found["right_answers"]


def test_what_is_not_done_is_nan():
    store = Store(spec())
    filled(store, stop=3)
    found = MapResult.of(store)
    assert not found.is_whole
    assert np.isnan(found.share).sum() == 8 - len(store)
    assert repr(found).startswith(f"<MapResult: gain (2) × lag (2), rnn, gru: {len(store)} of 16 points: ")


def test_from_python_in_memory_with_an_executor_of_ones_own():
    settings = {name: value for name, value in TINY.changes().items() if name != "seed"}
    by_text = rnnviz.map("gain=0.5,1.5", executor=AtOnce(), **settings)
    by_axis = rnnviz.map(Axis.over("gain", np.array([1.5, 0.5])), experiment=TINY, executor=AtOnce())
    assert by_text["loss"].tolist() == by_axis["loss"].tolist()
    assert by_text.is_whole
    with pytest.raises(InputError, match="unknown setting 'hidden'; did you mean hidden_size"):
        rnnviz.map("gain=0.5,1.5", hidden=4)


def test_a_map_hides_no_map_of_pythons_own():
    namespace = {}
    exec("from rnnviz import *", namespace)
    assert "Experiment" in namespace
    assert "map" not in namespace
    assert "map" in dir(rnnviz)
