"""A forecast beside the answers that need no network, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.numbers import counted, loss

if TYPE_CHECKING:
    from rnnviz.experiment.forecast import Baselines


def figures(found: Baselines) -> str:
    """`validation error: network 0.1532, last value 0.1034, 12 steps before 0.0512`: at most 78 cells."""
    text = f"validation error: network {loss(found.error)}, last value {loss(found.last_value)}"
    if found.season is None or found.seasonal is None:
        return text
    return f"{text}, {counted(found.season, 'step')} before {loss(found.seasonal)}"


def verdict(found: Baselines) -> str:
    """Whether the network repeats the last value, or is worse than an answer without a network; "" if neither."""
    if found.repeats:
        return "The network only repeats the last value."
    seasonal = found.seasonal
    if seasonal is not None and seasonal <= min(found.error, found.last_value):
        return f"The value {counted(found.season or 0, 'step')} before is a better answer than the network's."
    if found.last_value <= found.error:
        return "The last value again is a better answer than the network's."
    return ""


def text(found: Baselines) -> str:
    """Both, in sentences, for the command line."""
    season = "the training part has no season" if found.season is None else ""
    said = figures(found) + (f" ({season})" if season else "")
    return f"{said[0].upper()}{said[1:]}. {verdict(found)}".strip()
