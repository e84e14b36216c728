"""A terminal with a program in it: what it shows, how it is bounded, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a pty", allow_module_level=True)

from rnnviz.serving import terminal
from rnnviz.serving.terminal import MOST_WAITING, Terminal

RAW = "import os, sys, time, tty; tty.setraw(0); print('ready', flush=True); "


unread: dict[Terminal, bytes] = {}


async def started(code: str, size: tuple[int, int] = (80, 24)) -> Terminal:
    one = await Terminal.start([sys.executable, "-c", RAW + code], {"PATH": os.environ["PATH"]}, size)
    assert await said(one) == "ready"
    return one


async def said(one: Terminal) -> str:
    """Its next line."""
    text = unread.pop(one, b"")
    while b"\n" not in text:
        more = await one.read()
        assert more, text
        text += more
    line, _, unread[one] = text.partition(b"\n")
    return line.decode().strip()


async def test_it_shows_what_the_program_writes_and_types_what_is_written() -> None:
    one = await started("print(os.get_terminal_size(), flush=True); print(sys.stdin.read(3)); sys.exit(7)", (10**6, 0))
    assert await said(one) == "os.terminal_size(columns=500, lines=24)"
    one.write("äß!".encode())
    assert await said(one) == "äß!"
    assert await one.read() == b""
    assert await one.end() == 7
    assert await one.end() == 7


async def test_the_program_is_told_of_a_new_size_and_leads_its_session() -> None:
    code = (
        "import fcntl, signal, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH]); print(os.getsid(0) == os.getpid(), flush=True)\n"
        "while signal.sigwait([signal.SIGWINCH]): print(*os.get_terminal_size(), flush=True)"
    )
    one = await started(code)
    assert await said(one) == "True"
    one.resize((100, 50))
    assert await said(one) == "100 50"
    one.resize((10**6, 10**6))
    assert await said(one) == "500 200"
    assert await one.end() == -signal.SIGHUP


async def test_it_ends_a_program_and_kills_one_that_will_not_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(terminal, "PATIENCE", 0.3)
    one = await started("import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('deaf', flush=True)\n"
                        "while True: time.sleep(1)")  # fmt: skip
    assert await said(one) == "deaf"
    assert await one.end() == -signal.SIGKILL


async def test_a_program_that_is_not_there_is_an_error_and_leaves_no_descriptor() -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            await Terminal.start(["/no/such/program"], {}, (80, 24))
    assert len(os.listdir("/dev/fd")) == before


async def test_what_is_not_read_is_bounded_on_both_sides() -> None:
    one = await started("print('x' * 10_000_000)")
    one.write(b"a" * MOST_WAITING)
    one.write(b"b" * MOST_WAITING)  # dropped: the program has not read the first
    assert len(one._waiting) <= MOST_WAITING
    assert b"b" not in one._waiting
    await asyncio.sleep(0.1)
    assert len(await one.read()) <= terminal.PIECE
    await one.end()
    one.write(b"late")
    one.resize((90, 30))
    assert await one.read() == b""
