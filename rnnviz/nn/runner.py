"""The part of an engine that reads: a forward pass, for those who need nothing else of it."""

from __future__ import annotations

from typing import Protocol

from rnnviz.nn.records import Forward
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, ParamsLike


class Runner(Protocol):
    """Either engine is one (engine.py)."""

    def forward(
        self,
        spec: ModelSpec,
        params: ParamsLike,
        x: Array,
        h0: Array | None = None,
        c0: Array | None = None,
        mask: Array | None = None,
    ) -> Forward: ...
