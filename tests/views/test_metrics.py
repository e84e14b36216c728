"""The metrics: each against the trace it speaks of, on every task and cell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import TASKS, Experiment
from rnnviz.lessons.conditions import condition
from rnnviz.nn.spec import CELLS
from rnnviz.numbers import scientific
from rnnviz.player.player import Player
from rnnviz.scene.commands import Cut, Right, Seek, SelectUnit, ShowGradient, Train
from rnnviz.scene.frame import Frame
from rnnviz.views import metrics
from rnnviz.views.metrics import METRICS, language, parse, value, written


@pytest.fixture(scope="module")
def player() -> Player:
    player = Player(Experiment(seq_len=12, gain=0.8))
    player.do(Train("epoch", 2))
    return player


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("task", TASKS)
def test_every_metric_is_a_number_a_word_or_none(task: str, cell: str) -> None:
    samples = None if task in ("sine", "names", "characters", "captions") else 30
    player = Player(Experiment(task=task, cell=cell, hidden_size=4, samples=samples))
    for frame in (player.frame, player.do(Right()), player.do(Train("batch"))):
        for name, metric in METRICS.items():
            found = value(frame, name)
            assert found is None or isinstance(found, str if metric.is_text else float), name
            assert isinstance(written(frame, name), str)
            if isinstance(found, float) and not math.isnan(found):
                assert metric.low <= found <= metric.high, name


def test_they_agree_with_the_trace(player: Player) -> None:
    frame = player.frame
    trace, gradient = frame.scene.trace, frame.scene.gradient(12)
    assert value(frame, "loss") == trace.loss
    assert value(frame, "horizon") == gradient.horizon
    assert value(frame, "half_life") == gradient.half_life
    assert value(frame, "grad_norm[1]") == gradient.norms[1]
    assert value(frame, "grad_norm[-1]") == value(frame, "grad_norm[T]") == gradient.norms[12]
    assert value(frame, "grad_ratio") == gradient.norms[1] / gradient.norms[12]
    assert value(frame, "total_norm[0]") == trace.grad_norm(None)[0]
    assert value(frame, "h[3, 7]") == trace.h[3, 0, 7]
    assert value(frame, "x[1]") == trace.x[0, 0, 0]
    assert value(frame, "error[12]") == trace.y[11, 0, 0] - trace.targets[11, 0, 0]
    assert value(frame, "parameters") == 461
    assert value(frame, "gain_max") == trace.gain.max()
    assert value(frame, "train_loss") == frame.learning.loss[1]
    W = trace.params["rnn.weight_hh_l0"]
    assert value(frame, "sigma_max") == pytest.approx(np.linalg.norm(W, 2))
    assert value(frame, "w_rec[2, 5]") == W[2, 5]
    assert value(frame, "gain") == 0.8


def test_a_unit_can_be_added_up_by_hand(player: Player) -> None:
    """tanh(w_in · x + Σ w_rec · h + b) is h, from metrics alone."""
    frame, t, unit = player.frame, 5, 4

    def number(name: str) -> float:
        found = value(frame, name)
        assert isinstance(found, float)
        return found

    total = number(f"w_in[{unit}]") * number(f"x[{t}]") + number(f"bias[{unit}]")
    total += sum(number(f"w_rec[{unit}, {j}]") * number(f"h[{t - 1}, {j}]") for j in range(20))
    assert total == pytest.approx(number(f"pre[{t}, {unit}]"), rel=1e-12)
    assert math.tanh(total) == pytest.approx(number(f"h[{t}, {unit}]"), rel=1e-12)


def test_without_an_index_they_speak_of_the_cursor(player: Player) -> None:
    player.do(Seek(6))
    frame = player.do(SelectUnit(3))
    assert value(frame, "h") == value(frame, "h[6, 3]") == value(frame, "h[t, unit]")
    assert value(frame, "x") == value(frame, "x[6]")
    assert value(player.do(Seek(0)), "x") is None, "there is no input before the first"


def test_what_the_screen_shows_does_not_change_what_is_checked(player: Player) -> None:
    one = value(player.frame, "grad_ratio")
    frame = player.do(ShowGradient("total"))
    assert value(frame, "grad_ratio") == one
    assert value(frame, "shown_norm[3]") == value(frame, "total_norm[3]") != value(frame, "grad_norm[3]")
    player.do(ShowGradient("last"))


def test_none_where_it_means_nothing() -> None:
    frame = Player(Experiment()).frame
    for name in ("forget_mean", "accuracy", "needed_lag", "train_loss", "x[11]", "h[0, 20]", "grad_norm[11]", "c[1]"):
        assert value(frame, name) is None, name
        assert written(frame, name) == "–"


def test_reach_counts_a_gradient_that_never_fades() -> None:
    frame = Player(Experiment(cell="rnn", activation="identity", init="orthogonal", loss_at="last")).frame
    assert value(frame, "horizon") is None
    assert value(frame, "reach") == 10


def test_a_cut_loop_keeps_nothing() -> None:
    frame = Player(Experiment()).do(Cut())
    assert value(frame, "weights_norm") == 0
    assert value(frame, "grad_ratio") == 0
    assert value(frame, "underflows") == 10


def test_classes() -> None:
    player = Player(Experiment(task="recall", lag=3, samples=60, optimizer="adam", learning_rate=0.02, epochs=20))
    guess = value(player.frame, "accuracy")
    frame = player.do(Train("all"))
    trained, sure = value(frame, "accuracy"), value(frame, "confidence")
    assert isinstance(guess, float)
    assert isinstance(trained, float)
    assert isinstance(sure, float)
    assert guess < 0.7 < trained
    logits = frame.scene.trace.y[-1, 0]
    right = int(frame.scene.target_values[-1].argmax())
    assert sure == pytest.approx(np.exp(logits[right]) / np.exp(logits).sum())
    assert value(frame, "right_answer") == frame.scene.task.labels[right]
    assert value(frame, "needed_lag") == 3


def test_explosions_are_told_as_what_they_are() -> None:
    frame = Player(Experiment(learning_rate=1000.0)).do(Train("all"))
    assert value(frame, "is_finite") == 0
    assert written(frame, "loss") in ("∞", "nan")
    assert not condition("loss < 1").holds(frame, {})
    assert not condition("loss >= 1").holds(frame, {}) or written(frame, "loss") == "∞"


@pytest.mark.parametrize(
    ("text", "told"),
    [("lose", "did you mean loss"), ("loss[1]", "takes none"), ("h[1, 2, 3]", "takes 2"), ("h[one]", "not an index"),
     ("1loss", "not a metric"), ("", "not a metric"), ("loss.real", "not a metric"), ("loss; exit", "not a metric")],
)  # fmt: skip
def test_what_is_no_metric(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse(text)


@pytest.mark.parametrize(
    ("name", "spec", "text"),
    [("loss", ".2f", "0.50"), ("parameters", ",d", "1"), ("grad_ratio", ".0%", "50 %"), ("epoch", None, "0")],
)
def test_formats(name: str, spec: str | None, text: str) -> None:
    assert metrics.say(name, 0.5 if name != "parameters" else 1.0, spec) == text
    with pytest.raises(InputError, match="is not a format"):
        metrics.check_format(name, ".2q")


@pytest.mark.parametrize("value", [1.76, 9.96e-5, 3.2e-9, 0.03296, 0.0])
def test_a_power_of_ten_is_written_as_on_the_score(value: float) -> None:
    assert metrics.say("grad_norm", value, ".1e") == scientific(value)


@pytest.mark.parametrize(
    ("value", "text"), [(15.86, "15.9"), (0.0387, "0.0387"), (0.0012, "1.2e-03"), (1e4, "1.0e+04")]
)
def test_what_needs_no_power_of_ten_has_none(value: float, text: str) -> None:
    assert metrics.say("grad_ratio", value) == text


def test_what_a_learner_reads_has_no_names_of_code() -> None:
    assert set(language.WORDS) <= set(METRICS)
    assert metrics.called(parse("grad_ratio")) == "arrives at h₁"
    assert metrics.called(parse("start.grad_norm[3]")) == "start.gradient[3]"
    for name in METRICS:
        assert "_" not in metrics.called(parse(name)).replace("σ_max", ""), name


def test_each_says_what_it_is() -> None:
    for metric in METRICS.values():
        assert metric.about, metric.name
        assert len(metric.about) < 100, metric.name


def test_only_what_never_exceeds_1_is_called_a_share() -> None:
    for metric in METRICS.values():
        if metric.setting is None and "share" in f"{metrics.called(parse(metric.name))} {metric.about}":
            assert metric.high <= 1, metric.name


def test_how_long_a_mean_gate_keeps_a_value() -> None:
    """1/(1 − f) is the sum 1 + f + f² + …, and f to the power of the half-life is a half."""
    for settings in (Experiment(cell="lstm", forget_bias=2.0), Experiment(cell="gru")):
        frame = Player(settings).frame
        kept = number(frame, "forget_mean" if settings.cell == "lstm" else "update_mean")
        assert number(frame, "gate_steps") == pytest.approx(sum(kept**n for n in range(2000)), rel=1e-9)
        assert kept ** number(frame, "gate_half_life") == pytest.approx(0.5, rel=1e-9)
    assert value(Player(Experiment()).frame, "gate_steps") is None


def test_clipping_by_value_turns_a_gradient() -> None:
    """By the angle of the arrays, taken by hand; by norm it does not turn."""
    settings = Experiment(loss_at="last", activation="identity", gain=1.5)
    assert number(Player(settings).frame, "clip_turn") < 1e-4
    assert number(Player(settings.with_(clip_norm=0.01)).frame, "clip_turn") < 1e-4
    frame = Player(settings.with_(clip_value=0.01)).frame
    whole = np.concatenate([g.ravel() for g in frame.scene.trace.grads.values()])
    left = np.clip(whole, -0.01, 0.01)
    cosine = whole @ left / np.linalg.norm(whole) / np.linalg.norm(left)
    assert math.cos(math.radians(number(frame, "clip_turn"))) == pytest.approx(cosine, rel=1e-9)
    assert cosine < 0.9


def number(frame: Frame, name: str) -> float:
    found = value(frame, name)
    assert isinstance(found, float)
    return found
