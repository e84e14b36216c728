"""Scales of an axis: the range of the values, and round numbers for its ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence

Numbers = Sequence[float]


def log10(values: Numbers) -> list[float]:
    return [math.log10(v) if math.isfinite(v) and v > 0 else math.nan for v in values]


def newest(values: Numbers) -> str:
    """The newest value as text, nan and inf included."""
    return f"{values[-1]:.3g}" if len(values) else ""


def not_finite(name: str, values: Numbers, unit: str, first: int) -> str | None:
    for j, value in enumerate(values):
        if not math.isfinite(value):
            return f"{name} not finite from {unit} {first + j}"
    return None


def room(values: list[float], share: float, least: float) -> tuple[float, float]:
    """The range of the values with a margin; never empty, never beyond the range of a float."""
    limit = 1e300
    if not values:
        return -1.0, 1.0
    low, high = max(min(values), -limit), min(max(values), limit)
    air = max((high - low) * share, least, abs(high) * 1e-9, abs(low) * 1e-9)
    return low - air, high + air


def ticks(low: float, high: float, height: int) -> list[tuple[float, str]]:
    """Round numbers between low and high, about one per three rows, all with the same number of decimals."""
    step = round_step((high - low) / max(1, min(height // 3, 5)))
    first = math.ceil(low / step)
    n = math.floor(high / step) - first + 1
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    is_plain = step < 1e5 and decimals <= 4 and max(abs(low), abs(high)) < 1e6
    values = [(first + k) * step + 0.0 for k in range(n)]
    return [(value, f"{value:.{decimals}f}" if is_plain else f"{value:.0e}") for value in values]


def round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= raw * (1 - 1e-9))


def log_ticks(low: float, high: float, height: int) -> list[tuple[float, str]]:
    """Ticks of a log10 axis, labelled with the values themselves: 1, 2, 5 over a few decades, else powers of 10."""
    most = max(2, height // 2)
    for multiples in ((1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 5), (1, 3), (1,)):
        ticks = [
            (math.log10(m) + e, plain(m, e))
            for e in range(math.floor(low), math.ceil(high) + 1)
            for m in multiples
            if low <= math.log10(m) + e <= high
        ]
        if len(ticks) <= most:
            return ticks
    return ticks[:: math.ceil(len(ticks) / most)]


def plain(multiple: float, exponent: int) -> str:
    if -4 <= exponent <= 4:
        return f"{multiple * 10.0**exponent:.10g}"
    return f"{multiple:g}e{exponent:+03d}"


def whole_ticks(low: float, high: float, most: int) -> list[int]:
    """The two ends and round whole numbers between them."""
    first, last = math.ceil(low), math.floor(high)
    step = max(1, math.ceil(round_step(max(1e-9, (last - first) / max(1, most)))))
    return [first, last, *range((first // step + 1) * step, last, step)] if last > first else [first]
