"""A real Dask scheduler and its workers on the loopback interface, each a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

ENVIRONMENT = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL": "False",
    "OPENBLAS_NUM_THREADS": "1",
}


class DaskHere:
    """Starts and ends them; whatever is left is killed at the end of the block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> DaskHere:
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self._started:
            process.kill()
        for process in self._started:
            process.wait()

    def scheduler(self) -> subprocess.Popen[bytes]:
        return self._start("scheduler", "--host", "127.0.0.1", "--port", str(self._port), "--no-show")

    def wait_for_scheduler(self) -> None:
        """Until it takes connections: a busy machine may need longer than a client waits."""
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < deadline, (self.folder / "scheduler.log").read_text()
                time.sleep(0.1)

    def worker(self, threads: int = 1) -> subprocess.Popen[bytes]:
        return self._start(
            "worker", self.address, "--host", "127.0.0.1", "--nthreads", str(threads), "--no-nanny",
            "--local-directory", str(self.folder),
        )  # fmt: skip

    def _start(self, kind: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words, "--no-dashboard"]
        with (self.folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(
                command, env=os.environ | ENVIRONMENT, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT
            )
        self._started.append(process)
        return process
