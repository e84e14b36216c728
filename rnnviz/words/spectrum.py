"""Eigenvalues, lengths and Lyapunov exponents in words: what follows from them, and only where it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.numbers import counted, factor, percent, subscript, unsigned_zero
from rnnviz.views.spectrum import SAME

if TYPE_CHECKING:
    from rnnviz.nn.dynamics.lyapunov import Lyapunov
    from rnnviz.nn.dynamics.spectrum import Spectrum
    from rnnviz.scene.frame import Frame
    from rnnviz.views.spectrum import Found, Matrix

NONE_FOUND = "No eigenvalues: not every number of this matrix is finite, or they could not be computed."


def name(frame: Frame, matrix: Matrix) -> str:
    """`W_hh`, `∂h₁₂/∂h₁₁`; s where the state is more than the h of one layer."""
    if matrix.kind == "weights":
        return "W_hh"
    time, symbol = frame.scene.time, state(frame)
    return f"∂{symbol}{subscript(time(matrix.stop))}/∂{symbol}{subscript(time(matrix.start))}"


def state(frame: Frame) -> str:
    trace = frame.scene.trace
    return "h" if trace.spec.state_size * trace.L == trace.H else "s"


def which_state(frame: Frame) -> str:
    """What s is; "" where it is h."""
    trace = frame.scene.trace
    if state(frame) == "h":
        return ""
    own = "(h, c)" if trace.spec.has_cell_state else "h"
    return f"s = {own}" if trace.L == 1 else f"s = {own} of {trace.L} layers"


def size(log: float) -> str:
    """A length from its natural logarithm: `0.64`, `3e-05`, and `10^-412` beyond the range of float64."""
    if math.isnan(log):
        return "nan"
    if math.isinf(log):
        return "0" if log < 0 else "∞"
    return factor(math.exp(log)) if -700 < log < 700 else f"10^{log / math.log(10):.0f}"


def is_beyond(found: Spectrum) -> bool:
    """Whether the largest length is none that float64 can hold."""
    return not -700 < found.log_sigma_max < 700 and math.isfinite(found.log_sigma_max)


def radius(found: Spectrum) -> float:
    """The logarithm of the spectral radius; of a matrix whose eigenvalues are all rounding, -inf."""
    return found.log_radius if found.is_sure.any() else -math.inf


def lengths(found: Spectrum) -> str:
    return f"spectral radius {size(radius(found))} · σ_max {size(found.log_sigma_max)}"


def departure(found: Spectrum, room: int = 1000) -> str:
    if found.frobenius == 0:
        return "the matrix is 0"
    if found.departure == 0:
        return "normal: departure 0"
    away = size(float(found.logs(np.array(found.departure))))
    part = percent(found.relative_departure, 0)
    long = f"departure from normality {away}, {part} of its norm"
    return long if len(long) <= room else f"departure from normality {part}"


def entries(found: Spectrum) -> list[str]:
    """Each |λ| with its angle, pairs as one: `0.97 ±31°`; then how many are 0 within rounding."""
    out, skip = [], False
    values, logs, sure = found.values, found.log_sizes, found.is_sure
    for at, value in enumerate(values):
        if skip or not sure[at]:
            skip = False
            continue
        pair = at + 1 < len(values) and value.imag != 0 and values[at + 1] == value.conjugate()
        angle = round(math.degrees(math.atan2(value.imag, value.real)))
        out.append(f"{size(float(logs[at]))} {'±' if pair else ''}{angle}°")
        skip = pair
    lost = int((~sure).sum())
    return [*out, f"{lost} × 0 within rounding"] if lost else out


def follows(matrix: Matrix, found: Found) -> str:
    """What follows for the length of a change."""
    spectrum = found.spectrum
    if spectrum is None:
        return NONE_FOUND
    if matrix.kind == "product" and matrix.steps > 1:
        return _of_product(matrix, spectrum)
    often = "If every step were W_hh alone" if matrix.kind == "weights" else "If every step were this one"
    return f"{often}, {_of_powers(spectrum, found)}"


def _of_powers(spectrum: Spectrum, found: Found) -> str:
    rate, most = radius(spectrum), spectrum.log_sigma_max
    if spectrum.frobenius == 0:
        return "nothing would be left after it."
    if rate > SAME:
        return f"some change would grow by × {_near_one(rate)} a step in the long run, since its |λ| > 1."
    if abs(rate) <= SAME:
        if spectrum.departure == 0 and abs(float(spectrum.log_sizes[-1])) <= SAME:
            return "every change would keep its length, since |λ| = 1 for all and the matrix is normal."
        other = "; another could grow, since σ_max > 1" if most > SAME else ""  # for good, if there is a Jordan block
        return f"some change would neither grow nor shrink in the long run, since its |λ| = 1{other}."
    if most > SAME:
        much = ""
        if found.growth is not None:
            bound = "" if found.growth.is_all else "at least "
            steps = counted(found.growth.at, "step")
            much = f", to {bound}× {_near_one(math.log(found.growth.most))} after {steps}"
        first = f"a change could grow at first, since σ_max > 1{much}: transient growth"
        return f"{first}. In the end each dies out, since |λ| < 1 for all."
    return "no change could grow, since σ_max ≤ 1, and each would die out, since |λ| < 1 for all."


def _near_one(log: float) -> str:
    """A size with enough digits to differ from 1: `1.31`, `1 + 3e-04`."""
    text = size(log)
    return f"1 {'+' if log > 0 else '-'} {abs(math.expm1(log)):.0e}" if text == "1.00" else text


def _of_product(matrix: Matrix, spectrum: Spectrum) -> str:
    steps, most = counted(matrix.steps, "step"), spectrum.log_sigma_max
    if spectrum.frobenius == 0:
        return f"After {steps} nothing is left of any change."
    each = f"× {size(most / matrix.steps)} a step"
    if is_beyond(spectrum):
        way = "Less" if most < 0 else "More"
        return f"{way} than float64 can hold after {steps}: at most × {size(most)}, which is {each}."
    return f"After {steps} a change has at most × {size(most)} of its length, which is {each}."


def points(matrix: Matrix) -> str:
    """What the points are: of a product the root, so that they stand beside those of one step."""
    return f"points: |λ| to the power 1/{matrix.steps}" if matrix.kind == "product" and matrix.steps > 1 else ""


def exponents(found: Lyapunov | None, mean: float | None, most: int, room: int = 1000) -> str:
    """The Lyapunov exponents, at most so many of them, beside the logarithm of the mean factor."""
    if found is None:
        return ""
    values = [float(v) for v in found.exponents]
    if math.isnan(values[0]):
        return "Lyapunov exponents: not every Jacobian is finite."
    shown = values if len(values) <= most else [*values[: most - 1], values[-1]]
    texts = [_signed(v) for v in shown]
    if len(values) > most:
        texts.insert(-1, "…")
    has_mean = bool(mean) and mean is not None and math.isfinite(mean)
    own = _signed(math.log(mean)) if has_mean and mean is not None else ""
    long = f"Lyapunov exponents {' '.join(texts)}" + (f"; ln of the mean factor {own}" if own else "")
    return long if len(long) <= room else f"Lyapunov {' '.join(texts)}" + (f"; ln of mean factor {own}" if own else "")


def compared(found: Lyapunov | None, mean: float | None) -> str:
    """The largest exponent beside what the gradient keeps, as factors; "" where one of them is not known."""
    if found is None or not mean or not math.isfinite(mean) or not math.isfinite(found.exponents[0]):
        return ""
    best, own = size(float(found.exponents[0])), factor(mean)
    if best == own:
        return f"The change that lasts best keeps × {best} a step, and so does the gradient."
    return f"The change that lasts best keeps × {best} a step; the gradient × {own}."


def _signed(value: float) -> str:
    if math.isinf(value):
        return "-∞" if value < 0 else "∞"
    return unsigned_zero(f"{value:+.2f}")
