"""What a person's cell is tried for, with the sizes that it will have, before it is used.

A step must give the same for the same arguments, and numbers. Its derivatives by a complex step are compared with
central differences: np.abs, a comparison or a function of real numbers alone gives others, and then the central
differences are used.
"""

from __future__ import annotations

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.types import Array, Params
from rnnviz.workshop.cell.derivatives import Derivatives

#: A step and central differences of it agree to so many parts.
NEAR, LEAST = 1e-5, 1e-7


def check(its: Derivatives, I: int, H: int) -> None:  # noqa: E741
    """Choose how the derivatives are computed. Raises InputError for a step that is none."""
    path = its.connection.path
    params = its.parameters(I, H, seed=0)
    again = its.parameters(I, H, seed=0)
    if list(params) != list(again) or not all(np.array_equal(params[name], again[name]) for name in params):
        raise InputError(f"{path}: parameters returned other numbers for the same rng: draw them from rng alone")
    rng = np.random.default_rng(1)
    x, h = rng.normal(size=(2, I)), rng.uniform(-0.9, 0.9, (2, H))
    rows = [0, 1, 0]
    new = its.steps(params, x[rows], h[rows])
    if not np.array_equal(new[0], new[2], equal_nan=True):
        raise InputError(f"{path}: step returned another state for the same arguments: no random numbers in it")
    if not np.isfinite(new).all():
        raise InputError(f"{path}: step returns nan or inf for an ordinary state and input")
    its.by = "differences"
    exact = _derivatives(its, params, x, h)
    its.by = "complex"
    try:
        found = _derivatives(its, params, x, h)
    except InputError:
        found = []
    if len(found) != len(exact) or not all(map(_agree, found, exact)):
        its.by = "differences"


def _derivatives(its: Derivatives, params: Params, x: Array, h: Array) -> list[Array]:
    """∂h_t/∂h_{t-1}, ∂h_t/∂x_t, and the derivative of h_t along one direction in each parameter."""
    rng = np.random.default_rng(2)
    along = {name: np.asarray(rng.normal(size=value.shape)) for name, value in params.items()}
    return [*its.jacobians(params, x, h), *its.along(params, x, h, along).values()]


def _agree(a: Array, b: Array) -> bool:
    return np.allclose(a, b, NEAR, LEAST, equal_nan=True)
