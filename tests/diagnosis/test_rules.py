"""Every rule on networks that have what it looks for, and on ones that do not."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.diagnosis.diagnose import diagnose
from rnnviz.diagnosis.evidence import Evidence, Moment, NotFinite, Updates, repetition
from rnnviz.diagnosis.rules import RULES
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run
from rnnviz.lessons import course
from rnnviz.tasks.catalog import info
from tests.diagnosis.networks import ADAM, evidence_of, of, rules

SEEDS = (0, 1, 2)
# A linear RNN with W = γQ keeps exactly γ of the gradient in each step.
LINEAR = {
    "task": "recall",
    "activation": "identity",
    "init": "orthogonal",
    "hidden_size": 6,
    "samples": 40,
    "epochs": 0,
}


# -- networks that have nothing ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [SEEDS[0], *(pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS[1:])])
@pytest.mark.parametrize("settings", [
    {}, {"cell": "lstm"}, {"cell": "gru"}, {"cell": "mingru"}, {"init": "pytorch", "biases": 2},
    {"activation": "relu"}, {"cell": "lstm", "init": "pytorch", "biases": 2, "num_layers": 2, **ADAM, "batch_size": 8},
    {"loss_at": "last"}, {"seq_len": 20, "dtype": "float32"}, {"clip_norm": 1.0}, {"epochs": 0},
], ids=str)  # fmt: skip
def test_a_healthy_network_has_no_finding(settings: dict[str, object], seed: int) -> None:
    assert rules(of(seed=seed, **settings)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("settings", "seed"), [
    ({"cell": "rnn"}, 0), ({"cell": "rnn"}, 1), ({"cell": "lstm"}, 0), ({"cell": "gru"}, 1),
    ({"cell": "lstm", "init": "chrono"}, 0), ({"cell": "rnn", "init": "pytorch", "biases": 2}, 2),
], ids=str)  # fmt: skip
def test_a_network_that_has_learnt_its_task_has_no_finding(settings: dict[str, object], seed: int) -> None:
    """Its states are latched and its gradient has faded, and yet nothing is wrong."""
    diagnosis = of(task="recall", lag=6, samples=300, epochs=25, seed=seed, **ADAM, **settings)
    assert diagnosis.evidence.is_learnt
    assert rules(diagnosis) == []


def test_a_faded_gradient_is_no_finding_once_the_task_is_learnt() -> None:
    evidence = evidence_of(gain=0.5, lag=20, **LINEAR)
    for is_learnt, found in ((True, []), (False, ["vanishing-gradient"]), (None, ["vanishing-gradient"])):
        assert rules(diagnose(replace(evidence, is_learnt=is_learnt))) == found


@pytest.mark.slow
@pytest.mark.parametrize("seed", [5])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("task", ["recall", "names", "captions"])
def test_the_recipe_of_a_task_has_no_finding(task: str, cell: str, seed: int) -> None:
    """These learn recall and captions; of the names they learn those of the training."""
    lag = {"lag": 10} if task == "recall" else {}
    diagnosis = of(task=task, cell=cell, seed=seed, **lag, **dict(info(task).recipe))
    assert diagnosis.evidence.is_learnt or task == "names"
    assert rules(diagnosis) == []


# -- gradients -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("gain", [0.5, 0.7])
def test_a_vanishing_gradient_by_its_exact_factor(gain: float, seed: int) -> None:
    found = of(gain=gain, lag=20, seed=seed, **LINEAR).findings[0]
    assert (found.rule, found.lesson) == ("vanishing-gradient", "why-gradients-vanish")
    assert found.evidence["left"] == pytest.approx(gain**20)
    assert found.evidence["factor"] == pytest.approx(gain)
    assert (found.evidence["slope"], found.evidence["weight"]) == (pytest.approx(1), pytest.approx(gain))
    assert "20 steps back, the lag that the answer depends on" in found.what
    assert "weights are small" in found.cause


@pytest.mark.parametrize("gain", [0.8, 1.0, 1.1])
def test_one_per_cent_or_more_at_the_lag_is_no_finding(gain: float) -> None:
    """0.8²⁰ is 0.0115, 0.79²⁰ is 0.0090."""
    assert rules(of(gain=gain, lag=20, **LINEAR)) == []
    assert rules(of(gain=0.79, lag=20, **LINEAR)) == ["vanishing-gradient"]


def test_slopes_are_named_where_they_take_more() -> None:
    found = of(
        weights={"rnn.bias_ih_l0": 1.5}, task="recall", lag=20, init="orthogonal", samples=40, epochs=0
    ).findings[0]
    assert found.rule == "vanishing-gradient"
    assert found.evidence["slope"] < found.evidence["weight"]
    assert "slope of tanh" in found.cause


@pytest.mark.parametrize("cell", ["lstm", "gru", "mingru"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_gate_that_forgets_is_named(cell: str, seed: int) -> None:
    found = of(task="recall", lag=30, cell=cell, samples=40, epochs=0, seed=seed).findings[0]
    assert found.rule == "vanishing-gradient"
    assert "forgets" in found.cause
    assert found.evidence["kept"] < 0.8
    remembering = {"init": "chrono"} | ({"forget_bias": 5.0} if cell == "lstm" else {})
    assert "vanishing-gradient" not in rules(
        of(task="recall", lag=10, cell=cell, samples=40, epochs=0, seed=seed, **remembering)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_known_lag_a_long_sequence_that_is_judged_at_its_end(seed: int) -> None:
    short = {"task": "sine", "points": 120, "seq_len": 60, "activation": "identity", "init": "orthogonal", "epochs": 0,
             "seed": seed}  # fmt: skip
    found = of(gain=0.3, loss_at="last", **short).findings[0]
    assert found.rule == "vanishing-gradient"
    assert found.evidence["lag_is_known"] is False
    assert "a tenth of the 60 steps" in found.what
    assert rules(of(gain=0.9, loss_at="last", **short)) == []
    every = of(gain=0.3, loss_at="every", **short)
    assert rules(every) == [], "with a loss at every step a short way back may be all that is needed"
    assert "lag" in every.not_judged["vanishing-gradient"]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_exploding_gradient_by_its_exact_factor(seed: int) -> None:
    found = of(gain=2.0, lag=20, seed=seed, **LINEAR).findings[0]
    assert (found.rule, found.lesson) == ("exploding-gradient", "exploding-gradients")
    assert found.evidence["left"] == pytest.approx(2.0 ** found.evidence["lag"])
    assert found.evidence["lag"] >= 20
    assert found.evidence["weight"] == pytest.approx(2)
    assert rules(of(gain=1.3, lag=20, seed=seed, **LINEAR)) == [], "1.3²¹ is 247"


def test_truncation_before_the_input_that_matters() -> None:
    cut = of(gain=1.0, lag=20, truncate="5,5", **LINEAR)
    assert rules(cut) == ["truncated"]
    assert cut.findings[0].evidence == {"steps_used": 5, "lag": 20, "sequences": 8}
    assert rules(of(gain=1.0, lag=20, truncate="21,21", **LINEAR)) == []


# -- nan and inf ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("settings", "quantity"), [
    ({"learning_rate": 1e30}, "the loss"),
    ({"activation": "relu", "gain": 10.0, "seq_len": 30, "points": 100}, "the state h"),
    ({"activation": "identity", "learning_rate": 100.0}, "the"),
    ({"cell": "lstm", "learning_rate": 1e300}, "the"),
    ({"learning_rate": 1e30, "dtype": "float32"}, "the"),
    ({"learning_rate": 1e308, "optimizer": "adam"}, "the"),
], ids=str)  # fmt: skip
def test_the_first_value_that_is_not_finite(settings: dict[str, object], quantity: str, seed: int) -> None:
    """Trained again up to that update, everything is finite; one update more, and it is not."""
    found = of(seed=seed, **settings).findings[0]
    assert found.rule == "not-finite"
    assert found.evidence["quantity"].startswith(quantity)
    run = Run(Experiment(seed=seed, **settings))  # type: ignore[arg-type]
    step = int(found.evidence["step"])
    losses = [run.training.run_batch() for _ in range(step)]
    assert np.isfinite(losses[: step - 1]).all()
    assert not math.isfinite(losses[-1]) or not math.isfinite(run.training.run_batch())


def test_a_large_but_finite_loss_has_diverged() -> None:
    assert "diverged" in rules(of(learning_rate=5.0, epochs=6))
    assert "not-finite" not in rules(of(learning_rate=5.0, epochs=6))


@pytest.mark.parametrize(("losses", "constant", "is_found"), [
    ([1.0, 10.1], 1.0, True), ([1.0, 9.9], 1.0, False), ([100.0, 20.0], 1.0, False), ([1.0, 10.1, math.nan], 1.0, True),
    ([0.5, 5.1], None, True), ([0.5, 4.9], None, False), ([20.0], 1.0, False),
])  # fmt: skip
def test_ten_times_a_constant_answers_loss_has_diverged(
    losses: list[float], constant: float | None, is_found: bool
) -> None:
    evidence = Evidence("experiment", "", (), losses=np.array(losses), constant=constant)
    assert ("diverged" in rules(diagnose(evidence))) is is_found


# -- units and gates -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_saturated_units(seed: int) -> None:
    found = {f.rule: f for f in of({"rnn.bias_ih_l0": 4.0}, epochs=0, seed=seed).findings}["saturated-units"]
    assert found.evidence["share"] > 0.8
    few = np.zeros(20)
    few[:8] = 4.0
    assert "saturated-units" not in rules(of({"rnn.bias_ih_l0": few}, epochs=0, seed=seed)), "8 of 20"


@pytest.mark.parametrize("seed", SEEDS)
def test_dead_units(seed: int) -> None:
    relu = of({"rnn.bias_ih_l0": -9.0}, activation="relu", epochs=0, seed=seed)
    found = {f.rule: f for f in relu.findings}["dead-units"]
    assert (found.evidence["share"], found.evidence["share_at_zero"]) == (1, 1)
    assert found.remedy.settings == {"activation": "tanh"}
    constant = of({"rnn.weight_ih_l0": 0.0, "rnn.weight_hh_l0": 0.0, "rnn.bias_ih_l0": 0.5}, epochs=0, seed=seed)
    assert "dead-units" in rules(constant)
    assert "dead-units" not in rules(of(activation="relu", epochs=0, seed=seed))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("cell", "gate", "block"), [
    ("lstm", "i", 0), ("lstm", "f", 1), ("lstm", "o", 3), ("gru", "r", 0), ("mingru", "z", 0),
])  # fmt: skip
def test_a_gate_that_stays_shut(cell: str, gate: str, block: int, seed: int) -> None:
    H = 20
    bias = np.zeros({"lstm": 4, "gru": 3, "mingru": 2}[cell] * H)
    if cell == "lstm":
        bias[H : 2 * H] = 1.0
    bias[block * H : (block + 1) * H] = 9.0 if gate == "z" else -9.0
    found = {f.rule: f for f in of({"rnn.bias_ih_l0": bias}, cell=cell, epochs=0, seed=seed).findings}["gate-shut"]
    assert found.evidence["gate"] == ("1−z" if gate == "z" else gate)
    assert found.evidence["share"] == 1


@pytest.mark.parametrize("cell", ["lstm", "gru", "mingru"])
def test_gates_that_start_with_a_long_memory_are_no_finding(cell: str) -> None:
    """Chrono: the input gates are nearly shut on purpose."""
    for seed in SEEDS:
        found = of(task="recall", lag=300, samples=20, cell=cell, init="chrono", epochs=0, seed=seed)
        assert "gate-shut" not in rules(found)


@pytest.mark.slow
def test_a_forget_gate_at_its_start() -> None:
    settings = {"task": "recall", "lag": 40, "cell": "lstm", "samples": 60, "batch_size": 4, "epochs": 8}
    for seed in SEEDS[:2]:
        found = {f.rule: f for f in of(seed=seed, **settings).findings}["gate-at-start"]
        assert found.evidence["kept"] == pytest.approx(found.evidence["kept_at_first"], abs=0.05)
        assert found.remedy.settings == {"forget_bias": 3.7}, "ln 39"
    assert "gate-at-start" not in rules(of(forget_bias=5.0, **settings))
    assert "gate-at-start" in of(**settings | {"epochs": 1}).not_judged, "too few updates"


# -- updates -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_mostly_clipped() -> None:
    for seed in SEEDS:
        found = {f.rule: f for f in of(clip_norm=0.01, seed=seed).findings}["mostly-clipped"]
        assert found.evidence["share"] == 1
        assert "clip_norm 0.01" in found.what
    assert "mostly-clipped" in rules(of(clip_value=1e-4))
    assert "mostly-clipped" in rules(of(clip_each=1e-3))
    assert "mostly-clipped" not in rules(of(clip_norm=100.0))
    assert "mostly-clipped" in of().not_judged


@pytest.mark.parametrize(("share", "is_found"), [(0.5, False), (0.51, True)])
def test_half_of_the_updates_may_be_clipped(share: float, is_found: bool) -> None:
    clipped = np.arange(100) < 100 * share
    updates = Updates(np.arange(100), {}, np.ones(100), clipped, "clip_norm 1")
    evidence = Evidence("recording", "", (), updates=updates)
    assert ("mostly-clipped" in rules(diagnose(evidence))) is is_found


@pytest.mark.parametrize("seed", SEEDS)
def test_updates_too_large_and_too_small(seed: int) -> None:
    large = of(optimizer="adam", learning_rate=0.5, seed=seed, epochs=3)
    assert "large-updates" in rules(large)
    assert {f.rule: f for f in large.findings}["large-updates"].evidence["ratio"] > 0.1
    small = of(learning_rate=1e-7, seed=seed, epochs=3)
    assert "small-updates" in rules(small)
    assert {f.rule: f for f in small.findings}["small-updates"].remedy.settings == {"learning_rate": 1e-6}


def test_the_ratio_is_that_of_the_training() -> None:
    run = Run(Experiment(epochs=1))
    before = run.training.model.params["rnn.weight_hh_l0"]
    run.training.run_batch()
    after = run.training.model.params["rnn.weight_hh_l0"]
    expected = np.linalg.norm(after - before) / np.linalg.norm(before)
    updates = evidence_of(epochs=1).updates
    assert updates is not None
    assert updates.ratio["weight_hh_l0"][0] == pytest.approx(expected)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_two_biases_outrun_small_inputs(cell: str) -> None:
    """A sine of the usual size is large enough; one of a tenth of that is not."""
    for seed in SEEDS:
        evidence = evidence_of(cell=cell, biases=2, epochs=0, seed=seed)
        (layer,) = evidence.moments[0].layers
        assert "two-biases" not in rules(diagnose(evidence))
        quiet = replace(layer, x_squared=0.05)
        found = diagnose(replace(evidence, moments=(Moment("untrained", 0, (quiet,)),))).findings
        assert [f.rule for f in found] == ["two-biases"]
        assert found[0].evidence["share"] == pytest.approx(2 / 2.05)
        assert "n" not in found[0].evidence["blocks"], "a reset gate parts the two gradients"
    assert "two-biases" in of(cell="rnn", biases=1, epochs=0).not_judged


def test_the_share_of_the_biases_is_what_a_step_changes() -> None:
    """Measured on the sums themselves: W x + b before and after a step along the gradient, at one step from h = 0."""
    run = Run(Experiment(seq_len=1, biases=2, optimizer="sgd", learning_rate=1e-3, hidden_size=5))
    trace = run.training.model.trace(run.task.x[:1].swapaxes(0, 1), run.task.targets[:1].swapaxes(0, 1))
    biases = trace.grads["rnn.bias_ih_l0"] + trace.grads["rnn.bias_hh_l0"]
    weights = trace.grads["rnn.weight_ih_l0"] @ trace.x[0, 0]
    share = np.linalg.norm(biases) / np.linalg.norm(biases + weights)
    assert share == pytest.approx(2 / (2 + float(trace.x[0, 0] @ trace.x[0, 0])))


# -- the loss ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("settings", [
    {"activation": "relu", "init": "identity"}, {"cell": "lstm", "init": "pytorch", "biases": 2, "num_layers": 2},
], ids=str)  # fmt: skip
def test_a_loss_flat_at_a_constant_answers(settings: dict[str, object], seed: int) -> None:
    """With plain SGD these two have not left it after the 20 epochs of the recipe."""
    diagnosis = of(seed=seed, **settings)
    found = {f.rule: f for f in diagnosis.findings}["flat-at-constant"]
    assert found.evidence["answer_loss"] == diagnosis.evidence.constant
    assert found.evidence["loss"] == pytest.approx(diagnosis.evidence.losses[-1], rel=0.05)


@pytest.mark.parametrize(("losses", "is_flat"), [
    ([1.0] * 12, True), ([1.04] * 12, True), ([1.06] * 12, False), ([1.0] * 5, False),
    (list(np.linspace(1.04, 0.96, 6)), False), ([1.0] * 11 + [math.nan], False), ([5.0] * 6 + [1.0] * 6, True),
])  # fmt: skip
def test_flat_is_near_and_still(losses: list[float], is_flat: bool) -> None:
    evidence = Evidence("experiment", "", (), losses=np.array(losses), constant=1.0)
    assert ("flat-at-constant" in rules(diagnose(evidence))) is is_flat


def test_a_loss_flat_at_the_last_values() -> None:
    """An RNN that hands its input through, and hardly learns; and one that is as good by other means."""
    echo = {"rnn.weight_ih_l0": 1.0, "rnn.weight_hh_l0": 0.0, "readout.weight": 1.0, "rnn.bias_ih_l0": 0.0}
    settings = {"hidden_size": 1, "activation": "identity", "learning_rate": 1e-5, "epochs": 8}
    for seed in SEEDS:
        found = of(echo, seed=seed, **settings)
        assert "flat-at-last-value" in rules(found)
        assert found.evidence.echo == pytest.approx(0, abs=1e-4)
        assert "flat-at-last-value" not in rules(diagnose(replace(found.evidence, echo=0.5)))


# -- all rules -----------------------------------------------------------------------------------------


def test_every_lesson_that_a_rule_names_exists() -> None:
    for rule in RULES:
        assert course.find().file(rule.lesson)


def test_without_any_evidence_nothing_is_found_and_everything_has_a_reason() -> None:
    diagnosis = diagnose(Evidence("recording", "", ()))
    assert diagnosis.findings == ()
    assert set(diagnosis.not_judged) == {rule.slug for rule in RULES} - {"not-finite"}
    assert all(re.match(r"[a-z]", reason) for reason in diagnosis.not_judged.values())


FAULTS: tuple[dict[str, object], ...] = (
    {"gain": 0.5, "lag": 20, **LINEAR}, {"gain": 2.0, "lag": 20, **LINEAR}, {"lag": 20, "truncate": "5,5", **LINEAR},
    {"task": "recall", "lag": 30, "cell": "lstm", "samples": 40, "epochs": 0},
    {"task": "recall", "lag": 30, "cell": "gru", "samples": 40, "epochs": 0},
    {"learning_rate": 1e30}, {"learning_rate": 5.0, "epochs": 6}, {"clip_norm": 0.01}, {"learning_rate": 1e-7},
    {"optimizer": "adam", "learning_rate": 0.5, "epochs": 8},
    {"activation": "relu", "init": "identity"},
)  # fmt: skip


@pytest.mark.parametrize("settings", FAULTS, ids=str)
def test_a_finding_is_whole_and_its_remedy_is_valid(settings: dict[str, object]) -> None:
    findings = of(**settings).findings
    assert findings
    for found in findings:
        for text in (found.what, found.cause, found.remedy.about):
            assert re.match(r"[A-Z0-9∂1]|[a-z−]+ s", text)
            assert text.endswith(".")
            assert not re.search(r"\b(can|cannot|will)\b", text), "it measures, and forecasts nothing"
        assert found.remedy.pytorch
        assert found.remedy.keras
        compile(found.remedy.pytorch.replace("…", "..."), "pytorch", "exec")
        compile(found.remedy.keras.replace("…", "..."), "keras", "exec")
        Run(Experiment(**settings).with_(**found.remedy.settings))  # type: ignore[arg-type]


def test_repetition_is_found_in_a_wave_and_not_in_noise() -> None:
    wave = np.sin(2 * np.pi * np.arange(100) / 12)[:, None]
    assert repetition([wave]) == (12, pytest.approx(1, abs=0.05))
    noise = np.random.default_rng(0).standard_normal((400, 2))
    assert repetition([noise]) is None
    assert repetition([np.linspace(0, 1, 60)[:, None]]) is None, "a trend does not repeat"
    assert repetition([np.zeros((60, 1))]) is None
    assert repetition([wave[:10]]) is None
    assert repetition([np.full((60, 1), np.nan)]) is None


def test_not_finite_in_a_recording_is_worded_the_same() -> None:
    first = NotFinite("in the record of step 300", 300, "the weights weight_hh_l0 of a layer", "nan")
    (found,) = diagnose(Evidence("recording", "", (), not_finite=first)).findings
    assert found.what == (
        "The weights weight_hh_l0 of a layer hold nan in the record of step 300, the first value that is not finite."
    )
