"""Principal components: an orthonormal basis by falling variance, whose signs do not depend on the machine."""

import numpy as np
import pytest

from rnnviz.nn.dynamics.principal import principal_components


def states(seed: int, N: int = 60, H: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((N, H)) @ rng.standard_normal((H, H)) + rng.standard_normal(H)


@pytest.mark.parametrize("seed", range(3))
def test_the_axes_are_the_eigenvectors_of_the_covariance(seed: int) -> None:
    h = states(seed)
    found = principal_components(h)
    covariance = np.cov(h.T, bias=True)
    assert np.allclose(found.axes @ found.axes.T, np.eye(5))
    assert np.allclose(found.axes @ covariance @ found.axes.T, np.diag(found.shares) * np.trace(covariance))
    assert (np.diff(found.shares) <= 0).all()
    assert found.shares.sum() == pytest.approx(1.0)
    assert np.allclose(found.project(h, 5) @ found.axes + found.mean, h)
    assert found.project(h).var(axis=0).sum() == pytest.approx(found.shares[:2].sum() * np.trace(covariance))


def test_the_largest_entry_of_each_axis_is_positive_whatever_the_order_of_the_states() -> None:
    h = states(1)
    found = principal_components(h)
    assert (found.axes[np.arange(5), np.abs(found.axes).argmax(axis=1)] > 0).all()
    other = principal_components(h[np.random.default_rng(0).permutation(len(h))])
    assert np.allclose(found.axes, other.axes)
    mirrored = principal_components(2 * h.mean(axis=0) - h)
    assert np.allclose(found.axes, mirrored.axes), "the sign does not follow the data's"
    level = principal_components(np.array([[-1.0, 1.0], [1.0, -1.0], [0.5, -0.5]]))
    assert level.axes[0] == pytest.approx([np.sqrt(0.5), -np.sqrt(0.5)]), "the first of equals is positive"


@pytest.mark.parametrize(
    ("h", "shares"),
    [
        (np.ones((4, 3)), [0, 0, 0]),
        (np.array([[1.0], [2.0]]), [1]),
        (np.array([[1.0, 2.0, 3.0]]), [0]),
        (np.full((3, 2), np.nan), [0, 0]),
        (np.array([[1e300, 0.0], [-1e300, 0.0], [np.inf, 0.0]]), [1, 0]),
    ],
)
def test_states_that_span_no_plane_have_components_too(h: np.ndarray, shares: list[float]) -> None:
    found = principal_components(h)
    assert found.shares == pytest.approx(shares)
    on = found.project(h)
    assert on.shape == (len(h), 2)
    assert np.array_equal(np.isfinite(on).all(axis=1), np.isfinite(h).all(axis=1))
    assert [found.share(k) for k in (0, 7)] == [pytest.approx(shares[0]), 0.0]
