"""How many learners a machine takes: sessions over a real sshd, each of which steps once a second. Prints tables.

    python benchmarks/classroom.py             # under five minutes on two cores
    python benchmarks/classroom.py --short     # a few sessions, some seconds: to see that it runs

The clients, sshd, the sessions and this program share the machine, so that a machine that only serves takes more. As
root each session has an account of its own, which exists for this program alone (tests/terminal/accounts.py); for
anyone else all are of one account. It asserts no time: a busy machine can miss a limit, so the numbers are read by a
person.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import selectors
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))

from rnnviz.nn import compiler, kernel_cache
from rnnviz.nn.spec import CELLS
from tests.terminal import accounts, ssh
from tests.terminal.app import RNNVIZ, processor_time
from tests.terminal.hosts import Host, children, host

COLUMNS, ROWS = 80, 24
STEPS = 40  # in the sequence that is walked, there and back
KEYS = (b"\x1b[C",) * STEPS + (b"\x1b[D",) * STEPS
READY = b"keys"  # in the bar of keys, which the first complete picture has
QUESTIONS = {b"\x1b[5n": b"\x1b[0n", b"\x1b[?2026$p": b"\x1b[?2026;2$y"}  # what a terminal answers
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 120.0  # seconds until a session is given up
FULL = 0.7  # the share of the processors up to which keys are answered at once


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=100, help="how many walk at once (default 100)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long they walk (default 20)")
    parser.add_argument("--short", action="store_true", help="four sessions for three seconds")
    options = parser.parse_args(arguments)
    if accounts.possible() and not accounts.is_inside():
        sys.exit(accounts.run_inside([sys.executable, __file__, *sys.argv[1:]]))
    crowds, starts, seconds, rest = [30, options.sessions], [10, 30], options.seconds, 3.0
    if options.short:
        crowds, starts, seconds, rest = [4], [4], 3.0, 1.0
    with contextlib.ExitStack() as stack:
        if accounts.is_inside():
            folder = accounts.folder()  # and not to be removed here
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rnnviz-class-")))
        os.environ["NUMBA_CACHE_DIR"] = cache = str(prepare_cache(folder))
        most = max(*crowds, *starts)
        names = accounts.make(most) if accounts.is_inside() else [""] * most  # they hide root's own cache
        whose = "an account for each session" if accounts.is_inside() else "all sessions of one account"
        print(
            f"{os.cpu_count()} processors, {memory_of_machine():.0f} GB; {whose}; {COLUMNS}×{ROWS}, {STEPS} time steps"
        )
        settings = f"SetEnv NUMBA_CACHE_DIR={cache} LANG=C.UTF-8\nMaxStartups 1000\nLogLevel ERROR\n"
        room = Room(folder, stack.enter_context(ssh.server(folder, settings)), names)
        for title, server in (("without a host", contextlib.nullcontext()), ("with rnnviz host", host())):
            with server as its_host:
                print(f"\n{title}", flush=True)
                measure(room, its_host, starts, crowds, seconds, rest)


def measure(
    room: Room, its_host: Host | None, starts: list[int], crowds: list[int], seconds: float, rest: float
) -> None:
    """rest: seconds in which a crowd loads what its first picture did not need."""
    with contextlib.closing(room.open(its_host, 1, 0.0)):  # warms the disk
        pass
    for number in starts:
        with contextlib.closing(room.open(its_host, number, 1.0)) as crowd:
            times = crowd.ready_times()
            print(f"  {number:3} starts in one second: ready after {median(times):.2f} s (median), "
                  f"{max(times):.2f} s (slowest); the last {crowd.all_ready:.2f} s after the first began; "
                  f"{crowd.cost_of_start():.0f} ms of processor each", flush=True)  # fmt: skip
    for number in crowds:
        with contextlib.closing(room.open(its_host, number, number / 10)) as crowd:
            crowd.rest(rest)
            walk(crowd, seconds)


def walk(crowd: Crowd, seconds: float) -> None:
    """Each session gets a key a second; what that takes."""
    before, begun = crowd.processor(), time.monotonic()
    delays = crowd.walk(seconds)
    took = time.monotonic() - begun
    spent = {name: (after - before[name]) for name, after in crowd.processor().items()}
    steps, number = len(delays), len(crowd.sessions)
    fifths = quantiles(delays, n=20)
    sizes = crowd.memory()
    own = sizes["app"] + sizes["client"]
    per_step = {name: 1000 * value / steps for name, value in spent.items()}
    served = per_step["app"] + per_step["client"] + per_step["sshd"]
    cores = os.cpu_count() or 1
    print(f"  {number:3} sessions, a key a second: to the last byte {1000 * median(delays):.0f} ms (p50), "
          f"{1000 * fifths[-1]:.0f} ms (p95), {1000 * max(delays):.0f} ms (slowest of {steps})")  # fmt: skip
    print(f"      processor a step: app {per_step['app']:.1f} ms, its client {per_step['client']:.1f}, "
          f"sshd {per_step['sshd']:.1f}; all of it and the ssh clients: {100 * sum(spent.values()) / took:.0f} % of a "
          "core")  # fmt: skip
    print(f"      memory a session (PSS): {own:.1f} MB, of which the client {sizes['client']:.1f}; sshd "
          f"{sizes['sshd']:.1f}; the host itself {sizes['host']:.1f}")  # fmt: skip
    each = own + sizes["sshd"]
    print(f"      limit of this machine, serving alone, at {100 * FULL:.0f} % of its processors: "
          f"{1000 * FULL * cores / served:.0f} people who press a key a second; by memory "
          f"{memory_of_machine() * 1000 / each:.0f}")  # fmt: skip
    print(f"      1,000 learners who press a key a second (computed): {served / FULL:.1f} such cores, "
          f"{each:.0f} GB", flush=True)  # fmt: skip


class Room:
    """Where sessions are opened. names: of the accounts; "" is this one."""

    def __init__(self, folder: Path, port: int, names: Sequence[str]) -> None:
        self.folder, self.port, self.names = folder, port, names

    def open(self, its_host: Host | None, number: int, seconds: float) -> Crowd:
        """So many sessions, begun evenly within so many seconds, and ready."""
        flags = ("--steps", str(STEPS))
        words = [*RNNVIZ, *flags] if its_host is None else its_host.client(*flags)
        command = f"exec {' '.join(words)}"
        lines = [[*ssh.client(self.folder, self.port, user=name), command] for name in self.names[:number]]
        return Crowd(lines, seconds, its_host)


class Session:
    """One ssh client in a pty."""

    def __init__(self, command: Sequence[str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.begun = time.monotonic()
        environment = {"PATH": os.environ.get("PATH", os.defpath), "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.ready: float | None = None
        self.last = self.begun  # when the last bytes came
        self.pressed = 0
        self._tail = b""

    def take(self) -> None:
        """Read what there is."""
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:
            data = b""
        if not data:
            raise SystemExit(f"a session ended: {self._tail[-500:]!r}")
        self.last = time.monotonic()
        whole = self._tail + data
        for question, answer in QUESTIONS.items():
            found = whole.count(question) - self._tail.count(question)
            if found:
                os.write(self.master, answer * found)
        if self.ready is None and READY in whole:
            self.ready = self.last
        self._tail = whole[-500:] if self.ready is None else whole[-16:]

    def press(self) -> None:
        os.write(self.master, KEYS[self.pressed % len(KEYS)])
        self.pressed += 1

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


class Crowd:
    """Sessions that run at once, begun evenly within so many seconds."""

    def __init__(self, commands: Sequence[Sequence[str]], seconds: float, its_host: Host | None) -> None:
        self.sessions: list[Session] = []
        self._host, self._selector = its_host, selectors.DefaultSelector()
        self._before = clocks()
        self._begun = time.monotonic()
        try:
            for n, command in enumerate(commands):
                self.rest(self._begun + seconds * n / len(commands) - time.monotonic())
                session = Session(command)
                self.sessions.append(session)
                self._selector.register(session.master, selectors.EVENT_READ, session)
            while any(session.ready is None for session in self.sessions):
                self._read(0.1)
                if time.monotonic() > self._begun + seconds + PATIENCE:
                    raise SystemExit(f"not ready after {PATIENCE:.0f} s")
        except BaseException:
            self.close()
            raise
        self._used = clocks()

    def ready_times(self) -> list[float]:
        """Seconds from the start of each client to its complete picture."""
        return [session.ready - session.begun for session in self.sessions if session.ready is not None]

    @property
    def all_ready(self) -> float:
        """Seconds from the first start to the last complete picture."""
        return max(session.ready or 0.0 for session in self.sessions) - self._begun

    def cost_of_start(self) -> float:
        """Milliseconds of processor that the machine spent for each, whoever spent them."""
        return 1000 * (self._used - self._before) / len(self.sessions)

    def rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def walk(self, seconds: float) -> list[float]:
        """Press a key a second in each, evenly spread; the seconds from each key to the last byte of its answer."""
        delays: list[float] = []
        begun, number = time.monotonic(), len(self.sessions)
        pressed: dict[Session, float] = {}
        for n in range(int(seconds) * number):
            self.rest(begun + n / number - time.monotonic())
            session = self.sessions[n % number]
            if session in pressed:
                delays.append(session.last - pressed[session])
            pressed[session] = time.monotonic()
            session.press()
        self.rest(1.0)
        delays += [session.last - when for session, when in pressed.items()]
        unanswered = sum(delay <= 0 for delay in delays)
        if unanswered:
            print(f"      {unanswered} keys were not answered within a second")
        return [delay if delay > 0 else 1.0 for delay in delays]

    def _read(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            key.data.take()

    # -- whose processes are whose -----------------------------------------------------------------------

    def _processes(self) -> dict[str, list[int]]:
        """The processes of all sessions: the ssh clients, sshd's, the client of a host, and the app."""
        found: dict[str, list[int]] = {"ssh": [], "sshd": [], "client": [], "app": []}
        found["ssh"] = [session.process.pid for session in self.sessions]
        started = "app" if self._host is None else "client"  # by sshd
        for server in self._servers():
            found["sshd"].append(server)
            for child in descendants(server):
                found["sshd" if _name(child).startswith("sshd") else started].append(child)
        if self._host is not None:
            found["app"] = self._host.sessions()
        return found

    def _servers(self) -> list[int]:
        """sshd's process for each connection: the children of the one that listens, itself a child of this program."""
        return [pid for mine in children(os.getpid()) if _name(mine) == "sshd" for pid in children(mine)]

    def processor(self) -> dict[str, float]:
        """Seconds of processor by kind."""
        return {name: sum(map(processor_time, pids)) for name, pids in self._processes().items()}

    def memory(self) -> dict[str, float]:
        """MB of proportional set size for each session, by kind; "host" is the host's own."""
        found = {name: sum(map(pss_of, pids)) / len(self.sessions) for name, pids in self._processes().items()}
        found["host"] = 0.0 if self._host is None else pss_of(self._host.process.pid)
        return found

    def close(self) -> None:
        for session in self.sessions:
            session.close()
        self._selector.close()
        end = time.monotonic() + PATIENCE
        while self._servers() or (self._host is not None and self._host.sessions()):
            if time.monotonic() > end:
                raise SystemExit("sessions still run after their clients")
            time.sleep(0.05)


# -- /proc -----------------------------------------------------------------------------------------------


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def descendants(pid: int) -> Iterator[int]:
    for child in children(pid):
        yield child
        yield from descendants(child)


def pss_of(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    return 0.0


def clocks() -> float:
    """Seconds that all processors have worked since the machine started."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split()[1:11])
    return (user + nice + system + irq + softirq) / TICK


def memory_of_machine() -> float:
    """GB"""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def prepare_cache(folder: Path) -> Path:
    """A cache of compiled kernels that all accounts can read, as a teacher makes one."""
    kernels = [(cell, "float64") for cell in CELLS]
    missing = [kernel for kernel in kernels if kernel_cache.cached(*kernel) is None]
    if missing:
        print("compiling the kernels first: a minute", flush=True)
    codes = dict(compiler.compiled(kernels))
    place = folder / "cache" / "rnnviz" / kernel_cache.fingerprint()
    place.mkdir(parents=True)
    for kernel, code in codes.items():
        file = place / f"{'-'.join(kernel)}.o"
        file.write_bytes(kernel_cache.pack(kernel, code))
        file.chmod(0o644)
    for made in (place, *place.parents[:2]):
        made.chmod(0o755)
    return folder / "cache"


if __name__ == "__main__":
    if ssh.missing():
        sys.exit(ssh.missing())
    main()
