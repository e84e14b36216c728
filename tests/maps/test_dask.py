"""A map on a real Dask cluster: whatever ends in the middle, nothing is lost, nothing is there twice, and the map is
the one of a single machine, bit for bit."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

import rnnviz
from rnnviz.cli.main import main
from rnnviz.errors import InputError
from rnnviz.maps.dask_cluster import Cluster
from rnnviz.maps.dispatch import Dispatch
from rnnviz.maps.make import fill
from rnnviz.maps.point import Point
from rnnviz.maps.run import run
from rnnviz.maps.store import Store
from tests.maps.dask_here import DaskHere
from tests.maps.maps_here import numbers, spec
from tests.maps.test_many_machines import block

#: Looked for, not imported: that takes half a second in each process of the tests.
needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="needs Dask: pip install 'rnnviz[dask]'")

SPEC = spec(x="gain=0.5:2:8", y="lag=3,4,5", seeds=1)

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
@needs_dask
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_worker_client_and_scheduler_end_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    here = Store(SPEC)
    run(here, ThreadPoolExecutor(1))
    assert all(point.error is None for point in here)
    folder = tmp_path / "map"
    Store.open(folder, SPEC).close()
    said: list[str] = []
    with DaskHere(tmp_path) as dask:
        scheduler, worker, other = dask.scheduler(), dask.worker(), dask.worker()
        dask.wait_for_scheduler()
        client = subprocess.run(
            [sys.executable, "-c", KILLS_AND_IS_KILLED, str(folder), dask.address, str(worker.pid)], timeout=120
        )
        assert client.returncode == worker.wait(60) == -signal.SIGKILL
        store = Store.open(folder, SPEC)
        assert len(store) == 12
        computed: list[str] = []

        def on_point(point: Point) -> None:
            computed.append(point.key)
            if len(computed) == 12:
                scheduler.kill()
                scheduler.wait()
                other.wait(60)  # a worker ends with its scheduler
                dask.scheduler(), dask.worker()

        fill(store, on=dask.address, on_point=on_point, say=said.append)
        assert len(computed) == len(set(computed)) == len(SPEC) - 12  # only what was missing

        monkeypatch.chdir(tmp_path / "elsewhere")
        exec(block("# Dask").replace("tcp://scheduler:8786", dask.address), {"__name__": "__main__"})  # docs/map.md
        assert len(Store.read("map")) == 4

        worker_address = re.findall(r"Start worker at: *(\S+)", (tmp_path / "worker.log").read_text())[-1]
        with pytest.raises(InputError, match=f"on: {worker_address} is the address of a worker; use that of its sched"):
            Cluster(worker_address).ask()
        monkeypatch.setattr("distributed.versions._version_cached", lambda package: "0.0.1")  # of this side alone
        with pytest.raises(
            InputError, match=r"on: the worker \S+ has rnnviz \S+, and this machine has rnnviz 0.0.1; inst"
        ):
            fill(Store(SPEC), on=dask.address)
    lines = (folder / "points.jsonl").read_text().splitlines()
    assert len(lines) == len(SPEC)
    assert numbers(Store.read(folder)) == numbers(here)
    store.close()
    assert said[0] == f"the scheduler at {dask.address} does not answer; waiting for it"


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"on: Dask is not installed here; install it: .* 'rnnviz\[dask\]'"):
        rnnviz.map("gain=0.5,1", task="recall", on="tcp://127.0.0.1:8786")


@pytest.mark.slow
@needs_dask
@pytest.mark.parametrize("address", ["", "tcp://", "host", "tcp://host", "http://host:1", "tcp://host:port", "nix\n:1"])
def test_no_address(address: str) -> None:
    with pytest.raises(InputError, match=r"on: .* is not the address of a scheduler, such as tcp://host:8786"):
        Cluster(address)


@pytest.mark.slow
@needs_dask
def test_the_command_line_names_the_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "--task", "recall", "--x", "gain=0.5,1", "--on", "here"]) == 2
    assert capsys.readouterr().err.startswith("rnnviz map: --on: 'here' is not the address of a scheduler")


def test_a_cluster_has_workers_of_its_own() -> None:
    with pytest.raises(InputError, match="on: a cluster has workers of its own; leave workers out"):
        fill(Store(SPEC), on="tcp://127.0.0.1:1", workers=2)


@pytest.mark.slow
@needs_dask
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.maps.dask_cluster.ANSWERS_WITHIN", 0.5)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"  # refused: it does not listen
        with pytest.raises(InputError, match=f"on: no Dask scheduler answers at {address} within 0.5 s; start one"):
            asked(address)
        other.listen()  # it takes the connection, and never answers
        with pytest.raises(InputError, match=f"on: no Dask scheduler answers at {address} within 0.5 s; start one"):
            asked(address)
        with closing_after_a_word(other), pytest.raises(InputError, match=f"on: .*{address}"):
            asked(address)


@pytest.mark.slow
@needs_dask
def test_a_scheduler_that_does_not_answer_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.maps.dask_cluster.ANSWERS_WITHIN", 0.1)
    with pytest.raises(InputError, match="no Dask scheduler answers"):
        rnnviz.map("gain=0.5,1", task="recall", on="tcp://127.0.0.1:1", folder=tmp_path / "map")
    assert not (tmp_path / "map").exists()


@pytest.mark.slow
@needs_dask
def test_the_wait_for_a_scheduler_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.maps.dask_cluster.ATTEMPT", 0.1)
    asked_times = iter([False, False])  # then cancelled
    cluster = Cluster("tcp://127.0.0.1:1", cancelled=lambda: next(asked_times, True))
    assert list(cluster.points(Dispatch([], 0, "numpy", workers=cluster.workers))) == []


def asked(address: str) -> None:
    cluster = Cluster(address)
    list(cluster.points(Dispatch([], 0, "numpy", workers=cluster.workers)))


@contextmanager
def closing_after_a_word(server: socket.socket) -> Iterator[None]:
    """A server of something else: it says so and hangs up."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
