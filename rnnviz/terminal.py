"""The properties of a terminal: its size, its colours, and substitutes for characters that its encoding lacks.

The app and the commands both use this module, so they agree. It imports nothing slow.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

LARGEST = (500, 200)  # cells: a request for more is a mistake or an attack, and each cell costs memory
USUAL = (80, 24)

#: Characters that the pictures need; an encoding that has all of these has every other one, too.
NEEDED = "‖∂⣿━╶█▏→×·"


# -- size ----------------------------------------------------------------------------------------------------


def clamped(columns: int, rows: int) -> tuple[int, int]:
    """The size to draw: at most LARGEST. A terminal that does not know its size reports 0, which becomes USUAL."""
    return min(columns, LARGEST[0]) if columns > 0 else USUAL[0], min(rows, LARGEST[1]) if rows > 0 else USUAL[1]


def size_of(*descriptors: int) -> tuple[int, int]:
    """Columns and rows of the first of these file descriptors that is a terminal. COLUMNS and LINES count only
    if none is: they give the size of the window at the time when a shell exported them."""
    for descriptor in descriptors:
        try:
            return clamped(*os.get_terminal_size(descriptor))
        except OSError:
            continue
    return clamped(_number("COLUMNS"), _number("LINES"))


def columns_of(stream: Any) -> int:
    """Columns of the terminal behind a stream; without a terminal COLUMNS, or 80."""
    try:
        return size_of(stream.fileno())[0]
    except (AttributeError, OSError, ValueError):  # a stand-in for a stream, or a closed one
        return size_of()[0]


def _number(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


# -- colours -------------------------------------------------------------------------------------------------


def colors(environ: Mapping[str, str] = os.environ) -> str:
    """How many colours: "truecolor", "256", "standard" (16) or "none".

    NO_COLOR turns colours off unless it is empty (no-color.org). COLORTERM can promise more colours than TERM does;
    a TERM that names no number has the 16 colours that every terminal has.
    """
    if environ.get("NO_COLOR"):
        return "none"
    requested = environ.get("TEXTUAL_COLOR_SYSTEM", "").strip().lower()
    if requested in ("truecolor", "256", "standard"):
        return requested
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return "truecolor"
    term = environ.get("TERM", "").strip().lower()
    if term.endswith("-direct"):
        return "truecolor"
    return "256" if term.endswith("-256color") or term in ("xterm-kitty", "xterm-ghostty") else "standard"


# -- ASCII ---------------------------------------------------------------------------------------------------


def lacks_unicode(stream: Any) -> bool:
    """Whether the encoding of a text stream lacks the characters that the pictures need."""
    try:
        NEEDED.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


#: A character and its ASCII substitute: one for one, so that nothing moves to another column.
_PAIRS = """
    ▁_ ▂: ▃- ▄= ▅+ ▆* ▇% █# ▀# ▓@ ▒: ░. ▐| ▌| ▏| ▎| ▍: ▋= ▊# ▉#
    ━= ⠉" ⠒- ⠤= ⣀_ ⠁' ⠂: ⠄. ⡀,
    ▲^ △' ▽, ▼v ▶> ◀< ►> ◂< ▸> ›> ‹< →> ←< ↑^ ↓v ▾v ↵/ ▣#
    ∂d ‖| ⊙* ∘o σs ×x φf √V εe τt βb αa δd πp ΣS ΔD ρr λl μm ηn γg θo ωw ∇v
    ·. •o ●* ○o ∎. …. ∞I ±~ ≤< ≥> ≠! ≈~ ∅0 øm ␣_ −- –- —- ‑- ✓+ ✗x ╳x ₋- ⁻- ₊+ ⁺+
    “" ”" ‘' ’' „" «< »>
"""
_CELLS = str.maketrans({pair[0]: pair[1] for pair in _PAIRS.split()})
#: Longer substitutes, for running text.
_WORDS = str.maketrans({"…": "...", "≤": "<=", "≥": ">=", "≠": "!=", "±": "+-", "∞": "inf", "√": "sqrt", "ø": "mean "})


def ascii_cells(text: str) -> str:
    """The text in ASCII, with the same number of terminal cells."""
    if text.isascii():
        return text
    text = text.translate(_CELLS)
    return text if text.isascii() else "".join(map(_nearest, text))


def ascii_words(text: str) -> str:
    """The text in ASCII; it may be longer than the original."""
    return ascii_cells(text.translate(_WORDS))


@lru_cache(maxsize=1024)
def _nearest(char: str) -> str:
    """A similar ASCII character: a line for a line, a letter without its accent, a digit for a small one; else "?"."""
    if char.isascii():
        return char
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return ""  # drawn over its neighbour, or not at all
    code = ord(char)
    if 0x2500 <= code < 0x2580:  # box drawing
        name = unicodedata.name(char)
        return "+" if " AND " in name else "-" if "HORIZONTAL" in name or "LEFT" in name or "RIGHT" in name else "|"
    if 0x2580 <= code < 0x25A0:  # blocks
        return "#"
    if 0x2800 <= code < 0x2900:  # braille
        return "*" if code > 0x2800 else " "
    plain = unicodedata.normalize("NFKD", char)[0]
    if plain.isascii() and plain.isprintable() and len(unicodedata.normalize("NFKC", char)) == 1:
        return plain
    return "?" * (2 if unicodedata.east_asian_width(char) in "WF" else 1)
