"""`rnnviz serve` as a program of its own, for the tests: where it is, and which of its processes are alive."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.terminal.app import RNNVIZ
from tests.terminal.driver import MARK, cmdline, environment, marked

PATIENCE = 60.0


class Served:
    """with Served(tmp_path, "--free") as served: …"""

    def __init__(self, folder: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self._mark = uuid.uuid4().hex
        self.errors = folder / "stderr"
        folders = {"XDG_DATA_HOME": str(folder / "data"), "XDG_STATE_HOME": str(folder / "state")}
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*RNNVIZ, "serve", "--port", "0", *arguments],
                env=environment(env={**folders, MARK: self._mark, **(env or {})}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        first = self.process.stdout.readline().decode()
        found = re.search(r"http\S+", first)
        assert found is not None, (first, self.errors.read_text())
        self.address = found.group()
        here = self.process.stdout.readline().decode() if "--public-url" in arguments else first
        self.port = int(re.findall(r":(\d+)/", here)[0])

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pid in marked(self._mark):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return self.address.rstrip("/").rpartition("/")[2]

    def path(self, rest: str = "") -> str:
        """The address of a path behind the token, by number."""
        return f"{self.origin}/{self.token}/{rest}"

    def children(self) -> list[int]:
        """All processes but the server's own: the apps, and what they have started. Not those of a host."""
        return [pid for pid in marked(self._mark) if pid != self.process.pid]

    def apps(self) -> list[int]:
        return [pid for pid in self.children() if "-m" in cmdline(pid) and "--pipe" not in cmdline(pid)]

    def wait(self, is_so: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < end, (self.children(), self.errors.read_text())
            time.sleep(0.02)

    def wait_for_no_app(self) -> None:
        self.wait(lambda: not self.children())

    def memory(self) -> int:
        """Resident memory of the server, in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the server has ended")

    async def session(self, http: Any, **more: Any) -> Any:
        """A websocket as the page opens it, of aiohttp's client."""
        return await http.ws_connect(
            self.path("ws") + "?width=80&height=24", headers={"Origin": self.origin}, max_msg_size=0, **more
        )
