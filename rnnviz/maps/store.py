"""Store: the points of a map as they are done, in a folder or in memory.

    map/map.toml        the spec, the engine, and the version of rnnviz
    map/points.jsonl    one point a line, appended in one write as it is done

A map that was stopped, killed or made larger goes on: what is in the folder is not computed again. docs/map.md
describes both files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import rnnviz
from rnnviz import files, ways_out
from rnnviz.errors import InputError, short_repr
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.experiment_file import parsed, toml_value
from rnnviz.maps.axis import Axis
from rnnviz.maps.grid import GridSpec, Job, Site
from rnnviz.maps.point import Point
from rnnviz.nn.engine import NAMES as ENGINES

SPEC, POINTS, LOCK = "map.toml", "points.jsonl", ".lock"
_HALF_WRITTEN = ".map-*.toml"  # what files.replace leaves of a SPEC if it is killed
_LARGEST_SPEC = 1_000_000  # bytes
_LONGEST_LINE = 100_000
_READABLE = 0o644


class Store:
    """The points of one map, each once, by their keys.

    folder  where they are kept; None: in memory
    engine  what computes this map: NumPy and the compiled engine differ in the last digits, so a map has one
    version  of rnnviz, for the same reason
    """

    def __init__(self, spec: GridSpec, engine: str = "numpy", folder: Path | None = None, version: str = "") -> None:
        self.spec, self.engine, self.folder = spec, engine, folder
        self.version = version or rnnviz.__version__
        self._points: dict[str, Point] = {}
        self._lock: files.Lock | None = None

    @classmethod
    def open(
        cls,
        folder: str | Path,
        spec: GridSpec,
        engine: str | None = None,
        otherwise: Callable[[], str] = lambda: "numpy",
    ) -> Store:
        """The folder of this map, made if it is missing, to compute it or to go on. engine: None: as it is, or for a
        new one `otherwise()`, which is asked when the folder is known to do. Raises InputError for a folder of
        something else, or of another map that this one does not extend."""
        place = Path(folder).expanduser()
        if not is_map(place):
            if _has_content(place):
                raise InputError(f"{folder}: is not the folder of a map, and not empty; name another")
            store = cls(spec, "", ways_out.folder(folder))
            store._take(folder)
            store.engine = engine or otherwise()
            store._write_spec()
            return store
        store = cls.read(place)
        if reason := spec.not_extending(store.spec):
            raise InputError(f"{folder}: holds another map: {reason}; name another folder")
        if engine is not None and engine != store.engine:
            raise InputError(f"{folder}: was computed with the engine {store.engine}; name another folder")
        if store.version != rnnviz.__version__:
            raise InputError(
                f"{folder}: was computed by rnnviz {store.version}, and this is {rnnviz.__version__}: numbers may "
                "differ, so name another folder"
            )
        store._take(folder)
        if spec != store.spec:
            store.spec = spec
            store._write_spec()
        return store

    @classmethod
    def read(cls, folder: str | Path) -> Store:
        """The map in a folder. Raises InputError."""
        place = Path(folder).expanduser()
        try:
            text = files.read(place / SPEC, _LARGEST_SPEC).decode()
        except OSError as error:
            raise InputError(f"{folder}: is not the folder of a map: {SPEC}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise InputError(f"{place / SPEC}: is not UTF-8 text") from None
        spec, engine, version = _spec(text, str(place / SPEC))
        store = cls(spec, engine, place, version)
        for point in _points(place / POINTS):
            store._points.setdefault(point.key, point)
        return store

    def __len__(self) -> int:
        return len(self._points)

    def __contains__(self, key: object) -> bool:
        return key in self._points

    def __iter__(self) -> Iterator[Point]:
        return iter(self._points.values())

    def get(self, key: str) -> Point | None:
        return self._points.get(key)

    def at(self, site: Site) -> Point | None:
        """The point of a site, placed there, whatever its line says; None while it is not done."""
        point = self._points.get(self.spec.key(site))
        return None if point is None else replace(point, cell=site.cell, seed=site.seed, x=site.x, y=site.y)

    def add(self, point: Point) -> bool:
        """Keep a point; False if it was there. Raises InputError if it cannot be written."""
        if point.key in self._points:
            return False
        if self.folder is not None:
            ways_out.append(self.folder / POINTS, point.to_json().encode() + b"\n")
        self._points[point.key] = point
        return True

    def missing(self, jobs: Iterable[Job] | None = None) -> list[Job]:
        """Which of these jobs (None: all) are still to be run, in their order."""
        return [job for job in (self.spec.jobs() if jobs is None else jobs) if job.key not in self._points]

    def close(self) -> None:
        """Let others write the folder. The end of the process does so, too."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take(self, folder: str | Path) -> None:
        """Raises InputError while another process writes the folder."""
        assert self.folder is not None
        try:
            self._lock = files.Lock(self.folder / LOCK)
        except OSError as error:
            raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from None
        if not self._lock.take():
            self.close()
            raise InputError(f"{folder}: another rnnviz computes this map; wait for it, or name another folder")

    def _write_spec(self) -> None:
        assert self.folder is not None
        path = self.folder / SPEC
        try:
            files.replace(path, as_toml(self.spec, self.engine).encode(), _READABLE)
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None


def merged(folder: str | Path, parts: Iterable[str | Path]) -> Store:
    """The points of several maps in one folder, new or one of theirs already, open for writing. Their specs are equal,
    or one of them extends all others. Raises InputError before anything is written, unless the disk is full."""
    stores = [Store.read(part) for part in parts]
    known = [*stores, Store.read(folder)] if is_map(folder) else stores
    largest = max(known, key=lambda store: len(store.spec))
    for store in known:
        if reason := largest.spec.not_extending(store.spec):
            raise InputError(f"{store.folder}: is another map than {largest.folder}: {reason}")
        if store.engine != largest.engine:
            raise InputError(f"{store.folder}: was computed with the engine {store.engine}, others {largest.engine}")
        if store.version != rnnviz.__version__:
            raise InputError(
                f"{store.folder}: was computed by rnnviz {store.version}, and this is {rnnviz.__version__}"
            )
    whole = Store.open(folder, largest.spec, largest.engine)
    for store in stores:
        for point in store:
            whole.add(point)
    return whole


def is_map(folder: str | Path) -> bool:
    """Whether it is the folder of a map."""
    try:
        return (Path(folder).expanduser() / SPEC).is_file()
    except (OSError, ValueError):
        return False


def _has_content(folder: Path) -> bool:
    """Whether there is something that is not ours; what a process left that was killed at once is nothing."""
    try:
        return folder.is_dir() and any(one.name != LOCK and not one.match(_HALF_WRITTEN) for one in folder.iterdir())
    except (OSError, ValueError):
        return False  # making it finds the reason


# -- map.toml ----------------------------------------------------------------------------------------------


def as_toml(spec: GridSpec, engine: str) -> str:
    text = f"rnnviz = {toml_value(rnnviz.__version__)}\nengine = {toml_value(engine)}\n"
    text += f"cells = {_list(spec.cells)}\nseeds = {spec.seeds}\n"
    for name, axis in (("x", spec.x), ("y", spec.y)):
        if axis is not None:
            text += f"\n[{name}]\nsetting = {toml_value(axis.setting)}\nscale = {toml_value(axis.scale)}\n"
            text += f"values = {_list(axis.values)}\n"
    return f"{text}\n[experiment]\n{spec.base.to_toml()}"


def _list(values: Iterable[Any]) -> str:
    return f"[{', '.join(map(toml_value, values))}]"


def _spec(text: str, where: str) -> tuple[GridSpec, str, str]:
    """(spec, engine, version of rnnviz)"""
    values = parsed(text, where)
    try:
        if not isinstance(version := values.get("rnnviz"), str) or not version:
            raise InputError("does not name the version of rnnviz")
        if (engine := values.get("engine")) not in ENGINES:
            raise InputError(f"engine: {short_repr(engine)} is unknown")
        base = values.get("experiment", {})
        cells, seeds = values.get("cells", []), values.get("seeds", 1)
        if not isinstance(base, Mapping) or not isinstance(cells, list):
            raise InputError("is not the spec of a map")
        x, y = _axis(values.get("x")), _axis(values.get("y"))
        if x is None:
            raise InputError("has no x axis")
        folder = os.path.dirname(os.path.abspath(where))
        return GridSpec(Experiment.from_mapping(base).beside(folder), x, y, tuple(cells), seeds), str(engine), version
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _axis(values: Any) -> Axis | None:
    if values is None:
        return None
    if not isinstance(values, Mapping) or not isinstance(values.get("values"), list):
        raise InputError("has an axis without values")
    return Axis(str(values.get("setting")), tuple(values["values"]), str(values.get("scale", "list")))


# -- points.jsonl ------------------------------------------------------------------------------------------


def _points(path: Path) -> Iterator[Point]:
    """The points of a file. A line that is not whole, which a killed process leaves, is as if it were not there."""
    try:
        file = files.open_regular(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    with file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            try:
                values = json.loads(line)
            except (ValueError, RecursionError):
                continue
            try:
                yield Point.from_json(values)
            except InputError as error:
                raise InputError(f"{path}: line {number}: {error}") from None
