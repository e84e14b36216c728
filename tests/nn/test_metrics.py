"""Norms near the ends of float64, and the lags at which a gradient has faded."""

import numpy as np
import pytest

from rnnviz.nn.gain import largest_singular_value
from rnnviz.nn.metrics import half_life, horizon, norm


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-170, 1.0, 1e170, 1e300])
def test_norm_neither_underflows_nor_overflows(scale):
    a = scale * np.array([[[3.0, 0.0]], [[4.0, 12.0]]])
    np.testing.assert_allclose(norm(a), 13 * scale, rtol=1e-3 if scale < 1e-308 else 1e-15)
    np.testing.assert_allclose(norm(a, axis=(1, 2)), scale * np.array([3.0, np.sqrt(160)]), rtol=1e-3)


def test_norm_of_mixed_sizes_is_right_in_every_row():
    a = np.array([[3e-200, 4e-200], [0.0, 0.0], [3.0, 4.0], [np.inf, 1.0], [np.nan, np.inf]])
    np.testing.assert_allclose(norm(a, axis=1), [5e-200, 0.0, 5.0, np.inf, np.nan], rtol=1e-15)


@pytest.mark.parametrize(
    ("norms", "half", "one_percent"),
    [
        ([1, 2, 4, 8], 1.0, None),  # 4 is not yet below half of 8; it is reached at lag 1 and passed after it
        ([1, 10, 100, 1000], np.log10(2), 2.0),
        ([8, 8, 8], None, None),
        ([9, 1, 1, 8], None, None),  # half of it is gone, and comes back: no half-life
        ([0, 8], None, 0.0),  # gone at once: 1 % is left nowhere
        ([0, 2, 8], None, 1.0),
        ([0.9, 0.95, 1, 4, 8], None, None),  # quickly to an eighth, and no farther: no half-life
        ([1, 1000], np.log10(2) / 3, 2 / 3),
        ([100, 110, 1000, 100000], None, 1.0),  # all but 1 % in one step, and then hardly any more
        ([8, 0], None, None),
        ([1, np.nan, 8], None, None),
        ([1, np.inf, 8], None, None),
        ([1, np.inf], None, None),
        ([5], None, None),
        ([], None, None),
    ],
)
def test_fading_lags(norms, half, one_percent):
    def approx(value):
        return None if value is None else pytest.approx(value, rel=1e-12)

    assert half_life(np.array(norms, float)) == approx(half)
    assert horizon(np.array(norms, float)) == approx(one_percent)


@pytest.mark.parametrize("gamma", [0.4, 0.5])
@pytest.mark.parametrize(("halvings", "has_one"), [(0.0, True), (0.2, True), (0.45, False)])
def test_a_half_life_is_that_of_a_decay_that_keeps_to_its_line(gamma, halvings, has_one):
    """To and fro around the line by so many halvings, and falling all the same."""
    lags = np.arange(30)
    norms = gamma**lags * 2.0 ** (halvings * (-1.0) ** lags)
    assert (np.diff(norms) < 0).all()
    found = half_life(norms[::-1])
    assert (found is not None) is has_one
    if found is not None:
        assert found == pytest.approx(np.log(0.5) / np.log(gamma), abs=2 * halvings)


def test_what_comes_after_the_horizon_does_not_matter():
    assert half_life(np.append([1e-9, 0.0078, 0.0078], 0.5 ** np.arange(7.0, -1, -1))) == 1.0
    assert half_life(np.array([0.2, 0.2, 0.25, 0.5, 1.0])) is None, "and that its end is flat, before it"


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e160])
@pytest.mark.parametrize("size", [1, 2, 5, 40, 64])
def test_largest_singular_value(size, scale):
    rng = np.random.default_rng(size)
    J = rng.standard_normal((20, size, size))
    J[:5] *= 10.0 ** -rng.uniform(0, 12, (5, 1, size))  # badly scaled columns
    J[5:10] = np.eye(size) * (1 + 1e-12 * rng.standard_normal((5, size, 1)))  # all singular values alike
    exact = np.linalg.svd(J, compute_uv=False)[:, 0]
    np.testing.assert_allclose(largest_singular_value(J * scale), exact * scale, rtol=1e-13)


def test_largest_singular_value_of_what_is_not_finite():
    J = np.zeros((4, 3, 3))
    J[1, 0, 0], J[2, 1, 2] = np.nan, np.inf
    J[3] = np.diag([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(largest_singular_value(J), [0.0, np.nan, np.inf, 3.0])
