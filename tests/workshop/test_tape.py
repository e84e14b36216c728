"""The gradients of a recorded step are those of complex steps, for each operation that can be recorded."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnnviz.workshop.cell import tape

SMOOTH = [rule for rule in tape._RULES if rule not in (np.maximum, np.minimum, np.matmul)]
STEPS: dict[str, Callable[[Any, Any, Any], Any]] = {
    **{
        f"{one.__name__} of two": lambda w, v, h, one=one: one(h * v, 2 + h * h + v * v)
        for one in SMOOTH
        if one.nin == 2
    },
    **{one.__name__: lambda w, v, h, one=one: one(1.5 + 0.3 * np.tanh(v * h)) for one in SMOOTH if one.nin == 1},
    "matmul": lambda w, v, h: w @ h + v,
    "matmul of two": lambda w, v, h: w @ np.tanh(w @ h),
    "matmul with a transpose": lambda w, v, h: w.T @ h,
    "maximum": lambda w, v, h: np.maximum(w @ h, v),
    "minimum": lambda w, v, h: np.minimum(0.1, w @ h) * v,
    "a power": lambda w, v, h: (w @ h) ** 2 + (v * v + 1) ** -1.5,
    "a reflected operation": lambda w, v, h: 1 / (1 + np.exp(-(w @ h))) - (1 - v),
    "split": lambda w, v, h: np.split(np.concatenate([w @ h, v * h]), 2)[1] * (w[1:2] @ h),
    "slices": lambda w, v, h: np.concatenate([(w @ h)[2:], (v * h)[:2], h])[:3],
    "one used twice": lambda w, v, h: (w @ h) * (w @ h) + v * v,
}


@pytest.mark.parametrize("name", STEPS)
def test_the_gradients_are_those_of_complex_steps(name: str) -> None:
    rng = np.random.default_rng(3)
    step, params, h = STEPS[name], [rng.normal(size=(3, 3)), rng.normal(size=(3, 1))], rng.normal(size=(3, 4))
    named = {"w": tape.Recorded(params[0]), "v": tape.Recorded(params[1])}
    result = step(*named.values(), h)
    grad = rng.normal(size=result.shape)
    np.testing.assert_allclose(result.data, step(*params, h), 1e-14)
    found = tape.gradients(result, grad, named)
    for place, (of, value) in enumerate(zip(named, params, strict=True)):
        for j in range(value.size):
            moved = [p.astype(complex) for p in params]
            moved[place].reshape(-1)[j] += 1e-20j
            exact = (step(*moved, h).imag * grad).sum() / 1e-20
            assert found[of].reshape(-1)[j] == pytest.approx(exact, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("step", [lambda w: np.linalg.norm(w), lambda w: w.sum(), lambda w: w[0], lambda w: np.abs(w)])
def test_what_has_no_rule_is_not_recorded(step: Callable[[Any], Any]) -> None:
    with pytest.raises((tape.NotRecorded, AttributeError, TypeError)):
        step(tape.Recorded(np.ones((3, 3))))
