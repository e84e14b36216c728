"""How long learners who walk wait for a key while others train as much as they may, in kiosks, and without.

    python benchmarks/fairness.py [walkers] [trainers] [seconds]

Sessions in real terminals on this machine. Each walker presses → about once a second; the time is from the key to the
last byte of the answer. The trainers press `a` again whenever their training stops.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.terminal.app import RNNVIZ, ready
from tests.terminal.driver import Terminal

TRAINING = ("--task", "recall", "--cell", "lstm", "--hidden", "256", "--epochs", "60")  # close to a kiosk's bound


def main(walkers: int = 10, trainers: int = 5, seconds: int = 20) -> None:
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before; ms from a key to its last byte")
    print(f"{'':44}{'p50':>6}{'p95':>6}{'max':>6}")
    for what, flags, many in (
        (f"{walkers} walk", ("--kiosk",), 0),
        (f"{walkers} walk, {trainers} train, in kiosks", ("--kiosk",), trainers),
        (f"{walkers} walk, {trainers} train, without --kiosk", (), trainers),
    ):
        waits = sorted(measure(walkers, many, seconds, flags))
        at = [1000 * waits[min(len(waits) - 1, int(share * len(waits)))] for share in (0.5, 0.95, 1.0)]
        print(f"{what:44}" + "".join(f"{ms:6.0f}" for ms in at), flush=True)


def measure(walkers: int, trainers: int, seconds: int, flags: tuple[str, ...]) -> list[float]:
    """Seconds that each key took."""
    with ExitStack() as stack:
        walking = [stack.enter_context(Terminal([*RNNVIZ, *flags, "--steps", "40"])) for _ in range(walkers)]
        training = [stack.enter_context(Terminal([*RNNVIZ, *flags, *TRAINING])) for _ in range(trainers)]
        for t in (*walking, *training):
            t.wait_for(ready, timeout=120)
            t.watch(0.5)
        over = threading.Event()
        stack.callback(over.set)
        thread = threading.Thread(target=train, args=(training, over), daemon=True)
        thread.start()
        time.sleep(2)
        waits, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            round_ends = time.monotonic() + 1
            waits += [t.timed("right")[0] for t in walking]
            time.sleep(max(0.0, round_ends - time.monotonic()))
        over.set()
        thread.join()
    return waits


def train(terminals: list[Terminal], over: threading.Event) -> None:
    """Keep these sessions training, and read what they draw."""
    for t in terminals:
        t.keys("a")
    while not over.wait(0.05):
        for t in terminals:
            t.watch(0.01)
            if not any("training" in row for row in t.screen()):
                t.keys("a")
                t.watch(0.1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
