"""The output of a command: plain text that fits its terminal or pipe, JSON, and a progress line."""

from __future__ import annotations

import json
import math
import sys
import time
from functools import cached_property
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from rnnviz.cli.surroundings import is_tty
from rnnviz.glyphs import cut, escaped
from rnnviz.sheet import Sheet
from rnnviz.terminal import ascii_cells, ascii_words, colors, columns_of, lacks_unicode, why_ascii

if TYPE_CHECKING:
    from rnnviz.tasks import Task

WIDEST = 120  # wider plots and rows of bars are hard to read


def paragraph(text: str, width: int, **indents: str) -> list[str]:
    """Wrap to lines of at most `width` cells; neither a number and its % nor a word with a hyphen is broken."""
    lines = wrap(text.replace(" %", "\N{NO-BREAK SPACE}%"), width, break_on_hyphens=False, **indents)  # type: ignore[arg-type]
    return [line.replace("\N{NO-BREAK SPACE}%", " %") for line in lines]


class Output:
    """Standard output: as wide as its terminal (80 in a pipe), in colour if possible and allowed, and in ASCII if its
    encoding or terminal lacks the characters.

    choice: how many colours, one of terminal.CHOICES' values; None: find out
    """

    def __init__(self, choice: str | None = None) -> None:
        self._choice = choice

    @cached_property
    def width(self) -> int:
        return max(20, min(columns_of(sys.stdout), WIDEST))

    @cached_property
    def ascii(self) -> bool:
        return bool(why_ascii(sys.stdout) if is_tty(sys.stdout) else lacks_unicode(sys.stdout))

    @cached_property
    def console(self) -> Console:
        is_terminal = is_tty(sys.stdout)
        strength = colors(choice=self._choice, is_terminal=is_terminal)
        has_color = strength != "none"
        return _Console(
            width=self.width, highlight=False, emoji=False, markup=False, safe_box=self.ascii,
            color_system=strength if has_color else "auto",  # type: ignore[arg-type]
            force_terminal=has_color or is_terminal, no_color=not has_color,
        )  # fmt: skip

    def print(self, text: str = "") -> None:
        text = escaped(text, keep="\n")
        if self.ascii:
            text = ascii_words(text)
        print(text, flush=True)  # no colours here, and rich needs a tenth of a millisecond for each line

    def print_sheet(self, sheet: Sheet) -> None:
        """Print a sheet in the colours of this terminal."""
        lines = Text("\n", no_wrap=True).join(
            Text.assemble(*((text, style or "") for text, style in sheet.runs(y))) for y in range(sheet.height)
        )
        self.console.print(lines, crop=False, overflow="ignore", soft_wrap=True)


class _Console(Console):
    """A console that raises BrokenPipeError, as any other output does."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def notes(out: Output, task: Task) -> None:
    """Print which data the task leaves out."""
    for note in task.notes:
        for line in paragraph(note, out.width):
            out.print(line)
    if task.notes:
        out.print()


def print_json(value: Any) -> None:
    """Print one valid JSON document: numbers that are not finite become null; a character that the output's encoding
    lacks, or that controls a terminal, becomes its escape (\\u220e)."""
    text = json.dumps(finite(value), ensure_ascii=False, allow_nan=False)
    if not text.isprintable():
        text = "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        text = json.dumps(finite(value), allow_nan=False)
    print(text, flush=True)


def finite(value: Any) -> Any:
    """`value` as plain Python: numbers that are not finite become None, arrays become lists."""
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
    """A progress line on stderr, redrawn in place. Prints nothing if stderr is not a terminal."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total = title, total
        self.active = sys.stderr.isatty()
        self.drawn_at = 0.0
        self.ascii = lacks_unicode(sys.stderr)

    def __call__(self, done: int, words: str) -> None:
        now = time.monotonic()
        if not self.active or (now - self.drawn_at < 0.05 and done < self.total):
            return
        self.drawn_at = now
        width = columns_of(sys.stderr) - 1
        text = f"{self.title} {done}/{self.total} "
        room = min(40, width - len(text) - len(words) - 1)
        if room >= 5:
            filled = room * done // max(1, self.total)
            text += "━" * filled + "─" * (room - filled) + " "
        text = escaped(text + words)
        sys.stderr.write("\r\x1b[K" + (ascii_cells(cut(text, width)) if self.ascii else cut(text, width)))
        sys.stderr.flush()

    def clear(self) -> None:
        if self.active and self.drawn_at:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
