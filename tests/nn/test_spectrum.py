"""Eigenvalues, lengths and Lyapunov exponents of the recurrence: against closed forms, a naive product, and moved
states."""

import math
import pickle

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.nn import CELLS, Model, checks
from rnnviz.nn.cell_table import CELLS as TABLE
from rnnviz.nn.dynamics.lyapunov import lyapunov
from rnnviz.nn.dynamics.spectrum import growth, of_steps, product, spectrum
from rnnviz.nn.make_trace import states_trace
from rnnviz.nn.state_jacobian import StateJacobian
from tests.nn import naive

T = 9


def rotation(size, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]


def with_real_eigenvalues(values, seed=0):
    """A matrix that is far from normal, with these eigenvalues."""
    rng = np.random.default_rng(seed)
    V = rotation(len(values), seed) @ (np.eye(len(values)) + np.triu(rng.standard_normal((len(values),) * 2), 1))
    return V @ np.diag(values) @ np.linalg.inv(V)


def run(cell, hidden=4, steps=T, W=None, layers=1, batch=1, **settings):
    model = Model.create(cell, 2, hidden, 1, num_layers=layers, seed=3, **settings)
    if W is not None:
        model = Model(model.spec, {**model.params, "rnn.weight_hh_l0": W})
    x = np.random.default_rng(1).standard_normal((steps, batch, 2))
    return model.trace(x, np.ones((steps, batch, 1)), loss_at="last")


def of(trace):
    return trace.spec, trace.params, trace.forward


def naive_product(trace, start, stop, sequence=0):
    """The oracle: complex steps of each step alone, multiplied one after the other."""
    P = np.eye(trace.spec.state_size * trace.L)
    for t in range(start + 1, stop + 1):
        P = naive.state_jacobian(trace, t, sequence) @ P
    return P


# -- one matrix ----------------------------------------------------------------------------------------


def test_the_example_of_the_docstring():
    A = np.array([[0.5, 4.0], [0.0, 0.5]])
    found, grown = spectrum(A), growth(A)
    assert found.values == pytest.approx([0.5, 0.5])
    assert found.is_sure.all()
    assert (found.sigma_max, found.departure) == pytest.approx((4.0615528, 4.0))
    assert (grown.at, grown.is_all) == (1, True)
    assert grown.most == pytest.approx(4.0615528)
    assert found.relative_departure == pytest.approx(4 / math.sqrt(16.5))


@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.5])
def test_of_an_orthogonal_matrix_every_length_is_gamma(gamma):
    found = spectrum(gamma * rotation(12, 5))
    np.testing.assert_allclose(found.sizes, gamma, rtol=1e-12)
    assert found.sigma_max == pytest.approx(gamma, rel=1e-12)
    assert found.departure == 0
    assert found.log_radius == pytest.approx(math.log(gamma), abs=1e-12)
    if gamma < 1:
        assert growth(gamma * rotation(12, 5)).most == 1


def test_a_matrix_that_is_not_normal_departs_by_what_its_triangle_holds():
    rng, Q = np.random.default_rng(2), rotation(6, 9)
    triangle = np.triu(rng.standard_normal((6, 6)), 1)
    found = spectrum(Q @ (np.diag(np.arange(6) / 7) + triangle) @ Q.T)
    np.testing.assert_allclose(found.sizes, np.arange(6)[::-1] / 7, atol=1e-6)
    assert found.departure == pytest.approx(np.linalg.norm(triangle), rel=1e-6)


def test_growth_is_that_of_the_powers():
    A = with_real_eigenvalues([0.9, 0.7, -0.6, 0.2, 0.1])
    powers = [np.linalg.norm(np.linalg.matrix_power(A, k), 2) for k in range(60)]
    found = growth(A)
    assert found.is_all
    assert found.at > 0
    assert (found.at, found.most) == (int(np.argmax(powers)), pytest.approx(max(powers)))


def test_growth_that_has_no_end_says_so():
    assert not growth(np.diag([1.01, 0.2])).is_all
    assert not growth(np.diag([1e200, 0.2])).is_all
    assert growth(np.zeros((3, 3))) == growth(np.eye(3))


@pytest.mark.parametrize("power", [0, 300, -300, 1000, -1000])
def test_numbers_near_the_ends_of_the_range(power):
    A = with_real_eigenvalues([0.9, -0.5, 0.25])
    found = spectrum(np.ldexp(A, power))
    np.testing.assert_allclose(found.log_sizes, np.log([0.9, 0.5, 0.25]) + power * math.log(2), atol=1e-10)
    assert found.log_sigma_max == pytest.approx(math.log(np.linalg.norm(A, 2)) + power * math.log(2))
    assert found.relative_departure == pytest.approx(spectrum(A).relative_departure)


def test_nothing_and_what_is_no_number():
    none = spectrum(np.zeros((3, 3)))
    assert (none.sigma_max, none.departure, none.relative_departure) == (0, 0, 0)
    assert none.log_radius == -math.inf
    assert not none.is_sure.any()
    assert spectrum(np.array([[1.0, np.nan], [0.0, 1.0]])) is None
    assert spectrum(np.array([[1.0, np.inf], [0.0, 1.0]])) is None


def test_eigenvalues_that_do_not_converge_are_none(monkeypatch):
    def fails(matrix):
        raise np.linalg.LinAlgError

    monkeypatch.setattr(np.linalg, "eig", fails)
    assert spectrum(rotation(3, 0)) is None


def test_an_eigenvalue_that_is_rounding_is_not_sure():
    """A product of rank one has one eigenvalue that is not 0; what is computed for the others is rounding."""
    rng = np.random.default_rng(0)
    u, v = rng.standard_normal((2, 8))
    assert spectrum(np.outer(u, v)).is_sure.tolist() == [True] + [False] * 7


def test_pairs_stand_side_by_side_and_records_stay_read_only():
    found = spectrum(np.random.default_rng(4).standard_normal((9, 9)))
    assert (np.diff(found.sizes) <= 1e-12 * found.frobenius).all()
    for value in found.values[found.values.imag > 0]:
        at = int(np.flatnonzero(found.values == value)[0])
        assert found.values[at + 1] == value.conjugate()
    with pytest.raises(ValueError, match="read-only"):
        pickle.loads(pickle.dumps(found)).values[0] = 0


# -- the product of the steps ----------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_a_product_is_that_of_the_naive_jacobians(cell, layers):
    trace = run(cell, layers=layers, batch=2)
    for start, stop in ((0, T), (3, 4), (2, 6)):
        P = naive_product(trace, start, stop, 1)
        found = of_steps(*of(trace), start, stop, sequence=1)
        sizes = np.sort(np.abs(np.linalg.eigvals(P)))[::-1]
        assert (np.abs(np.exp(found.log_sizes) - sizes) <= 4 * found.unsure).all()
        assert found.power == 0
        assert found.is_sure[0]
        assert found.log_sigma_max == pytest.approx(math.log(np.linalg.norm(P, 2)), rel=1e-9)


@pytest.mark.parametrize("cell", [name for name, cell in TABLE.items() if not cell.has_cell_state])
def test_its_length_is_the_entry_of_the_triangle(cell):
    """Without a loss the triangle holds the singular values of the same product."""
    model = Model.create(cell, 2, 6, 1, seed=3)
    trace = model.trace(np.random.default_rng(1).standard_normal((T, 1, 2)))
    for k, t in ((T, 1), (T, 0), (6, 2), (3, 2)):
        assert math.exp(of_steps(*of(trace), t, k).log_sigma_max) == pytest.approx(trace.triangle[k, t], rel=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_moving_the_state_moves_the_last_one_by_the_product(cell):
    """Perturbation: with the state of step 2 moved along the direction that grows most, the last state moves by it."""
    trace, start, step = run(cell), 2, 1e-7
    P = naive_product(trace, start, T)
    direction = np.linalg.svd(P)[2][0]
    H, base = trace.H, trace.forward
    h, c = trace.h[start], trace.c[start] if trace.c is not None else np.zeros((1, H))
    ends = []
    for sign in (1, -1):
        moved = sign * step * direction
        after = naive.run(trace.spec, trace.params, trace.x[start:], [h + moved[:H]], [c + moved[H:]] if len(moved) > H
                          else None)  # fmt: skip
        ends.append(naive.state(trace.spec, after.h[-1], after.c[-1]).real)
    assert base.layers[0].h[-1] == pytest.approx((ends[0] + ends[1])[None, :H] / 2, abs=1e-9)
    left = np.linalg.norm(ends[0] - ends[1]) / (2 * step)
    assert left == pytest.approx(math.exp(of_steps(*of(trace), start, T).log_sigma_max), rel=1e-5)


@pytest.mark.parametrize("gamma", [1e-9, 1e9])
def test_a_product_beyond_the_range_of_a_number_keeps_its_logarithm(gamma):
    trace = run("rnn", 5, steps=60, W=gamma * rotation(5, 2), activation="identity")
    trace = states_trace(trace.spec, trace.params, np.zeros((60, 1, 2)))
    found = of_steps(*of(trace), 0, 60)
    np.testing.assert_allclose(found.log_sizes / 60, math.log(gamma), rtol=1e-10)
    assert np.isclose(found.log_sigma_max / 60, math.log(gamma), rtol=1e-10)
    exponents = lyapunov(*of(trace), 0, 60).exponents
    np.testing.assert_allclose(exponents, math.log(gamma), rtol=1e-10)


def test_of_no_step_it_is_the_identity_and_a_zero_stays_a_zero():
    assert product([], 3)[0].tolist() == np.eye(3).tolist()
    assert not product([np.ones((3, 3)), np.zeros((3, 3)), np.ones((3, 3))], 3)[0].any()


def test_progress_can_end_it_and_memory_is_asked_for_first(monkeypatch):
    trace, seen = run("gru"), []

    def stop(done, total):
        seen.append((done, total))
        raise KeyboardInterrupt

    for work in (of_steps, lyapunov):
        with pytest.raises(KeyboardInterrupt):
            work(*of(trace), 0, T, report=stop)
    assert [done for done, _ in seen] == [1, 1]
    monkeypatch.setattr(checks, "most_bytes", 100)
    for work in (of_steps, lyapunov):
        with pytest.raises(InputError, match="would take"):
            work(*of(trace), 0, T)


# -- Lyapunov exponents ----------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.8, 1.0, 1.3])
def test_of_random_orthogonal_steps_times_gamma_every_exponent_is_log_gamma(gamma):
    trace = run("rnn", 6, W=gamma * rotation(6, 7), activation="identity")
    np.testing.assert_allclose(lyapunov(*of(trace), 0, T).exponents, math.log(gamma), atol=1e-12)


def test_in_the_linear_case_eigenvalue_exponent_and_mean_factor_are_the_same_number():
    """A linear RNN whose W_hh is far from normal: once the transient is over, all three agree."""
    values, steps, skip = [0.9, -0.6, 0.4, 0.2], 300, 150
    W = with_real_eigenvalues(values)
    assert spectrum(W).sigma_max > 1
    trace = run("rnn", 4, steps=steps, W=W, activation="identity")
    exponents = lyapunov(*of(trace), 0, steps, skip=skip).exponents
    np.testing.assert_allclose(exponents, np.log(np.abs(values)), atol=1e-10)
    assert exponents[0] == pytest.approx(spectrum(W).log_radius, abs=1e-10)
    norms = trace.grad_norm(steps)
    mean = math.log(norms[1] / norms[1 + skip]) / skip
    assert mean == pytest.approx(exponents[0], abs=1e-10)


def test_in_the_normal_linear_case_they_agree_from_the_first_step_on():
    W = 0.7 * rotation(5, 1)
    trace = run("rnn", 5, W=W, activation="identity")
    norms = trace.grad_norm(T)
    mean = math.log(norms[1] / norms[T]) / (T - 1)
    found = lyapunov(*of(trace), 1, T).exponents
    assert (mean, found[0], found[-1]) == pytest.approx((spectrum(W).log_radius,) * 3, abs=1e-10)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_they_are_the_rates_of_the_products_singular_values(cell, layers):
    trace = run(cell, steps=20, layers=layers, batch=2)
    found = lyapunov(*of(trace), 0, 20, sequence=1)
    P = naive_product(trace, 0, 20, 1)
    # the passes end when one changes the product by less than a thousandth
    assert found.exponents[0] == pytest.approx(math.log(np.linalg.norm(P, 2)) / 20, abs=1e-3)
    J = [naive.state_jacobian(trace, t, 1) for t in range(1, 21)]
    volume = np.mean([np.linalg.slogdet(A)[1] for A in J])
    assert found.exponents.sum() == pytest.approx(volume, rel=1e-8)
    assert (np.diff(found.exponents) <= 0).all()
    np.testing.assert_allclose(found.by_step.mean(axis=0), found.exponents)


def test_along_a_masked_step_nothing_changes():
    model = Model.create("gru", 2, 4, 1, seed=3)
    mask = np.ones((T, 1), bool)
    mask[5:] = False
    x = np.random.default_rng(1).standard_normal((T, 1, 2))
    trace = model.trace(x, np.ones((T, 1, 1)), mask=mask)
    np.testing.assert_allclose(of_steps(*of(trace), 6, 7).values, 1.0)
    np.testing.assert_allclose(lyapunov(*of(trace), 6, T).exponents, 0.0, atol=1e-12)


def test_a_direction_that_is_lost_has_no_finite_exponent():
    trace = run("rnn", 4, W=np.zeros((4, 4)))
    assert (lyapunov(*of(trace), 0, T).exponents == -math.inf).all()
    one = np.zeros((4, 4))
    one[0, 0] = 0.5
    found = lyapunov(*of(run("rnn", 4, W=one, activation="identity")), 0, T).exponents
    assert found[0] == pytest.approx(math.log(0.5))
    assert (found[1:] == -math.inf).all()


def test_what_is_not_finite_has_no_exponent():
    trace = run("rnn", 3)
    params = {**trace.params, "rnn.weight_hh_l0": np.full((3, 3), np.inf)}
    assert np.isnan(lyapunov(trace.spec, params, trace.forward, 0, T).exponents).all()
    assert of_steps(trace.spec, params, trace.forward, 0, T) is None


def test_a_large_state_is_not_held_for_all_steps(monkeypatch):
    """The two ways to the Jacobians give the same exponents."""
    trace = run("lstm", 3)
    small = lyapunov(*of(trace), 0, T)
    monkeypatch.setattr("rnnviz.nn.dynamics.lyapunov._HELD", 0)
    np.testing.assert_array_equal(lyapunov(*of(trace), 0, T).exponents, small.exponents)
    monkeypatch.setattr("rnnviz.nn.dynamics.lyapunov.LARGE", 0)
    large = lyapunov(*of(trace), 0, T)
    assert large.exponents[0] == pytest.approx(small.exponents[0], abs=0.02)
    assert large.exponents.sum() == pytest.approx(small.exponents.sum())


def test_the_state_jacobian_of_a_step_is_its_factor():
    trace = run("lstm", batch=2)
    formed = StateJacobian.of(*of(trace)).formed().reshape(T, 2, 8, 8)
    one = of_steps(*of(trace), 3, 4, sequence=1)
    np.testing.assert_allclose(one.sigma_max, np.linalg.norm(formed[3, 1], 2), rtol=1e-12)
