"""From an experiment to its numbers: what is filled in, what is aligned with what, and where Keras lands."""

from pathlib import Path

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.build import build_model, build_task, resolved, trace_of
from rnnviz.experiment.evaluate import continue_text, fit, outputs, self_fed
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run, gradients, train
from rnnviz.nn import Model, engine
from rnnviz.tasks import NAMES

GOLDEN = Path(__file__).parents[1] / "golden" / "keras_sine_runs.npz"


@pytest.mark.parametrize("task", NAMES)
def test_what_is_filled_in_gives_the_same_task_and_stays(task):
    experiment = Experiment(task=task)
    filled = resolved(experiment)
    assert resolved(filled) == filled
    assert filled.seq_len is not None
    assert filled.loss_at is not None
    a, b = build_task(experiment), build_task(filled)
    assert np.array_equal(a.x, b.x)
    assert np.array_equal(a.loss_mask, b.loss_mask)
    assert a.shape == b.shape


def test_settings_that_do_not_fit_the_task_are_told():
    with pytest.raises(InputError, match="samples"):
        resolved(Experiment(samples=5))
    with pytest.raises(InputError, match="source"):
        resolved(Experiment(task="recall", source="text.txt"))
    with pytest.raises(InputError, match="lag"):
        resolved(Experiment(task="recall", lag=9, seq_len=9))


@pytest.mark.parametrize("points", [2, 3, 7, 50])
@pytest.mark.parametrize("split", [0.0, 0.1, 0.99])
def test_no_window_and_split_crash(points, split):
    for seq_len in (1, 2, points - 1, points, points + 1):
        experiment = Experiment(points=points, seq_len=max(1, seq_len), epochs=1, validation_split=split)
        try:
            result = train(experiment)
        except InputError:
            continue
        assert len(result.prediction) == len(result.targets) == points - seq_len


def test_self_fed_reads_one_true_window_and_then_its_own_words():
    run = Run(Experiment(seq_len=4, points=12, epochs=1))
    model, task = run.training.model, run.task
    said = self_fed(model, task)
    window = list(task.series[:4])
    for value in said:
        assert value == pytest.approx(model.forward(np.array(window).reshape(4, 1, 1))[-1, 0, 0], rel=1e-12)
        window = [*window[1:], value]
    assert len(said) == 8


def test_fit_says_each_point_from_the_true_window_before_it():
    run = Run(Experiment(seq_len=4, points=12))
    model, series = run.training.model, run.task.series
    ahead = fit(model, run.task)
    for k in range(8):
        y = model.forward(series[k : k + 4].reshape(4, 1, 1))[-1, 0, 0]
        assert ahead[k] == pytest.approx(y, rel=1e-12)
    assert ahead[0] == pytest.approx(self_fed(model, run.task)[0], rel=1e-12)


def test_an_exploded_network_feeds_itself_nan():
    result = train(Experiment(learning_rate=100.0, epochs=15))
    assert np.isnan(result.prediction).all()
    assert np.isnan(result.history["loss"][-1])


@pytest.mark.parametrize("task", ["names", "captions", "copying", "adding"])
def test_answers_stand_beside_what_they_should_be(task):
    result = train(Experiment(task=task, epochs=0))
    judged = result.task.loss_mask[result.task.n_train :].sum(axis=1)
    assert [len(said) for said in result.prediction] == [len(true) for true in result.targets] == judged.tolist()
    if result.task.labels:
        assert {word for said in result.prediction for word in said} <= set(result.task.labels)


def test_on_epoch_can_stop():
    result = train(Experiment(epochs=50), lambda training: training.epoch < 3)
    assert len(result.history["loss"]) == 3
    assert not result.completed


def test_the_same_experiment_gives_the_same_numbers():
    a, b = train(Experiment(epochs=3, seed=9)), train(Experiment(epochs=3, seed=9))
    assert a.history == b.history
    assert np.array_equal(a.prediction, b.prediction)


def test_gradients_after_training_do_not_change_what_is_trained():
    experiment = Experiment(seed=2)
    run = Run(experiment.with_(epochs=4))
    model = run.train().model
    expected = trace_of(model, run.task, 5).grad_norm(10)
    assert np.array_equal(gradients(experiment, sample=5, after_epochs=4).grad_norm(10), expected)


def test_every_setting_of_the_training_arrives():
    settings = {
        "optimizer": "sgd", "learning_rate": 0.3, "momentum": 0.5, "clip_norm": 2.0, "clip_value": 3.0,
        "batch_size": 5, "shuffle": False, "truncate": "3,7", "seed": 11, "validation_split": 0.3,
    }  # fmt: skip
    training = Run(Experiment(**settings)).training
    rule = training.optimizer
    assert (rule.name, rule.learning_rate, rule.momentum) == ("sgd", 0.3, 0.5)
    assert (rule.clip_norm, rule.clip_value) == (2.0, 3.0)
    assert (training.batch_size, training.shuffle, training.seed) == (5, False, 11)
    assert training.truncate == (3, 7)
    adam = Run(Experiment(optimizer="adam", convention="keras", epsilon=1e-5)).training.optimizer
    assert (adam.name, adam.convention, adam.epsilon) == ("adam", "keras", 1e-5)
    assert (len(training.train), len(training.validation)) == (28, 12)


def test_every_setting_of_the_network_arrives():
    settings = {
        "cell": "rnn", "hidden_size": 6, "num_layers": 2, "activation": "relu", "init": "identity", "gain": 0.7,
        "biases": 2, "dtype": "float32",
    }  # fmt: skip
    model = Run(Experiment(**settings)).training.model
    spec = model.spec
    assert [getattr(spec, name) for name in settings if name not in ("init", "gain")] == [
        value for name, value in settings.items() if name not in ("init", "gain")
    ]
    assert np.allclose(model.params["rnn.weight_hh_l0"], 0.7 * np.eye(6))
    other = Run(Experiment(spectral_radius=0.5, seed=1)).training.model.params["rnn.weight_hh_l0"]
    assert np.abs(np.linalg.eigvals(other)).max() == pytest.approx(0.5)
    forgets = Run(Experiment(cell="lstm", forget_bias=4.0)).training.model.params["rnn.bias_ih_l0"][20:40]
    assert np.allclose(forgets, 4.0)


def test_the_trace_is_that_of_the_chosen_sequence_without_its_padding():
    task = build_task(Experiment(task="names"))
    model = build_model(Experiment(task="names"), task)
    for i in range(5):
        trace = trace_of(model, task, i)
        assert task.lengths[i] == trace.T
        assert np.array_equal(trace.x[:, 0], task.x[i, : trace.T])
        assert trace.loss_steps == (trace.T,)
    with pytest.raises(InputError, match="0 to 360"):
        trace_of(model, task, 361)


@pytest.mark.slow
@pytest.mark.skipif(not GOLDEN.exists(), reason="made by tests/golden/make.py")
def test_the_default_experiment_lands_where_keras_does():
    """200 runs of Keras against 60 of ours, data and all: the largest distance of the two distributions
    (Kolmogorov-Smirnov) stays below what chance gives once in a hundred times."""
    keras = np.load(GOLDEN)
    runs = [train(Experiment(seed=seed)).history for seed in range(60)]
    for name in ("loss", "val_loss"):
        ours, theirs = np.array([run[name][-1] for run in runs]), keras[name][:, -1]
        assert theirs.min() <= np.median(ours) <= theirs.max()
        both = np.sort(np.concatenate([ours, theirs]))
        below = [np.searchsorted(np.sort(some), both, side="right") / len(some) for some in (ours, theirs)]
        assert np.abs(below[0] - below[1]).max() < 1.63 * np.sqrt(1 / len(ours) + 1 / len(theirs))


@pytest.mark.slow  # it may have to compile both kernels
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_text_goes_on_the_same_in_either_engine(dtype, monkeypatch):
    experiment = Experiment(task="characters", cell="gru", hidden_size=9, dtype=dtype)
    task = build_task(experiment)
    model = build_model(experiment, task)
    texts = []
    for name in engine.NAMES:
        monkeypatch.setattr(engine, "current", lambda name=name: engine.resolve(name))
        texts.append(continue_text(model, task, 0))
    assert texts[0] == texts[1]
    assert len(texts[0]) == 120


def test_long_sequences_are_read_a_few_at_a_time(monkeypatch):
    """Or a training would end, after all its epochs, with what does not fit into memory."""
    result = train(Experiment(epochs=1, validation_split=0.3))
    at_once: list[int] = []
    whole, loss = outputs(result.model, result.task), result.history["val_loss"][-1]
    forward = Model.forward
    monkeypatch.setattr(Model, "forward", lambda self, x, **m: (at_once.append(x.shape[1]), forward(self, x, **m))[1])
    monkeypatch.setattr("rnnviz.experiment.evaluate._NUMBERS_AT_ONCE", 10 * result.model.spec.forward_width * 3)
    monkeypatch.setattr("rnnviz.nn.carry.NUMBERS_AT_ONCE", 1)
    np.testing.assert_allclose(outputs(result.model, result.task), whole, rtol=1e-12)
    assert max(at_once) == 3
    again = train(Experiment(epochs=1, validation_split=0.3)).history["val_loss"][-1]
    assert again == pytest.approx(loss, rel=1e-12)


def test_what_train_returns_reads_well_in_a_notebook():
    result = train(Experiment(epochs=2))
    loss, val_loss = (result.history[name][-1] for name in ("loss", "val_loss"))
    assert repr(result) == f"<Result: sine with rnn, 2 epochs, loss {loss:.4g}, val_loss {val_loss:.4g}>"
    assert repr(result.model) == "<Model: rnn 1 -> 20 -> 1, 461 parameters, float64>"
    assert repr(result.task) == "<sine: 40 sequences of 10 steps, 36 to train on, 1 inputs, 1 outputs, mse>"
    trace = trace_of(result.model, result.task)
    assert repr(trace) == f"<Trace: rnn, T=10, B=1, I=1, H=20, O=1, L=1, mse {trace.loss:.6g} at 10 steps>"
    assert repr(train(Experiment(epochs=0, validation_split=0.0))) == "<Result: sine with rnn, 0 epochs>"


def test_what_is_no_experiment_is_told():
    with pytest.raises(InputError, match=r"experiment: \{'task': 'adding'\} is not one; use rnnviz.Experiment"):
        train({"task": "adding"})
