"""A map on a real Dask cluster: whatever ends in the middle, nothing is lost, nothing is there twice, and the map is
the one of a single machine, bit for bit."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.maps.axis import Axis
from rnnviz.maps.dask_cluster import run_on
from rnnviz.maps.grid import GridSpec
from rnnviz.maps.point import Point
from rnnviz.maps.run import run
from rnnviz.maps.store import Store
from tests.maps.dask_here import DaskHere

pytest.importorskip("distributed", reason="needs Dask: pip install 'rnnviz[dask]'")

SPEC = GridSpec(
    Experiment(task="recall", samples=100, epochs=3, hidden_size=4),
    Axis.parse("gain=0.5:2:8"), Axis.parse("lag=3,4,5"), cells=("rnn", "gru"), seeds=1,
)  # fmt: skip

#: A client that kills a worker when it has 5 points, and itself when it has 12.
KILLS_AND_IS_KILLED = """
import os, signal, sys
from rnnviz.maps.dask_cluster import run_on
from rnnviz.maps.store import Store

folder, address, worker = sys.argv[1:]
store = Store.open(folder, Store.read(folder).spec)

def on_point(point):
    if len(store) == 5:
        os.kill(int(worker), signal.SIGKILL)
    if len(store) == 12:
        os.kill(os.getpid(), signal.SIGKILL)

run_on(store, address, on_point=on_point)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_worker_client_and_scheduler_end_in_the_middle(tmp_path: Path) -> None:
    here = Store(SPEC)
    run(here, ThreadPoolExecutor(1))
    assert all(point.error is None for point in here)
    folder = tmp_path / "map"
    Store.open(folder, SPEC).close()
    said: list[str] = []
    with DaskHere(tmp_path) as dask:
        scheduler, worker, other = dask.scheduler(), dask.worker(), dask.worker()
        client = subprocess.run(
            [sys.executable, "-c", KILLS_AND_IS_KILLED, str(folder), dask.address, str(worker.pid)], timeout=60
        )
        assert client.returncode == worker.wait(10) == -signal.SIGKILL
        store = Store.open(folder, SPEC)
        assert len(store) == 12
        computed: list[str] = []

        def on_point(point: Point) -> None:
            computed.append(point.key)
            if len(computed) == 12:
                scheduler.kill()
                scheduler.wait()
                other.wait(10)  # a worker ends with its scheduler
                dask.scheduler(), dask.worker()

        run_on(store, dask.address, on_point=on_point, say=said.append)
        assert len(computed) == len(set(computed)) == len(SPEC) - 12  # only what was missing
    lines = (folder / "points.jsonl").read_text().splitlines()
    assert len(lines) == len(SPEC)
    assert without_seconds(Store.read(folder)) == without_seconds(here)
    assert said[0] == f"the scheduler at {dask.address} does not answer; waiting for it"


def without_seconds(store: Store) -> set[str]:
    return {replace(point, seconds=0.0).to_json() for point in map(store.at, SPEC.sites()) if point is not None}
