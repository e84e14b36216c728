"""A long session: the app plays and trains by itself, somebody presses keys, and nothing it holds may grow."""

from __future__ import annotations

import os
import time
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from tests.terminal.app import cpu_seconds, ready, rest, rnnviz
from tests.terminal.driver import Terminal

KEYS = ("tab", "tab", "tab", "?", "pagedown", "escape")  # beside 16 steps a second; none of them pauses
A_MINUTE = 0.2  # MB that memory may grow in a minute, once it has warmed up …
NOISE = 3.0  # … beside what one measurement differs from another by, MB: pages that were freed are given back later
WARM = 90.0  # seconds in which caches fill: what a training remembers for undo, styles, cells of texts


class Held(NamedTuple):
    memory: float  # of the app itself, resident and its own, MB
    files: int
    threads: int
    processes: int


def held(t: Terminal) -> Held:
    process = Path(f"/proc/{t.process.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    files = len(os.listdir(process / "fd"))
    return Held(int(status["RssAnon"].split()[0]) / 1000, files, int(status["Threads"]), len(t.all_running()))


def play(seconds: float) -> list[str]:
    """Plays for so long, prints what the app holds meanwhile, and returns what has grown."""
    warm = min(WARM, seconds / 2)
    with rnnviz("--steps", "20", "--epochs", "200") as t:
        t.wait_for(ready)
        rest(t)
        t.keys("+", "+", "+", "+", "space")
        start, work = time.monotonic(), cpu_seconds(t)
        batches, seen = 0, ""
        samples: list[tuple[float, Held]] = []
        every = max(seconds / 20, 1.0)
        for n, key in enumerate(cycle(KEYS), start=1):
            t.keys(key)
            t.watch(start + n / 4 - time.monotonic())  # four keys a second
            t.forget()
            title, moment = t.screen()[:2]
            if moment == seen and title.startswith(" rnnviz"):  # it has stopped, before an update or after a key
                t.keys("space")
                batches += "update" in moment
            seen = moment
            now = time.monotonic() - start
            if now >= warm + len(samples) * every:
                samples.append((now, held(t)))
                print(f"   {now:5.0f} s  {samples[-1][1]}", flush=True)
            if now >= seconds:
                break
        share = (cpu_seconds(t) - work) / seconds
        title = t.screen()[0]
        t.keys("q")
        assert t.exit_code() == 0
    print(f"   {share:.1%} of a core, {batches} batches;{title}")
    assert batches >= seconds / 10, "it did not play"
    (begin, first), (end, last) = samples[0], samples[-1]
    allowed = NOISE + A_MINUTE * (end - begin) / 60
    return [
        f"{name} grew from {a:g} to {b:g} in {end - begin:.0f} s"
        for name, a, b, more in zip(Held._fields, first, last, (allowed, 0, 0, 0), strict=True)
        if b > a + more
    ]
