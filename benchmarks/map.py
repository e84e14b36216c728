"""How busy a map keeps the processors, and what a point costs besides its training: here, and through Dask.

    python benchmarks/map.py                    # about a minute on two cores
    python benchmarks/map.py --points 400 --workers 1,2

The same points by a plain loop in this process, by processes of this machine, and by a real scheduler and workers of
Dask on the loopback interface, one thread to a worker; all in one run. Printed: points a second, how many times as many
as in the loop, the share of the workers' time in which points were computed (from the first to the last point, and with
the start of the processes), what is left of that time for each point, and the seconds until the first one. Then what a
million points need: memory, disk, and the time to read them again.

Use it on a quiet machine, or with `chrt --rr 1`: a point's seconds count what other programs take from it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: a worker has one thread

from rnnviz.experiment.experiment import Experiment
from rnnviz.maps.axis import Axis
from rnnviz.maps.dask_cluster import run_on
from rnnviz.maps.grid import GridSpec
from rnnviz.maps.local import run_here
from rnnviz.maps.point import Point, compute
from rnnviz.maps.store import Store

ENGINE = "numpy"
#: (name, the experiment of every point, points for one unit of --points)
KINDS = (
    ("small", Experiment(task="recall", hidden_size=16, samples=240, batch_size=32, epochs=6), 1.0),
    ("tiny", Experiment(task="recall", hidden_size=4, samples=100, batch_size=90, epochs=1), 5.0),
)
MILLION = 1_000_000

Fill = Callable[[Store, Callable[[Point], None]], None]


def spec_of(base: Experiment, points: int) -> GridSpec:
    """A grid of about so many points: gain by lag."""
    side = max(2, round(points**0.5))
    return GridSpec(base, Axis.parse(f"gain=0.25:2:{side}"), Axis.parse(f"lag=3:{3 + side - 1}:{side}"))


def measure(spec: GridSpec, folder: Path, workers: int, fill: Fill) -> tuple[Store, float, float]:
    """(the filled store, seconds until the first point, seconds from there to the last)."""
    store = Store.open(folder, spec, ENGINE)
    times: list[float] = []
    start = time.perf_counter()
    fill(store, lambda point: times.append(time.perf_counter()))
    store.close()
    assert len(store) == len(spec)
    return store, times[0] - start, times[-1] - times[0]


def report(name: str, store: Store, workers: int, first: float, rest: float, loop: float | None) -> float:
    computed = sum(point.seconds for point in store)
    rate = (len(store) - 1) / rest
    # those that ended first: one for each worker
    share = min(1.0, computed * (1 - workers / len(store)) / (workers * rest))
    with_start = computed / (workers * (first + rest))
    overhead = (workers * rest - computed * (1 - workers / len(store))) / len(store)
    ratio = "" if loop is None else f"{rate / loop:.2f} ×"
    print(
        f"  {name:22} {rate:8.1f} {ratio:>8} {100 * share:7.1f} % {100 * with_start:7.1f} % {1e3 * overhead:9.2f} "
        f"{first:8.2f}"
    )
    return rate


def here(workers: int) -> Fill:
    return lambda store, on_point: run_here(store, workers=workers, on_point=on_point)


def on_dask(address: str) -> Fill:
    return lambda store, on_point: run_on(store, address, on_point=on_point)


@contextmanager
def dask(folder: Path, workers: int) -> Iterator[str]:
    """A scheduler with workers, by its address."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.maps.dask_here import DaskHere

    with DaskHere(folder) as cluster:
        cluster.scheduler()
        cluster.wait_for_scheduler()
        for _ in range(workers):
            cluster.worker()
        yield cluster.address


def a_million(store: Store, folder: Path) -> None:
    """What a million such points need, from those that were computed."""
    count = len(store)
    disk = (folder / "points.jsonl").stat().st_size / count
    start = time.perf_counter()
    Store.read(folder)
    seconds = (time.perf_counter() - start) / count
    tracemalloc.start()
    again = Store.read(folder)
    held = tracemalloc.get_traced_memory()[0] / count
    jobs = list(again.spec.jobs())
    to_do = tracemalloc.get_traced_memory()[0] / count - held
    tracemalloc.stop()
    del jobs
    print(
        f"\na million points: {disk * MILLION / 1e6:.0f} MB on disk, {seconds * MILLION:.0f} s to read, "
        f"{held * MILLION / 1e6:.0f} MB in memory, and {to_do * MILLION / 1e6:.0f} MB for those that are missing"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, default=200, help="points of a map (default 200; tiny ones: five times)")
    parser.add_argument("--workers", default="1,2", help="how many (default 1,2)")
    asked = parser.parse_args()
    counts = [int(count) for count in asked.workers.split(",")]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{len(os.sched_getaffinity(0))} processors, load {load:.1f} at the start, engine {ENGINE}")
    with tempfile.TemporaryDirectory() as place:
        for number, (kind, base, factor) in enumerate(KINDS):
            spec = spec_of(base, int(asked.points * factor))
            start = time.perf_counter()
            loop = [compute(job.experiment, key=job.key, engine=ENGINE) for job in spec.jobs()]
            rate = len(loop) / (time.perf_counter() - start)
            print(f"\n{len(spec):,} {kind} points, {1e3 / rate:.1f} ms each in a loop of this process")
            print(f"  {'':22} {'points/s':>8} {'':8} {'computing':>9} {'with start':>9} {'ms/point':>9} {'first s':>8}")
            for workers in counts:
                folder = Path(place) / f"{number}-{workers}"
                found = measure(spec, folder, workers, here(workers))
                report(f"here, {workers}", found[0], workers, *found[1:], rate)
            if find_spec("distributed") is None:
                print("  Dask is not installed: python -m pip install 'rnnviz[dask]'")
                continue
            for workers in counts:
                folder = Path(place) / f"{number}-dask-{workers}"
                with tempfile.TemporaryDirectory() as logs, dask(Path(logs), workers) as address:
                    found = measure(spec, folder, workers, on_dask(address))
                report(f"Dask, {workers}", found[0], workers, *found[1:], rate)
        a_million(found[0], folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
