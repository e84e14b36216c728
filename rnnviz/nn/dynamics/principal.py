"""Principal components: the plane in which states spread the most.

    >>> found = principal_components(np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    >>> found.axes, found.shares                 # rows are the components; shares of the variance
    (array([[1., 0.], [0., 1.]]), array([0.9, 0.1]))

The axes are the right singular vectors of the centred states, by falling variance. Their signs are arbitrary; here the
entry of each axis that is largest in magnitude is positive, the first of equals.

Pearson 1901 (10.1080/14786440109462720); Jolliffe 2002, Principal Component Analysis, chapter 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.nn.types import Array, ReadOnly, frozen

#: Entries of an axis that differ by less than this part are equal, so that the last bit decides no sign.
_EQUAL = 1e-9


@dataclass(frozen=True, eq=False)
class PrincipalComponents(ReadOnly):
    """mean    (H,) of the states
    axes    (K, H) orthonormal rows, K = min(N, H) of N states
    shares  (K,) of the whole variance; 0 where all states are equal
    """

    mean: Array
    axes: Array
    shares: Array

    def project(self, states: Array, count: int = 2) -> Array:
        """(..., H) -> (..., count): the states on the first axes; 0 on an axis that does not exist."""
        with np.errstate(all="ignore"):
            on = (states - self.mean) @ self.axes[:count].T
        missing = count - on.shape[-1]
        return np.concatenate([on, np.zeros((*on.shape[:-1], missing))], axis=-1) if missing > 0 else on

    def share(self, number: int) -> float:
        """The share of the variance along axis `number`, from 0; 0 of an axis that does not exist."""
        return float(self.shares[number]) if number < len(self.shares) else 0.0


def principal_components(states: Array) -> PrincipalComponents:
    """Of states (N, H), N >= 1. States that are not finite are left out; with none left, the axes are those of the
    units."""
    H = states.shape[1]
    kept = states[np.isfinite(states).all(axis=1)]
    if not len(kept):
        return PrincipalComponents(frozen(np.zeros(H)), frozen(np.eye(H)), frozen(np.zeros(H)))
    largest = np.abs(kept).max(initial=0.0) or 1.0  # so that no square overflows
    scaled = kept / largest
    mean = scaled.mean(axis=0)
    _, sizes, axes = np.linalg.svd(scaled - mean, full_matrices=False)
    variances = sizes * sizes
    whole = variances.sum()
    return PrincipalComponents(
        frozen(mean * largest),
        frozen(np.array([_turned(axis) for axis in axes])),
        frozen(variances / whole if whole > 0 else np.zeros(len(sizes))),
    )


def _turned(axis: Array) -> Array:
    """With the sign that makes its largest entry positive."""
    sizes = np.abs(axis)
    first = int((sizes >= sizes.max() * (1 - _EQUAL)).argmax())
    return -axis if axis[first] < 0 else axis
