"""Make a map: in memory or in a folder, here or on an executor of your own.

import rnnviz
found = rnnviz.map("gain=0.25:2:8", "lag=5:40:6", task="recall", cells=("rnn", "lstm"), seeds=4, folder="map")
found.share                     # (cells, y, x): how many of the seeds learnt
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rnnviz.errors import InputError, short_repr
from rnnviz.experiment import cost
from rnnviz.experiment.build import resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.maps.axis import Axis
from rnnviz.maps.dask_cluster import Cluster, run_on
from rnnviz.maps.dispatch import Executor
from rnnviz.maps.grid import GridSpec, Site
from rnnviz.maps.local import run_here
from rnnviz.maps.point import Point
from rnnviz.maps.result import MapResult
from rnnviz.maps.run import run, shard_of
from rnnviz.maps.store import Store
from rnnviz.nn import compiler, compiler_errors, kernel_cache

#: Seconds of training in NumPy, all points together, from which on the compiled engine saves time.
COMPILED_FROM = 10.0


def map(
    x: str | Axis,
    y: str | Axis | None = None,
    *,
    cells: Iterable[str] = (),
    seeds: int = 1,
    experiment: Experiment | None = None,
    folder: str | Path | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    chunk: int | None = None,
    on: str | None = None,
    shard: tuple[int, int] | None = None,
    engine: str | None = None,
    on_point: Callable[[Point], None] = lambda point: None,
    cancelled: Callable[[], bool] = lambda: False,
    **settings: Any,
) -> MapResult:
    """Run an experiment at every point of a grid, each until it has learnt, has diverged, or its epochs are over.

    x, y        axes: "gain=0.25:2:24", "lag=log:5:100:20", "gain=0.5,1,2", or an Axis
    cells       side by side; seeds: repeats of each point, from the experiment's seed on
    experiment, settings   what else is set: rnnviz.Experiment(task="recall"), or task="recall"
    folder      where the points are kept as they are done; what it has is not computed again. None: in memory
    workers     processes (default: one for each processor), or of the executor
    executor    what computes in place of processes of this machine: any concurrent.futures.Executor, such as Dask's or
                mpi4py's, or submitit's
    chunk       points for one call of an executor; None: what takes half a second
    on          the address of a Dask scheduler, such as "tcp://host:8786", in place of both
    shard       (i, n): every n-th point, from the i-th on; `rnnviz map merge` puts them together
    engine      "numpy" or "numba"; None: by the size of the map, or that of the folder
    on_point    is called with each new point; cancelled() may end it: the result is then what is known

    Raises InputError, before anything is computed, for axes and settings that do not fit.
    """
    base = (experiment or Experiment()).with_(**_known(settings))
    across = Axis.parse(x) if isinstance(x, str) else x
    up = Axis.parse(y) if isinstance(y, str) else y
    spec = GridSpec(base, across, up, (cells,) if isinstance(cells, str) else tuple(cells), seeds)
    store = opened(spec, folder, engine, on)
    try:
        fill(
            store, workers=workers, executor=executor, chunk=chunk, on=on, shard=shard, on_point=on_point,
            cancelled=cancelled,
        )  # fmt: skip
    finally:
        store.close()
    return MapResult.of(store)


def opened(
    spec: GridSpec,
    folder: str | Path | None = None,
    engine: str | None = None,
    on: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Store:
    """The store of a map that is to be filled. say(text) takes a line for a person who waits for the compiler. Raises
    InputError for a spec, a folder or a scheduler that will not do, before anything is written."""
    spec.check()
    if on is not None:
        Cluster(on).ask()
    if folder is None:
        return Store(spec, engine or engine_for(spec, say))
    return Store.open(folder, spec, engine, lambda: engine_for(spec, say))


def fill(
    store: Store,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    chunk: int | None = None,
    on: str | None = None,
    shard: tuple[int, int] | None = None,
    on_point: Callable[[Point], None] = lambda point: None,
    cancelled: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Run what is missing (of a shard, its part). say(text): takes a line for a person while a cluster is away."""
    if on is not None and (executor is not None or workers is not None):
        other = "workers" if executor is None else "executor"
        raise InputError(f"on: a cluster has workers of its own; leave {other} out")
    jobs = store.missing(shard_of(store.spec.jobs(), shard) if shard else None)
    if on is not None:
        run_on(store, on, jobs=jobs, on_point=on_point, cancelled=cancelled, say=say)
    elif executor is None:
        run_here(store, workers=workers, jobs=jobs, on_point=on_point, cancelled=cancelled)
    else:
        run(
            store, executor, workers=workers, chunk=chunk, jobs=jobs, on_point=on_point, cancelled=cancelled,
        )  # fmt: skip


def engine_for(spec: GridSpec, say: Callable[[str], None] = lambda text: None) -> str:
    """The engine that saves time: that of kernels where the map is long enough and they can be had."""
    if compiler.IN_PROCESS or seconds_in_numpy(spec) < COMPILED_FROM:
        return "numpy"
    try:
        kernels = [(cell, spec.base.dtype) for cell in spec.cells]
        if any(kernel_cache.cached(*kernel) is None for kernel in kernels):
            say("compiling the engine for this machine, once; it takes some seconds a cell")
        for _ in compiler.compiled(kernels):
            pass  # now they are in the cache, where each worker finds them
    except Exception as error:
        compiler_errors.keep(error)
        return "numpy"
    return "numba"


def seconds_in_numpy(spec: GridSpec) -> float:
    """Roughly how long all points take at most, one after the other, in NumPy: from those at the ends of the axes."""
    found = []
    for cell in spec.cells:
        for y in dict.fromkeys((spec.ys[0], spec.ys[-1])):
            for x in dict.fromkeys((spec.xs[0], spec.xs[-1])):
                try:
                    one = resolved(spec.experiment(Site(cell, spec.base.seed, x, y)))
                    found.append(cost.size_of(one).seconds(one.epochs))
                except InputError:
                    continue
    return sum(found) / len(found) * len(spec) if found else 0.0


def _known(settings: dict[str, Any]) -> dict[str, Any]:
    try:
        Experiment().with_(**settings)
    except TypeError:
        Experiment.from_mapping(settings, "map")  # raises InputError, which names the setting
        raise InputError(f"map: {short_repr(settings)} is no experiment") from None
    return settings
