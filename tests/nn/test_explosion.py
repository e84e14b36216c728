"""A run that has exploded keeps working: inf and nan are numbers to look at, never an exception or a warning."""

import warnings

import numpy as np
import pytest

from rnnviz.nn import Data, Model, Optimizer, Training

CASES = [("rnn", a) for a in ("tanh", "relu", "identity", "sigmoid")] + [("lstm", "tanh"), ("gru", "tanh")]


@pytest.fixture(autouse=True)
def nothing_may_warn():
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        yield


def look_at_everything(trace):
    assert trace.triangle.shape == (trace.T + 1, trace.T + 1)
    for k in (None, 1, trace.T):
        assert trace.item(k).grad_h.shape == (trace.T + 1, trace.B, trace.H)
        assert trace.ledger_of(k).gain.shape == (trace.T,)
        assert trace.grad_norm(k).shape == (trace.T + 1,)
    for name, gradient in trace.grads.items():
        assert trace.share(name).shape == (trace.T, *gradient.shape)
    trace.half_life, trace.horizon, trace.check()
    assert isinstance(trace.loss, float)


SLOW = pytest.mark.slow
VALUES = [np.nan, 1e200, *(pytest.param(value, marks=SLOW) for value in (np.inf, -np.inf, 1e-320))]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("cell", "activation"), CASES)
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_trace_of_weights_gone_wild(cell, activation, value, loss):
    model = Model.create(cell, 2, 3, 2, num_layers=2, activation=activation)
    x = np.linspace(-1, 1, 7 * 2 * 2).reshape(7, 2, 2)
    targets = np.zeros((7, 2, 2)) if loss == "mse" else np.zeros((7, 2), int)
    for name in model.params:
        params = model.copy_params()
        params[name][0] = value
        look_at_everything(model.with_params(params).trace(x, targets, loss))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize(("cell", "activation"), CASES)
def test_training_with_an_absurd_learning_rate(cell, activation, name, dtype):
    rng = np.random.default_rng(0)
    data = Data(rng.standard_normal((20, 8, 1)), 1e3 * rng.standard_normal((20, 8, 1)))
    model = Model.create(cell, 1, 5, 1, activation=activation, dtype=dtype, init="pytorch")
    for optimizer in (Optimizer(name, 1e30), Optimizer(name, 1e30, clip_norm=1.0, clip_value=1e20)):
        training = Training(model, data, data, optimizer)
        for _ in range(4):
            training.run_epoch()
        assert len(training.history["loss"]) == len(training.history["val_loss"]) == 4
        x, targets, _ = data.time_major(slice(None))
        look_at_everything(training.model.trace(x, targets))


def test_learning_rate_100_makes_the_sine_recipe_explode():
    x = np.sin(np.linspace(-2 * np.pi, 2 * np.pi, 50))
    windows = np.stack([x[i : i + 11] for i in range(40)])[..., None]
    data = Data(windows[:, :-1], windows[:, 1:])
    training = Training(Model.create("rnn", 1, 20, 1), data, optimizer=Optimizer("sgd", 100.0))
    for _ in range(20):
        training.run_epoch()
    assert not np.isfinite(training.history["loss"][-1])
    look_at_everything(training.model.trace(*(a.swapaxes(0, 1) for a in (data.x, data.targets))))


def test_a_gradient_that_explodes_backwards_is_told_to_the_last_exponent():
    model = Model.create("rnn", 1, 4, 1, activation="identity", init="orthogonal", gain=1e3)
    trace = model.trace(np.zeros((150, 1, 1)), np.ones((1, 1)), loss_at="last")
    norms = trace.grad_norm(150)
    finite = np.isfinite(norms)
    assert not finite[0]
    assert norms[finite].max() > 1e300
    np.testing.assert_allclose(trace.ledger.factor[51:], 1e3, rtol=1e-12)


def test_a_gradient_that_vanishes_is_told_to_the_last_exponent():
    model = Model.create("rnn", 1, 4, 1, activation="identity", init="orthogonal", gain=1e-2)
    trace = model.trace(np.zeros((200, 1, 1)), np.ones((1, 1)), loss_at="last")
    norms = trace.grad_norm(200)
    positive = norms[norms > 0]
    assert positive.min() < 1e-318
    assert norms[0] == 0  # underflow, a real 0
    normal = norms > 1e-290
    np.testing.assert_allclose(trace.triangle[200][normal], norms[normal], rtol=1e-12)
    assert ((trace.triangle[200] > 0) == (norms > 0)).all()
    np.testing.assert_allclose(trace.ledger.factor[60:], 1e-2, rtol=1e-12)
