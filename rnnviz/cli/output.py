"""Where a command writes: plain text that fits its terminal or pipe, JSON, and a progress line."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from functools import cached_property
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from rnnviz.glyphs import cut, escaped

if TYPE_CHECKING:
    from rnnviz.tasks import Task

_PLAIN = str.maketrans(
    {"“": '"', "”": '"', "·": ".", "…": "...", "×": "x", "‖": "|", "∂": "d", "↵": "/", "∎": ".", "–": "-"}
    | {chr(0x2080 + digit): str(digit) for digit in range(10)}
)
WIDEST = 120  # a plot or a row of bars reads badly when it is wider


class Output:
    """Standard output: as wide as its terminal (80 in a pipe), coloured where that is wanted and possible,
    and in ASCII where its encoding has nothing else."""

    @cached_property
    def width(self) -> int:
        return max(20, min(shutil.get_terminal_size().columns, WIDEST))

    @cached_property
    def ascii(self) -> bool:
        try:
            "‖∂⣿━╶█▏→×·".encode(sys.stdout.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return True
        return False

    @cached_property
    def console(self) -> Console:
        """rich finds out about colours: none in a pipe, with NO_COLOR or TERM=dumb; else what TERM can."""
        return _Console(width=self.width, highlight=False, emoji=False, markup=False, safe_box=self.ascii)

    def print(self, text: str = "") -> None:
        text = escaped(text, keep="\n")
        if self.ascii:
            text = text.translate(_PLAIN)
        self.console.print(Text(text), crop=False, overflow="ignore", soft_wrap=True)

    def print_ansi(self, text: str) -> None:
        """Text with 24-bit colours, in the colours this terminal has."""
        self.console.print(Text.from_ansi(text, no_wrap=True), crop=False, overflow="ignore", soft_wrap=True)


class _Console(Console):
    """A reader that goes away ends this command as it ends any other."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def notes(out: Output, task: Task) -> None:
    """What of the data is left out."""
    for note in task.notes:
        for line in wrap(note, out.width):
            out.print(line)
    if task.notes:
        out.print()


def print_json(value: Any) -> None:
    """One valid JSON document: numbers that are not finite become null, and where the output's encoding lacks
    a character, or it would steer a terminal, its number stands (\\u220e)."""
    text = json.dumps(finite(value), ensure_ascii=False, allow_nan=False)
    if not text.isprintable():
        text = "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        text = json.dumps(finite(value), allow_nan=False)
    print(text, flush=True)


def finite(value: Any) -> Any:
    """`value` of plain Python, numbers that are not finite as None, arrays as lists."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return value


class Progress:
    """A line on stderr, drawn over itself while something takes long. Nothing if stderr is no terminal."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total = title, total
        self.active = sys.stderr.isatty()
        self.shown_at = 0.0
        try:
            "━".encode(sys.stderr.encoding or "ascii")
            self.done_sign, self.left_sign = "━", "─"
        except (UnicodeEncodeError, LookupError):
            self.done_sign, self.left_sign = "#", "-"

    def __call__(self, done: int, words: str) -> None:
        now = time.monotonic()
        if not self.active or (now - self.shown_at < 0.05 and done < self.total):
            return
        self.shown_at = now
        width = shutil.get_terminal_size().columns - 1
        text = f"{self.title} {done}/{self.total} "
        room = min(40, width - len(text) - len(words) - 1)
        if room >= 5:
            filled = room * done // max(1, self.total)
            text += self.done_sign * filled + self.left_sign * (room - filled) + " "
        sys.stderr.write("\r\x1b[K" + cut(escaped(text + words), width))
        sys.stderr.flush()

    def clear(self) -> None:
        if self.active and self.shown_at:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
