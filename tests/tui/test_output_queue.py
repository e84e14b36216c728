"""Writing to a terminal that takes nothing: nobody waits, and the last words get through all the same."""

from __future__ import annotations

import os
import select
import threading

import pytest

pty = pytest.importorskip("pty")
tty = pytest.importorskip("tty")
output_queue = pytest.importorskip("rnnviz.tui.output_queue")
Outlet = output_queue.Outlet

LAST = "\x1b[?1049l"


@pytest.fixture
def terminal():
    """The two ends of a pty, its line discipline raw."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, slave
    os.close(slave)
    os.close(master)


def rest(master: int) -> bytes:
    data = b""
    while select.select([master], [], [], 0.2)[0]:
        data += os.read(master, 65536)
    return data


def test_everything_arrives_in_order(terminal):
    master, slave = terminal
    out = Outlet(slave, "utf-8", lambda: None)
    for n in range(100):
        out.write(f"{n}·")
    out.end(LAST, 5)
    assert rest(master).decode() == "".join(f"{n}·" for n in range(100)) + LAST


@pytest.mark.parametrize("own", [True, False], ids=["opened again", "not opened again"])
def test_nobody_waits_for_a_terminal_that_takes_nothing(terminal, own, monkeypatch):
    master, slave = terminal
    if not own:
        monkeypatch.setattr(output_queue, "reopened", lambda fd: None)
    out = Outlet(slave, "utf-8", lambda: None)
    for _ in range(1000):
        out.write("x" * 1000)
    assert out.pending > 100_000
    out.end(LAST, 0.1)
    assert out.pending == 0
    assert rest(master).decode().endswith(LAST)
    out.write("no more")
    assert rest(master) == b""


def test_a_terminal_that_is_gone_is_told_of_once():
    master, slave = pty.openpty()
    broken = threading.Event()
    out = Outlet(slave, "utf-8", broken.set)
    os.close(master)
    out.write("x")
    assert broken.wait(10)
    out.write("y")
    out.end(LAST, 5)
    assert out.pending == 0
    os.close(slave)


def test_whether_the_shell_waits_for_its_terminal_is_left_alone(terminal):
    _, slave = terminal
    out = Outlet(slave, "utf-8", lambda: None)
    assert os.get_blocking(slave)
    out.end(LAST, 1)
    assert os.get_blocking(slave)
