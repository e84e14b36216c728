"""Norms, and the lags at which a gradient has faded to 50 % and 1 %: half-life and horizon.

norms = [1, 2, 4, 8] with the loss at t = 3: half of 8 is reached at lag 1, so half_life = 1.0

A half-life is defined only for an exponential decay, where each span of so many steps halves the rest.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnnviz.nn.types import Array

#: Between these, squares neither underflow nor overflow enough to show in a norm.
_SAFE_LOW, _SAFE_HIGH = 1e-140, 1e140


def norm(a: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """The Euclidean norm in float64, from 5e-324 to 1.8e308.

    The plain formula squares, which turns 1e-170 into 0 and 1e170 into inf; such values are scaled by their maximum
    first. inf gives inf, nan gives nan.
    """
    a = np.asarray(a, np.float64)
    with np.errstate(all="ignore"):
        plain = np.asarray(np.sqrt((a * a).sum(axis=axis)))
        if ((plain > _SAFE_LOW) & (plain < _SAFE_HIGH)).all():
            return plain
        largest = np.abs(a).max(axis=axis, keepdims=True, initial=0.0)
        usable = (largest > 0) & np.isfinite(largest)
        scaled = a / np.where(usable, largest, 1.0)
        size = np.squeeze(largest, axis=axis)
        out: Array = np.where(np.squeeze(usable, axis=axis), size * np.sqrt((scaled * scaled).sum(axis=axis)), size)
        return out


#: The logarithm of an exponential decay is a line over the lag. It may differ from the best line by this many halvings,
#: a factor of 1.27.
STRAYS = 0.35


def half_life(norms: Array) -> float | None:
    """The lag in steps at which norms first fall below 50 % of the last entry; None if they never do, or if the decay
    is not close enough to exponential (see is_exponential)."""
    return fading_lag(norms, 0.5) if is_exponential(norms) else None


def is_exponential(norms: Any) -> bool:
    """Whether norms (n,), from the last entry back to the horizon (at least two steps) or to the first entry, fall at
    every step, and their logarithm lies within STRAYS · ln 2 of a line over the lag."""
    back = np.asarray(norms, np.float64)[::-1]
    end = horizon(norms)
    back = back[: len(back) if end is None else max(3, math.ceil(end) + 1)]
    if len(back) < 2 or not (np.isfinite(back) & (back > 0)).all() or (np.diff(back) >= 0).any():
        return False
    logs, lags = np.log(back) - math.log(back[0]), np.arange(len(back)) - (len(back) - 1) / 2
    line = logs.mean() + lags * (lags @ logs) / (lags @ lags)
    return bool(np.abs(logs - line).max() <= STRAYS * math.log(2))


def horizon(norms: Array) -> float | None:
    """The lag in steps at which norms first fall below 1 % of the last entry; None if they never do."""
    return fading_lag(norms, 0.01)


def lasting_horizon(norms: Array) -> float | None:
    """The lag in steps from which on norms stay below 1 % of the last entry; None if at the first entry more is left.

    That of a gradient with several ways back, as attention makes them: it may be small at some steps, and larger again
    at earlier ones. None, too, where a norm is not finite, or the last entry is 0.
    """
    back = np.asarray(norms, np.float64)[::-1]
    if not len(back) or not np.isfinite(back).all() or back[0] <= 0:
        return None
    lag = int(np.flatnonzero(back >= 0.01 * back[0])[-1])
    if lag == len(back) - 1:
        return None
    if back[lag + 1] == 0:
        return float(lag)
    with np.errstate(all="ignore"):
        return float(lag + np.log(back[lag] / (0.01 * back[0])) / np.log(back[lag] / back[lag + 1]))


def fades(norms: Any) -> bool:
    """Whether `horizon` is meaningful, as a lag or as None (more than 1 % remains everywhere). It is not if the
    gradient is 0 from the start, or inf or nan before it has faded."""
    norms = np.asarray(norms, np.float64)
    return horizon(norms) is not None or bool(len(norms) and norms[-1] > 0 and np.isfinite(norms).all())


def fading_lag(norms: Any, fraction: float) -> float | None:
    """norms (n,): ‖∂L_k/∂h_t‖ for t = 0..k, the loss step last. Walking back from it, the first lag at which
    the norm is below `fraction` of the last entry, log-linear between whole lags (if it drops to 0, the last
    lag with a nonzero norm). None if the norm stays above it, if a norm on the way (the last entry included) is nan or
    inf, or if the last entry is 0."""
    back = [float(v) for v in np.asarray(norms, np.float64)[::-1]]
    if not back or not math.isfinite(back[0]) or back[0] <= 0:
        return None
    level = math.log(back[0]) + math.log(fraction)
    before = math.log(back[0])
    for lag, value in enumerate(back[1:], start=1):
        if not math.isfinite(value):
            return None
        if value == 0:
            return float(lag - 1)
        now = math.log(value)
        if now < level:
            return lag - 1 + (before - level) / (before - now)
        before = now
    return None
