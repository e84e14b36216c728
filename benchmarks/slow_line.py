"""How long a start takes on a slow line, and how far the screen is behind the last key: a real ssh client, a real sshd,
and between them a line of 64 kbit/s and 200 ms there and back (or what is asked for). Prints one table.

    python benchmarks/slow_line.py
    python benchmarks/slow_line.py --kbit 256 --round-trip 50 --columns 160 --rows 50

"ready" is from the start of ssh until narration, keys and score can be read; the first line has a login alone, to a
program that prints one letter. A key at leisure is what the line itself needs: the way there, the frame, the way back.
"behind" is how much longer than that the last key of a burst takes until nothing more comes.
tmux runs on this side of the line. On the other side it
would answer for the terminal at once, so that nothing is known of the line: the last rows show what it is like then,
and what `ssh -C` makes of it.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.terminal import ssh
from tests.terminal.app import RNNVIZ, ready
from tests.terminal.driver import KEYS, Terminal

TMUX = ["tmux", "-f", "/dev/null", "-L"]


def quiet(t: Terminal, start: float, seconds: float) -> float:
    """Reads until nothing came for so long; seconds from `start` to the last byte."""
    last = start
    while time.monotonic() < max(last, start) + seconds:
        if t._read(0.02):
            last = time.monotonic()
    return last - start


def leisure(t: Terminal, times: int = 8) -> float:
    """The time that a single key takes while nothing else is sent."""
    taken = []
    for _ in range(times):
        start = time.monotonic()
        t.keys("right")
        taken.append(quiet(t, start, 1.0))
    return statistics.median(taken)


def hold(t: Terminal, seconds: float, rate: float = 30.0) -> float:
    """Holds the arrow, to the end of the sequence and back; seconds from the last key until the screen is final."""
    t.keys("home")
    quiet(t, time.monotonic(), 1.0)
    begin = time.monotonic()
    for n in range(int(seconds * rate)):
        t._write(KEYS["left" if n // 35 % 2 else "right"])
        start = time.monotonic()
        while (left := begin + (n + 1) / rate - time.monotonic()) > 0:
            t._read(left)
    return quiet(t, start, 1.5)


def play(t: Terminal, seconds: float) -> float:
    """Autoplay at 16 steps per second, then stop; seconds from the last key until the screen is final."""
    t.keys("home")
    quiet(t, time.monotonic(), 1.0)
    t.keys("space")
    t.watch(seconds)
    start = time.monotonic()
    t.keys("space")
    return quiet(t, start, 1.5)


def login(bits: int, way: float) -> float:
    """Seconds from the start of ssh to the first letter of a program that prints one."""
    with (
        tempfile.TemporaryDirectory() as place,
        ssh.server(Path(place)) as port,
        ssh.SlowLine(port, bits, way) as line,
        Terminal([*ssh.client(Path(place), line.port), "printf x"]) as t,
    ):
        t.wait_for("x")
        return time.monotonic() - t.started


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kbit", type=float, default=64)
    parser.add_argument("--round-trip", type=float, default=200, help="milliseconds")
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--flags", default="--steps 40", help="of rnnviz")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    if ssh.missing():
        sys.exit(f"needs {ssh.missing()}")
    app = shlex.join([*RNNVIZ, *shlex.split(args.flags)])
    name = f"slow{time.time_ns()}"
    cases = {
        "ssh": ([], "", app),
        "tmux, then ssh": ([], "local", app),
        "ssh, then tmux": ([], "", shlex.join([*TMUX, name, "new", app, ";", "set", "status", "off"])),
        "ssh -C, then tmux": (["-C"], "", shlex.join([*TMUX, name + "c", "new", app, ";", "set", "status", "off"])),
        "ssh -C": (["-C"], "", app),
    }
    print(
        f"{args.kbit:g} kbit/s, {args.round_trip:g} ms there and back, {args.columns} x {args.rows}; "
        f"a login takes {login(int(args.kbit * 1000), args.round_trip / 1000):.2f} s"
    )
    print(f"{'':20}{'ready':>8}{'bytes':>8}{'at leisure':>12}", end="")
    print(f"{'hold 5 s: behind':>18}{'play 16/s 2 s: behind':>23}{'most under way':>16}")
    for title, (flags, wrap, command) in cases.items():
        if args.only and args.only != title:
            continue
        with tempfile.TemporaryDirectory() as place, ssh.server(Path(place)) as port:
            bits, way = int(args.kbit * 1000), args.round_trip / 1000
            with ssh.SlowLine(port, bits, way) as line:
                connect = [*ssh.client(Path(place), line.port, *flags), command]
                if wrap:
                    connect = [*TMUX, name + "l", "new", shlex.join(connect), ";", "set", "status", "off"]
                with Terminal(connect, columns=args.columns, rows=args.rows, colours="256") as t:
                    t.wait_for(ready, timeout=60)
                    began, size = time.monotonic() - t.started, len(t.raw)
                    quiet(t, time.monotonic(), 4.0)
                    t.keys(*"+" * 4)
                    quiet(t, time.monotonic(), 2.0)
                    usual = leisure(t)
                    line.watch()
                    held = hold(t, 5.0)
                    most = line.most_waiting
                    line.watch()
                    played = play(t, 2.0)
                    most = max(most, line.most_waiting)
                    print(
                        f"{title:20}{began:6.2f} s{size:8}{usual * 1000:9.0f} ms{(held - usual) * 1000:15.0f} ms"
                        f"{(played - usual) * 1000:20.0f} ms{most:14} B",
                        flush=True,
                    )
                    t.keys("q")
                    t.exit_code(60)  # and with it the tmux around it


if __name__ == "__main__":
    main()
