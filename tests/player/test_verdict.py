"""The verdict: the horizon held against the lag the task needs."""

import math

import pytest

from rnnviz.player import measure
from rnnviz.player.commands import Change, Cut, Train
from rnnviz.player.experiment import Experiment
from rnnviz.player.player import Player

# A linear RNN with W = γQ keeps exactly γ of the gradient in each step, so 1 % is left after log 0.01 / log γ.
LINEAR = Experiment(task="recall", lag=20, activation="identity", init="orthogonal", hidden_size=6, samples=20)
HORIZON = math.log(0.01) / math.log(0.8)  # 20.6


@pytest.mark.parametrize(("lag", "can"), [(20, True), (21, False)])
def test_it_can_learn_what_the_horizon_reaches(lag: int, can: bool) -> None:
    verdict = Player(LINEAR.with_(gain=0.8, lag=lag)).frame.verdict
    assert verdict is not None
    assert verdict.horizon == pytest.approx(HORIZON, abs=1e-6)
    assert verdict.kept == pytest.approx(0.8**lag)
    assert verdict.can_learn is can
    word = "can learn this" if can else "cannot learn this yet"
    assert verdict.text == f"horizon 20.6 steps · this task needs {lag}: it {word}"


def test_it_follows_a_change() -> None:
    player = Player(LINEAR)
    assert player.frame.verdict is not None
    assert player.frame.verdict.text == "horizon > 21 steps · this task needs 20: it can learn this"
    verdict = player.do(Change((("gain", 0.5),))).verdict
    assert verdict is not None
    assert verdict.text == "horizon 6.6 steps · this task needs 20: it cannot learn this yet"


def test_what_explodes_teaches_nothing() -> None:
    verdict = Player(LINEAR.with_(gain=2.0)).frame.verdict
    assert verdict is not None
    assert verdict.kept == pytest.approx(2.0**20)
    assert not verdict.can_learn
    assert verdict.text == "the gradient explodes: × 1.0e+06 over the 20 steps this task needs"


def test_without_the_loop_nothing_reaches_back() -> None:
    verdict = Player(LINEAR).do(Cut()).verdict
    assert verdict is not None
    assert (verdict.horizon, verdict.kept, verdict.can_learn) == (1.0, 0.0, False)


def test_no_number_is_no_horizon() -> None:
    player = Player(LINEAR.with_(learning_rate=1e200, activation="relu"))
    verdict = player.do(Train("epoch", 2)).verdict
    assert verdict is not None
    assert math.isnan(verdict.kept)
    assert "cannot learn" in verdict.text


def test_of_an_lstm_the_path_that_reaches_farther_counts() -> None:
    player = Player(Experiment(task="recall", lag=20, cell="lstm", forget_bias=4.0, samples=20))
    gradient = player.frame.gradient
    assert gradient.highway is not None
    verdict = player.frame.verdict
    assert verdict is not None
    assert verdict.can_learn
    paths = (gradient.horizon, gradient.highway.horizon)
    assert verdict.horizon == (None if None in paths else max(p for p in paths if p is not None))


def test_what_is_learnt_is_not_called_out_of_reach() -> None:
    """Ten steps between letter and question: once all answers are right, hardly any gradient is left to reach it."""
    player = Player(Experiment(task="recall", seq_len=11, hidden_size=8, samples=200, optimizer="adam",
                               learning_rate=0.02, batch_size=32, epochs=10))  # fmt: skip
    before = player.frame.verdict
    assert before is not None
    assert not before.is_learnt
    assert before.text.endswith("it can learn this")
    after = player.do(Train("all")).verdict
    assert after is not None
    assert player.frame.scene.accuracy == 1
    assert after.horizon is not None
    assert after.horizon < 10
    assert after.text == f"horizon {after.horizon:.1f} steps · this task needs 10: learnt, 100 % right"
    assert after.can_learn
    without = player.do(Cut()).verdict
    assert without is not None
    assert without.text.endswith("it cannot learn this yet")
    again = player.do(Cut()).verdict
    assert again is not None
    assert again.is_learnt


def test_two_right_answers_may_be_luck() -> None:
    player = Player(LINEAR.with_(gain=0.8, lag=21))
    assert player.frame.scene.accuracy == 1, "untrained, on the two sequences that are kept"
    assert player.frame.verdict is not None
    assert not player.frame.verdict.is_learnt


def test_right_answers_are_not_counted_while_someone_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "AT_ONCE", 0)
    player = Player(Experiment(task="recall", lag=5, samples=200))
    assert player.frame.verdict is not None
    assert player.frame.verdict.right is None, "the first scene is on the screen before anything slow"
    verdict = player.do(Train("batch")).verdict
    assert verdict is not None
    assert verdict.right == player.frame.scene.accuracy


def test_it_fits_its_row() -> None:
    for gain in (0.01, 0.5, 1.0, 3.0):
        for lag in (3, 200):
            verdict = Player(LINEAR.with_(gain=gain, lag=lag)).frame.verdict
            assert verdict is not None
            assert len(verdict.text) <= 70


@pytest.mark.parametrize("task", ["sine", "names"])
def test_a_task_without_a_known_lag_has_none(task: str) -> None:
    assert Player(Experiment(task=task)).frame.verdict is None
