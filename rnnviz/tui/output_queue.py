"""The output queue to the terminal: the writer never waits, and a thread empties the queue.

A terminal whose reader is stuck accepts nothing, possibly for hours. The drawing thread must not block, because it
also handles signals and keys. So every call here returns within its time limit.
"""

from __future__ import annotations

import os
import select
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_PIECE = 1 << 16  # bytes offered to the terminal at once
_LOOK = 0.05  # seconds between two checks whether to give up a stuck terminal


def reopened(fd: int) -> int | None:
    """The terminal behind `fd` with a description of its own that does not block: whether `fd` itself blocks is
    shared with the shell. None where the terminal cannot be opened again."""
    flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK
    with suppress(OSError):
        os.tcgetpgrp(fd)  # fails unless it is this session's terminal
        return os.open("/dev/tty", flags)
    with suppress(OSError):
        return os.open(os.ttyname(fd), flags)
    return None


def is_ready(fd: int, seconds: float, *, to_take: bool = False) -> bool:
    """Whether the terminal has something to read, or room to write, within so long. select knows the first 1024 files
    a process has open, and its parent may have left it more; poll knows no terminals on macOS."""
    if fd < 1024:
        wanted = [fd]
        return any(select.select([] if to_take else wanted, wanted if to_take else [], [], seconds))
    poll = select.poll()
    poll.register(fd, select.POLLOUT if to_take else select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Outlet:
    """Writes text to a terminal. on_broken is called, on the writing thread, when the terminal is gone."""

    def __init__(self, fd: int, encoding: str, on_broken: Callable[[], None]) -> None:
        own = reopened(fd)
        self._fd, self._owned = (fd, False) if own is None else (own, True)
        self._piece = _PIECE if self._owned else 256  # the least that a terminal with any room accepts
        self._encoding = encoding
        self._on_broken = on_broken
        self._waiting = bytearray()
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._run, name="rnnviz-output", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Number of bytes the terminal has not accepted yet."""
        return len(self._waiting)

    def write(self, text: str) -> int:
        """Queue text and return its number of bytes, at once. After `end` nothing is written."""
        data = text.encode(self._encoding, "replace")
        with self._changed:
            if self._open:
                self._waiting += data
                self._changed.notify_all()
        return len(data)

    def end(self, last: str, seconds: float) -> None:
        """No more text but `last`. Waits so long for the terminal to take what is there, and drops the rest, in the
        kernel too, so that there is room for `last`."""
        end = time.monotonic() + seconds
        with self._changed:
            while self._waiting and time.monotonic() < end:
                self._changed.wait(end - time.monotonic())
            stuck, broken = bool(self._waiting), not self._open
            self._open = False
            self._waiting.clear()
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(4 * _LOOK)  # the thread may be offering a piece, which must not come after the last text
        if not broken:
            with suppress(OSError, termios.error):
                self._write_last(last.encode(self._encoding, "replace"), stuck)
        if self._owned and not self._thread.is_alive():
            self._owned = False
            os.close(self._fd)

    def _write_last(self, data: bytes, stuck: bool) -> None:
        for _ in range(2):
            if stuck:
                termios.tcflush(self._fd, termios.TCOFLUSH)
            if is_ready(self._fd, 0, to_take=True):
                with suppress(BlockingIOError):
                    if os.write(self._fd, data) == len(data):
                        return
            stuck = True

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._open and not self._waiting:
                    self._changed.wait()
                if not self._open:
                    return
                piece = bytes(self._waiting[: self._piece])
            try:
                taken = self._offer(piece)
            except OSError:
                with self._changed:
                    self._open = False
                    self._waiting.clear()
                    self._changed.notify_all()
                self._on_broken()
                return
            with self._changed:
                del self._waiting[:taken]
                self._changed.notify_all()

    def _offer(self, piece: bytes) -> int:
        """Number of bytes of the piece that the terminal accepted: 0 when it accepted none for a while."""
        if not is_ready(self._fd, _LOOK, to_take=True):
            return 0
        try:
            return os.write(self._fd, piece)
        except BlockingIOError:
            time.sleep(_LOOK)
            return 0
