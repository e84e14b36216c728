"""A terminal for the tests: a program in a real pty, its screen read through an emulator (pyte).

    with Terminal(["rnnviz"], columns=80, rows=24) as t:
        t.wait_for("time t")
        t.press("right", "right", "g")
        t.screen()[0]                  # the first row, as text
        t.keys("q")
        assert t.exit_code() == 0
        assert t.left_behind() == []   # nothing left switched on

There is no thread: bytes are read while one of the methods waits, and each read is time-stamped, so the
same class serves the benchmark.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pyte

SCRATCH = TemporaryDirectory(prefix="rnnviz-test-")  # where programs keep what they remember of a person

COLOURS: dict[str, dict[str, str]] = {
    "truecolor": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "256": {"TERM": "xterm-256color"},  # also what OpenSSH leaves of a truecolor terminal
    "16": {"TERM": "xterm", "TEXTUAL_COLOR_SYSTEM": "standard"},
    "none": {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"},
}

#: What others set for every program: a container's image, a batch system. None takes a variable away.
SURROUNDINGS: dict[str, dict[str, str | None]] = {
    "a login": {},
    "a container": {
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONDEVMODE": "1",
        "PYTHONASYNCIODEBUG": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "CI": "true",
        "TERM": "xterm",
        "LANG": None,
        "COLORTERM": None,
    },
    "a batch system": {
        "HOME": None,
        "USER": None,
        "LOGNAME": None,
        "LANG": "C",
        "TERM": "vt220",
        "COLORTERM": None,
        "COLUMNS": "100",
        "LINES": "30",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "default",
        "OMP_NUM_THREADS": "1",
    },
}

MARK = "RNNVIZ_TEST_MARK"  # in the environment of a program and of all it starts, to find them by

KEYS: dict[str, bytes] = {
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
    "shift+right": b"\x1b[1;2C",
    "shift+left": b"\x1b[1;2D",
    "ctrl+right": b"\x1b[1;5C",
    "ctrl+left": b"\x1b[1;5D",
    "shift+tab": b"\x1b[Z",
    "delete": b"\x1b[3~",
    "f1": b"\x1bOP",
    "f2": b"\x1bOQ",
    "space": b" ",
    "tab": b"\t",
    "enter": b"\r",
    "escape": b"\x1b",
    "backspace": b"\x7f",
    **{f"ctrl+{letter}": bytes([ord(letter) - 96]) for letter in "abcdefghijklmnopqrstuvwxyz"},
}

# Everything a program can switch on and has to switch off again, and the state a shell expects.
SHELL_MODES: dict[int, tuple[bool, str]] = {
    7: (True, "line wrap"),
    25: (True, "cursor"),
    1000: (False, "mouse clicks"),
    1002: (False, "mouse drag"),
    1003: (False, "mouse movement"),
    1004: (False, "focus reports"),
    1005: (False, "mouse in UTF-8"),
    1006: (False, "mouse in SGR"),
    1015: (False, "mouse in urxvt"),
    1016: (False, "mouse in pixels"),
    1049: (False, "alternate screen"),
    2004: (False, "bracketed paste"),
    2026: (False, "synchronised output"),
    2048: (False, "in-band resize"),
}

SYNC_BEGINS, SYNC_ENDS = "\x1b[?2026h", "\x1b[?2026l"

_SEQUENCE = re.compile(
    r"\x1b\[(?P<private>[<=>?]?)(?P<values>[0-9;:]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b[PX^_](?:[^\x1b]|\x1b[^\\])*\x1b\\"  # DCS, SOS, PM, APC: pyte would print them
    r"|\x1b\](?P<command>[^\x07\x1b]*)(?:\x07|\x1b\\)"  # OSC
)
_UNFINISHED = re.compile(r"\x1b(?:\][^\x07\x1b]*\x1b?|\[[<=>?]?[0-9;:]*[ -/]*|[PX^_](?:[^\x1b]|\x1b[^\\])*\x1b?|)\Z")


class Cell(NamedTuple):
    """One cell as it looks: the character and what colours it. An empty cell has no foreground."""

    char: str
    fg: str
    bg: str
    style: str


class Emulator:
    """Bytes in, screen and modes out. pyte draws; what pyte does not know is kept here: the alternate
    screen, the private modes, the stacks of the kitty keyboard protocol."""

    def __init__(
        self,
        columns: int,
        rows: int,
        answer: Callable[[str], None] | None = None,
        unknown: Sequence[int] = (),
        background: str = "",
    ) -> None:
        self.unknown, self.background = unknown, background
        self.modes = {mode: on for mode, (on, _name) in SHELL_MODES.items()}
        self.reorders = True  # rows with text from right to left (ECMA-48's mode 8)
        self._keyboard: dict[bool, list[int]] = {False: [], True: []}  # one stack each screen
        self._answer = answer or (lambda reply: None)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._held: list[tuple[str, re.Match[str] | None]] = []
        self._screens = {alternate: pyte.Screen(columns, rows) for alternate in (False, True)}
        self._streams = {alternate: pyte.Stream(screen) for alternate, screen in self._screens.items()}
        for screen in self._screens.values():
            screen.write_process_input = self._answer  # cursor position and device attributes

    @property
    def alternate(self) -> bool:
        return self.modes[1049]

    @property
    def screen(self) -> pyte.Screen:
        return self._screens[self.alternate]

    def feed(self, data: bytes) -> None:
        text = self._rest + self._decode(data)
        unfinished = _UNFINISHED.search(text)
        self._rest = text[unfinished.start() :] if unfinished else ""
        text = text[: len(text) - len(self._rest)]
        at = 0
        for found in _SEQUENCE.finditer(text):
            self._take(text[at : found.start()], None)
            self._take("", found)
            at = found.end()
        self._take(text[at:], None)

    def _take(self, text: str, found: re.Match[str] | None) -> None:
        """Between the two ends of a synchronised update nothing changes on the screen."""
        if found is not None and found.group() in (SYNC_BEGINS, SYNC_ENDS):
            self.modes[2026] = found.group() == SYNC_BEGINS
            held, self._held = self._held, []
            for piece in held:
                self._take(*piece)
        elif self.modes[2026]:
            self._held.append((text, found))
        elif found is not None:
            self._obey(found)
        else:
            self._draw(text)

    def resize(self, columns: int, rows: int) -> None:
        for screen in self._screens.values():
            screen.resize(rows, columns)

    def _draw(self, text: str) -> None:
        if text:
            self._streams[self.alternate].feed(text)

    def _obey(self, found: re.Match[str]) -> None:
        private, values, between, final = found.group("private", "values", "between", "final")
        if found.group("command") == "11;?" and self.background:
            self._answer(f"\x1b]11;rgb:{self.background}\x1b\\")
        if final is None:
            return
        if private == "?" and final in "hl" and not between:
            for mode in map(int, filter(None, values.split(";"))):
                self._set_mode(mode, final == "h")
        elif private == "?" and between == "$" and final == "p":
            self._answer(f"\x1b[?{values};{self.supports(int(values))}$y")
        elif private == ">" and final == "u":
            self._keyboard[self.alternate].append(int(values or 0))
        elif private == "<" and final == "u":
            stack = self._keyboard[self.alternate]
            del stack[len(stack) - min(len(stack), int(values or 1)) :]
        elif not private and values == "8" and final in "hl":
            self.reorders = final == "h"
        elif not private and not between:
            self._draw(found.group())

    def supports(self, mode: int) -> int:
        """The answer to "do you know this mode?": 1 on, 2 off, 0 never heard of it."""
        if mode not in self.modes or mode in self.unknown:
            return 0
        return 1 if self.modes[mode] else 2

    def _set_mode(self, mode: int, on: bool) -> None:
        entering = mode == 1049 and on and not self.alternate
        if mode not in self.unknown:
            self.modes[mode] = on
        if entering:
            self.screen.reset()
        if mode in (7, 25):
            self._draw(f"\x1b[?{mode}{'h' if on else 'l'}")

    def text(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def cells(self) -> list[list[Cell]]:
        screen = self.screen
        return [[looks(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]

    def left_behind(self) -> list[str]:
        """What a shell would find changed."""
        found = [
            f"{name} ({mode}) {'off' if wanted else 'on'}"
            for mode, (wanted, name) in SHELL_MODES.items()
            if self.modes[mode] != wanted
        ]
        if self._keyboard[False] or (self.alternate and self._keyboard[True]):
            found.append("kitty keyboard protocol on")
        if not self.reorders:
            found.append("text from right to left not reordered (8)")
        if self.screen.cursor.attrs != self.screen.default_char:
            found.append("text still coloured")
        return found


def looks(c: pyte.screens.Char) -> Cell:
    fg, bg = (c.bg, c.fg) if c.reverse else (c.fg, c.bg)
    if c.data == " " and not (c.underscore or c.strikethrough):
        return Cell(" ", "", bg, "")
    styles = ("bold", "italics", "underscore", "strikethrough", "blink")
    return Cell(c.data, fg, bg, " ".join(name for name in styles if getattr(c, name)))


def left_behind(raw: bytes) -> list[str]:
    """What is still switched on in a terminal after it was sent `raw`; empty when it was left clean."""
    emulator = Emulator(80, 24)
    emulator.feed(raw)
    return emulator.left_behind()


def _in_a_terminal_of_its_own() -> None:
    """In the new process: the pty is its terminal, and it hears what terminals send, whoever runs the tests."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """A program in a pty of its own session. Leaves the `with` block by killing whatever still runs.

    `colours` picks a row of COLOURS; `env` adds to it (a value of None removes the name). The home directory
    of the caller is kept; what speaks of the caller's own terminal and progress is not. `answers=False` is a
    terminal that says nothing when asked what it can do; `in_band_resize` is one that reports its size in the
    input, as kitty, foot and Ghostty do, and can report the mouse in pixels; `background` is the colour of
    one that answers when asked for it, "ffff/ffff/ffff".
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        colours: str = "truecolor",
        env: Mapping[str, str | None] | None = None,
        cwd: str | Path | None = None,
        answers: bool = True,
        in_band_resize: bool = False,
        background: str = "",
    ) -> None:
        self.command = list(command)
        self.columns, self.rows = columns, rows
        self.env = environment(colours, env)
        self.mark_of_all = self.env.setdefault(MARK, uuid.uuid4().hex)
        self.cwd = cwd
        self.raw = b""
        self.reads: list[tuple[float, int]] = []  # (time, len(raw) after that read)
        unknown = () if in_band_resize else (2048, 1016)
        self._emulator = Emulator(columns, rows, self._reply if answers else None, unknown, background)
        self._master = self._slave = -1

    # -- life ------------------------------------------------------------------------------------------

    def __enter__(self) -> Terminal:
        self._master, self._slave = pty.openpty()
        self._set_size()
        self._attributes_before = termios.tcgetattr(self._slave)
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env=self.env,
            cwd=self.cwd,
            start_new_session=True,
            preexec_fn=_in_a_terminal_of_its_own,
        )
        return self

    def __exit__(self, *_: object) -> None:
        for pid in {*self.still_running(), *self.all_running()}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """The window is closed: the kernel sends SIGHUP to the program."""
        for name in ("_slave", "_master"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
                setattr(self, name, -1)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def show(self, text: str) -> None:
        """What another program writes on the terminal."""
        os.write(self._slave, text.encode())
        self._read(0.2)

    def exit_code(self, timeout: float = 60.0) -> int:
        """Waits for the end of the program; a negative number is the signal that ended it."""
        end = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"still running after {timeout:g} s\n{self}")
            self._read(0.05)
        while self._read(0.02):
            pass
        return self.process.returncode

    def still_running(self) -> list[int]:
        """Process ids of the program's session that have not ended (Linux)."""
        alive = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                fields = process_stat(pid := int(process.name))
                if fields[0] not in "ZX" and int(fields[3]) == self.process.pid:
                    alive.append(pid)
        return alive

    def all_running(self) -> list[int]:
        """Process ids of the program and of all it started, in whatever session, that have not ended (Linux)."""
        return marked(self.mark_of_all)

    def wait_until_gone(self, timeout: float = 60.0) -> float:
        """Until the program and all it started have ended, with nobody reading what they write; the seconds it took."""
        start = time.monotonic()
        while self.process.poll() is None or self.all_running():
            if time.monotonic() - start > timeout:
                raise AssertionError(f"{self.all_running()} still running after {timeout:g} s\n{self}")
            time.sleep(0.02)
        return time.monotonic() - start

    def fill(self, timeout: float = 60.0) -> None:
        """Until the terminal takes no more from the program, because nobody reads."""
        end, known, since = time.monotonic() + timeout, -1, time.monotonic()
        while time.monotonic() < since + 0.7:
            waiting = struct.unpack("i", fcntl.ioctl(self._master, termios.FIONREAD, b"\0" * 4))[0]
            if waiting != known:
                known, since = waiting, time.monotonic()
            if time.monotonic() > end:
                raise AssertionError(f"not full after {timeout:g} s: {known} bytes")
            time.sleep(0.05)

    def left_modes(self) -> list[str]:
        """The terminal's modes and styles alone: a shell at its prompt has its own settings of the line discipline."""
        return self._emulator.left_behind()

    def left_behind(self) -> list[str]:
        """What a shell would find changed: modes still on, styles, settings of the line discipline."""
        found = self.left_modes()
        if termios.tcgetattr(self._slave) != self._attributes_before:
            found.append("tty attributes (termios)")
        return found

    # -- in --------------------------------------------------------------------------------------------

    def keys(self, *names: str) -> None:
        """Presses keys: names of KEYS, or single characters."""
        for name in names:
            data = KEYS.get(name)
            if data is None:
                if len(name) != 1:
                    raise KeyError(f"no key {name!r}; a text is typed with type()")
                data = name.encode()
            self._write(data)

    def press(self, *names: str, quiet: float = 0.2) -> None:
        """Presses keys that are answered: waits for the first byte of the answer, and until it is complete."""
        mark, end = self.mark(), time.monotonic() + 15
        self.keys(*names)
        while not self.bytes_since(mark):
            if time.monotonic() > end:
                raise AssertionError(f"{', '.join(names)}: no answer\n{self}")
            self._read(0.05)
        self.settle(quiet)

    def type(self, text: str) -> None:
        self._write(text.encode())

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._emulator.resize(columns, rows)
        self._set_size()
        if self._emulator.modes[2048]:
            self._reply(f"\x1b[48;{rows};{columns};{rows * 16};{columns * 8}t")

    def _set_size(self) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:  # a test pours into it without waiting, and the program has not read all of that
                assert select.select([], [self._master], [], 60)[1], "the program takes no input"

    def _reply(self, text: str) -> None:
        self._write(text.encode())

    # -- out -------------------------------------------------------------------------------------------

    def wait_for(self, what: str | Callable[[list[str]], object], timeout: float = 60.0) -> None:
        """Until the text stands somewhere on the screen, or what(screen) is true."""
        wanted = (lambda rows: any(what in row for row in rows)) if isinstance(what, str) else what
        end = time.monotonic() + timeout
        while not wanted(self.screen()):
            if self.process.poll() is not None and not self._read(0.05):
                raise AssertionError(f"ended with {self.process.returncode} before {what!r} was seen\n{self}")
            if time.monotonic() > end:
                raise AssertionError(f"{what!r} not seen within {timeout:g} s\n{self}")
            self._read(0.05)

    def settle(self, quiet: float = 0.2, timeout: float = 60.0) -> None:
        """Until no byte came for `quiet` seconds."""
        now = time.monotonic()
        end, last = now + timeout, now
        while (now := time.monotonic()) < last + quiet:
            if now > end:
                raise AssertionError(f"still writing after {timeout:g} s\n{self}")
            if self._read(last + quiet - now):
                last = time.monotonic()

    def watch(self, seconds: float) -> int:
        """Reads for so long; the number of bytes that came."""
        mark, end = self.mark(), time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            self._read(end - now)
        return self.bytes_since(mark)

    def timed(self, key: str, quiet: float = 0.05, timeout: float = 5.0) -> tuple[float, int]:
        """Presses a key: seconds until the last byte of the answer (nothing more for `quiet`), and its bytes.

        The bytes reach the emulator only afterwards, so that its time does not count.
        """
        mark, start = self.mark(), time.monotonic()
        self.keys(key)
        chunks, last = [], start
        while select.select([self._master], [], [], quiet if chunks else timeout)[0]:
            chunks.append(os.read(self._master, 65536))
            last = time.monotonic()
        for chunk in chunks:
            self._take(chunk, last)
        return last - start, self.bytes_since(mark)

    def mark(self) -> int:
        return len(self.raw)

    def forget(self) -> None:
        """Forget the bytes that came, not the screen: what a long session wrote need not be kept."""
        self.raw = b""
        self.reads.clear()

    def bytes_since(self, mark: int) -> int:
        return len(self.raw) - mark

    def screen(self) -> list[str]:
        """The rows as text, without trailing spaces."""
        return self._emulator.text()

    def styled(self) -> list[list[Cell]]:
        """Every cell with its colours and styles: two equal ones look the same."""
        return self._emulator.cells()

    def _read(self, timeout: float) -> int:
        """Waits at most `timeout` seconds for bytes; the number that came."""
        if self._master < 0:
            time.sleep(timeout)
            return 0
        ready, _, _ = select.select([self._master], [], [], max(timeout, 0))
        if not ready:
            return 0
        data = os.read(self._master, 65536)
        self._take(data, time.monotonic())
        return len(data)

    def _take(self, data: bytes, when: float) -> None:
        self.raw += data
        self.reads.append((when, len(self.raw)))
        self._emulator.feed(data)

    def __str__(self) -> str:
        rule = "-" * self.columns
        return "\n".join([" ".join(self.command), rule, *self.screen(), rule])


def cmdline(pid: int) -> list[str]:
    """The words of a process' command line; none if it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    return []


def process_stat(pid: int) -> list[str]:
    """What Linux says of a process, from its state and its parent on. Raises OSError if it has ended."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def marked(mark: str) -> list[int]:
    """Process ids of the living that have MARK=mark in their environment (Linux)."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            pid = int(path.parent.name)
            if wanted in path.read_bytes().split(b"\0") and process_stat(pid)[0] not in "ZX":
                found.append(pid)
    return found


def environment(colours: str = "truecolor", env: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """The variables of a plain login with one of COLOURS, this Python's programs first on PATH."""
    kept = ("HOME", "USER", "LOGNAME", "TMPDIR", "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT")
    base: dict[str, str | None] = {name: os.environ[name] for name in kept if name in os.environ}
    base["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    base["LANG"] = "C.UTF-8"
    base["XDG_DATA_HOME"] = base["XDG_STATE_HOME"] = base["XDG_CONFIG_HOME"] = SCRATCH.name
    base.update(COLOURS[colours])
    base.update(env or {})
    return {name: value for name, value in base.items() if value is not None}
