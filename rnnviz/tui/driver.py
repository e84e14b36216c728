"""Our driver for POSIX terminals: it starts in the foreground only, never waits for a terminal that accepts no output,
notices when the terminal is gone, and restores the terminal at the end.

This file handles the life of the terminal. `Outlet` writes, `Watch` receives signals and enforces deadlines.
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
from rnnviz.tui.input_filter import Alive, Background, Input, Typeahead
from rnnviz.tui.line_pacing import Line
from rnnviz.tui.output_queue import Outlet, is_ready
from rnnviz.tui.textual_private import KeyTable
from rnnviz.tui.watchdog import LEAVING, Watch

if TYPE_CHECKING:
    from rnnviz.tui.driven import DrivenApp

STOPPING = ("SIGTSTP", "SIGTTIN", "SIGTTOU")
KITTY_KEYS = 1 | 8 | 16  # disambiguate, report all keys, report their text: what Textual's parser understands
DRAIN = 0.4  # seconds a terminal has to accept the remaining output before it is dropped
AWAKE = 0.05  # seconds after which a resumed process has received the signal that resumed it
SETTLED = 0.1  # seconds after entering within which no other process can have changed the terminal

KeyTable()  # raises ImportError if Textual no longer has it; then Textual reads the keys with its own driver

MOUSE = (1000, 1003, 1015, 1006)
WITH_MOUSE = "".join(f"\x1b[?{mode}h" for mode in MOUSE)
ASK_BACKGROUND = "\x1b]11;?\x1b\\"  # before the first status request: when that is answered, this has been, too
TIMELY = 2.0  # seconds within which the answer changes the colours

ENTER = (
    "\x1b[?1049h"  # alternate screen
    + "\x1b[?25l\x1b[?1004h"  # no cursor; report focus
    + f"\x1b[<u\x1b[>{KITTY_KEYS}u"  # one level of kitty's keys, after clearing levels left by an earlier program
    + "\x1b[?2004h\x1b[?7l"  # bracketed paste; no line wrap
    + "\x1b[8l"  # right-to-left text stays in its columns (on terminals that would reorder a row)
    + "\x1b[?2048$p"  # does the terminal report its size in the input?
)
BEGINS_WHOLE = "\x1b[?2026$p"  # can a frame be shown at once? Apple's Terminal writes a p
RAW_INPUT = termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR  # off: every key as it is
RAW_LOCAL = termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
LEAVE = (
    "\x18\x1b[?2026l\x1b[0m"  # end a sequence that was cut short
    + "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[8h"
    + "".join(f"\x1b[?{mode}l" for mode in (*MOUSE, 1016))
    + "\x1b[<u\x1b[?1004l\x1b[?1049l\x1b[?25h"
)


class TerminalDriver(LinuxDriver):
    """Reads the terminal of standard input, writes to that of standard output (main has seen to it that both are)."""

    def __init__(
        self, app: DrivenApp, *, mouse: bool = True, size: tuple[int, int] | None = None, **settings: Any
    ) -> None:
        assert sys.__stdin__ is not None
        assert sys.__stdout__ is not None
        self.out = sys.__stdout__.fileno()
        self.encoding = sys.__stdout__.encoding or "utf-8"
        kept = [(n, signal.getsignal(n)) for n in (signal.SIGTSTP, signal.SIGCONT)]
        super().__init__(app, mouse=mouse, size=size or size_of(self.out, sys.__stdin__.fileno()), **settings)
        self._has_mouse = mouse
        for number, handler in kept:  # Textual's handlers would interrupt whatever is being done
            signal.signal(number, handler)
        self.app = app
        app.driven_by(self)
        self.loop = asyncio.get_running_loop()
        self.line = Line()
        self._typed = Typeahead(app, self.loop)
        self._reader: threading.Thread | None = None
        self._reports_size = False  # the terminal reports a new size in its input
        self._frame: list[str] | None = None  # the pieces of a frame, which is written as one
        self.outlet: Outlet | None = None
        self.watch: Watch | None = None
        self._is_gone = False  # the terminal cannot answer any more
        self._inside = threading.Lock()  # only one thread gives the terminal back
        self._entered: float | None = None  # when we took the terminal
        self._is_to_stop = False
        self._original: list[Any] | None = None  # its original attributes

    # -- coming and going ----------------------------------------------------------------------------------

    def start_application_mode(self) -> None:
        if self.watch is None:
            self.watch = Watch(self.fileno, self._on_signal, self._on_hangup, self._force)
            self.watch.start((*LEAVING, *STOPPING, "SIGCONT", "SIGWINCH"))
        if self._claim():
            self._enter()
        else:
            self._on_hangup()

    def stop_application_mode(self) -> None:
        """Restore the terminal; output that it does not accept within a moment is dropped."""
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
        """Textual calls this at the end of writing; nothing is left to do after the terminal is restored."""

    def write(self, data: str) -> None:
        if self._frame is not None:
            self._frame.append(data)
        elif self.outlet is not None and data:
            self.line.wrote(self.outlet.write(data))

    @property
    def has_room(self) -> bool:
        """Whether the next frame may be sent now."""
        return self.line.is_free(0 if self.outlet is None else self.outlet.pending)

    @property
    def is_fast(self) -> bool:
        return self.line.is_fast

    def write_frame(self, draw: Callable[[], None]) -> None:
        """Call draw, which writes a frame, and measure how long the terminal takes for it."""
        self.line.before_frame()
        self._frame = []
        try:
            draw()
        finally:
            text, self._frame = "".join(self._frame), None
            self.write(text)
        self.write(self.line.after_frame())

    def _claim(self) -> bool:
        """Wait for the right to use the terminal: a background process stops until it is in the foreground. False if
        the terminal is gone, or the process is to end.

        The kernel would stop it too, but would stop it again before a signal to end is handled that another thread
        received (`timeout 5 rnnviz` in a script).
        """
        mine = signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        rounds = 0
        try:
            while rounds < 3:  # a process that cannot be stopped has lost its shell
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
        """Take the terminal, or take it again after others may have used it."""
        if self._entered is None:
            self.outlet = Outlet(self.out, self.encoding, self._on_hangup)
            with suppress(termios.error):
                self._original = termios.tcgetattr(self.fileno)
        self._entered = time.monotonic()
        with suppress(termios.error):
            raw = termios.tcgetattr(self.fileno)
            raw[tty.LFLAG] = raw[tty.LFLAG] & ~RAW_LOCAL
            raw[tty.IFLAG] = raw[tty.IFLAG] & ~RAW_INPUT
            raw[tty.CC][termios.VMIN] = 1
            termios.tcsetattr(self.fileno, termios.TCSANOW, raw)
        self._reports_size = False
        self.write(ENTER + WITH_MOUSE * self._has_mouse)
        self.write(ASK_BACKGROUND * self.app.wants_background + self.line.begins())
        if os.environ.get("TERM_PROGRAM") != "Apple_Terminal":
            self.write(BEGINS_WHOLE)
        if self._reader is None:
            self.exit_event = threading.Event()  # its own event: a late thread must not run beside the next one
            self._reader = threading.Thread(target=self._read, name="rnnviz-input", daemon=True)
            self._reader.start()
        self._post_size()

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
        """Whether this process may set the terminal's attributes now."""
        try:
            return os.tcgetpgrp(self.fileno) == os.getpgrp()
        except OSError:  # a terminal without job control
            return True

    # -- called by the watchdog ----------------------------------------------------------------------------

    def _on_signal(self, number: int) -> None:
        """Handle a signal."""
        name = signal.Signals(number).name
        if name in LEAVING:
            self._leave(128 + number)
        elif name in STOPPING:
            self._is_to_stop = True
            self._soon(self._stopped)
        elif name == "SIGCONT":
            self._is_to_stop = False
            self._soon(self._continued)
        elif name == "SIGWINCH":
            self._soon(self._resized)

    def _on_hangup(self) -> None:
        """Handle the end of the terminal or the parent like a hang-up."""
        self._is_gone = True
        self._leave(128 + signal.SIGHUP)

    def _leave(self, code: int) -> None:
        if self.watch is not None and self.watch.leave(code):
            self._soon(lambda: self.app.exit(return_code=code))

    def end_soon(self, code: int) -> None:
        """Begin to end: from now on the process ends in any case."""
        if self.watch is not None:
            self.watch.leave(code)

    def finish(self) -> None:
        """Restore the terminal and the signal handlers after the app has ended, in order or not."""
        self.stop_application_mode()
        if self.watch is not None:
            self.watch.stop()
            self.watch = None

    def _force(self) -> None:
        """End the process when it did not end in time by itself."""
        self._give_back(0)

    def _soon(self, what: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: the end has come
            self.loop.call_soon_threadsafe(what)

    # -- stopping and going on -----------------------------------------------------------------------------

    @property
    def has_job_control(self) -> bool:
        """Whether a shell has put this process into its own group, to stop and resume it."""
        return os.getpgrp() != os.getsid(0)

    def suspend(self) -> None:
        """Do on ctrl+z what the terminal would do if it did not pass every key on."""
        self.stop_application_mode()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.killpg(os.getpgrp(), signal.SIGTSTP)  # processes that wait for us have to stop as well
        signal.signal(signal.SIGTSTP, handler)
        self._come_back()

    def _stopped(self) -> None:
        """Handle a signal to stop: restore the terminal, stop, and take it again when resumed. A signal to resume or to
        end that came while the terminal was being restored will not come again."""
        self.stop_application_mode()
        if self._is_to_stop and not (self.watch is not None and self.watch.leaving):
            os.kill(os.getpid(), signal.SIGSTOP)
        self._come_back()

    def _come_back(self) -> None:
        if self.watch is not None and self.watch.leaving:
            return
        if self._claim():
            self._enter()
            self.app.screen_lost()
            self.app.refresh(layout=True)
        else:
            self._on_hangup()

    def _continued(self) -> None:
        """Handle a stop and resume from outside: the terminal may be in any state."""
        if self._entered is None or time.monotonic() - self._entered > SETTLED:
            self._come_back()

    # -- in ------------------------------------------------------------------------------------------------

    def _resized(self) -> None:
        """Terminals cut the rows or wrap them again, also when the size is soon as it was."""
        self.app.screen_lost()
        if not self._reports_size:
            self._post_size()

    def _post_size(self) -> None:
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
                if not data:  # end of file: the terminal is gone
                    self._on_hangup()
                    return
                for event in parser.feed(data):
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)

    def process_message(self, message: Message) -> None:
        if isinstance(message, Alive):
            self.line.answered()
            return
        if isinstance(message, Background) and not self._is_timely:
            return
        if isinstance(message, messages.InBandWindowResize) and message.supported:
            self._reports_size = True
        super().process_message(message)

    @property
    def _is_timely(self) -> bool:
        """Whether an answer about the background may still change all colours."""
        asked = self._entered if self.app.wants_background else None
        return asked is not None and time.monotonic() - asked < TIMELY

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
