"""The input filter: turns bytes of any kind into the events the app uses, and drops the rest, including keys typed
faster than the app can act on them.

Textual's own parser ends with an exception at bytes that are not UTF-8 or at numbers it did not expect, takes what it
does not know for keys, and queues without limit. Here each sequence is cut out whole first, and Textual's tables are
asked only about those that are well formed. Nothing grows: a sequence that does not end is given up.
"""

from __future__ import annotations

import os
import re
import time
from asyncio import AbstractEventLoop
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from threading import Lock
from typing import Any

from textual import constants, events, messages
from textual.app import App
from textual.keys import Keys
from textual.message import Message

from rnnviz.terminal import clamped
from rnnviz.tui.textual_private import KeyTable

ESC = "\x1b"
LONGEST = 4096  # the longest sequence waited for, and the longest paste kept, in characters
TYPED = 128  # keys that may wait; beyond that the oldest are dropped
FEW, SOON = 16, 0.5  # this many keys may wait any time; more of them only this many seconds
AT_ONCE = 16  # messages the app may have waiting and still receive a key
CUT_OFF = 0.5  # seconds after which an incomplete sequence is given up
PASTE_OVER = 1.0  # of a paste

_ESCAPES = re.compile(r"\x1b+(?=\x1b)|\x1b(?=[\x00-\x1a\x1c-\x1f])")
_PLAIN = re.compile(r"[^\x1b]+")
_SEQUENCE = re.compile(
    r"\x1b(?:"
    r"\[M[\s\S]{3}"  # a click as the oldest terminals report it
    r"|\[\[[ -~]"  # function keys of a Linux console
    r"|\[[0-?]{0,64}[ -/]{0,4}[@-LN-Z\\-~]|\[[0-?]{1,64}[ -/]{0,4}M"  # CSI
    r"|\[[0-9;]{1,8}\$"  # rxvt's shifted keys; a report of a mode goes on and is found above
    r"|O[0-9;]{0,8}[@-~]"  # SS3
    r"|[\]PX^_][^\x00-\x06\x0e-\x1f\x07]{0,4096}(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC
    r"|[^\x00-\x1f\[O\]PX^_]"  # alt and a key
    r")"
)
_BEGUN = re.compile(
    r"\x1b(?:\[M[\s\S]{0,2}|\[\[?|\[[0-?]{0,64}[ -/]{0,4}|O[0-9;]{0,8}|[\]PX^_][^\x00-\x06\x0e-\x1f\x07]{0,4096}\x1b?)?"
)
_CUT_SHORT = re.compile(
    r"\x1b(?:\[[\[M]?[0-?]{0,64}[ -/]{0,4}|O[0-9;]{0,8}|[\]PX^_][^\x00-\x06\x0e-\x1f\x07]{0,4096})?"
)
_KEY = re.compile(r"\x1b\[([\d:;]*)([u~ABCDEFHPQRS])")
_MOUSE = re.compile(r"\x1b\[<\d{1,4};-?\d{1,6};-?\d{1,6}[mM]")
_RESIZE = re.compile(r"\x1b\[48;(\d{1,9})(?::\d*)?;(\d{1,9})(?::\d*)?;(\d{1,9})(?::\d*)?;(\d{1,9})(?::\d*)?t")
_BACKGROUND = re.compile(r"\x1b\]11;rgba?:([\da-fA-F]{1,4})/([\da-fA-F]{1,4})/([\da-fA-F]{1,4})\b.*", re.DOTALL)
_MODE = re.compile(r"\x1b\[\?(\d{1,5});(\d)\$y")
_PASTE, _PASTE_ENDS, _FOCUS, _BLUR, _ALIVE = "\x1b[200~", "\x1b[201~", "\x1b[I", "\x1b[O", "\x1b[0n"
_RELEASE = "3"  # kitty's code for a released key


class Alive(Message):
    """The terminal has answered a status request."""


class Background(Message):
    """The terminal has answered a request for the colour of its background: #rrggbb."""

    def __init__(self, color: str) -> None:
        super().__init__()
        self.color = color


class Input:
    """A parser from a terminal's bytes to Textual's events."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._table = KeyTable()
        self._held = ""  # an incomplete sequence
        self._paste: str | None = None  # during a paste
        self._last = 0.0  # time of the last bytes

    def feed(self, data: bytes) -> Iterator[Message]:
        self._last = time.monotonic()
        text = self._held + self._decode(data)
        self._held = ""
        at = 0
        while at < len(text):
            if self._paste is not None:
                end = text.find(_PASTE_ENDS, at)
                if end < 0:
                    self._keep(text, at)
                    break
                self._paste += text[at:end][: LONGEST - len(self._paste)]
                at = end + len(_PASTE_ENDS)
                yield from self._end_paste()
            elif plain := _PLAIN.match(text, at):
                yield from self._keys(plain.group())
                at = plain.end()
            elif found := _SEQUENCE.match(text, at):
                yield from self._sequence(found.group())
                at = found.end()
            elif keys := _ESCAPES.match(text, at):  # the key itself, and another one after it
                yield events.Key("escape", ESC)
                at = keys.end()
            elif _BEGUN.fullmatch(text, at) and len(text) - at < LONGEST:
                self._held = text[at:]
                break
            else:  # cut short by what cannot be part of it, or too long
                broken = _CUT_SHORT.match(text, at)
                at = max(at + 1, broken.end() if broken else 0)

    def tick(self) -> Iterator[Message]:
        """Give up an incomplete sequence that is too old; call this regularly."""
        quiet = time.monotonic() - self._last
        if self._paste is not None:
            if quiet >= PASTE_OVER:
                self._held = ""
                yield from self._end_paste()
        elif self._held == ESC and quiet >= constants.ESCAPE_DELAY:
            self._held = ""
            yield events.Key("escape", ESC)
        elif self._held and quiet >= CUT_OFF:
            self._held = ""

    def _keep(self, text: str, at: int) -> None:
        """Add text to a paste; its last characters may begin the end marker."""
        assert self._paste is not None
        tail = text.rfind(ESC, at)
        if tail < 0 or not _PASTE_ENDS.startswith(text[tail:]):
            tail = len(text)
        self._paste += text[at:tail][: LONGEST - len(self._paste)]
        self._held = text[tail:]

    def _end_paste(self) -> Iterator[Message]:
        pasted, self._paste = self._paste, None
        yield events.Paste((pasted or "").replace("\x00", ""))

    def _keys(self, text: str) -> Iterator[Message]:
        for char in text[-TYPED:]:
            if char != "\ufffd" and not "\x80" <= char <= "\x9f":  # not UTF-8; controls that no key sends
                yield from self._known(char)

    def _known(self, sequence: str, alt: bool = False) -> Iterator[Message]:
        """The keys for this sequence in Textual's table; none if its numbers are invalid."""
        with suppress(ValueError, OverflowError, LookupError):
            for event in self._table.keys(sequence, alt):
                if event.key != Keys.Ignore:
                    yield event

    def _sequence(self, sequence: str) -> Iterator[Message]:
        if sequence == _PASTE:
            self._paste = ""
        elif sequence == _FOCUS:
            yield events.AppFocus()
        elif sequence == _BLUR:
            yield events.AppBlur()
        elif sequence == _ALIVE:
            yield Alive()
        elif background := _BACKGROUND.fullmatch(sequence):
            parts = (round(255 * int(part, 16) / (16 ** len(part) - 1)) for part in background.groups())
            yield Background("#" + "".join(f"{part:02x}" for part in parts))
        elif resize := _RESIZE.fullmatch(sequence):
            yield self._resized(*map(int, resize.groups()))
        elif mode := _MODE.fullmatch(sequence):
            yield from _mode(mode[1], int(mode[2]))
        elif _MOUSE.fullmatch(sequence):
            event = self._table.mouse(sequence)
            if event is not None:
                yield event
        elif key := _KEY.fullmatch(sequence):
            plain = _key(*key.groups())
            if plain:
                yield from self._known(plain)
        elif len(sequence) == 2:
            yield from self._known(sequence[1], alt=True)
        else:
            yield from self._known(sequence)

    def _resized(self, rows: int, columns: int, height: int, width: int) -> Message:
        """A resize event: the size in cells, clamped, and in pixels, so that a cell keeps its size."""
        size = clamped(columns, rows)
        pixels = max(1, width * size[0] // max(columns, 1)), max(1, height * size[1] // max(rows, 1))
        event = events.Resize.from_dimensions(size, pixels)
        self._table.resized(event)
        return event


def _mode(number: str, state: int) -> Iterator[Message]:
    """The event for a terminal's answer to a mode request."""
    if number == "2026" and state > 0:
        yield messages.TerminalSupportsSynchronizedOutput()
    elif number == "2048" and constants.SMOOTH_SCROLL and not _is_iterm():
        yield messages.InBandWindowResize.from_setting_parameter(state)


def _is_iterm() -> bool:
    """iTerm2 claims to report its size in the input but reports it wrong."""
    return os.environ.get("LC_TERMINAL") == "iTerm2" or os.environ.get("TERM_PROGRAM") == "iTerm.app"


def _key(fields: str, final: str) -> str | None:
    """A key in kitty's protocol, CSI code:alternatives ; modifiers:event ; text, reduced to what Textual uses; None for
    a released key and for numbers that encode no character."""
    code, modifiers, text, *_ = [*fields.split(";"), "", "", ""]
    code = code.partition(":")[0]
    modifiers, _, event = modifiers.partition(":")
    letters = text.split(":") if text else []
    numbers = [int(number) for number in (code, *letters) if number and len(number) < 8]
    if event == _RELEASE or len(numbers) < bool(code) + len(letters) or len(letters) > 16 or len(modifiers) > 3:
        return None
    if final not in "u~" and code not in ("", "1"):
        return None  # a cursor position report, or invalid
    if final == "u" and code and int(code) < 32 and int(code) not in (9, 13, 27):
        return None
    if any(number > 0x10FFFF or 0xD800 <= number < 0xE000 for number in numbers):
        return None
    return f"{ESC}[{';'.join((code, modifiers, text)).rstrip(';')}{final}"


class Typeahead:
    """A queue between the reading thread and the app: holds keys the app has no time for yet, and drops the oldest when
    there are too many. ctrl+c passes all others."""

    def __init__(self, app: App[Any], loop: AbstractEventLoop) -> None:
        self._app, self._loop = app, loop
        self._waiting: deque[Message] = deque(maxlen=TYPED)
        self._lock = Lock()
        self._is_coming = False  # the loop has been asked to take a key

    def put(self, message: Message) -> None:
        """Called on the reading thread."""
        with self._lock:
            if isinstance(message, events.Key) and message.key == "ctrl+c":
                self._waiting.clear()
            last = self._waiting[-1] if self._waiting else None
            if isinstance(message, events.MouseMove) and isinstance(last, events.MouseMove):
                self._waiting.pop()
            self._waiting.append(message)
            if self._is_coming:
                return
            self._is_coming = True
        with suppress(RuntimeError):  # the loop is closed: the end has come
            self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        app = self._app
        while self._has_time():
            with self._lock:
                if not self._waiting:
                    self._is_coming = False
                    return
                message = self._waiting.popleft()
                while len(self._waiting) >= FEW and time.monotonic() - message.time > SOON:
                    message = self._waiting.popleft()
            app.post_message(message)
        self._loop.call_later(0.005, self._take)

    def _has_time(self) -> bool:
        app = self._app
        before: int = app.message_queue_size
        for screen in app.screen_stack[-1:]:
            before += screen.message_queue_size
            if screen.focused is not None:
                before += screen.focused.message_queue_size
        return before < AT_ONCE
