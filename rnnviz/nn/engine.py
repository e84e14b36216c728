"""Two engines, one meaning: which of them computes, and what both must offer.

>>> engine.current().name
'numpy'
>>> engine.load_numba()         # the first call of a cell then waits for its compiler, if nothing is kept of it
>>> engine.current().name
'numba'
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from rnnviz.nn import numpy_engine as _numpy
from rnnviz.nn.data import Data
from rnnviz.nn.optimizer import Optimizer, OptimizerState
from rnnviz.nn.records import Backward, Forward
from rnnviz.nn.spec import ModelSpec, one_of
from rnnviz.nn.types import Array, Params, ParamsLike

NAMES = ("numpy", "numba")


class Engine(Protocol):
    """What an engine offers. A module with these functions is one; numpy_engine says what each means.

    Inputs are checked by the callers: arrays of the model's dtype, C-contiguous, with the written shapes.
    """

    name: str

    def forward(
        self, spec: ModelSpec, params: ParamsLike, x: Array, h0: Array | None = None, c0: Array | None = None
    ) -> Forward: ...

    def backward(self, spec: ModelSpec, params: ParamsLike, forward: Forward, grad_y: Array) -> Backward: ...

    def triangle(
        self, spec: ModelSpec, params: ParamsLike, forward: Forward, grad_y: Array, steps: Sequence[int]
    ) -> Array: ...

    def train_batches(
        self,
        spec: ModelSpec,
        params: Params,
        rule: Optimizer,
        state: OptimizerState,
        data: Data,
        batches: Array,
        truncate: tuple[int, int] | None = None,
    ) -> Array: ...


numpy_engine = cast(Engine, _numpy)
_engines: dict[str, Engine] = {"numpy": numpy_engine}
_selected: str | None = None


def current() -> Engine:
    """The engine in use: the selected one, else numba once it is loaded, else numpy."""
    return _engines[_selected] if _selected else _engines.get("numba", numpy_engine)


def load_numba() -> Engine:
    """Import the numba engine and use it from now on. It imports no numba: a cell's kernels are compiled elsewhere
    when they are first wanted. Whatever stops the import is raised as it is; numpy stays in use then."""
    if "numba" not in _engines:
        _engines["numba"] = cast(Engine, import_module("rnnviz.nn.numba_engine"))
    return _engines["numba"]


def select(name: str | None) -> None:
    """Use this engine whatever is loaded ("numba" is loaded if need be); None goes back to the default."""
    global _selected
    if name is not None:
        one_of("engine", name, NAMES)
        if name == "numba":
            load_numba()
    _selected = name


def resolve(engine: str | Engine | None) -> Engine:
    """An engine given by name, by itself, or not at all."""
    if engine is None:
        return current()
    if isinstance(engine, str) or not hasattr(engine, "train_batches"):
        one_of("engine", engine, NAMES)
        return load_numba() if engine == "numba" else numpy_engine
    return engine


def computing(spec: ModelSpec) -> str:
    """The name of the engine that computes a model like this now: numpy stands in until its kernels are compiled."""
    if current() is numpy_engine:
        return "numpy"
    return "numba" if import_module("rnnviz.nn.numba_engine").computes(spec) else "numpy"


def name_of(engine: str | Engine | None) -> str | Engine | None:
    """What `resolve` makes the same engine of, in another process too; somebody's own engine is itself."""
    name = getattr(engine, "name", None)
    return name if name in NAMES and engine is _engines.get(name) else engine
