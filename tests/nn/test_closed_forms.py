"""What can be told with pencil and paper, and what the papers prove."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.nn import CELLS, Model, half_life, horizon
from tests.nn import naive

T, H = 40, 6


def last_step_trace(model, B=2, T=T, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((T, B, model.spec.input_size))
    return model.trace(x, rng.standard_normal((B, model.spec.output_size)), loss_at="last")


def biased(cell, gate, value, recurrent=None):
    """A model whose gate is held at σ(value), and, if given, with all recurrent weights equal to `recurrent`."""
    model = Model.create(cell, 2, H, 2, init="pytorch", seed=4)
    params = model.copy_params()
    at = model.spec.gates.index(gate)
    rows = slice(at * H, (at + 1) * H)
    params["rnn.bias_ih_l0"][rows] = value
    if recurrent is not None:
        params["rnn.weight_hh_l0"][:] = recurrent
    return model.with_params(params)


def test_linear_rnn_carries_back_powers_of_the_transposed_weights():
    trace = last_step_trace(Model.create("rnn", 2, H, 2, activation="identity", init="pytorch", seed=2))
    W = trace.params["rnn.weight_hh_l0"]
    for t in range(T + 1):
        wanted = trace.grad_h[T] @ np.linalg.matrix_power(W, T - t)  # rows: (Wᵀ)^{T-t} δ_T
        np.testing.assert_allclose(trace.grad_h[t], wanted, rtol=1e-10, atol=1e-300)


def test_orthogonal_weights_keep_the_gradient():
    model = Model.create("rnn", 2, H, 2, activation="identity", init="orthogonal")
    trace = last_step_trace(model, T=1000)
    norms = trace.grad_norm()
    np.testing.assert_allclose(norms / norms[-1], 1.0, rtol=1e-12)
    np.testing.assert_allclose(trace.ledger.gain, 1.0, rtol=1e-12)
    assert (trace.half_life, trace.horizon) == (None, None)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 1.1])
def test_scaled_orthogonal_weights_decay_as_a_power(gamma):
    trace = last_step_trace(Model.create("rnn", 2, H, 2, activation="identity", init="orthogonal", gain=gamma), T=200)
    lags = T + 160 - np.arange(201)
    np.testing.assert_allclose(trace.grad_norm() / trace.grad_norm()[-1], gamma**lags, rtol=1e-12)
    np.testing.assert_allclose(trace.ledger.factor, gamma, rtol=1e-12)
    np.testing.assert_allclose(trace.ledger.product, gamma**lags, rtol=1e-12)
    np.testing.assert_allclose(trace.ledger.bound, gamma**lags, rtol=1e-10)
    if gamma < 1:
        assert trace.half_life == pytest.approx(math.log(0.5) / math.log(gamma), rel=1e-10)
        assert trace.horizon == pytest.approx(math.log(0.01) / math.log(gamma), rel=1e-10)


def test_lstm_with_an_open_forget_gate_keeps_the_cells_gradient():
    trace = last_step_trace(biased("lstm", "f", 800.0, recurrent=0.0))
    assert (trace.gates["f"] == 1).all()
    assert (trace.grad_c == trace.grad_c[T]).all()
    assert (trace.ledger.forget_highway == 1).all()


def test_gru_with_a_closed_update_gate_keeps_the_gradient():
    trace = last_step_trace(biased("gru", "z", 800.0))
    assert (trace.gates["z"] == 1).all()
    assert (trace.grad_h == trace.grad_h[T]).all()
    np.testing.assert_allclose(trace.gain, 1.0, rtol=1e-14)


def test_a_min_gru_carries_back_the_products_of_what_its_gate_keeps():
    trace = last_step_trace(Model.create("mingru", 2, H, 2, init="pytorch", seed=4))
    kept = 1 - trace.gates["z"]
    for t in range(T + 1):
        np.testing.assert_allclose(trace.grad_h[t], trace.grad_h[T] * kept[t:].prod(axis=0), rtol=1e-12)
    np.testing.assert_allclose(trace.gain, kept.max(axis=(1, 2)), rtol=1e-14)


def test_a_min_gru_with_a_closed_update_gate_keeps_state_and_gradient():
    trace = last_step_trace(biased("mingru", "z", -800.0))
    assert (trace.gates["z"] == 0).all()
    assert (trace.h == trace.h[0]).all()
    assert (trace.grad_h == trace.grad_h[T]).all()


def test_each_unit_of_an_ind_rnn_has_a_factor_of_its_own():
    """|u_i| to the power of the steps, where the slope is 1: identity."""
    model = Model.create("indrnn", 2, H, 2, activation="identity", init="pytorch", seed=4)
    trace, u = last_step_trace(model), model.params["rnn.weight_hh_l0"][0]
    for t in range(T + 1):
        np.testing.assert_allclose(trace.grad_h[t], trace.grad_h[T] * u ** (T - t), rtol=1e-12)
    np.testing.assert_allclose(trace.gain, np.abs(u).max(), rtol=1e-14)


def test_an_ind_rnn_of_u_1_and_relu_keeps_all_of_what_a_positive_unit_gets():
    model = Model.create("indrnn", 2, H, 2, activation="relu", init="identity")
    trace = last_step_trace(model.with_params({**model.params, "rnn.bias_ih_l0": np.full(H, 5.0)}))
    assert (trace.h[1:] > 0).all()
    assert (trace.grad_h == trace.grad_h[T]).all()
    assert (trace.ledger.factor == 1).all()


def test_the_factor_of_an_lru_is_the_size_of_its_eigenvalues():
    """A loss that reads one pair alone: ‖∂L/∂h‖ shrinks by exactly |λ| a step, whatever the input."""
    model = Model.create("lru", 2, H, 2, seed=4)
    size = np.exp(-np.exp(model.params["rnn.weight_hh_l0"][0]))
    assert ((size > 0.9) & (size < 0.999)).all()
    for n in range(H // 2):
        readout = np.zeros((2, H))
        readout[:, [n, n + H // 2]] = [[1.0, 0.5], [-0.3, 2.0]]
        trace = last_step_trace(model.with_params({**model.params, "readout.weight": readout}))
        np.testing.assert_allclose(trace.ledger.factor, size[n], rtol=1e-12)
        np.testing.assert_allclose(trace.gain, size.max(), rtol=1e-12)
        norms = np.linalg.norm(trace.grad_h, axis=(1, 2))
        np.testing.assert_allclose(norms, norms[T] * size[n] ** np.arange(T, -1, -1), rtol=1e-11)


def test_an_lru_is_the_sum_of_its_inputs_turned_and_shrunk():
    """h_T = Σ_t λ^(T-t) γ (W x_t + b), on complex numbers."""
    trace = last_step_trace(Model.create("lru", 2, H, 2, seed=4))
    nu, theta, log_gamma = trace.params["rnn.weight_hh_l0"]
    turn = np.exp(-np.exp(nu) + 1j * np.exp(theta))
    given = trace.x[:, 0] @ trace.params["rnn.weight_ih_l0"].T + trace.params["rnn.bias_ih_l0"]
    given = np.exp(log_gamma) * (given[:, : H // 2] + 1j * given[:, H // 2 :])
    start = trace.h[0, 0, : H // 2] + 1j * trace.h[0, 0, H // 2 :]
    powers = turn ** np.arange(T, -1, -1)[:, None]
    wanted = (powers * np.vstack([start, given])).sum(axis=0)
    np.testing.assert_allclose(trace.h[T, 0], np.concatenate([wanted.real, wanted.imag]), rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_the_batch_gradient_is_the_mean_of_the_samples(cell):
    rng = np.random.default_rng(0)
    x, targets = rng.standard_normal((7, 5, 2)), rng.standard_normal((7, 5, 3))
    model = Model.create(cell, 2, 4, 3, num_layers=2)
    whole = model.trace(x, targets)
    each = [model.trace(x[:, b : b + 1], targets[:, b : b + 1]) for b in range(5)]
    assert whole.loss == pytest.approx(np.mean([trace.loss for trace in each]), rel=1e-14)
    for name, gradient in whole.grads.items():
        np.testing.assert_allclose(gradient, np.mean([trace.grads[name] for trace in each], axis=0), atol=1e-14)
    np.testing.assert_allclose(whole.gain, np.max([trace.gain for trace in each], axis=0), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    activation=st.sampled_from(["tanh", "sigmoid"]),
    hidden=st.integers(1, 6),
    steps=st.integers(1, 8),
    layers=st.integers(1, 2),
    gain=st.floats(0.1, 3.0),
    seed=st.integers(0, 2**20),
)
def test_pascanus_bound(activation, hidden, steps, layers, gain, seed):
    """‖∂s_T/∂s_t‖ ≤ Π gains, and for one layer Π gains ≤ (σ_max(W_hh) γ)^(T-t), γ = 1 for tanh, 1/4 for sigmoid
    (Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063, equations 5 to 7)."""
    rng = np.random.default_rng(seed)
    model = Model.create(
        "rnn", 2, hidden, 2, num_layers=layers, activation=activation, init="pytorch", gain=gain, seed=seed
    )
    x = rng.standard_normal((steps, 1, 2))
    trace = model.trace(x, np.zeros((1, 2)), loss_at="last")
    sigma = np.linalg.norm(trace.params["rnn.weight_hh_l0"], 2)
    slope = {"tanh": 1.0, "sigmoid": 0.25}[activation]
    long = np.eye(hidden * layers)
    for t in reversed(range(1, steps + 1)):
        long = long @ naive.state_jacobian(trace, t, 0)
        bound = trace.ledger.bound[t - 1]
        assert np.linalg.norm(long, 2) <= bound * (1 + 1e-9)
        if layers == 1:
            assert bound <= (sigma * slope) ** (steps - t + 1) * (1 + 1e-9)
        assert trace.ledger.product[t - 1] <= bound * (1 + 1e-9)


@settings(max_examples=50, deadline=None)
@given(rate=st.floats(0.01, 0.999), scale=st.floats(1e-200, 1e200), length=st.integers(2, 300))
def test_fading_lags_of_an_exponential(rate, scale, length):
    norms = scale * rate ** np.arange(length, dtype=float)[::-1]
    for lag_of, fraction in ((half_life, 0.5), (horizon, 0.01)):
        wanted = math.log(fraction) / math.log(rate)
        lag = lag_of(norms)
        if lag is None:
            assert wanted > length - 1 - 1e-6
        else:
            assert lag == pytest.approx(wanted, rel=1e-6)
