"""The app in a terminal: how it is started when it is ready, and when it rests."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

from tests.terminal.driver import Terminal, process_stat

RNNVIZ = [str(Path(sys.executable).with_name("rnnviz"))]


def rnnviz(*arguments: str, **settings: Any) -> Terminal:
    """`with rnnviz("--steps", "40") as t:` and then `t.wait_for(ready)`. Any flag opens the plain score."""
    return Terminal([*RNNVIZ, *(arguments or ("--free",))], **settings)


def ready(screen: list[str]) -> bool:
    """The score stands complete: its axis, which the first paint has too, and the keys, which it has not."""
    return any("time t" in row for row in screen) and "? keys" in screen[-1]


def rest(t: Terminal, timeout: float = 400.0) -> None:
    """Until the app has loaded all it loads behind the screen: a second with hardly any work."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        before = cpu_seconds(t)
        t.watch(1.0)
        if abs(cpu_seconds(t) - before) < 0.03:
            return
    raise AssertionError(f"still working after {timeout:g} s without a key\n{t}")


def cpu_seconds(t: Terminal) -> float:
    """Processor time of all processes of the session."""
    ticks = 0
    for pid in t.still_running():
        with contextlib.suppress(OSError):  # it has just ended
            fields = process_stat(pid)
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def processor_time(pid: int) -> float:
    """Seconds of processor of all threads of one process, to the nanosecond (Linux)."""
    spent = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # it has just ended
            spent += int(thread.read_text().split()[0])
    return spent / 1e9
