"""Measuring beside: it is worked out in parts, can be stopped, and gives way to whatever a person asks for."""

from __future__ import annotations

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.player.player import Player
from rnnviz.scene.commands import Check, Measure, Right, Train
from rnnviz.scene.frame import Progress
from rnnviz.views import analysis
from rnnviz.views import prepare as preparing


@pytest.fixture(autouse=True)
def nothing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "AT_ONCE", 0)


def test_what_a_person_asks_for_takes_the_place_of_a_measurement() -> None:
    player = Player(Experiment())
    measuring = player.begin(Measure("triangle"))
    assert measuring is not None
    training = player.begin(Train("batch"))
    assert training is not None
    assert measuring.is_cancelled
    measuring.run()
    player.finish(measuring)
    assert player.job is training, "the one that gave way has nothing to say"
    training.run()
    assert player.finish(training).cursor.batch == 1
    assert analysis.triangle(player.frame.scene) is None


def test_a_measurement_never_takes_the_place_of_anything() -> None:
    player = Player(Experiment())
    training = player.begin(Train("batch"))
    assert player.begin(Measure("gain")) is None
    assert player.job is training
    assert player.frame.hint == ""


def test_the_cursor_moves_while_something_is_measured() -> None:
    player = Player(Experiment())
    job = player.begin(Measure("gain"))
    assert job is not None
    player.begin(Right())
    job.run()
    player.finish(job)
    assert player.frame.cursor.t == 1
    assert analysis.gain(player.frame.scene) is not None


def test_it_tells_how_far_it_is_and_stops_between_parts() -> None:
    player = Player(Experiment())
    told: list[Progress] = []
    job = player.begin(Measure("triangle"))
    assert job is not None

    def report(progress: Progress) -> None:
        told.append(progress)
        if progress.done == 3:
            job.cancel()

    job.run(report)
    player.finish(job)
    assert [progress.done for progress in told] == [1, 2, 3]
    assert told[0].total == 8
    assert analysis.triangle(player.frame.scene) is None


def test_a_checked_sequence_stays_checked_until_its_weights_change() -> None:
    player = Player(Experiment())
    scene = player.do(Check()).scene
    assert analysis.checked(scene) == scene.trace.check()
    assert analysis.checked(player.do(Right()).scene) is not None
    assert analysis.checked(player.do(Train("batch")).scene) is None
