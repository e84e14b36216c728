"""The gain by products alone, against the singular values of the formed Jacobians."""

import numpy as np
import pytest

from rnnviz.nn import CELLS, Model, gain
from rnnviz.nn.gain import gains, largest_singular_value
from rnnviz.nn.state_jacobian import StateJacobian
from tests.nn.cells_here import fitting

T = 12


@pytest.fixture(autouse=True)
def never_formed_for_its_size(monkeypatch):
    monkeypatch.setattr(gain, "IMPLICIT_FROM", 0)


def trace(cell, hidden, layers=1, batch=1, scale=1.0, steps=T, **settings):
    hidden = fitting(cell, hidden)
    rng = np.random.default_rng(hidden)
    model = Model.create(cell, 2, hidden, 1, num_layers=layers, seed=1, **settings)
    return model.trace(scale * rng.standard_normal((steps, batch, 2)), rng.standard_normal((steps, batch, 1)))


def singular_values(run):
    """The oracle: an SVD of every Jacobian, formed."""
    J = StateJacobian.of(run.spec, run.params, run.forward).formed()
    J = J.reshape(run.T, run.B, *J.shape[1:])
    return np.linalg.svd(J, compute_uv=False)[..., 0].max(axis=1)


def agree(run):
    np.testing.assert_allclose(gains(run.spec, run.params, run.forward), singular_values(run), rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(
    ("hidden", "settings"),
    [
        (60, {"init": "pytorch"}),
        (60, {"init": "keras", "scale": 0.1}),
        (60, {"init": "keras", "scale": 100.0}),  # saturated
        (40, {"init": "identity"}),
        (40, {"init": "orthogonal", "gain": 3.0}),
        (30, {"init": "pytorch", "gain": 0.0}),  # W_hh is 0
        (2, {"init": "pytorch"}),
        (1, {"init": "keras"}),
        (3, {"init": "keras", "batch": 5}),
        (30, {"init": "pytorch", "batch": 3}),
    ],
)
def test_as_the_singular_value_of_the_formed_jacobian(cell, layers, hidden, settings):
    agree(trace(cell, hidden, layers, **settings))


@pytest.mark.parametrize("activation", ["identity", "relu", "sigmoid"])
@pytest.mark.parametrize("layers", [1, 2])
def test_of_other_activations(activation, layers):
    agree(trace("rnn", 50, layers, activation=activation, init="orthogonal"))


@pytest.mark.parametrize(("size", "steps"), [(40, 60), (140, 8)])
def test_of_an_lstm_that_remembers(size, steps):
    """Chrono initialisation: many forget gates, and so many singular values, lie close together below 1."""
    agree(trace("lstm", size, init="chrono", steps=steps))


@pytest.mark.parametrize("second", [1.0, 1 - 1e-13, 1 - 1e-9, 1 - 1e-7, 1 - 1e-5, 1 - 1e-3])
def test_of_two_largest_singular_values_that_are_equal_or_nearly_so(second):
    run = trace("rnn", 60, activation="identity")
    rng = np.random.default_rng(0)
    (left, _), (right, _) = (np.linalg.qr(rng.standard_normal((60, 60))) for _ in range(2))
    params = dict(run.params)
    params["rnn.weight_hh_l0"] = left @ np.diag([1.0, second, *np.linspace(0.9, 0.1, 58)]) @ right.T
    np.testing.assert_allclose(gains(run.spec, params, run.forward), 1.0, rtol=1e-10)


@pytest.mark.parametrize("cell", [name for name in CELLS if name != "lru"])  # whose |λ| is below 1, and never large
@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e-30, 1e30, 1e150])
def test_of_weights_near_the_ends_of_the_range(cell, scale):
    run = trace(cell, 20, init="pytorch")
    params = {name: scale * value if "weight_hh" in name else value for name, value in run.params.items()}
    J = StateJacobian.of(run.spec, params, run.forward).formed()
    exact = np.linalg.svd(J, compute_uv=False)[:, 0]
    np.testing.assert_allclose(gains(run.spec, params, run.forward), exact, rtol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_not_finite_is_said_where_it_is(cell):
    run = trace(cell, 20, init="pytorch")
    for value in (np.nan, np.inf) if run.spec.about_cell.recurrent else ():
        params = {name: w.copy() for name, w in run.params.items()}
        row = {"indrnn": 0, "lru": 1}.get(cell, 3)  # u; θ, as ν = inf makes λ 0
        params["rnn.weight_hh_l0"][row, 4] = value
        formed = largest_singular_value(StateJacobian.of(run.spec, params, run.forward).formed())
        np.testing.assert_array_equal(gains(run.spec, params, run.forward), formed)
        assert not np.isfinite(formed).any()
    jacobian = StateJacobian.of(run.spec, run.params, run.forward)
    jacobian.slopes[0][-1][5] = np.nan  # in one step alone
    found, _ = gain.by_products(jacobian, 1, np.zeros((1, jacobian.S)))
    np.testing.assert_array_equal(np.isnan(found), np.arange(T) == 5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_products_are_those_of_the_formed_jacobian(cell, layers):
    run = trace(cell, 6, layers, init="pytorch", batch=2)
    jacobian = StateJacobian.of(run.spec, run.params, run.forward)
    J, v = jacobian.formed(), np.random.default_rng(0).standard_normal((jacobian.N, jacobian.S))
    np.testing.assert_allclose(jacobian.times(v), np.einsum("nij,nj->ni", J, v), atol=1e-13)
    np.testing.assert_allclose(jacobian.transposed_times(v), np.einsum("nij,ni->nj", J, v), atol=1e-13)


def test_no_jacobian_of_a_large_network_is_formed(monkeypatch):
    formed = []

    def count(jacobian):
        formed.append(jacobian.N)
        return np.full(jacobian.N, np.nan)

    monkeypatch.setattr(gain, "_formed_gains", count)
    run = trace("lstm", 100, 2, init="pytorch", steps=40)
    assert np.isfinite(gains(run.spec, run.params, run.forward)).all()
    assert sum(formed) == 0


def test_it_reports_and_can_be_stopped():
    run = trace("gru", 20, steps=300, init="pytorch")
    seen = []
    values = gains(run.spec, run.params, run.forward, lambda done, total: seen.append((done, total)))
    assert seen == sorted(set(seen))
    assert seen[-1] == (300, 300)
    assert len(values) == 300

    def stop(done, total):
        raise InterruptedError

    fresh = trace("gru", 20, steps=300, init="pytorch")
    with pytest.raises(InterruptedError):
        fresh.measure_gain(stop)
    np.testing.assert_array_equal(fresh.gain, values)
