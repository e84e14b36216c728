"""The losses where plain formulas would overflow, or let in what carries no loss."""

import numpy as np
import pytest

from rnnviz.nn.losses import evaluate


def test_worked_example():
    loss, step_loss, grad_y = evaluate("mse", np.array([[[1.0]], [[2.0]]]), np.zeros((2, 1, 1)), np.ones((2, 1), bool))
    assert (loss, step_loss.tolist(), grad_y.ravel().tolist()) == (2.5, [0.5, 2.0], [1.0, 2.0])


def test_cross_entropy_of_huge_outputs():
    y = np.array([[[1000.0, 0.0, -1000.0]], [[-1e300, 1e300, 0.0]]])
    loss, step_loss, grad_y = evaluate("cross_entropy", y, np.array([[1], [1]]), np.ones((2, 1), bool))
    assert step_loss.tolist() == [500.0, 0.0]
    assert loss == 500.0
    np.testing.assert_allclose(grad_y[:, 0], [[0.5, -0.5, 0.0], [0.0, 0.0, 0.0]], atol=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_outputs_without_loss_do_not_matter_even_if_not_finite(loss, bad):
    y = np.array([[[1.0, 2.0]], [[bad, bad]]])
    targets = np.zeros((2, 1, 2)) if loss == "mse" else np.zeros((2, 1), int)
    with np.errstate(all="ignore"):
        value = evaluate(loss, y, targets, np.array([[True], [False]]))
    assert np.isfinite(value.loss)
    assert value.step_loss[1] == 0
    assert (value.grad_y[1] == 0).all()
