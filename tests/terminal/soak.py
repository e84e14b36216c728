"""Start it, end it, look what is left: `python -m tests.terminal.soak [--starts 200] [--only WORD]`; or let it play
for so many seconds, and look what has grown: `python -m tests.terminal.soak --play 600`.

Every state a session can be in times every way it can end, in each of SURROUNDINGS, several at once. After each: the
exit code as documented, no process of it anywhere, no temporary file, the terminal as it was where it lives on, and
the progress of a lesson whole. Says how long the slowest took to be gone.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.terminal import long_play
from tests.terminal.app import RNNVIZ, ready
from tests.terminal.driver import MARK, SURROUNDINGS, Terminal, environment, marked

LIMIT = 10.0  # seconds; what is still there then is taken to stay
KEPT = {"progress.json", ".lock"}  # what may lie in the data folder when nothing runs
ROOT = Path(__file__).parents[2]

Env = dict[str, str | None]


class Case(NamedTuple):
    state: str
    end: str
    where: str

    def __str__(self) -> str:
        return f"{self.state}, {self.end}, {self.where}"


# -- the states a session can be in -----------------------------------------------------------------------


def first_paint(t: Terminal) -> None:
    t.wait_for(any)


def at_rest(t: Terminal) -> None:
    t.wait_for(ready, 60)


def training(t: Terminal) -> None:
    t.wait_for(ready, 60)
    t.keys("a")
    t.wait_for("training", 60)


def in_a_lesson(t: Terminal) -> None:
    t.wait_for(lambda rows: ready(rows) and any("1/" in row for row in rows), 60)
    t.keys("n")
    t.wait_for("2/", 60)


def nobody_reads(t: Terminal) -> None:
    t.wait_for(ready, 60)
    t.settle()
    t.keys("+", "+", "+", "+", "space")
    t.fill(60)


def compiling(t: Terminal) -> None:
    """With an empty cache, so that there is a compiler."""
    t.wait_for(ready, 60)
    end = time.monotonic() + 60
    while len(t.all_running()) < 2:
        assert time.monotonic() < end, "no compiler"
        t.watch(0.05)


STATES: dict[str, tuple[list[str], Callable[[Terminal], None]]] = {
    "at the first paint": (["--free"], first_paint),
    "at rest": (["--free"], at_rest),
    "training": (["--epochs", "100000"], training),
    "in a lesson": ([], in_a_lesson),
    "while nobody reads": (["--free"], nobody_reads),
    "compiling": (["--free"], compiling),
}

# -- the ways it can end: the exit code, None where nobody sees one ----------------------------------------


def key(name: str) -> Callable[[Terminal], int]:
    def end(t: Terminal) -> int:
        t.keys(name)
        return 0

    return end


def sent(number: signal.Signals) -> Callable[[Terminal], int]:
    def end(t: Terminal) -> int:
        t.signal(number)
        return -number if number is signal.SIGKILL else 128 + number

    return end


def closed(t: Terminal) -> int:
    t.hang_up()
    return 128 + signal.SIGHUP


ENDS: dict[str, Callable[[Terminal], int]] = {
    "q": key("q"),
    "ctrl+c": key("ctrl+c"),
    "SIGTERM": sent(signal.SIGTERM),
    "SIGHUP": sent(signal.SIGHUP),
    "SIGINT": sent(signal.SIGINT),
    "SIGQUIT": sent(signal.SIGQUIT),
    "SIGKILL": sent(signal.SIGKILL),
    "the window closes": closed,
}


def in_a_terminal(case: Case, env: Env) -> float:
    arguments, come = STATES[case.state]
    with Terminal([*RNNVIZ, *arguments], env=env) as t:
        come(t)
        wanted = ENDS[case.end](t)
        seconds = t.wait_until_gone(LIMIT)
        assert t.process.returncode == wanted, f"exit code {t.process.returncode}, not {wanted}"
        if case.end not in ("SIGKILL", "the window closes"):
            t.exit_code()  # reads the rest
            assert t.left_behind() == []
        return seconds


# -- ends that need more around it ---------------------------------------------------------------------------


def an_error(env: Env) -> float:
    with Terminal([sys.executable, "-m", "tests.terminal.broken", "draw"], env=env, cwd=ROOT) as t:
        at_rest(t)
        t.keys("Y")
        seconds = t.wait_until_gone(LIMIT)
        assert t.exit_code() == 1
        assert t.left_behind() == []
        return seconds


def the_parent_is_killed(env: Env) -> float:
    wrapper = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); print(flush=True); p.wait()"
    with Terminal([sys.executable, "-c", wrapper, *RNNVIZ, "--free"], env=env) as t:
        at_rest(t)
        t.signal(signal.SIGKILL)
        return t.wait_until_gone(LIMIT)


def a_stopped_one(end: str) -> Callable[[Env], float]:
    def run(env: Env) -> float:
        with Terminal([*RNNVIZ, "--free"], env=env) as t:
            at_rest(t)
            t.signal(signal.SIGTSTP)
            t.settle(0.5)
            assert t.left_behind() == []
            if end == "closed":
                t.hang_up()
                os.kill(t.process.pid, signal.SIGCONT)  # the kernel sends it to groups that lose their shell
            else:
                t.signal(signal.SIGTERM)
                t.signal(signal.SIGCONT)
            seconds = t.wait_until_gone(LIMIT)
            if end != "closed":
                assert t.exit_code() == 143
                assert t.left_behind() == []
            return seconds

    return run


def tmux(*last: str) -> Callable[[Env], float]:
    def run(env: Env) -> float:
        with TemporaryDirectory(prefix="rnnviz-soak-") as folder:
            base = ["tmux", "-S", f"{folder}/socket", "-f", "/dev/null"]
            whole = environment("256", env)

            def do(*words: str) -> str:
                return subprocess.run([*base, *words], env=whole, capture_output=True, text=True, check=True).stdout

            do("new-session", "-d", "-x", "80", "-y", "24", shlex.join([*RNNVIZ, "--free"]))
            try:
                end = time.monotonic() + 60
                while "? keys" not in do("capture-pane", "-p"):
                    assert time.monotonic() < end, do("capture-pane", "-p")
                    time.sleep(0.1)
                do(*last)
                return gone(whole[MARK])
            finally:
                subprocess.run([*base, "kill-server"], env=whole, capture_output=True)

    return run


def gone(mark: str) -> float:
    start = time.monotonic()
    while left := marked(mark):
        assert time.monotonic() < start + LIMIT, f"{left} still running"
        time.sleep(0.02)
    return time.monotonic() - start


OTHERS: dict[str, Callable[[Env], float]] = {
    "an error": an_error,
    "the parent is killed": the_parent_is_killed,
    "stopped and closed": a_stopped_one("closed"),
    "stopped and terminated": a_stopped_one("terminated"),
    "tmux kill-pane": tmux("kill-pane"),
    "tmux kill-server": tmux("kill-server"),
}

# -- all of them -----------------------------------------------------------------------------------------------


def cases() -> Iterator[Case]:
    for where in SURROUNDINGS:
        for state in STATES:
            for end in ENDS:
                if state != "compiling" or end in ("q", "SIGKILL", "the window closes"):
                    yield Case(state, end, where)
        for other in OTHERS:
            if "tmux" not in other or shutil.which("tmux"):
                yield Case(other, "", where)


def run(case: Case) -> tuple[Case, float, str]:
    """The seconds until everything was gone, and what was wrong."""
    with TemporaryDirectory(prefix="rnnviz-soak-") as folder:
        places = {name: Path(folder) / name for name in ("tmp", "data", "state", "cache")}
        for place in places.values():
            place.mkdir(mode=0o700)
        env: Env = {
            **SURROUNDINGS[case.where],
            MARK: os.path.basename(folder),
            "TMPDIR": str(places["tmp"]),
            "XDG_DATA_HOME": str(places["data"]),
            "XDG_STATE_HOME": str(places["state"]),
        }
        if case.state == "compiling":
            env |= {"NUMBA_CACHE_DIR": None, "XDG_CACHE_HOME": str(places["cache"])}
        try:
            seconds = OTHERS[case.state](env) if case.state in OTHERS else in_a_terminal(case, env)
            gone(folder.rpartition("/")[2])
            assert not os.listdir(places["tmp"]), os.listdir(places["tmp"])
            assert {path.name for path in places["data"].glob("*/*")} <= KEPT, [*places["data"].glob("*/*")]
            if case.state == "in a lesson":
                kept = json.loads((places["data"] / "rnnviz" / "progress.json").read_text())
                (lesson,) = kept["courses"]["rnnviz"]["lessons"].values()
                assert len(lesson["seen"]) == 2, lesson
        except AssertionError as error:
            return case, 0.0, str(error) or repr(error)
        return case, seconds, ""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--starts", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--only", default="")
    parser.add_argument("--play", type=float, metavar="SECONDS")
    asked = parser.parse_args()
    if asked.play:
        grown = long_play.play(asked.play)
        print("\n".join(f"   {what}" for what in grown) or "   nothing has grown")
        return 1 if grown else 0
    chosen = [case for case in cases() if asked.only in str(case)]
    began, slowest, wrong = time.monotonic(), (0.0, ""), 0
    with ProcessPoolExecutor(asked.at_once) as pool:
        for case, seconds, fault in pool.map(run, islice(cycle(chosen), asked.starts)):
            slowest = max(slowest, (seconds, str(case)))
            if fault:
                wrong += 1
                print(f"{case}: {fault}", flush=True)
    print(f"   {asked.starts} starts in {time.monotonic() - began:.0f} s, {len(chosen)} kinds: {wrong} left something")
    print(f"   the slowest was gone after {slowest[0]:.2f} s ({slowest[1]})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
