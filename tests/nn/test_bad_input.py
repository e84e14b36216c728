"""Bad input raises one clear line, in Python, before anything is computed."""

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.nn import Data, Model, ModelSpec, Optimizer, Training, checks, engine

X, Y = np.zeros((4, 2, 3)), np.zeros((4, 2, 2))
CLASSES = np.zeros((4, 2), int)
MODEL = Model.create("lstm", 3, 5, 2)
RNN = Model.create("rnn", 3, 5, 2, num_layers=2)


def spoiled(a, value, at=0):
    out = np.array(a, float)
    out.flat[at] = value
    return out


def data(N=6, T=4):
    return Data(np.zeros((N, T, 3)), np.zeros((N, T, 2)))


CASES = {
    "size of 20 digits": (lambda: ModelSpec(num_layers=10**20), "num_layers: 1000+ is more than 1000"),
    "size of 5000 digits": (lambda: ModelSpec(hidden_size=10**5000), "hidden_size: a number this long is more than"),
    "a long word": (lambda: Model.create(init="x" * 999), "init: 'x{58}… is unknown"),
    "no text as a name": (lambda: Model.create(cell=np.array([1, 2])), r"cell: array\(\[1, 2\]\) is unknown"),
    "unknown convention": (lambda: Optimizer(convention="jax"), "convention: 'jax' .* pytorch, keras"),
    "rate of words": (lambda: Optimizer(learning_rate="x"), "learning_rate: 'x' is not a finite number"),
    "epsilon inf": (lambda: Optimizer("adam", epsilon=float("inf")), "epsilon: inf is not a finite number"),
    "gain of words": (lambda: Model.create(gain="x"), "gain: 'x' is not a finite number"),
    "gain of 400 digits": (lambda: Model.create(gain=10**400), "gain: a number this long is not a finite number"),
    "params of a list": (lambda: MODEL.with_params([1]), r"params: \[1\] is not a dict"),
    "h0 ragged": (lambda: MODEL.forward(X, [1, [2]]), "h0: is not an array of real numbers"),
    "targets ragged": (lambda: MODEL.trace(X, [1, [2]], loss_at="last"), "targets: is not an array"),
    "last classes short": (lambda: MODEL.trace(X, [1], "cross_entropy", "last"), r"targets: shape \(1,\) does not fit"),
    "loss_at ragged": (lambda: MODEL.trace(X, Y, loss_at=[1, [2]]), r"loss_at: \[1, \[2\]\] is not 'every'"),
    "loss_at of many numbers": (lambda: MODEL.trace(X, Y, loss_at=np.ones((9, 9))), "loss_at: array.*… is not 'every'"),
    "engine by number": (lambda: MODEL.trace(X, Y, engine=3), "engine: 3 is unknown; choose from numpy, numba"),
    "check of no seed": (lambda: MODEL.trace(X, Y).check("x"), "seed: 'x' is not a whole number"),
    "share of a list": (lambda: MODEL.trace(X, Y).share([]), r"share: \[\] is not a parameter"),
    "truncate a number": (lambda: Training(MODEL, data(), truncate=5), r"truncate: 5 is not a pair"),
    "order ragged": (lambda: Training(MODEL, data(), order=[1, [2]]), "order: is not an array of whole numbers"),
    "data ragged": (lambda: Data([1, [2]], Y), "x: is not an array of real numbers"),
    "unknown cell": (lambda: Model.create("elman"), "cell: 'elman' is unknown; choose from rnn, lstm, gru"),
    "unknown activation": (lambda: Model.create(activation="gelu"), "activation: 'gelu'"),
    "unknown init": (lambda: Model.create(init="he"), "init: 'he' is unknown; choose from keras"),
    "unknown dtype": (lambda: Model.create(dtype="float16"), "dtype: 'float16'"),
    "three biases": (lambda: Model.create(biases=3), "biases: 3"),
    "size of 0": (lambda: Model.create(hidden_size=0), "hidden_size: 0 is not a whole number of at least 1"),
    "no layers": (lambda: Model.create(num_layers=0), "num_layers: 0"),
    "no inputs": (lambda: Model.create(input_size=-1), "input_size: -1"),
    "no outputs": (lambda: Model.create(output_size=0), "output_size: 0"),
    "size and a half": (lambda: ModelSpec(hidden_size=2.5), "hidden_size: 2.5"),
    "true as a size": (lambda: ModelSpec(hidden_size=True), "hidden_size: True"),
    "chrono without gates": (lambda: Model.create("rnn", init="chrono"), "chrono .* use cell lstm or gru"),
    "gain nan": (lambda: Model.create(gain=float("nan")), "gain: nan is not a finite number"),
    "gain negative": (lambda: Model.create(gain=-1.0), "must be at least 0"),
    "seed negative": (lambda: Model.create(seed=-1), "seed: -1"),
    "huge model": (lambda: Model.create("lstm", hidden_size=100_000), "model: would take .* GiB"),
    "x nan": (lambda: MODEL.trace(spoiled(X, np.nan, 5), Y), r"x: nan at index \(0, 1, 2\); the data must be finite"),
    "x inf": (lambda: MODEL.forward(spoiled(X, np.inf)), r"x: inf at index \(0, 0, 0\)"),
    "x of words": (lambda: MODEL.forward([["a"]]), "x: is not an array of real numbers"),
    "x ragged": (lambda: MODEL.forward([[1.0], [1.0, 2.0]]), "x: is not an array of real numbers"),
    "x complex": (lambda: MODEL.forward(X + 1j), "x: is not an array of real numbers"),
    "x of 2 axes": (lambda: MODEL.trace(X[0], Y), r"x: shape \(2, 3\) does not fit \(T, B, input_size\)"),
    "x too wide": (lambda: MODEL.trace(X[..., :2], Y), r"x: shape \(4, 2, 2\) does not fit .* = \(1 .*, 3\)"),
    "no steps": (lambda: MODEL.trace(X[:0], Y[:0]), r"x: shape \(0, 2, 3\)"),
    "no sequences": (lambda: MODEL.forward(X[:, :0]), r"x: shape \(4, 0, 3\)"),
    "targets nan": (lambda: MODEL.trace(X, spoiled(Y, np.nan)), "targets: nan at index"),
    "targets short": (lambda: MODEL.trace(X, Y[:3]), r"targets: shape \(3, 2, 2\) does not fit"),
    "targets of the last step": (lambda: MODEL.trace(X, Y[0]), r"targets: shape \(2, 2\) does not fit"),
    "last targets too wide": (lambda: MODEL.trace(X, X[0], loss_at="last"), r"targets: shape \(2, 3\)"),
    "unknown loss": (lambda: MODEL.trace(X, Y, "mae"), "loss: 'mae' is unknown; choose from mse, cross_entropy"),
    "class too big": (lambda: MODEL.trace(X, CLASSES + 2, "cross_entropy"), "class 2 is not one of the 2 outputs"),
    "class negative": (lambda: MODEL.trace(X, CLASSES - 1, "cross_entropy"), "class -1 is not one of"),
    "classes of floats": (lambda: MODEL.trace(X, CLASSES + 0.0, "cross_entropy"), "whole numbers"),
    "classes short": (lambda: MODEL.trace(X, CLASSES[:2], "cross_entropy"), r"targets: shape \(2, 2\)"),
    "unknown loss_at": (lambda: MODEL.trace(X, Y, loss_at="first"), "loss_at: 'first' is unknown"),
    "loss at step 0": (lambda: MODEL.trace(X, Y, loss_at=(0, 2)), r"loss_at: \(0, 2\) is not .* 1..4"),
    "loss after the end": (lambda: MODEL.trace(X, Y, loss_at=[5]), r"loss_at: \[5\]"),
    "loss nowhere": (lambda: MODEL.trace(X, Y, loss_at=[]), r"loss_at: \[\]"),
    "empty mask": (lambda: MODEL.trace(X, Y, loss_at=np.zeros((4, 2), bool)), "loss_at: no step carries loss"),
    "mask of another shape": (lambda: MODEL.trace(X, Y, loss_at=np.ones((2, 4), bool)), r"loss_at: shape \(2, 4\)"),
    "h0 of one layer": (lambda: RNN.trace(X, Y, h0=np.zeros((2, 5))), r"h0: shape \(2, 5\) does not fit"),
    "h0 nan": (lambda: MODEL.trace(X, Y, h0=np.full((2, 5), np.nan)), "h0: nan"),
    "c0 without a cell": (lambda: RNN.trace(X, Y, c0=np.zeros((2, 2, 5))), "c0: a simple RNN has no cell state"),
    "unknown engine": (lambda: MODEL.trace(X, Y, engine="cuda"), "engine: 'cuda' is unknown; choose from numpy, numba"),
    "selecting an unknown engine": (lambda: engine.select("cuda"), "engine: 'cuda'"),
    "item of step 0": (lambda: MODEL.trace(X, Y).item(0), "k: 0 is not a step of this trace; steps are 1..4"),
    "ledger of step 5": (lambda: MODEL.trace(X, Y).ledger_of(5), "k: 5"),
    "norm of half a step": (lambda: MODEL.trace(X, Y).grad_norm(1.5), "k: 1.5"),
    "share of an unknown weight": (
        lambda: MODEL.trace(X, Y).share("weight_hh"),
        "share: 'weight_hh' is not a parameter",
    ),
    "missing parameter": (lambda: MODEL.with_params({}), "params: missing rnn.weight_ih_l0, .*; expected"),
    "unknown parameter": (lambda: MODEL.with_params({**MODEL.params, "w": X}), "params: unknown w"),
    "parameter of another shape": (
        lambda: MODEL.with_params({**MODEL.params, "readout.bias": np.zeros(3)}),
        r"params\['readout.bias'\]: shape \(3,\) does not fit .* = \(2,\)",
    ),
    "optimizer": (lambda: Optimizer("lion"), "optimizer: 'lion' is unknown; choose from sgd, adam, rmsprop"),
    "learning rate": (lambda: Optimizer(learning_rate=float("inf")), "learning_rate: inf"),
    "learning rate negative": (lambda: Optimizer(learning_rate=-0.1), "learning_rate: -0.1"),
    "momentum": (lambda: Optimizer(momentum=1.0), "momentum: 1.0 is out of range"),
    "momentum of adam": (lambda: Optimizer("adam", momentum=0.5), "momentum: only sgd has momentum"),
    "clip": (lambda: Optimizer(clip_norm=0.0), "clip_norm: 0.0 is out of range; it must be more than 0"),
    "epsilon nan": (lambda: Optimizer("adam", epsilon=float("nan")), "epsilon: nan"),
    "data of 2 axes": (lambda: Data(X[0], Y), r"x: shape \(2, 3\) does not fit \(N, T, input_size\)"),
    "data nan": (lambda: Data(spoiled(X, np.nan), Y), "x: nan at index"),
    "data targets nan": (lambda: Data(X, spoiled(Y, np.inf)), "targets: inf at index"),
    "data of unequal length": (lambda: Data(X, Y[:2]), r"targets: shape \(2, 2, 2\) does not fit"),
    "data mask": (lambda: Data(X, Y, np.ones((4, 2))), "loss_mask: is not an array of True and False"),
    "data mask shape": (lambda: Data(X, Y, np.ones((4, 3), bool)), r"loss_mask: shape \(4, 3\)"),
    "data without loss": (lambda: Data(X, Y, np.eye(4, 2, dtype=bool)), "loss_mask: sequence 2 carries no loss"),
    "data classes": (lambda: Data(X, CLASSES - 1, loss="cross_entropy"), "class numbers start at 0"),
    "data loss": (lambda: Data(X, Y, loss="mae"), "loss: 'mae'"),
    "inputs do not fit": (lambda: Training(Model.create("rnn", 2, 5, 2), data()), "train: x has 3 inputs per step"),
    "outputs do not fit": (lambda: Training(Model.create("rnn", 3, 5, 1), data()), "train: targets have 2 values"),
    "classes do not fit": (
        lambda: Training(MODEL, Data(X, CLASSES + 2, loss="cross_entropy")),
        "train: class 2 needs more than 2 outputs",
    ),
    "batch size": (lambda: Training(MODEL, data(), batch_size=0), "batch_size: 0"),
    "truncate": (lambda: Training(MODEL, data(), truncate=(3, 2)), "truncate k2: 2 is not .* at least 3"),
    "truncate of one number": (lambda: Training(MODEL, data(), truncate=(3,)), r"truncate: \(3,\) is not a pair"),
    "order": (lambda: Training(MODEL, data(), order=[0, 1, 2, 3, 4, 4]), "order: each epoch's order must hold"),
    "order of another length": (lambda: Training(MODEL, data(), order=[[0, 1]]), "order: each epoch's order"),
    "order of floats": (lambda: Training(MODEL, data(), order=[0.5]), "order: is not an array of whole numbers"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case):
    call, message = CASES[case]
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: Model.create(hidden_size=400), "model: would take 1.2 MiB"),
        (lambda: RNN.trace(np.zeros((4000, 2, 3)), np.zeros((4000, 2, 2))), "trace: would take"),
        (lambda: RNN.forward(np.zeros((9000, 2, 3))), "forward: would take"),
        (lambda: RNN.trace(np.zeros((400, 2, 3)), np.zeros((400, 2, 2))).triangle, r"triangle: .*T=400"),
        (
            lambda: Model.create(hidden_size=250).trace(np.zeros((2, 9, 1)), np.zeros((2, 9, 1))).gain,
            "gain: .*250 x 250",
        ),
        (
            lambda: (
                Model.create("rnn", 1, 60).trace(np.zeros((50, 1, 1)), np.zeros((50, 1, 1))).share("rnn.weight_hh_l0")
            ),
            "share",
        ),
        (lambda: Training(RNN, data(200, 200), batch_size=200), "training: would take"),
    ],
    ids=["model", "trace", "forward", "triangle", "gain", "share", "training"],
)
def test_more_memory_than_sensible_is_refused_beforehand(monkeypatch, ask, message):
    monkeypatch.setattr(checks, "memory_limit", lambda: 2**20)
    with pytest.raises(InputError, match=message + ".* more than the 1.0 MiB allowed here"):
        ask()


def test_the_memory_limit_is_a_sensible_number():
    assert 2**28 < checks.memory_limit() <= 4 * 2**30


def test_a_shape_that_does_not_fit_is_the_one_that_was_given() -> None:
    model = Model.create(cell="rnn", input_size=2, hidden_size=3, output_size=1, seed=0)
    with pytest.raises(InputError, match=r"x: shape \(\) does not fit .* = \(1 or more, 1 or more, 2\)"):
        model.trace(np.array(1.0), np.zeros((4, 1, 1)))
    with pytest.raises(InputError, match=r"x: shape \(4, 0, 2\) does not fit .* = \(1 or more, 1 or more, 2\)"):
        model.trace(np.zeros((4, 0, 2)), np.zeros((4, 0, 1)))
