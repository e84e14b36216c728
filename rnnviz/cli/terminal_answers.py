"""What a terminal answers: where its cursor is (so how wide it draws a character), how long a round trip takes, what
it is.

    >>> ask(0, 1)
    Answers(latency=0.0004, widths={"─": 1, …}, attributes="62;22", version="foot(1.18)")

It asks only where both descriptors are one terminal, nothing is typed ahead, and TERM names a terminal that knows
escape sequences. All questions together take at most SECONDS, and the first one that is not answered is the last. What
a person types meanwhile is given back to the terminal, or, where the system does not allow that, returned. The
terminal's settings are as before at the end, whatever happens.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

#: Seconds to wait for one answer, and for all of them.
ONE, SECONDS = 1.0, 3.0
ROUNDS = 5
#: A character of each kind that the pictures use, with the cells that they expect.
SAMPLES: Mapping[str, tuple[str, int]] = {
    "a letter": ("é", 1), "a line": ("─", 1), "an arrow": ("→", 1), "a norm": ("‖", 1), "a subscript": ("₇", 1),
    "a block": ("▆", 1), "a shade": ("░", 1), "braille": ("⣿", 1), "a mark": ("▸", 1), "a wide letter": ("雪", 2),
}  # fmt: skip

_CURSOR = re.compile(rb"\x1b\[(\d+);(\d+)R")
_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
_VERSION = re.compile(rb"\x1bP>\|([^\x1b]*)\x1b\\")


@dataclass(frozen=True)
class Answers:
    """latency     seconds of a round trip, the median; None: it does not answer
    widths      kind of a character -> cells
    attributes  the numbers of its primary device attributes; "" for no answer
    version     its name and version (XTVERSION); "" where it does not tell
    why_not     why there are none: it was not asked, or did not answer
    typed       what a person typed meanwhile and could not be given back
    """

    latency: float | None = None
    widths: Mapping[str, int] = field(default_factory=dict)
    attributes: str = ""
    version: str = ""
    why_not: str = ""
    typed: str = ""

    @property
    def wrong_widths(self) -> dict[str, int]:
        return {kind: width for kind, width in self.widths.items() if width != SAMPLES[kind][1]}


def ask(source: int, target: int, environ: Mapping[str, str] = os.environ, encoding: str = "utf-8") -> Answers:
    """source, target: the descriptors that are read and written."""
    if not (os.isatty(source) and os.isatty(target)):
        return Answers(why_not="not asked: input or output is not a terminal")
    if environ.get("TERM", "") in ("", "dumb"):
        return Answers(why_not=f"not asked: TERM is {environ.get('TERM') or 'not set'}")
    try:
        import termios
        import tty
    except ImportError:
        return Answers(why_not="not asked: this system has no termios")
    if select.select([source], [], [], 0)[0]:
        return Answers(why_not="not asked: keys are typed ahead")
    line = _Line(source, target, encoding)
    try:
        before = termios.tcgetattr(source)
    except termios.error as error:
        return Answers(why_not=f"not asked: {error}")
    try:
        settings = termios.tcgetattr(source)
        settings[tty.LFLAG] &= ~(termios.ICANON | termios.ECHO)  # ctrl+c is still a signal
        settings[tty.CC][termios.VMIN], settings[tty.CC][termios.VTIME] = 0, 0
        termios.tcsetattr(source, termios.TCSADRAIN, settings)
        return line.all()
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(source, termios.TCSADRAIN, before)


class _Line:
    def __init__(self, source: int, target: int, encoding: str) -> None:
        self._source, self._target, self._encoding = source, target, encoding
        self._end = time.monotonic() + SECONDS
        self._read = b""

    def all(self) -> Answers:
        times: list[float] = []
        widths: dict[str, int] = {}
        attributes = version = why_not = ""
        for _ in range(ROUNDS):
            began = time.monotonic()
            if self._column() is None:
                break
            times.append(time.monotonic() - began)
        if times:
            version, attributes = self._what()
            for kind, (char, _) in SAMPLES.items():
                width = self._width(char)
                if width is not None:
                    widths[kind] = width
            self._write("\r\x1b[K")
        else:
            self._write("\r   \r")  # a terminal that draws what it does not know has drawn some letters
            why_not = f"none within {ONE:g} s"
        typed = self._given_back(self._left())
        return Answers(median(times) if times else None, widths, attributes, version, why_not, typed)

    def _column(self) -> int | None:
        found = self._answer("\x1b[6n", _CURSOR)
        return None if found is None else int(found[2])

    def _width(self, char: str) -> int | None:
        try:
            char.encode(self._encoding)
        except (UnicodeEncodeError, LookupError):
            return None
        self._write("\r\x1b[K" + char)
        column = self._column()
        return None if column is None else column - 1

    def _what(self) -> tuple[str, str]:
        """Every terminal that answers at all tells its attributes: without a version before them, it has none."""
        found = self._answer("\x1b[>0q\x1b[c", _ATTRIBUTES)
        version = _VERSION.search(self._read)
        if version is not None:
            self._read = _VERSION.sub(b"", self._read)
        text = "" if version is None else version[1].decode("utf-8", "replace")
        return "".join(c for c in text if c.isprintable())[:60], "" if found is None else found[1].decode()

    def _answer(self, question: str, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """The answer, taken out of what was read; None if it does not come."""
        self._write(question)
        until = min(self._end, time.monotonic() + ONE)
        while True:
            found = pattern.search(self._read)
            if found is not None:
                self._read = self._read[: found.start()] + self._read[found.end() :]
                return found
            left = until - time.monotonic()
            if left <= 0 or not self._more(left):
                return None

    def _more(self, seconds: float) -> bool:
        if not select.select([self._source], [], [], seconds)[0]:
            return False
        data = os.read(self._source, 1024)
        self._read += data
        return bool(data)

    def _left(self) -> bytes:
        """What was read and is no answer; a late answer is waited for a little: a shell would take it for keys."""
        if self._read or self._end - time.monotonic() > 0:
            self._more(0.05)
        for pattern in (_CURSOR, _ATTRIBUTES, _VERSION):
            self._read = pattern.sub(b"", self._read)
        return self._read

    def _given_back(self, data: bytes) -> str:
        """Put typed keys back into the terminal's input; "" if that worked, else the keys."""
        if not data:
            return ""
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import fcntl
            import termios

            for at in range(len(data)):
                fcntl.ioctl(self._source, termios.TIOCSTI, data[at : at + 1])
            return ""
        text = data.decode("utf-8", "replace")
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

    def _write(self, text: str) -> None:
        data = text.encode(self._encoding, "replace")
        while data:
            data = data[os.write(self._target, data) :]
