"""The array type used throughout the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Params = dict[str, Array]
ParamsLike = Mapping[str, Array]
