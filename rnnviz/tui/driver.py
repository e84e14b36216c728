"""Textual's driver for POSIX terminals, as one that comes and goes well: it starts in the foreground only, never waits
for a terminal that takes nothing, notices when the terminal is gone, and gives back what it took.

What stands here is the life of the terminal. `Outlet` writes, `Watch` hears signals and keeps deadlines.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual import events, messages
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.message import Message

from rnnviz.terminal import size_of
from rnnviz.tui.input_filter import Alive, Input, Typeahead
from rnnviz.tui.line_pacing import Line
from rnnviz.tui.output_queue import Outlet, is_ready
from rnnviz.tui.textual_private import KeyTable
from rnnviz.tui.watchdog import LEAVING, Watch

if TYPE_CHECKING:
    from rnnviz.tui.driven import DrivenApp

STOPPING = ("SIGTSTP", "SIGTTIN", "SIGTTOU")
KITTY_KEYS = 1 | 8 | 16  # disambiguate, report all keys, report their text: what Textual's parser understands
DRAIN = 0.4  # seconds a terminal has to take the rest before it is dropped
AWAKE = 0.05  # seconds after which a process that was continued has heard why
SETTLED = 0.1  # seconds after entering in which nobody can have changed the terminal

KeyTable()  # raises ImportError where Textual has it no more; then Textual reads the keys with a driver of its own

MOUSE = (1000, 1003, 1015, 1006)

ENTER = (
    "\x1b[?1049h"  # alternate screen
    + "".join(f"\x1b[?{mode}h" for mode in MOUSE)
    + "\x1b[?25l\x1b[?1004h"  # no cursor; tell of focus
    + f"\x1b[<u\x1b[>{KITTY_KEYS}u"  # one level of kitty's keys, whatever was left of an earlier one
    + "\x1b[?2004h\x1b[?7l"  # bracketed paste; no line wrap
    + "\x1b[8l"  # what is written from right to left stays in its columns (terminals that would reorder a row)
    + "\x1b[?2048$p"  # is the size told in the input?
)
BEGINS_WHOLE = "\x1b[?2026$p"  # can a frame be shown at once? Apple's Terminal writes a p
RAW_INPUT = termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR  # off: every key as it is
RAW_LOCAL = termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
LEAVE = (
    "\x18\x1b[?2026l\x1b[0m"  # break off what was cut short
    + "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[8h"
    + "".join(f"\x1b[?{mode}l" for mode in (*MOUSE, 1016))
    + "\x1b[<u\x1b[?1004l\x1b[?1049l\x1b[?25h"
)


class TerminalDriver(LinuxDriver):
    """Reads the terminal of standard input, writes to that of standard output (main has seen to it that both are)."""

    def __init__(self, app: DrivenApp, *, size: tuple[int, int] | None = None, **settings: Any) -> None:
        assert sys.__stdin__ is not None
        assert sys.__stdout__ is not None
        self.out = sys.__stdout__.fileno()
        self.encoding = sys.__stdout__.encoding or "utf-8"
        kept = [(n, signal.getsignal(n)) for n in (signal.SIGTSTP, signal.SIGCONT)]
        super().__init__(app, size=size or size_of(self.out, sys.__stdin__.fileno()), **settings)
        for number, handler in kept:  # Textual's handlers work in the middle of whatever is being done
            signal.signal(number, handler)
        self.app = app
        app.driven_by(self)
        self.loop = asyncio.get_running_loop()
        self.line = Line()
        self._typed = Typeahead(app, self.loop)
        self._reader: threading.Thread | None = None
        self._is_told_sizes = False  # the terminal tells of a new size in its input
        self.outlet: Outlet | None = None
        self.watch: Watch | None = None
        self._is_gone = False  # there is nobody any more who could answer
        self._inside = threading.Lock()  # who gives the terminal back does so alone
        self._entered: float | None = None  # since when the terminal is ours
        self._is_to_stop = False
        self._original: list[Any] | None = None  # its attributes as they were

    # -- coming and going ----------------------------------------------------------------------------------

    def start_application_mode(self) -> None:
        if self.watch is None:
            self.watch = Watch(self.fileno, self._heard, self._gone, self._force)
            self.watch.start((*LEAVING, *STOPPING, "SIGCONT", "SIGWINCH"))
        if self._claim():
            self._enter()
        else:
            self._gone()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was; what it does not take within a moment is dropped."""
        end = time.monotonic() + DRAIN
        self.disable_input()
        self._give_back(max(0.0, end - time.monotonic()))

    def disable_input(self) -> None:
        thread, self._reader = self._reader, None
        if thread is not None:
            if not self._is_gone:
                self.line.await_answers(DRAIN)
            self.exit_event.set()
            if thread is not threading.current_thread():
                thread.join(DRAIN)

    def close(self) -> None:
        """Textual's name for the end of writing; giving the terminal back has seen to that."""

    def write(self, data: str) -> None:
        if self.outlet is not None:
            self.line.wrote(self.outlet.write(data))

    @property
    def has_room(self) -> bool:
        """Whether the next frame may follow now."""
        return self.line.is_free(0 if self.outlet is None else self.outlet.pending)

    def write_frame(self, draw: Callable[[], None]) -> None:
        """Draw, which writes a frame, and see how long the terminal takes to have it."""
        self.line.before_frame()
        draw()
        question = self.line.after_frame()
        if question:
            self.write(question)

    def _claim(self) -> bool:
        """Be the one who may use the terminal: a process in the background stops until it is in front. False if the
        terminal is gone, or the process is to leave.

        The kernel would stop it too, but would stop it once more before a signal to leave, that another thread happens
        to take, is heard (`timeout 5 rnnviz` in a script).
        """
        mine = signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        rounds = 0
        try:
            while rounds < 3:  # what cannot be stopped has no shell any more
                if self._in_foreground():
                    termios.tcsetattr(self.fileno, termios.TCSANOW, termios.tcgetattr(self.fileno))
                    return True
                began = time.monotonic()
                os.killpg(os.getpgrp(), signal.SIGTTOU)
                time.sleep(AWAKE)
                if self.watch is not None and self.watch.leaving:
                    return False
                rounds = rounds + 1 if time.monotonic() - began < 2 * AWAKE else 0
            return False
        except termios.error:
            return False
        finally:
            signal.signal(signal.SIGTTOU, mine)

    def _enter(self) -> None:
        """Take the terminal, or take it once more: others may have used it meanwhile."""
        if self._entered is None:
            self.outlet = Outlet(self.out, self.encoding, self._gone)
            with suppress(termios.error):
                self._original = termios.tcgetattr(self.fileno)
        self._entered = time.monotonic()
        with suppress(termios.error):
            raw = termios.tcgetattr(self.fileno)
            raw[tty.LFLAG] = raw[tty.LFLAG] & ~RAW_LOCAL
            raw[tty.IFLAG] = raw[tty.IFLAG] & ~RAW_INPUT
            raw[tty.CC][termios.VMIN] = 1
            termios.tcsetattr(self.fileno, termios.TCSANOW, raw)
        self._is_told_sizes = False
        self.write(ENTER + self.line.begins())
        if os.environ.get("TERM_PROGRAM") != "Apple_Terminal":
            self.write(BEGINS_WHOLE)
        if self._reader is None:
            self.exit_event = threading.Event()  # its own: one that is late must not go on beside the next
            self._reader = threading.Thread(target=self._read, name="rnnviz-input", daemon=True)
            self._reader.start()
        self._tell_size()

    def _give_back(self, seconds: float) -> None:
        with self._inside:
            if self._entered is None:
                return
            self._entered = None
            outlet, self.outlet = self.outlet, None
            if outlet is not None:
                outlet.end(LEAVE, seconds)
            if self._original is not None and self._in_foreground():
                with suppress(termios.error):
                    termios.tcflush(self.fileno, termios.TCIFLUSH)
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self._original)

    def _in_foreground(self) -> bool:
        """Whether the terminal's attributes are this process' business now."""
        try:
            return os.tcgetpgrp(self.fileno) == os.getpgrp()
        except OSError:  # a terminal without job control
            return True

    # -- called by the watchdog ----------------------------------------------------------------------------

    def _heard(self, number: int) -> None:
        """A signal came."""
        name = signal.Signals(number).name
        if name in LEAVING:
            self._leave(128 + number)
        elif name in STOPPING:
            self._is_to_stop = True
            self._soon(self._stopped)
        elif name == "SIGCONT":
            self._is_to_stop = False
            self._soon(self._continued)
        elif name == "SIGWINCH" and not self._is_told_sizes:
            self._soon(self._tell_size)

    def _gone(self) -> None:
        """Terminal or parent are no more: the same as a hang-up."""
        self._is_gone = True
        self._leave(128 + signal.SIGHUP)

    def _leave(self, code: int) -> None:
        if self.watch is not None and self.watch.leave(code):
            self._soon(lambda: self.app.exit(return_code=code))

    def end_soon(self, code: int) -> None:
        """The app is to end: from now on it is certain that it will."""
        if self.watch is not None:
            self.watch.leave(code)

    def finish(self) -> None:
        """The app has ended, well or not: the terminal is the shell's, and signals do what they did."""
        self.stop_application_mode()
        if self.watch is not None:
            self.watch.stop()
            self.watch = None

    def _force(self) -> None:
        """The orderly end did not come."""
        self._give_back(0)

    def _soon(self, what: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: the end has come
            self.loop.call_soon_threadsafe(what)

    # -- stopping and going on -----------------------------------------------------------------------------

    @property
    def has_job_control(self) -> bool:
        """Whether a shell has put this process into a group of its own, to stop and continue it."""
        return os.getpgrp() != os.getsid(0)

    def suspend(self) -> None:
        """ctrl+z: what the terminal would have done, had it not been asked to pass every key on."""
        self.stop_application_mode()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.killpg(os.getpgrp(), signal.SIGTSTP)  # those who wait for us have to stop as well
        signal.signal(signal.SIGTSTP, handler)
        self._come_back()

    def _stopped(self) -> None:
        """A signal to stop: give the terminal back, stop, and come back when continued; who continued it, or had it
        leave, while the terminal was being given back will not do so again."""
        self.stop_application_mode()
        if self._is_to_stop and not (self.watch is not None and self.watch.leaving):
            os.kill(os.getpid(), signal.SIGSTOP)
        self._come_back()

    def _come_back(self) -> None:
        if self.watch is not None and self.watch.leaving:
            return
        if self._claim():
            self._enter()
            self.app.refresh(layout=True)
        else:
            self._gone()

    def _continued(self) -> None:
        """Somebody stopped and continued the process without its doing: the terminal may be anyhow."""
        if self._entered is None or time.monotonic() - self._entered > SETTLED:
            self._come_back()

    # -- in ------------------------------------------------------------------------------------------------

    def _tell_size(self) -> None:
        size = Size(*size_of(self.out, self.fileno))
        self.app.post_message(events.Resize(size, size))

    def run_input_thread(self) -> None:
        parser = Input()
        stop = self.exit_event
        while not stop.is_set():
            if is_ready(self.fileno, 0.1):
                try:
                    data = os.read(self.fileno, 4096)
                except OSError:
                    data = b""
                if not data:  # a terminal ends when it is gone, and in no other case
                    self._gone()
                    return
                for event in parser.feed(data):
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)

    def process_message(self, message: Message) -> None:
        if isinstance(message, Alive):
            self.line.answered()
            return
        if isinstance(message, messages.InBandWindowResize) and message.supported:
            self._is_told_sizes = True
        super().process_message(message)

    def send_message(self, message: Message) -> None:
        if isinstance(message, events.InputEvent | events.Paste):
            self._typed.put(message)
        else:
            super().send_message(message)

    def _read(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:
            self._soon(lambda error=error: self.app.fail(error))
