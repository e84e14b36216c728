"""Lines from a terminal or a pipe to the reader, and its sentences to standard output.

The terminal's own line editing is used and no escape sequence is written, so that a screen reader hears what is
printed and nothing else. Ctrl-C stops the job that runs, and not the program. From a pipe nothing depends on the time:
the same lines get the same bytes.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rnnviz.glyphs import wrap
from rnnviz.plain.panels import Verbatim
from rnnviz.plain.reader import Reader
from rnnviz.plain.words import VOICE
from rnnviz.terminal import ascii_words, columns_of, lacks_unicode

if TYPE_CHECKING:
    from rnnviz.kiosk import Kiosk
    from rnnviz.player.jobs import Job
    from rnnviz.player.player import Player
    from rnnviz.scene.frame import Progress

FIRST, MOST = 2.0, 30.0  # seconds to the first line of progress, and at most between two


class Pace:
    """Lines of progress, ever more rarely: a voice that counts is no help."""

    def __init__(self) -> None:
        self._next, self._every, self._what = 0.0, FIRST, ""

    def begin(self) -> None:
        self._every = FIRST
        self._next = time.monotonic() + FIRST

    def __call__(self, progress: Progress) -> str | None:
        now = time.monotonic()
        if now < self._next:
            return None
        self._every = min(MOST, 2 * self._every)
        self._next = now + self._every
        return progress.what


class IdleError(Exception):
    """Nothing was typed for too long, in a kiosk."""


class Loop:
    """kiosk: the limits of a session for a stranger; None: the user's own."""

    def __init__(self, player: Player, *, symbols: bool, kiosk: Kiosk | None = None) -> None:
        self._kiosk = kiosk
        self.is_interactive = sys.stdin.isatty()
        self._is_terminal = sys.stdout.isatty()
        self._ascii = lacks_unicode(sys.stdout)
        self._pace = Pace()
        self.reader = Reader(
            player, self._write, symbols=symbols,
            on_progress=self._pace if self.is_interactive and self._is_terminal else lambda progress: None,
            guard=self._guard,
        )  # fmt: skip

    def run(self) -> int:
        """Until the input ends, or the word quit. Raises KeyboardInterrupt for Ctrl-C in a script."""
        reader = self.reader
        self._uninterrupted(reader.begin)
        while True:
            try:
                line = self._line()
            except IdleError:
                break
            except KeyboardInterrupt:
                if not self.is_interactive:
                    raise
                print()  # after ^C
                self._write(VOICE.say("Nothing runs. [quit] ends rnnviz."))
                continue
            if not line:
                break
            going = True

            def answer(line: str = line) -> None:
                nonlocal going
                going = reader.answer(line)

            self._uninterrupted(answer)
            if not going:
                break
        if reader.guide is not None:
            reader.guide.progress.flush(0.3)
        return 0

    def _line(self) -> str:
        """The next line; "" at the end of the input. Raises IdleError where a kiosk has waited long enough."""
        if self._kiosk is None or not self._kiosk.idle or not hasattr(signal, "setitimer"):
            return sys.stdin.readline()

        def end(number: int, frame: object) -> None:
            raise IdleError

        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, self._kiosk.idle)
        try:
            return sys.stdin.readline()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _uninterrupted(self, do: Callable[[], object]) -> None:
        """Ctrl-C ends an answer that is still being computed or written, and keeps what there was."""
        try:
            do()
        except KeyboardInterrupt:
            if not self.is_interactive:
                raise
            self._write("Stopped. Nothing has changed.")

    @contextmanager
    def _guard(self, job: Job) -> Iterator[None]:
        """Ctrl-C cancels the job, which keeps the work done so far; a second one gives it up."""
        self._pace.begin()
        late = None if self._kiosk is None else threading.Timer(self._kiosk.job, job.cancel)
        if late is not None:
            late.daemon = True
            late.start()
        try:
            with self._interruptible(job):
                yield
        finally:
            if late is not None:
                late.cancel()

    @contextmanager
    def _interruptible(self, job: Job) -> Iterator[None]:
        if not self.is_interactive or threading.current_thread() is not threading.main_thread():
            yield
            return

        def cancel(number: int, frame: object) -> None:
            if job.is_cancelled:
                raise KeyboardInterrupt
            job.cancel()

        before = signal.signal(signal.SIGINT, cancel)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            if job.is_cancelled:
                print()  # after ^C; not in the handler, which may have interrupted another line

    def _write(self, text: str) -> None:
        if self._ascii:
            text = type(text)(ascii_words(text))
        room = max(20, columns_of(sys.stdout) - 1)
        is_long = self._is_terminal and len(text) > room and not isinstance(text, Verbatim)
        for line in wrap(text, room) if is_long else [text]:
            print(line)
        with suppress(ValueError):
            sys.stdout.flush()
