"""How much of a gradient is left, in words.

>>> share(0.31, " left"), keeps(0.93), after(0.3, 2.0, "in c")
('31 % left', 'keeps 0.93 of it', 'after 0.3 in h, 2.0 in c')
"""

from __future__ import annotations

import math

from rnnviz.numbers import factor, is_whole, percent, scientific, steps


def share_left(kept: float) -> str:
    """How much of a gradient there is: `71 % of it is left`, `it is 2.60 times as large`."""
    if kept > 1 and not is_whole(kept):
        return f"it is {times(kept)} times as large"
    return f"{'all' if is_whole(kept) else share(kept)} of it is left"


def after(in_h: float | None, in_lane: float | None, where: str) -> str:
    """`after 0.3 in h, 2.0 in c`; `after 0.3 in h, not in c`; `neither in h nor in c`."""
    if in_h is None and in_lane is None:
        return f"neither in h nor {where}"
    if in_h is None:
        return f"{where} after {steps(in_lane, 0)} steps, not in h"
    return f"after {steps(in_h, 0)} in h, {'not' if in_lane is None else steps(in_lane, 0)} {where}"


def share(kept: float, left: str = "") -> str:
    """`31 % left`, `2.0e-05 left`, `× 2.60`; nan and inf are written as such."""
    if not math.isfinite(kept):
        return scientific(kept)
    if kept > 1 and not is_whole(kept):
        return f"× {times(kept)}"
    if 0 < kept < 0.001:  # as the row reach below the score writes it
        return f"{scientific(kept)}{left}"
    return f"{percent(kept) if kept >= 0.995 else f'{100 * kept:.2g} %'}{left}"


def times(kept: float) -> str:
    return factor(kept) if kept >= 1.005 else f"{kept:.4f}" if kept >= 1.00005 else "1.0001"


def keeps(mean: float, of_it: str = " of it") -> str:
    """`keeps 0.93 of it`, `multiplies it by 1.15`; shorter without `of_it`."""
    if mean < 1.005:
        return f"keeps {factor(mean)}{of_it}"
    return f"multiplies {'it ' if of_it else ''}by {factor(mean)}"
