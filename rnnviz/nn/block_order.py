"""The blocks of a cell's weights in the order of another framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnviz.nn.types import Array


def reordered(array: Any, given: Sequence[str], wanted: Sequence[str], axis: int) -> Array:
    """Blocks of equal size that lie side by side along `axis` in the order `given`, put into the order `wanted`."""
    blocks = dict(zip(given, np.split(np.asarray(array), len(given), axis=axis), strict=True))
    return np.concatenate([blocks[name] for name in wanted], axis=axis)
