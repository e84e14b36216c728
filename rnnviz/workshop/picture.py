"""Where a run departs from the exact one, as a score in text: one column per time step, one row per quantity.

time t        0     1     2     3
∂L/∂h         ✗     ✗     ✓     ✓
∂L/∂a               ✗     ✗     ✓
                          ▲ ∂L/∂a₂ is the first
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnnviz.glyphs import cells, ljust, rjust
from rnnviz.nn.types import Array
from rnnviz.workshop.result import Score
from rnnviz.workshop.wording import name_of

RIGHT, WRONG, UNKNOWN = "✓", "✗", "·"
_BARS = " ▁▂▃▄▅▆▇█"
_WIDEST_COLUMN = 8


def picture(score: Score, width: int) -> list[str]:
    """Lines of at most `width` cells, with one column per time step if a quantity has them."""
    timed = [(one, right) for one, right in score.rows if one.first is not None]
    single = [f"{one.symbol} {_mark(right[0])}" for one, right in score.rows if one.first is None]
    if not timed:
        return ["  " + "   ".join(single)]
    last = max(len(right) + (one.first or 0) for one, right in timed) - 1
    start = min(one.first or 0 for one, _ in timed)
    label = max(*(cells(one.symbol) for one, _ in timed), cells("time t"), cells(score.first.symbol) + 8) + 2
    column = max(3, min(_WIDEST_COLUMN, (width - label - 2) // (last - start + 1)))

    def line(name: str, texts: dict[int, str]) -> str:
        return (
            "  " + ljust(name, label) + "".join(rjust(texts.get(t, ""), column) for t in range(start, last + 1))
        ).rstrip()

    found = [line("time t", {t: str(t) for t in range(start, last + 1)})]
    for one, right in timed:
        found.append(line(one.symbol, {n + (one.first or 0): _mark(ok) for n, ok in enumerate(right)}))
    first = score.first
    if first.first is not None and score.row is not None:
        t = score.row + first.first
        found.append(line("", {t: "▲"}) + f" {name_of(first, score.row)}")
        found += _sizes(score, line)
    if single:
        found.append("  " + "   ".join(single))
    return found


def _mark(right: bool | None) -> str:
    return UNKNOWN if right is None else RIGHT if right else WRONG


def _sizes(score: Score, line: Callable[[str, dict[int, str]], str]) -> list[str]:
    """How long the vector is at each step, yours and the exact one, in numbers with a bar."""
    if score.yours is None:
        return []
    first = score.first
    symbol = f"‖{first.symbol}‖" if score.exact.ndim > 1 else first.symbol
    rows = {"yours": _norms(score.yours), "exact": _norms(score.exact)}
    most = float(np.nanmax(rows["exact"], initial=0.0)) or 1.0
    return [
        line(
            f"{symbol} {name}" if name == "yours" else " " * (cells(symbol) + 1) + name,
            {n + (first.first or 0): f"{_bar(value / most)}{_short(value)}" for n, value in enumerate(norms)},
        )
        for name, norms in rows.items()
    ]


def _norms(array: Array) -> Array:
    with np.errstate(all="ignore"):
        norms: Array = np.linalg.norm(array.reshape(len(array), -1), axis=1)
    return norms


def _bar(share: float) -> str:
    if not np.isfinite(share):
        return "!"
    return _BARS[min(8, max(0 if share == 0 else 1, round(8 * share)))]


def _short(value: float) -> str:
    """A length in at most five characters: `.14`, `1.9`, `25`, `6e-4`."""
    if not np.isfinite(value):
        return f"{value:g}"
    if 0.01 <= value < 0.995:
        return f"{value:.2f}"[1:]
    text = f"{value:.2g}"
    return text if len(text) <= 4 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
