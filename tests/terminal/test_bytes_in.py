"""The running app is sent what no person types: it goes on, does not grow, and q and ctrl+c are heard."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.terminal.app import ready, rnnviz
from tests.terminal.driver import Terminal
from tests.tui.test_input_filter import nonsense

MEGABYTES = 2_000_000


def resident(t: Terminal) -> int:
    """Megabytes of memory."""
    status = Path(f"/proc/{t.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def pour(t: Terminal, data: bytes) -> None:
    """Writes as fast as it is taken, and reads meanwhile."""
    os.set_blocking(t._master, False)
    end = time.monotonic() + 60
    while data and time.monotonic() < end and t.process.poll() is None:
        try:
            data = data[os.write(t._master, data[:65536]) :]
        except BlockingIOError:
            t._read(0.002)
    os.set_blocking(t._master, True)
    assert not data or t.process.poll() is not None, f"it took no more bytes\n{t}"


def leave(t: Terminal, key: str) -> None:
    t.keys(key)
    assert t.exit_code() == 0
    assert b"Traceback" not in t.raw
    assert t.left_behind() == []


def test_bytes_that_are_not_utf_8_and_keys_let_go_are_nothing():
    with rnnviz("--free") as t:
        t.wait_for(ready)
        t._write(b"\xe9\xff\x1b[97;1:3u\x1b[1;1:3C\x1b[99999999999u")
        t._write(b"\x1b[1;1:1C")
        t.wait_for("t = 1 ")
        t._write(b"\x1b[113;1:1u")  # q, pressed
        assert t.exit_code() == 0
        assert t.left_behind() == []


@pytest.mark.parametrize("command", ["quit", pytest.param("help", marks=pytest.mark.slow)])
def test_keys_typed_ahead_into_the_palette(command):
    with rnnviz("--free") as t:
        t.wait_for(ready)
        t._write(b"\x10" + command.encode() + b"\r\r\r\r")
        t.watch(1.0)
        if t.process.poll() is None:
            t.keys("ctrl+c")
        assert t.exit_code() == 0
        assert t.left_behind() == []


FLOODS = {
    "OSC": b"\x1b]"
    + b"x" * 100_000
    + b"%" * MEGABYTES,  # given up, it is keys: x, which takes the app a while, and none
    "CSI": b"\x1b[" + b"1" * MEGABYTES,
    "DCS": b"\x1bP" + b"z" * MEGABYTES,
    "NUL": b"\0" * MEGABYTES,
    "typed": b"l" * MEGABYTES,
    "arrows": b"\x1b[C" * 100_000,
    "pasted": b"\x1b[200~" + b"q" * 5_000_000 + b"\x1b[201~",
}


@pytest.mark.slow
@pytest.mark.parametrize("key", ["q", "ctrl+c"])
@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_survived_and_the_key_after_it_heard(flood, key):
    if key == "ctrl+c" and flood not in ("OSC", "typed"):
        pytest.skip("the same way")
    with rnnviz("--free") as t:
        t.wait_for(ready)
        pour(t, FLOODS[flood])
        assert resident(t) < 200
        leave(t, key)


@pytest.mark.slow
def test_a_paste_that_does_not_end_is_over_in_a_moment():
    with rnnviz("--free") as t:
        t.wait_for(ready)
        pour(t, b"\x1b[200~" + b"q" * MEGABYTES)
        t.watch(1.5)
        leave(t, "q")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_bytes(seed, tmp_path):
    """The keys that leave are taken out. What is left may find the command that does, but ends in no other way.

    In a folder of its own: they may find the key that saves a file. Out is ^S, too: typed after the end, it stops the
    terminal itself, and every program that still writes to it.
    """
    with rnnviz("--free", cwd=tmp_path) as t:
        t.wait_for(ready)
        data = nonsense(seed, 60_000).translate(None, b"q\x03\x11\x13\x1a\x1c")
        for at in range(0, len(data), 500):
            if t.process.poll() is None:
                pour(t, data[at : at + 500])
                t._read(0.01)
        t.watch(2.0)
        leave(t, "ctrl+c")
