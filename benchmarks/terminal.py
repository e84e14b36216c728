"""The delays that a person at a terminal notices, beside the app's limits. Prints one table.

    python benchmarks/terminal.py              # about four minutes
    python benchmarks/terminal.py --rounds 5   # quicker, coarser

Start-up is measured against a Textual app with one label, in the same Python, both in turn, medians.
Everything runs in a real pty on this machine; the times include the pty. It always exits with 0: a busy
machine can miss a limit, so the numbers are read by a person.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, cycle
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.terminal.app import cpu_seconds, processor_time, ready, rest, rnnviz
from tests.terminal.driver import Terminal

LABEL = [
    sys.executable,
    "-c",
    """
from textual.app import App
from textual.widgets import Label

class OneLabel(App):
    steps = 0

    def compose(self):
        yield Label("label")

    def key_right(self):
        self.steps += 1
        self.query_one(Label).update(f"label {self.steps}")

OneLabel().run()
""",
]

STEPS = 40  # in the sequence that is walked


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="starts of each app (default 15)")
    parser.add_argument("--idle", type=float, default=10.0, help="seconds without a key (default 10)")
    parser.add_argument("--steps", type=int, default=500, help="steps at 20 a second (default 500)")
    options = parser.parse_args(arguments)
    print(f"{'what':<42}{'measured':>12}{'at most':>12}")
    for what, value, limit, unit in chain(
        startup(options.rounds), compiling(), walking(), stepping(options.steps), resting(options.idle)
    ):
        verdict = "" if limit is None else "ok" if value <= limit else "over"
        most = "" if limit is None else f"{limit:,g} {unit}"
        print(f"{what:<42}{f'{value:,.4g} {unit}':>12}{most:>12}  {verdict}", flush=True)


Row = tuple[str, float, float | None, str]


def startup(rounds: int) -> Iterator[Row]:
    label, paint, answer = [], [], []
    for number in range(rounds + 1):
        with Terminal(LABEL) as t:
            one_label = until(t, painted)
            close(t)
        with rnnviz() as t:
            first = until(t, painted)
            until(t, ready)
            before = t.screen()
            t.keys("right")
            complete = until(t, lambda screen, before=before: screen != before)
            close(t)
        if number:  # the first start of each warms the disk
            label.append(one_label)
            paint.append(first)
            answer.append(complete)
    base = median(label)
    yield "one label, first paint", base * 1000, None, "ms"
    yield "rnnviz, first paint", median(paint) * 1000, None, "ms"
    yield "rnnviz, complete and answered a key", median(answer) * 1000, None, "ms"
    yield "first paint / one label", median(paint) / base, 1.3, "×"
    yield "complete and answered a key / one label", median(answer) / base, 2.0, "×"


def compiling() -> Iterator[Row]:
    """The compiler at work beside the app for the first time, and what it left for the second."""
    with tempfile.TemporaryDirectory() as cache:
        settings = {"env": {"NUMBA_CACHE_DIR": cache}}
        with rnnviz("--steps", str(STEPS), **settings) as t:
            t.wait_for(ready)
            before, times = t.started, list[float]()
            for key in cycle(["right"] * STEPS + ["left"] * STEPS):
                times.append(t.timed(key)[0] * 1000)
                if compiled(t.screen()):
                    break
            cold = t.reads[-1][0] - before
            rest(t)  # the other cells are compiled for later
            close(t)
        warm = []
        for _ in range(5):
            with rnnviz(**settings) as t:
                warm.append(until(t, compiled))
                close(t)
    yield "nothing compiled yet: in use after", cold, None, "s"
    yield f"meanwhile key to last byte, p95 of {len(times)}", quantiles(times, n=20)[-1], 50, "ms"
    yield "compiled before: in use after", median(warm), 1, "s"


def walking() -> Iterator[Row]:
    with Terminal(LABEL) as t:
        t.wait_for(painted)
        rest(t)
        times = [t.timed("right")[0] * 1000 for _ in range(4 * STEPS)]
        close(t)
    yield "one label, key to last byte, p50", median(times), None, "ms"
    yield "one label, key to last byte, p95", quantiles(times, n=20)[-1], None, "ms"
    for columns, rows, slowest, longest in ((80, 24, 16, 1500), (160, 50, 33, 4000)):
        with rnnviz("--steps", str(STEPS), columns=columns, rows=rows) as t:
            t.wait_for(ready)
            rest(t)
            reading = ["right"] * STEPS + ["left"] * STEPS
            turning = ["right"] * (STEPS + 1) + ["left"] * (STEPS + 1)
            before = cpu_seconds(t)
            answers = [t.timed(key) for key in reading + turning]
            work = (cpu_seconds(t) - before) / len(answers)
            close(t)
        times = [seconds * 1000 for seconds, _ in answers]
        size = f"{columns}×{rows}"
        yield f"key to last byte, {size}, p50", median(times), None, "ms"
        yield f"key to last byte, {size}, p95", quantiles(times, n=20)[-1], slowest, "ms"
        yield f"processor time a key, {size}, mean", work * 1000, None, "ms"
        yield f"bytes a step, {size}, median", median(length for _, length in answers), longest, "B"


def stepping(steps: int) -> Iterator[Row]:
    """Processor time of a step at 20 steps a second, without what the app needs in that time without a key."""
    score = ["right"] * (STEPS - 1) + ["left"] * (STEPS - 1)
    for what, flags, keys, size in (
        ("80×24", ("--steps", str(STEPS)), score, (80, 24)),
        ("160×50", ("--steps", str(STEPS)), score, (160, 50)),
        ("in a lesson", ("lesson", "1"), ["right"] * 2 + ["left"] * 2, (80, 24)),
    ):
        with rnnviz(*flags, columns=size[0], rows=size[1]) as t:
            t.wait_for(lambda screen: any("time t" in row for row in screen) and screen[-1].strip())
            rest(t)
            before = processor_time(t.process.pid)
            t.watch(steps / 100)
            idle = (processor_time(t.process.pid) - before) / (steps / 100)
            mark, before, start = t.mark(), processor_time(t.process.pid), time.monotonic()
            for number, key in zip(range(1, steps + 1), cycle(keys), strict=False):
                t.keys(key)
                t.watch(start + number / 20 - time.monotonic())
            work = processor_time(t.process.pid) - before - idle * (time.monotonic() - start)
            sent = len(t.raw) - mark
            close(t)
        yield f"processor time a step, {what}, mean", work / steps * 1e6, 3500 if size == (80, 24) else None, "µs"
        yield f"bytes a step, {what}, mean", sent / steps, None, "B"


def resting(seconds: float) -> Iterator[Row]:
    with rnnviz() as t:
        t.wait_for(ready)
        t.keys("right", "right", "right")
        rest(t)
        before = cpu_seconds(t)
        written = t.watch(seconds)
        share = (cpu_seconds(t) - before) / seconds
        fresh = memory(t)
        t.keys("a")
        rest(t)
        trained = memory(t)
        close(t)
    yield f"bytes in {seconds:g} s without a key", written, 0, "B"
    yield "one core's share meanwhile", share * 100, 0.5, "%"
    yield "memory of the session, resident", fresh, 190, "MB"
    yield "the same after all epochs of training", trained, 190, "MB"


def compiled(screen: list[str]) -> bool:
    """The title's mark of the engine."""
    return "●" in screen[0]


def painted(screen: list[str]) -> bool:
    return any(row.strip() for row in screen)


def until(t: Terminal, seen: Callable[[list[str]], object]) -> float:
    """Seconds from the start of the program to the bytes that made it so."""
    t.wait_for(seen, timeout=60)
    return t.reads[-1][0] - t.started


def close(t: Terminal) -> None:
    t.keys("ctrl+q")
    t.exit_code()


def memory(t: Terminal) -> float:
    """Resident set size of all processes of the session together, in MB."""
    total = 0
    for pid in t.still_running():
        with contextlib.suppress(OSError):  # it has just ended
            status = Path(f"/proc/{pid}/status").read_text()
            total += int(status.partition("VmRSS:")[2].split()[0])
    return total / 1000


if __name__ == "__main__":
    main()
