"""Outputs and all gradients equal PyTorch's and Keras' float64 autograd to 1e-9."""

import numpy as np
import pytest

from rnnviz.nn import Model
from tests.nn import golden

PYTORCH = golden.load("pytorch") | golden.load("mingru") | golden.load("indrnn") | golden.load("lru")
KERAS = golden.load("keras")


def agree(ours, theirs, scale=None):
    """To 1e-9 of the largest element."""
    assert ours.shape == theirs.shape
    scale = np.abs(theirs).max() if scale is None else scale
    assert np.abs(ours - theirs).max() <= 1e-9 * scale


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("case", PYTORCH)
def test_pytorch(case, loss):
    cell, activation, layers = case.split(".")
    given = PYTORCH[case]
    inputs = given["x"].shape[-1]
    H, outputs = given["h"].shape[-1], given["y"].shape[-1]
    model = Model.create(cell, inputs, H, outputs, num_layers=int(layers), activation=activation)
    model = model.with_params(golden.under("params/", given))
    targets = given["targets"] if loss == "mse" else given["classes"]
    c0 = given["c0"] if cell == "lstm" else None
    trace = model.trace(given["x"], targets, loss, h0=given["h0"], c0=c0)

    agree(trace.y, given["y"])
    agree(model.forward(given["x"], given["h0"], c0), given["y"])
    agree(trace.h[1:], given["h"])
    agree(trace.step_loss, given[f"{loss}/step_loss"])
    assert trace.loss == pytest.approx(float(given[f"{loss}/loss"]), rel=1e-12)
    theirs = golden.under(f"{loss}/grads/", given)
    assert list(theirs) == list(trace.grads)
    for name, gradient in theirs.items():
        agree(trace.grads[name], gradient)
    if loss == "mse":
        items = given["mse/item_h"]
        agree(trace.grad_h, items.sum(0))
        agree(trace.triangle[1:], np.linalg.norm(items, axis=(2, 3)))
        for k in trace.loss_steps:
            agree(trace.item(k).grad_h, items[k - 1])
        if cell == "lstm":
            agree(trace.grad_c, given["mse/item_c"].sum(0))
            for k in trace.loss_steps:
                agree(trace.item(k).grad_c, given["mse/item_c"][k - 1])


@pytest.mark.parametrize("case", KERAS)
def test_keras(case):
    kind, where = case.split(".")
    cell = {"SimpleRNN": "rnn", "LSTM": "lstm", "GRU": "gru"}[kind]
    given = KERAS[case]
    weights, gradients = (
        golden.from_keras(cell, [given[f"{what}/{n}"] for n in range(5)]) for what in ("weights", "grads")
    )
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[cell]
    width, inputs = weights["rnn.weight_ih_l0"].shape
    model = Model.create(cell, inputs, width // gates, 2, biases=1).with_params(weights)
    targets = given["targets"].swapaxes(0, 1) if where == "every" else given["targets"]
    trace = model.trace(given["x"].swapaxes(0, 1), targets, loss_at=where)

    agree(trace.y if where == "every" else trace.y[-1], given["y"].swapaxes(0, 1) if where == "every" else given["y"])
    assert trace.loss == pytest.approx(float(given["loss"]), rel=1e-12)
    for name, gradient in gradients.items():
        agree(trace.grads[name], gradient)


def test_a_grus_two_n_biases_stay_separate():
    trace_n = {name: KERAS["GRU.every"]["grads/2"][row, 10:] for row, name in enumerate(("bias_ih_l0", "bias_hh_l0"))}
    assert np.abs(trace_n["bias_ih_l0"] - trace_n["bias_hh_l0"]).max() > 1e-4
