"""The ledger splits each step's factor into its causes, and says nan where it has nothing to say."""

import numpy as np
import pytest

from rnnviz.nn import CELLS, Model
from rnnviz.nn.cells.activations import slope

T, B, H = 9, 3, 4


def trace(cell="rnn", activation="tanh", layers=1, loss_at="every", seed=0):
    rng = np.random.default_rng(seed)
    model = Model.create(cell, 2, H, 2, num_layers=layers, activation=activation, init="pytorch", seed=seed)
    return model.trace(rng.standard_normal((T, B, 2)), rng.standard_normal((T, B, 2)), loss_at=loss_at)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "identity"])
@pytest.mark.parametrize("layers", [1, 2])
def test_factor_of_a_simple_rnn_is_slope_times_weight(activation, layers):
    run = trace(activation=activation, layers=layers)
    for k in (1, 5, T):
        book = run.ledger_of(k)
        np.testing.assert_allclose(book.factor[:k], (book.slope_share * book.weight_share)[:k], rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_product_is_what_is_left_of_the_norm(cell):
    run = trace(cell, layers=2)
    for k in (1, 5, T):
        book, norms = run.ledger_of(k), run.triangle[k]
        np.testing.assert_allclose(book.product[: k + 1], norms[: k + 1] / norms[k], rtol=1e-12)
        running = np.append(np.cumprod(book.factor[:k][::-1])[::-1], 1)
        np.testing.assert_allclose(book.product[: k + 1], running, rtol=1e-12)
        bound = np.append(np.cumprod(run.gain[:k][::-1])[::-1], 1)
        np.testing.assert_allclose(book.bound[: k + 1], bound, rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_entries_after_the_loss_step_are_nan(cell):
    book = trace(cell).ledger_of(4)
    for name in ("gain", "slope", "factor", *(["forget_highway"] if cell == "lstm" else [])):
        values = getattr(book, name)
        assert np.isfinite(values[:4]).all()
        assert np.isnan(values[4:]).all()
    assert (book.product[4], book.bound[4]) == (1, 1)
    assert np.isnan(book.product[5:]).all()
    assert np.isnan(book.bound[5:]).all()


def test_slope_and_what_only_some_cells_have():
    rnn, lstm, gru, mingru, indrnn = (trace(cell) for cell in ("rnn", "lstm", "gru", "mingru", "indrnn"))
    np.testing.assert_allclose(rnn.ledger.slope, (1 - rnn.h[1:] ** 2).mean((1, 2)), rtol=1e-14)
    np.testing.assert_allclose(lstm.ledger.slope, (1 - lstm.gates["g"] ** 2).mean((1, 2)), rtol=1e-14)
    np.testing.assert_allclose(gru.ledger.slope, (1 - gru.gates["n"] ** 2).mean((1, 2)), rtol=1e-14)
    np.testing.assert_allclose(lstm.ledger.forget_highway, lstm.gates["f"].mean((1, 2)), rtol=1e-14)
    assert (mingru.ledger.slope == 1).all()  # its content is linear
    np.testing.assert_allclose(indrnn.ledger.factor, indrnn.ledger.slope_share * indrnn.ledger.weight_share, rtol=1e-13)
    assert rnn.ledger.forget_highway is None
    assert mingru.ledger.forget_highway is None
    assert gru.ledger.forget_highway is None
    assert np.isnan([lstm.ledger.slope_share, gru.ledger.weight_share]).all()


def test_the_default_ledger_is_that_of_the_last_loss_step():
    run = trace(loss_at=(2, 6))
    assert run.loss_steps == (2, 6)
    np.testing.assert_array_equal(run.ledger.factor, run.ledger_of(6).factor)
    norms = run.grad_norm(6)
    assert (norms[7:] == 0).all()
    assert run.half_life is not None


def test_the_ledger_of_the_total_is_the_plain_ratio_of_norms():
    run = trace(loss_at=(2, 6))
    norms = np.linalg.norm(run.grad_h, axis=(1, 2))
    book = run.ledger_of(None)
    np.testing.assert_allclose(book.factor[:6], norms[:6] / norms[1:7], rtol=1e-13)
    assert np.isnan(book.factor[6:]).all()
    # Where the loss of step 2 joins in, slope and weight alone no longer explain the factor.
    explained = np.isclose(book.factor, book.slope_share * book.weight_share, rtol=1e-9)
    np.testing.assert_array_equal(np.flatnonzero(~explained[:6]), [2])


@pytest.mark.parametrize(("name", "h"), [("tanh", 0.6), ("sigmoid", 0.2), ("relu", 3.0), ("identity", 7.0)])
def test_slopes_told_from_the_output(name, h):
    wanted = {"tanh": 0.64, "sigmoid": 0.16, "relu": 1.0, "identity": 1.0}[name]
    assert slope(name, np.array([h])) == pytest.approx(wanted)
    assert slope("relu", np.array([0.0])) == 0
    assert np.isnan(slope("relu", np.array([np.nan])))
