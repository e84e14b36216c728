"""Make strings from outside safe for a terminal: the glyph of each cell, its width, and no control sequences.

    >>> cells("雪の朝"), cut("雪の朝", 5), visible("one\\ntwo\\x1b[2J")
    (6, '雪の…', 'one↵two·[2J')
    >>> escaped("a title\\x1b]0;another\\x07")
    'a title\\\\x1b]0;another\\\\x07'

Terminals agree on the width of one character, and disagree on sequences that are joined into one picture. So joined
sequences are taken apart: joiners and variation selectors are dropped, a flag becomes its two letters, a combining mark
stays with its letter. This module knows no terminal and no widget; the grid (sheet.py) compares its widths with the
toolkit's own.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from textwrap import wrap as wrap_narrow

Glyph = tuple[str, int]  # the text of a cell, or of two; the number of cells

UNSEEN = "·"  # replaces a character that is invisible or controls the terminal
LINE_END = "↵"
MARKS = 2  # combining marks per letter; more of them would cover other rows
LONGEST_WORD = 200  # characters of a word (a path, for example) in a line of the command line
LONGEST_LINE = 1000

_DROPPED = {"\u200d", "\u00ad", *map(chr, range(0xFE00, 0xFE10))}  # joiner, soft hyphen, variation selectors
_FLAG_A = 0x1F1E6  # the first of the 26 letters flags are made of
# Zero, one or two cells wide, depending on the terminal: fillers and medial letters of Hangul, skin tones by
# themselves, and the hexagrams and tallies that Unicode 16 made wide.
_UNSURE = (
    (0x115F, 0x11FF), (0x2630, 0x2637), (0x268A, 0x268F), (0x3164, 0x3164), (0x4DC0, 0x4DFF), (0xD7B0, 0xD7FF),
    (0xFFA0, 0xFFA0), (0x1D300, 0x1D37F), (0x1F3FB, 0x1F3FF),
)  # fmt: skip

# Characters of RFC 3986 alone, and a host without a name of a user before it: what is shown is where it leads.
_LINK = re.compile(
    r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?(?:[/?#][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]{0,800})?"
)


def is_plain(text: str) -> bool:
    """Whether the text is printable ASCII: one character, one cell."""
    return text.isascii() and text.isprintable()


@lru_cache(maxsize=512)  # texts with numbers rarely come again
def glyphs(text: str) -> tuple[Glyph, ...]:
    """The text glyph by glyph: (text of the glyph, 1 or 2 cells)."""
    if is_plain(text):
        return tuple(map(_PLAIN.__getitem__, text))
    found: list[Glyph] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text):
        category = unicodedata.category(char)
        if char in _DROPPED or (0x1F3FB <= ord(char) <= 0x1F3FF and found and found[-1][1] == 2):
            continue
        if category[0] == "M":
            marks += 1
            if not found:
                found.append(("◌" + char, 1))  # as Unicode itself shows a mark without a letter
            elif marks <= MARKS and category != "Me" and found[-1][0] not in (UNSEEN, LINE_END):
                found[-1] = (found[-1][0] + char, found[-1][1])
            continue
        marks = 0
        found.append(_glyph(char, category))
    return tuple(found)


#: Each glyph is one object, in however many texts it is.
_PLAIN: dict[str, Glyph] = {chr(code): (chr(code), 1) for code in range(32, 127)}


@lru_cache(maxsize=1024)
def _glyph(char: str, category: str) -> Glyph:
    if char == "\n":
        return LINE_END, 1
    if category == "Zs" and char != "\u3000":
        return " ", 1
    code = ord(char)
    if _FLAG_A <= code < _FLAG_A + 26:
        return chr(ord("A") + code - _FLAG_A), 1
    if not char.isprintable() or any(low <= code <= high for low, high in _UNSURE):
        return UNSEEN, 1
    return char, 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cells(text: str) -> int:
    """The number of cells that a text takes."""
    return len(text) if is_plain(text) else sum(size for _, size in glyphs(text))


def clip(text: str, room: int) -> str:
    """The longest beginning of the text that fits into `room` cells, never with half a wide character."""
    if is_plain(text):
        return text[: max(0, room)]
    kept, used = "", 0
    for glyph, size in glyphs(text):
        used += size
        if used > room:
            break
        kept += glyph
    return kept


def cut(text: str, room: int, mark: str = "…") -> str:
    """The text; if it does not fit into `room` cells, its beginning and a mark that text is missing."""
    if cells(text) <= room:
        return text
    return clip(text, room - 1) + mark if room >= 1 else ""


def cut_before(text: str, room: int) -> str:
    """The text; if it does not fit, "…" and its end, where a person types."""
    if cells(text) <= room:
        return text
    kept, used = "", 1
    for glyph, size in reversed(glyphs(text)):
        used += size
        if used > room:
            break
        kept = glyph + kept
    return "…" + kept if room >= 1 else ""


def ljust(text: str, room: int) -> str:
    return text + " " * (room - cells(text))


def rjust(text: str, room: int) -> str:
    return " " * (room - cells(text)) + text


def wrap(text: str, room: int) -> list[str]:
    """Lines of at most `room` cells (at least one), broken at spaces; a longer word is broken anywhere."""
    room = max(1, room)
    if cells(text) == len(text):
        return wrap_narrow(text, room)
    lines, line, used = [], "", 0
    for word in text.split():
        for piece in pieces(word, room):
            size = cells(piece)
            if line and used + 1 + size > room:
                lines.append(line)
                line, used = "", 0
            line, used = (f"{line} {piece}", used + 1 + size) if line else (piece, size)
    return [*lines, line] if line else lines


def pieces(word: str, room: int) -> list[str]:
    """A word in pieces of at most `room` cells; a wide character is never split, even if there is room for one cell."""
    if cells(word) <= room:
        return [word]
    found, used = [""], 0
    for glyph, size in glyphs(word):
        if used and used + size > room:
            found.append("")
            used = 0
        found[-1] += glyph
        used += size
    return found


def lines_at_most(text: str, room: int, most: int) -> list[str]:
    """The text wrapped into at most `most` lines; if there are more, the last one ends in … ."""
    lines = wrap(text, room)
    if len(lines) <= most:
        return lines
    if most < 1:
        return []
    last = clip(lines[most - 1], room - 1)
    if last != lines[most - 1] and " " in last:
        last = last.rpartition(" ")[0]
    return [*lines[: most - 1], last.rstrip(" .,;:") + "…"]


def visible(text: str) -> str:
    """The text with a visible sign for each line end and each invisible character."""
    if text.isprintable():
        return text
    return "".join(LINE_END if c == "\n" else c if c.isprintable() else UNSEEN for c in text)


def escaped(text: str, keep: str = "") -> str:
    """A text for a line of the command line: a character that cannot be printed becomes its escape, `\\x1b`."""
    if text.isprintable():
        return text
    keep += "\u00a0\u3000"  # spaces
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """A message for the command line: one line, no control characters, and only the two ends of a long word."""
    line = " ".join(shortened(escaped(word), LONGEST_WORD) for word in text.split())
    return shortened(line, LONGEST_LINE)


def shortened(text: str, most: int) -> str:
    """The text; if it has more than `most` characters, its beginning, "…" and its end."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}…{text[len(text) - (most - 1 - most // 2) :]}"


def is_link(address: str) -> bool:
    """Whether an address of a file's may be sent to a terminal: https, and no character that could end the sequence."""
    return _LINK.fullmatch(address) is not None
