"""The values of the knobs, in order, where they are not the choices themselves."""

from __future__ import annotations


def per_decade(low: int, high: int) -> tuple[float, ...]:
    """1, 2 and 5 of each power of ten, from 10^low to 5 · 10^high."""
    return tuple(float(f"{digit}e{power}") for power in range(low, high + 1) for digit in (1, 2, 5))


SMALL = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256)
LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500)
COUNTS = (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
GAINS = (*(round(0.1 * n, 1) for n in range(21)), 2.5, 3.0, 4.0, 5.0, 10.0)
