"""tanh and σ for a register of numbers, in float64 and float32, from one exponential; and the activation by its number.

    e = exp(2|a|) - 1,  tanh |a| = e / (e + 2);   σ(a) = 1 / (1 + exp(-a))

The math library's functions compute one number at a time and take about ten times as long. The error is at most 3 units
in the last place; 0 keeps its sign, ±inf gives the limit, nan stays nan.

exp(y) = 2ⁿ exp(r) with n = round(y / ln 2) and r = y - n ln 2 in two parts, so that no digit is lost (Cody & Waite
1980, Software Manual for the Elementary Functions, 6); exp(r) - 1 by its Taylor series, |r| ≤ ln 2 / 2.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from rnnviz.nn.kernels.jit import kernel
from rnnviz.nn.kernels.simd import copysign, exponent_bits, precision, where


class Precision(NamedTuple):
    """The constants of one dtype."""

    ln2_high: float  # ln 2 with enough zero bits at its end that n · ln2_high is exact
    ln2_low: float  # ln 2 - ln2_high
    shift: float  # 1.5·2^(mantissa bits) + exponent bias; see simd.exponent_bits
    tanh_limit: float  # beyond this 2|a|, tanh is 1 to the last bit
    exp_limit: float  # beyond this, σ(-a) = 1 / (1 + exp(a)) is below the normal numbers, and counts as 0


FLOAT64 = Precision(6.93147180369123816490e-01, 1.90821492927058770002e-10, 1.5 * 2**52 + 1023, 44.0, 709.0)
FLOAT32 = Precision(0.693359375, math.log(2) - 0.693359375, 1.5 * 2**23 + 127, 20.0, 88.0)
TANH, RELU, IDENTITY, SIGMOID = range(4)  # positions in rnnviz.nn.spec.ACTIVATIONS
PER_LN2 = 1 / math.log(2)
#: 1/n!: the coefficients of exp(r).
C = tuple(1 / math.factorial(n) for n in range(14))


@kernel
def series(r: Any) -> Any:
    """exp(r) - 1 = r + r² (1/2 + r/6 + …), as many terms as the precision can hold. Neighbours are added in pairs,
    which need not wait for each other (Estrin 1960), and r last, so that its digits are kept."""
    square = r * r
    high = C[6] + r * C[7]
    if precision(r) == 64:
        tail = C[10] + r * (C[11] + r * (C[12] + r * C[13]))
        high = high + square * (C[8] + r * (C[9] + r * tail))
    return r + square * ((C[2] + r * C[3]) + square * ((C[4] + r * C[5]) + square * high))


@kernel
def tanh(a: Any) -> Any:
    limits = FLOAT64 if precision(a) == 64 else FLOAT32
    y = where(a > 0, a, -a) * 2
    y = where(y > limits.tanh_limit, limits.tanh_limit, y)  # nan is not greater, and stays
    shifted = y * PER_LN2 + limits.shift
    power = exponent_bits(shifted)
    n = shifted - limits.shift
    r = (y - n * limits.ln2_high) - n * limits.ln2_low
    e = power * series(r) + (power - 1)
    return copysign(e / (e + 2), a)


@kernel
def sigmoid(a: Any) -> Any:
    limits = FLOAT64 if precision(a) == 64 else FLOAT32
    y = where(-a > limits.exp_limit, limits.exp_limit, -a)
    y = where(y < -limits.exp_limit, -limits.exp_limit, y)
    shifted = y * PER_LN2 + limits.shift
    power = exponent_bits(shifted)
    n = shifted - limits.shift
    r = (y - n * limits.ln2_high) - n * limits.ln2_low
    out = 1 / (1 + (power * series(r) + power))
    return where(a < -limits.exp_limit, 0.0, out)


@kernel
def activate(activation: int, a: Any) -> Any:
    """φ(a)"""
    if activation == TANH:
        return tanh(a)
    if activation == RELU:
        return where(a < 0, 0.0, a)  # nan is not less, and stays
    if activation == SIGMOID:
        return sigmoid(a)
    return a


@kernel
def through(activation: int, h: Any, grad: Any) -> Any:
    """φ'(a) ⊙ grad, with φ' computed from h = φ(a) alone"""
    if activation == TANH:
        return (1 - h * h) * grad
    if activation == RELU:
        return where(h > 0, 1.0, h) * grad  # 0, or nan
    if activation == SIGMOID:
        return h * (1 - h) * grad
    return grad
