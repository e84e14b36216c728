"""The watchdog: a thread that receives signals while the UI thread is busy, and makes sure that the app ends.

It notices signals (the C part of Python writes their numbers into a socket, whatever the UI thread does), a terminal
that hangs up, and the end of the parent process. It passes them on; if the app does not end within GRACE seconds
after it should, it ends the process itself.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType

GRACE = 1.0  # seconds an orderly end may take

#: A session of `rnnviz host` ends with its client (cli/hosted.py), and not with the host, its parent.
ends_with_parent = True

#: Signals that end a process by default, and that it may handle.
LEAVING = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGXCPU")

NEWS = ("SIGCONT", "SIGWINCH")  # only inform, so no program ignores them on purpose


class Watch:
    """hear(number) is called for each signal, gone() when terminal or parent are no more, and at the deadline
    force(), which has a moment before the process is ended; never on the main thread."""

    def __init__(
        self,
        terminal: int,
        hear: Callable[[int], None],
        gone: Callable[[], None],
        force: Callable[[], None],
    ) -> None:
        self._terminal = terminal
        self._hear, self._gone, self._force = hear, gone, force
        self._deadline: float | None = None
        self._code = 0
        self._before: dict[int, object] = {}
        self._reader, self._writer = socket.socketpair()
        self._asked = False  # a signal to end has come
        self._stopped = False

    def start(self, signals: Iterable[str]) -> None:
        """From the main thread. A signal to leave or to stop that is ignored (nohup) stays ignored; what the parent
        of this process has only blocked is heard."""
        for side in (self._reader, self._writer):
            side.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for name in signals:
            number = getattr(signal, name, None)
            if number is not None and (name in NEWS or signal.getsignal(number) is not signal.SIG_IGN):
                self._before[number] = signal.signal(number, self._handle)
        self._blocked_before = signal.pthread_sigmask(signal.SIG_UNBLOCK, self._before)
        self._thread = threading.Thread(target=self._run, name="rnnviz-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """From the main thread: as if it had never been started."""
        self._stopped = True
        self._wake()
        self._thread.join(GRACE)
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked_before)
        if not self._thread.is_alive():
            self._reader.close()
            self._writer.close()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        """There has to be a handler, so that Python writes the number into the socket. On the main thread."""
        if signal.Signals(number).name in LEAVING:
            self._asked = True

    @property
    def leaving(self) -> bool:
        return self._asked or self._deadline is not None

    def leave(self, code: int) -> bool:
        """Give the process GRACE seconds to end. The first code counts; whether this is the first."""
        if self._deadline is not None:
            return False
        self._code, self._deadline = code, time.monotonic() + GRACE
        self._wake()
        return True

    def _wake(self) -> None:
        with suppress(OSError):
            self._writer.send(b"\0")

    # -- the thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        poll.register(self._terminal, 0)  # reports a hang-up only
        parent = _parent()
        if parent is not None:
            poll.register(parent, select.POLLIN)
        while not self._stopped:
            left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
            if left == 0:
                last = threading.Thread(target=self._force, daemon=True)
                last.start()
                last.join(GRACE / 2)
                os._exit(self._code)
            for fd, what in poll.poll(None if left is None else left * 1000):
                if fd == self._reader.fileno():
                    for number in self._heard():
                        self._hear(number)
                else:
                    poll.unregister(fd)
                    if not what & select.POLLNVAL:  # some systems cannot watch a terminal
                        self._gone()
        if parent is not None:
            os.close(parent)

    def _heard(self) -> bytes:
        with suppress(OSError):
            return bytes(number for number in self._reader.recv(4096) if number)
        return b""


def _parent() -> int | None:
    """A file descriptor that becomes readable when the parent process ends (Linux)."""
    parent = os.getppid()
    if ends_with_parent and parent > 1 and hasattr(os, "pidfd_open"):
        with suppress(OSError):
            return os.pidfd_open(parent)
    return None
