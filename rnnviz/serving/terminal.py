"""A terminal (pty) with a program in it, for a web server: nothing in it waits for the other side.

The program is the leader of a session of its own, and the pty is its terminal. When the server closes the pty, or is
killed, the kernel hangs the terminal up: the program is sent SIGHUP, and reads and writes fail. So no program outlives
its server, and nothing has to be told to it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress

from rnnviz.terminal import clamped

MOST_WAITING = 1 << 18  # bytes that the program has not read; what would go beyond is dropped
PIECE = 1 << 16  # bytes read at once
PATIENCE = 3.0  # seconds that a program has to end after its terminal was hung up


class Terminal:
    """Started by `start`; `end` must be called."""

    def __init__(self, master: int, process: asyncio.subprocess.Process, size: tuple[int, int]) -> None:
        self._master, self._process, self._size = master, process, size
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._open = True

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int]) -> Terminal:
        """Start the program, without a shell. Raises OSError if there is no pty or no process left."""
        size = clamped(*size)
        master, slave = pty.openpty()
        try:
            os.set_blocking(master, False)
            _set_size(slave, size)
            process = await asyncio.create_subprocess_exec(
                *command, stdin=slave, stdout=slave, stderr=slave, env=dict(environment), start_new_session=True
            )
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)
        return cls(master, process, size)

    async def read(self) -> bytes:
        """What the program has written since; empty when it has ended. The program waits while nobody reads."""
        while self._open:
            try:
                return os.read(self._master, PIECE)
            except BlockingIOError:
                await self._readable()
            except OSError:  # Linux reports the end so
                break
        return b""

    async def _readable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_reader(self._master, ready.set)
        try:
            await ready.wait()
        finally:
            if self._open:
                self._loop.remove_reader(self._master)

    def write(self, data: bytes) -> None:
        """Type this, as soon as the program reads; all of it is dropped if it has not read for long."""
        if self._open and len(self._waiting) + len(data) <= MOST_WAITING:
            self._waiting += data
            self._push()

    def _push(self) -> None:
        try:
            del self._waiting[: os.write(self._master, self._waiting)]
        except BlockingIOError:
            pass
        except OSError:  # it has ended
            self._waiting.clear()
        if self._waiting:
            self._loop.add_writer(self._master, self._push)
        else:
            self._loop.remove_writer(self._master)

    def resize(self, size: tuple[int, int]) -> None:
        size = clamped(*size)
        if self._open and size != self._size:
            self._size = size
            with suppress(OSError):
                _set_size(self._master, size)

    async def end(self) -> int:
        """Hang up, and wait until the program has ended; it is killed if it takes too long, or if this is cancelled.
        Returns its exit code."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._master)
            self._loop.remove_writer(self._master)
            os.close(self._master)
        with suppress(TimeoutError):
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self._process.wait()
            finally:
                if self._process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(self._process.pid, signal.SIGKILL)
        return await self._process.wait()


def _set_size(terminal: int, size: tuple[int, int]) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
