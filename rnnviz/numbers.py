"""How a number is written on the screen: always the same width, so that it keeps its column.

>>> scientific(0.000389), fixed(-0.4149), exponent(9.96e-5)
('3.9e-04', '-0.415', -5)
"""

from __future__ import annotations

import math

NOT_A_NUMBER = "nan"


def exponent(value: float) -> int | None:
    """The power of ten of a number as written in scientific notation; None for 0, inf and nan."""
    if value == 0 or not math.isfinite(value):
        return None
    return int(f"{value:.17e}".partition("e")[2])


def scientific(value: float, digits: int = 1) -> str:
    """`3.9e-04`: rounded; but cut where rounding would lead to the next power of ten (`9.9e-05` for 9.96e-5), so
    that the exponent is that of the number itself.

    A true zero says `0`, inf and nan are shown as what they are.
    """
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return _not_finite(value)
    mantissa, _, power = f"{value:.17e}".partition("e")
    near = f"{value:.{digits}e}"
    if near.endswith(f"e{power}"):
        return near
    whole, _, rest = mantissa.partition(".")
    return f"{whole}.{rest[:digits]}".rstrip(".") + f"e{power}"


def rounded(value: float, digits: int) -> str:
    """`4.91e-02`: like scientific, but rounded, for figures to reckon with."""
    return f"{value:.{digits}e}" if value and math.isfinite(value) else scientific(value)


def significant(value: float, digits: int) -> str:
    """`0.61478`, `3.4190e-03`: so many digits, rounded, for figures to reckon with."""
    if value == 0 or not math.isfinite(value):
        return scientific(value)
    power = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return f"{value:.{digits - 1 - power}f}" if -2 <= power < digits else f"{value:.{digits - 1}e}"


def fixed(value: float, digits: int = 3) -> str:
    """`+0.369`: sign always there; what has no room for its digits is written `+1.2e+05`."""
    if not math.isfinite(value):
        return _not_finite(value)
    if abs(value) >= 1000:
        return f"{value:+.1e}"
    return unsigned_zero(f"{value:+.{digits}f}")


def short(value: float) -> str:
    """`+.37`, four characters: for a value in -1..1 in a narrow column; `+1.0` and `-12.` beyond."""
    if not math.isfinite(value):
        return _not_finite(value)
    text = unsigned_zero(f"{value:+.2f}")
    if text[1] == "0":
        return text[0] + text[2:]
    if abs(value) < 9.95:
        return f"{value:+.1f}"
    return f"{value:+.0f}." if abs(value) < 99.5 else f"{value:+.0e}".replace("e+0", "e")


def portion(value: float) -> str:
    """`.73`, three characters: for a value in 0..1 in a narrow column."""
    if not math.isfinite(value):
        return _not_finite(value)[-3:]
    text = unsigned_zero(f"{value:.2f}", "")
    return text[1:] if text[0] == "0" else f"{value:.1f}"


def brief(value: float) -> str:
    """`.65`, `1.9`, `12`, `2e6`: a number of 0 and more in three or four characters."""
    if not math.isfinite(value):
        return _not_finite(value)
    if value < 9.95:
        return portion(value)
    return f"{value:.0f}" if value < 999.5 else f"{value:.0e}".replace("e+0", "e").replace("e+", "e")


def is_whole(share: float) -> bool:
    """Whether a share is 1, but for what computing it has rounded."""
    return abs(share - 1) < 1e-9


def percent(share: float, digits: int = 1) -> str:
    """`31.2 %`: a share of 0 to 1. Only a share of 0 says `0.0 %` and only one of 1 `100.0 %`; what is merely near
    them `< 0.1 %` and `> 99.9 %`."""
    if not math.isfinite(share):
        return _not_finite(share)
    least = 10.0**-digits
    if 0 < share < least / 100:
        return f"< {least:.{digits}f} %"
    if 1 - least / 100 < share < 1 and not is_whole(share):
        return f"> {100 - least:.{digits}f} %"
    return unsigned_zero(f"{100 * share:.{digits}f}", "") + " %"


def counted(number: int, noun: str) -> str:
    """`1 epoch`, `20 epochs`, `1,000 sequences`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def unsigned_zero(text: str, sign: str = "+") -> str:
    """A number as text, where what rounds to 0 has no minus: `-0.000` as `+0.000` beside `+0.415`."""
    return text.replace("-", sign, 1) if text.startswith("-") and not text.strip("-0.") else text


def factor(value: float) -> str:
    """`0.64`, `1.08`, `12.5`, `3e-05`: what one step keeps."""
    if not math.isfinite(value):
        return _not_finite(value)
    if value == 0 or 0.005 <= value < 9.995:
        return f"{value + 0.0:.2f}"
    return f"{value:.1f}" if 9.995 <= value < 999.5 else f"{value:.0e}"


def steps(value: float | None, at_least: int, fades: bool = True) -> str:
    """A number of steps, `all 10` where it lies beyond all the steps there are, or `–` of what cannot fade."""
    if value is None:
        return f"all {at_least}" if fades else "–"
    return "< 0.1" if 0 < value < 0.05 else unsigned_zero(f"{value:.1f}", "")


def loss(value: float | None) -> str:
    """`0.0834`: four digits after the point, `1.2e+09` when it explodes."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return _not_finite(value)
    if value != 0 and (value >= 1000 or value < 0.0001):
        return f"{value:.1e}"
    return f"{value + 0.0:.4f}"


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return NOT_A_NUMBER
    return "+inf" if value > 0 else "-inf"


def subscript(number: int) -> str:
    """`10` as `₁₀`."""
    return str(number).translate(str.maketrans("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋"))
