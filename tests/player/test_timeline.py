"""The timeline: what does not fit in memory is found again by replay, to the last bit."""

from __future__ import annotations

import gc
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from rnnviz.experiment.build import build_model, build_task, build_training, resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.nn import Data, Model, Optimizer, Snapshot, Training, engine
from rnnviz.player import timeline as timelines
from rnnviz.player.timeline import Timeline


def timeline(budget: int, **settings: object) -> Timeline:
    experiment = resolved(Experiment(**{"hidden_size": 5, "momentum": 0.9, **settings}))
    task = build_task(experiment)
    return Timeline(build_training(experiment, build_model(experiment, task), task), budget)


#: Batches in an epoch of these.
EPOCH = timeline(1).training.batches_per_epoch


def same(a: Snapshot, b: Snapshot) -> None:
    for mine, other in ((a.params, b.params), (a.state.first, b.state.first), (a.state.second, b.state.second)):
        assert list(mine) == list(other)
        for name in mine:
            np.testing.assert_array_equal(mine[name], other[name])
    assert (a.state.step, a.epoch, a.batch, a.loss_sum) == (b.state.step, b.epoch, b.batch, b.loss_sum)
    assert a.history == b.history


def test_a_small_budget_only_costs_time() -> None:
    roomy, tight = timeline(10**9), timeline(1)
    for line in (roomy, tight):
        line.advance(40 * EPOCH + 3, lambda: True)
    assert len(tight._snapshots) <= timelines.LEAST < len(roomy._snapshots)
    for place in [(17, 3), (9, 4), (1, 0), (0, 2), (16, 1), (0, 0)]:
        for line in (roomy, tight):
            line.goto(place)
            assert line.place == place
        same(roomy.training.snapshot(), tight.training.snapshot())


WAYS = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "adam": {"optimizer": "adam"},
    "rmsprop": {"optimizer": "rmsprop"},
    "in order": {"shuffle": False},
    "clip norm": {"clip_norm": 0.01, "momentum": 0.9},
    "clip each": {"clip_each": 0.01, "optimizer": "adam"},
    "clip value": {"clip_value": 0.001},
    "truncated": {"truncate": "2,4"},
    "keras": {"optimizer": "adam", "convention": "keras"},
    "float32": {"dtype": "float32", "optimizer": "adam"},
    "without the loop": {"loop": False},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("name", ["numpy", pytest.param("numba", marks=pytest.mark.slow)])
def test_going_back_to_a_batch_finds_the_numbers_of_batch_by_batch_training(cell: str, way: str, name: str) -> None:
    """The weights, the optimizer's memory, the sum of losses and the history, bit by bit; the last batch of an epoch
    is a smaller one."""
    settings = {"cell": cell, "momentum": 0.0, "points": 50, "batch_size": 7, **WAYS[way]}
    engine.select(name)
    try:
        line, steps = timeline(10**9, **settings), timeline(10**9, **settings).training
        per_epoch = steps.batches_per_epoch
        assert len(steps.train) % 7
        known = {(0, 0): steps.snapshot()}
        for _ in range(3 * per_epoch):
            steps.run_batch()
            known[steps.epoch, steps.batch] = steps.snapshot()
        line.advance(3 * per_epoch, lambda: True)
        assert line.losses == steps.history["loss"]
        for place in [(2, 1), (0, 1), (2, per_epoch - 1), (0, per_epoch - 1), (1, 2), (3, 0), (0, 0)]:
            line.goto(place)
            same(line.training.snapshot(), known[place])
    finally:
        engine.select(None)


def test_an_epoch_is_a_few_calls_and_leaves_one_snapshot() -> None:
    line = timeline(10**9)
    calls = 0

    def count() -> bool:
        nonlocal calls
        calls += 1
        return True

    line.advance(5 * EPOCH, lambda: True)
    line.advance(20 * EPOCH, count)
    assert sorted(line._snapshots) == [(epoch, 0) for epoch in range(26)]
    assert calls < 10 * EPOCH


def test_a_long_epoch_stops_where_it_is_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call a moment, every batch worth a snapshot: as in an epoch of minutes."""
    monkeypatch.setattr(timelines, "MOMENT", 0.0)
    monkeypatch.setattr(timelines, "REPLAY", 0.0)
    line, steps = timeline(10**9), timeline(10**9).training
    line.advance(EPOCH, lambda: line.place != (0, 3))
    assert line.place == (0, 3)
    assert all(line.holds((0, batch)) for batch in range(4))
    for _ in range(3):
        steps.run_batch()
    same(line.training.snapshot(), steps.snapshot())


def test_a_replay_uses_the_engine_of_the_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy until the kernels are there, from the middle of an epoch on the kernels."""
    pytest.importorskip("numba")
    line = timeline(10**9, momentum=0.0)
    used: list[tuple[tuple[int, int], str]] = []
    run = line.training.run_batches

    def run_batches(count: int):
        used.append((line.place, line.training.engine))
        return run(count)

    monkeypatch.setattr(line.training, "run_batches", run_batches)
    for name, batches in (("numpy", EPOCH + 3), ("numba", 2 * EPOCH - 3), ("numpy", EPOCH)):
        monkeypatch.setattr(engine, "computing", lambda spec, name=name: name)
        line.advance(batches, lambda: True)
    end = line.training.snapshot()
    used.clear()
    line.goto((0, 0))
    line.advance(4 * EPOCH, lambda: True)
    same(line.training.snapshot(), end)
    assert {name for _, name in used} == {"numpy", "numba"}
    ends = [place for place, _ in used[1:]] + [line.place]
    for (place, name), until in zip(used, ends, strict=True):
        numba = place >= (1, 3) and until <= (3, 0)
        assert name == ("numba" if numba else "numpy"), (place, until)


def test_the_loss_curve_keeps_its_future() -> None:
    line = timeline(10**9)
    line.advance(3 * EPOCH, lambda: True)
    known = list(line.losses)
    assert len(known) == 3
    line.goto((1, 0))
    assert line.training.history["loss"] == known[:1]
    assert line.losses == known
    line.advance(EPOCH, lambda: True)
    assert line.losses == known


def test_snapshots_share_one_record_of_the_losses_and_another_way_leaves_it_alone() -> None:
    training = timeline(10**9).training
    snapshots = [training.snapshot()]
    for _ in range(3):
        training.run_epoch()
        snapshots.append(training.snapshot())
    assert all(a.record is b.record for a, b in pairwise(snapshots))
    assert [len(snapshot.history["loss"]) for snapshot in snapshots] == [0, 1, 2, 3]
    first = training.history["loss"]
    training.restore(snapshots[1])
    training.optimizer = Optimizer("sgd", learning_rate=1e-3)
    training.run_epoch()
    assert training.history["loss"][0] == first[0]
    training.run_epoch()
    assert training.history["loss"][2] != first[2]
    assert snapshots[3].history["loss"] == tuple(first)


def one_unit(rule: str) -> Training:
    """One sequence of one step: an epoch is a batch."""
    ones = np.ones((1, 1, 1))
    return Training(Model.create("rnn", 1, 1, 1), Data(ones, ones), optimizer=Optimizer(rule), batch_size=1)


def grown(batches: int, budget: int, rule: str) -> tuple[Timeline, int, int]:
    """A timeline so far on; how many bytes more it counts than after its first batches, and how many it takes."""
    line = Timeline(one_unit(rule), budget)
    engine.select("numpy")  # the kernels would be loaded meanwhile
    tracemalloc.start()
    try:
        line.advance(20, lambda: True)
        gc.collect()
        counted, taken = line.bytes, tracemalloc.get_traced_memory()[0]
        line.advance(batches - 20, lambda: True)
        gc.collect()
        return line, line.bytes - counted, tracemalloc.get_traced_memory()[0] - taken
    finally:
        tracemalloc.stop()
        engine.select(None)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["sgd", "adam"])
def test_the_bytes_of_a_timeline_are_true(rule: str) -> None:
    line, counted, taken = grown(300, 10**9, rule)
    assert len(line._snapshots) == 301
    assert 0.5 * counted < taken < counted
    line, _, taken = grown(300, 150_000, rule)
    assert line.bytes <= 150_000
    assert taken < 150_000
    assert line._every > 1


@pytest.mark.slow
def test_many_batches_of_one_unit_stay_within_the_promise() -> None:
    """As 100,000 batches in 32 MB, a fiftieth of both."""
    line, counted, taken = grown(2_000, 640_000, "adam")
    assert line.place == (2_000, 0)
    assert counted < line.bytes <= 640_000
    assert taken < 640_000
    line.goto((1401, 0))
    assert line.place == (1401, 0)


def test_without_memory_in_the_middle_of_a_batch_nothing_is_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed, line = timeline(10**9), timeline(10**9)
    undisturbed.advance(5 * EPOCH, lambda: True)
    line.advance(2 * EPOCH + 1, lambda: True)

    def fails(self: Training, data: Data) -> float:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Training, "evaluate", fails)  # at the end of an epoch, after its updates
        with pytest.raises(MemoryError):
            line.advance(3 * EPOCH, lambda: True)
    assert line.place < (3, 0), "a snapshot of before; which one depends on how long the batches took"
    line.goto((5, 0))
    same(line.training.snapshot(), undisturbed.training.snapshot())
