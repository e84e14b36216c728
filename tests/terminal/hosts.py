"""A host of sessions (`rnnviz host`), and its clients, for the tests and the benchmark."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rnnviz import attach
from tests.terminal.app import RNNVIZ
from tests.terminal.driver import Terminal, environment, process_stat

#: A client that has given up its rights before it connects; its imports come first: it may be unable to read them.
AS_ANOTHER_USER = """
import os, struct, sys
from rnnviz import attach
uid = int(sys.argv.pop(1))
os.setgroups([uid, 4242]), os.setresgid(uid, uid, uid), os.setresuid(uid, uid, uid)
sys.exit(attach.main(sys.argv[1:]))
"""


class Host:
    def __init__(self, process: subprocess.Popen[str], socket: Path) -> None:
        self.process, self.socket = process, socket

    def client(self, *flags: str, uid: int | None = None) -> list[str]:
        """The command line of a client, in this account or in another."""
        start = ["-IS", attach.__file__] if uid is None else ["-c", AS_ANOTHER_USER, str(uid)]
        return [sys.executable, *start, "--socket", str(self.socket), *(flags or ("--free",))]

    def terminal(self, *flags: str, uid: int | None = None, **settings: Any) -> Terminal:
        return Terminal(self.client(*flags, uid=uid), **settings)

    def sessions(self) -> list[int]:
        """The processes of its sessions."""
        return children(self.process.pid)

    def wait_for(self, number: int, timeout: float = 20.0) -> list[int]:
        """Until it has so many sessions; their processes."""
        end = time.monotonic() + timeout
        while len(found := self.sessions()) != number:
            assert time.monotonic() < end, f"{len(found)} sessions, not {number}, after {timeout:g} s"
            time.sleep(0.02)
        return found


@contextlib.contextmanager
def host(*flags: str, folder: Path | None = None, before: Sequence[str] = ()) -> Iterator[Host]:
    """A host with a socket in this folder, or in one of its own, which all users can reach. before: the words of a
    program that starts it."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="rnnviz-host-") as made:
            os.chmod(made, 0o755)
            with host(*flags, folder=Path(made), before=before) as found:
                yield found
        return
    socket = folder / "host"
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            [*before, *RNNVIZ, "host", "--socket", str(socket), *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment(),
            start_new_session=True,
            text=True,
        )
    found = Host(process, socket)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("a session: "):
                break
        else:
            raise AssertionError((folder / "log").read_text())
        yield found
    finally:
        sessions = found.sessions()
        process.kill()
        process.wait()
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)


def children(parent: int) -> list[int]:
    """The processes that this one has forked and that have not ended (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, its_parent, *_ = process_stat(pid := int(process.name))
            if state not in "ZX" and int(its_parent) == parent:
                found.append(pid)
    return sorted(found)


def is_running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return process_stat(pid)[0] not in "ZX"
    return False


def wait_for_end(pid: int, timeout: float = 10.0) -> None:
    end = time.monotonic() + timeout
    while is_running(pid):
        assert time.monotonic() < end, f"{pid} still runs after {timeout:g} s"
        time.sleep(0.02)
