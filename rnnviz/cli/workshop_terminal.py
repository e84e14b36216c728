"""The terminal of the workshop's watching screen: single keys in, lines out."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from rnnviz.glyphs import cut, escaped
from rnnviz.session import Session
from rnnviz.terminal import ascii_cells, colors, why_ascii
from rnnviz.workshop.report import Line

_STYLES = {"title": "1", "good": "1;32", "bad": "1;31", "dim": "2", "": ""}
_ARROWS = {b"\x1b[A": "up", b"\x1b[B": "down", b"\x1bOA": "up", b"\x1bOB": "down", b"\x1b[5~": "up", b"\x1b[6~": "down"}


def keys_in(data: bytes) -> Iterator[str]:
    """The keys of what a terminal has sent: characters, "up", "down", "esc"; other sequences are nothing."""
    while data:
        if data[:1] != b"\x1b":
            text, data = data[:1], data[1:]
            if text.isascii() and text.decode().isprintable():
                yield text.decode()
            continue
        sequence = next((one for one in _ARROWS if data.startswith(one)), None)
        if sequence is not None:
            yield _ARROWS[sequence]
            data = data[len(sequence) :]
        elif data == b"\x1b":
            yield "esc"
            return
        else:
            end = next((n for n, byte in enumerate(data[2:], 2) if 0x40 <= byte < 0x7F), len(data))
            data = data[end + 1 :]


class FullScreen:
    """The terminal in full-screen mode, with single keys; as it was, afterwards."""

    def __init__(self, session: Session) -> None:
        self._ascii = bool(why_ascii(sys.stdout)) if session.ascii is None else session.ascii
        self._colors = colors(choice=session.colors) != "none"

    def __enter__(self) -> FullScreen:
        import termios

        self._before = termios.tcgetattr(0)
        self.enter()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def enter(self) -> None:
        import tty

        with contextlib.suppress(OSError):
            tty.setcbreak(0)
        self._write("\x1b[?1049h\x1b[?25l\x1b[2J")

    def leave(self) -> None:
        import termios

        self._write("\x1b[0m\x1b[?25h\x1b[?1049l")
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(0, termios.TCSADRAIN, self._before)

    def show(self, shown: list[Line], width: int) -> None:
        """Draw all lines, from the top, after a space each; width: the cells for both."""
        parts = []
        for n, line in enumerate(shown):
            text = cut(escaped(line.text), width - 1)
            if self._ascii:
                text = ascii_cells(text)
            style = _STYLES[line.style] if self._colors else {"title": "1", "good": "1", "bad": "1"}.get(line.style, "")
            parts.append(
                f"\x1b[{n + 1};1H \x1b[{style}m{text}\x1b[0m\x1b[K" if style else f"\x1b[{n + 1};1H {text}\x1b[K"
            )
        self._write("".join(parts) + "\x1b[J")

    def _write(self, text: str) -> None:
        data = text.encode(sys.stdout.encoding or "ascii", "replace")
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(1, data) :]
