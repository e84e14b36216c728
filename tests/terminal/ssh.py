"""A real ssh server on the loopback, and a slow line to it."""

from __future__ import annotations

import contextlib
import getpass
import os
import queue
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
PIECE = 256  # bytes that go over the slow line at once


def missing() -> str:
    """What to install, if anything."""
    return "" if SSHD and shutil.which("ssh") else "apt-get install openssh-server openssh-client"


@contextlib.contextmanager
def server(folder: Path, more: str = "") -> Iterator[int]:
    """The port of an sshd of this user, with keys made for it in `folder`. more: lines of its configuration."""
    assert SSHD is not None
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"""
        ListenAddress 127.0.0.1:{port}
        HostKey {folder}/host
        AuthorizedKeysFile {folder}/authorized_keys
        PidFile none
        StrictModes no
        UsePAM no
        PasswordAuthentication no
        PermitRootLogin prohibit-password
        """
        + more
    )
    with open(folder / "log", "w") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                trying = process.poll() is None and time.monotonic() < deadline
                assert trying, (folder / "log").read_text()
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def client(folder: Path, port: int, *more: str, user: str = "") -> list[str]:
    """The command line of an ssh client that needs nothing of this user's own; a command of the other side follows.
    user: whose account it logs in to, if not this one."""
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
    flags = [flag for option in options for flag in ("-o", option)]
    whose = f"{user or getpass.getuser()}@127.0.0.1"
    return ["ssh", "-tt", "-F", "/dev/null", "-i", str(folder / "user"), "-p", str(port), *flags, *more, whose]


class SlowLine:
    """A line of so many bits a second and so long a way there and back, before a port of this machine. Whatever is
    sent faster waits in a buffer without limit, as it does in modems and routers."""

    def __init__(self, port: int, bits: int, round_trip: float) -> None:
        self._port, self._bytes, self._way = port, bits / 8, round_trip / 2
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.waiting = 0  # bytes that are on their way from the server
        self.most_waiting = 0
        self.passed = 0
        self._ends: list[socket.socket] = [self._listening]

    def __enter__(self) -> SlowLine:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def watch(self) -> None:
        """Forget how much has waited until now."""
        self.most_waiting = self.waiting
        self.passed = 0

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._ends += [near, far]
                for source, sink, down in ((near, far, False), (far, near, True)):
                    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    pieces: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
                    threading.Thread(target=self._take, args=(source, pieces, down), daemon=True).start()
                    threading.Thread(target=self._bring, args=(sink, pieces, down), daemon=True).start()

    def _take(self, source: socket.socket, pieces: queue.SimpleQueue[tuple[float, bytes]], down: bool) -> None:
        free = 0.0  # when the line has sent all there is
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                free = max(free, time.monotonic()) + len(data) / self._bytes
                if down:
                    self.waiting += len(data)
                    self.most_waiting = max(self.most_waiting, self.waiting)
                pieces.put((free + self._way, data))
        pieces.put((0.0, b""))

    def _bring(self, sink: socket.socket, pieces: queue.SimpleQueue[tuple[float, bytes]], down: bool) -> None:
        with contextlib.suppress(OSError):
            while True:
                when, data = pieces.get()
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                time.sleep(max(0.0, when - time.monotonic()))
                if down:
                    self.waiting -= len(data)
                    self.passed += len(data)
                sink.sendall(data)
