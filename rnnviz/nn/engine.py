"""Select the engine that computes, and define the functions that both engines have.

>>> engine.current().name
'numpy'
>>> engine.load_numba()         # the first call of a cell then waits for its compiler, if the cache lacks its kernels
>>> engine.current().name
'numba'
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol, cast

from rnnviz.nn import numpy_engine as _numpy
from rnnviz.nn.carry import Carried
from rnnviz.nn.data import Data
from rnnviz.nn.optimizer import Optimizer, OptimizerState
from rnnviz.nn.records import Backward, Forward
from rnnviz.nn.runner import Runner
from rnnviz.nn.spec import ModelSpec, one_of
from rnnviz.nn.types import Array, Params, ParamsLike

NAMES = ("numpy", "numba")


class Engine(Runner, Protocol):
    """The functions of an engine. A module with these functions is one; numpy_engine documents each.

    The callers check the inputs: arrays of the model's dtype, C-contiguous, with the given shapes.
    """

    name: str

    def backward(
        self, spec: ModelSpec, params: ParamsLike, forward: Forward, grad_y: Array, direct_c: Array | None = None
    ) -> Backward: ...

    def triangle(
        self,
        spec: ModelSpec,
        params: ParamsLike,
        forward: Forward,
        grad_y: Array,
        steps: Sequence[int],
        direct_c: Array | None = None,
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
        carried: Carried | None = None,
    ) -> Array: ...


numpy_engine = cast(Engine, _numpy)
_engines: dict[str, Engine] = {"numpy": numpy_engine}
_selected: str | None = None


def current() -> Engine:
    """The engine in use: the selected one, else numba once it is loaded, else numpy."""
    return _engines[_selected] if _selected else _engines.get("numba", numpy_engine)


def load_numba() -> Engine:
    """Import the numba engine and use it from now on. This does not import numba: another process compiles a cell's
    kernels at their first use. Any error of the import is raised unchanged; then numpy stays in use."""
    if "numba" not in _engines:
        _engines["numba"] = cast(Engine, import_module("rnnviz.nn.numba_engine"))
    return _engines["numba"]


def select(name: str | None) -> None:
    """Use this engine, whatever is loaded ("numba" is loaded if necessary); None restores the default."""
    global _selected
    if name is not None:
        one_of("engine", name, NAMES)
        if name == "numba":
            load_numba()
    _selected = name


@contextmanager
def chosen(name: str) -> Iterator[None]:
    """Use this engine within a block, and then what was used before."""
    before = _selected
    select(name)
    try:
        yield
    finally:
        select(before)


def resolve(engine: str | Engine | None) -> Engine:
    """The engine for a name, for an engine itself, or for None (the current one)."""
    if engine is None:
        return current()
    if isinstance(engine, str) or not hasattr(engine, "train_batches"):
        one_of("engine", engine, NAMES)
        return load_numba() if engine == "numba" else numpy_engine
    return engine


def computing(spec: ModelSpec) -> str:
    """The name of the engine that computes such a model now: numpy replaces numba until its kernels are compiled."""
    if current() is numpy_engine:
        return "numpy"
    return "numba" if import_module("rnnviz.nn.numba_engine").computes(spec) else "numpy"


def name_of(engine: str | Engine | None) -> str | Engine | None:
    """A value from which `resolve` gets the same engine, in another process too; a custom engine is returned itself."""
    name = getattr(engine, "name", None)
    return name if name in NAMES and engine is _engines.get(name) else engine
