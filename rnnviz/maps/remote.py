"""What another process or machine runs of a map: one object of this file, called with plain texts.

A chunk is keys and experiments as TOML; the answer is points as JSON. Nothing that either side says is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import rnnviz
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.maps.point import FAILED, Point, compute
from rnnviz.nn import engine as engines
from rnnviz.nn.compiler import CompilerError


class Task(NamedTuple):
    """One run: the key of its point, and its experiment as TOML."""

    key: str
    toml: str


@dataclass(frozen=True)
class Remote:
    """Computes a chunk of a map wherever it is called, in an engine, with the versions that decide its numbers."""

    engine: str
    versions: tuple[tuple[str, str], ...]

    @classmethod
    def of_here(cls, engine: str) -> Remote:
        return cls(engine, _versions(engine))

    def __call__(self, tasks: Sequence[Task], number: int = 0) -> list[str]:
        """The point of each task as a line of JSON. Raises InputError where the points could not be the same as here:
        with other versions, or without the engine. number: of this call, so that Dask takes no two for the same."""
        for (package, ours), (_, wanted) in zip(_versions(self.engine), self.versions, strict=True):
            if ours != wanted:
                raise InputError(
                    f"executor: a worker has {package} {ours}, and this machine has {wanted}; numbers may differ, so "
                    "install the same version on both"
                )
        # for good: chunks may run in several threads of this process, and the engine is one for all of them
        engines.select(self.engine)
        try:
            return [_point(task).to_json() for task in tasks]
        except CompilerError as error:
            raise InputError(f"executor: a worker cannot prepare the compiled engine: {error}") from None


def _point(task: Task) -> Point:
    try:
        experiment = Experiment.from_toml(task.toml)
    except InputError as error:  # such as a file of data that this machine does not have
        return Point(task.key, "", 0, status=FAILED, error=str(error))
    return compute(experiment, key=task.key)


def packages_of(engine: str) -> tuple[str, ...]:
    """The packages whose versions decide the numbers of an engine."""
    return ("rnnviz", "numpy", "numba", "llvmlite") if engine == "numba" else ("rnnviz", "numpy")


def _versions(engine: str) -> tuple[tuple[str, str], ...]:
    others = packages_of(engine)[1:]
    return (("rnnviz", rnnviz.__version__), *((name, _version(name)) for name in others))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of no version"
