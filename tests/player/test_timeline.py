"""The timeline: what does not fit in memory is found again by replay, to the last bit."""

from __future__ import annotations

import numpy as np

from rnnviz.experiment.build import build_model, build_task, build_training, resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.player.timeline import Timeline


def timeline(budget: int) -> Timeline:
    experiment = resolved(Experiment(hidden_size=5, momentum=0.9))
    task = build_task(experiment)
    return Timeline(build_training(experiment, build_model(experiment, task), task), budget)


def test_a_small_budget_only_costs_time() -> None:
    roomy, tight = timeline(10**9), timeline(1)
    for line in (roomy, tight):
        line.advance(5 * 17 + 3, lambda: True)
    assert len(tight._snapshots) < len(roomy._snapshots)
    for place in [(17, 3), (9, 4), (1, 0), (0, 2), (16, 1), (0, 0)]:
        for line in (roomy, tight):
            line.goto(place)
            assert line.place == place
        a, b = roomy.training.snapshot(), tight.training.snapshot()
        for name in a.params:
            assert np.array_equal(a.params[name], b.params[name])
        assert a.history == b.history


def test_the_loss_curve_keeps_its_future() -> None:
    line = timeline(10**9)
    line.advance(15, lambda: True)
    known = list(line.losses)
    assert len(known) == 3
    line.goto((1, 0))
    assert line.losses == known
    line.advance(5, lambda: True)
    assert line.losses == known
