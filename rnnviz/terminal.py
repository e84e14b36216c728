"""The properties of a terminal: its size, its colours, and substitutes for characters that its encoding lacks.

The app and the commands both use this module, so they agree. It imports nothing slow.
"""

from __future__ import annotations

import os
import unicodedata
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rnnviz.glyphs import is_link

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

#: What --color and the configuration may say, as this module calls it; auto is found out.
CHOICES = {"auto": None, "truecolor": "truecolor", "256": "256", "16": "standard", "none": "none"}
_STRENGTHS = ("none", "standard", "256", "truecolor")  # from weak to strong


def colors(environ: Mapping[str, str] = os.environ, choice: str | None = None, *, is_terminal: bool = True) -> str:
    """How many colours: "truecolor", "256", "standard" (16) or "none". The first of these decides:

    1. choice: the flag --color, else the configuration. A user's own file overrides NO_COLOR, as no-color.org says.
    2. NO_COLOR, unless it is empty (no-color.org): none.
    3. FORCE_COLOR, unless it is empty (force-color.org): colours also in a pipe; 1, 2 and 3 mean at least 16, 256 and
       all colours, as Node.js reads it.
    4. A pipe or TERM=dumb: none.
    5. TEXTUAL_COLOR_SYSTEM; then COLORTERM, which can promise more colours than TERM does; then TERM. A TERM that
       names no number has the 16 colours that every terminal has.
    """
    return colors_and_reason(environ, choice, is_terminal=is_terminal)[0]


def colors_and_reason(
    environ: Mapping[str, str] = os.environ, choice: str | None = None, *, is_terminal: bool = True
) -> tuple[str, str]:
    """How many colours, and which of the rules decided: the name of a variable, or a few words."""
    if choice is not None:
        return choice, "your choice"
    if environ.get("NO_COLOR"):
        return "none", "NO_COLOR"
    term = _term(environ)
    forced = environ.get("FORCE_COLOR")
    if forced:
        least = {"2": "256", "3": "truecolor"}.get(forced.strip(), "standard")
        own, by = _colors_of(environ, term)
        return (own, by) if _STRENGTHS.index(own) > _STRENGTHS.index(least) else (least, "FORCE_COLOR")
    if not is_terminal:
        return "none", "the output, which is not a terminal"
    if term == "dumb":
        return "none", "TERM"
    return _colors_of(environ, term)


def _term(environ: Mapping[str, str]) -> str:
    return environ.get("TERM", "").strip().lower()


def _colors_of(environ: Mapping[str, str], term: str) -> tuple[str, str]:
    requested = environ.get("TEXTUAL_COLOR_SYSTEM", "").strip().lower()
    if requested in ("truecolor", "256", "standard"):
        return requested, "TEXTUAL_COLOR_SYSTEM"
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return "truecolor", "COLORTERM"
    if term.endswith("-direct"):
        return "truecolor", "TERM"
    has_256 = term.endswith("-256color") or term in ("xterm-kitty", "xterm-ghostty")
    return "256" if has_256 else "standard", "TERM"


def is_light(environ: Mapping[str, str] = os.environ) -> bool | None:
    """Whether the terminal has a light background, by COLORFGBG (rxvt, Konsole: the numbers of the ink and, last, of
    the ground); None if that is not known. It may be inherited from another terminal: the terminal's own answer counts
    for more."""
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return int(ground) in (7, *range(9, 16)) if ground.isdecimal() and len(ground) < 3 and int(ground) < 16 else None


#: Beginnings of the names of terminals that answer a request for their background colour or ignore it in silence. GNU
#: screen, which would pass it on again later, a Linux console and old hardware are not among them.
_ANSWER = (
    "xterm", "tmux", "alacritty", "foot", "kitty", "ghostty", "wezterm", "konsole", "vte", "gnome", "rxvt", "st-",
    "iterm", "contour", "mintty",
)  # fmt: skip


def can_ask_background(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal may be asked for the colour of its background (OSC 11)."""
    term = _term(environ)
    if environ.get("STY"):
        return False
    return term.startswith(_ANSWER) or (term.startswith("screen") and bool(environ.get("TMUX")))


#: By what TERM begins with: terminals that clear cells in the ground in force. GNU screen does not, nor does kitty.
_IN_COLOR = ("xterm", "linux", "tmux", "rxvt", "alacritty", "foot", "konsole", "vte", "nsterm", "iterm", "putty")


def erases_in_color(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a cell that is cleared takes the background colour in force ("bce" in terminfo)."""
    term = _term(environ)
    if environ.get("STY") or term.startswith("xterm-kitty"):
        return False
    return term.startswith(_IN_COLOR) or (term.startswith("screen") and bool(environ.get("TMUX")))


# -- links ---------------------------------------------------------------------------------------------------

_LINK_ENDS = "\x1b]8;;\x1b\\"


def has_links(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal has links (OSC 8), or leaves out without a trace what it does not know."""
    return can_ask_background(environ) and environ.get("TERM_PROGRAM") != "Apple_Terminal"


def link_begins(address: str) -> str:
    """The sequence before the text of a link. The id joins the lines of one address."""
    return f"\x1b]8;id={zlib.crc32(address.encode()):08x};{address}\x1b\\" if is_link(address) else _LINK_ENDS


# -- ASCII ---------------------------------------------------------------------------------------------------


def why_ascii(stream: Any, environ: Mapping[str, str] = os.environ) -> str:
    """Why pictures on this stream have to be in ASCII, as the end of a sentence; empty if they need not."""
    if lacks_unicode(stream):
        return f"the output encoding {getattr(stream, 'encoding', None) or 'ASCII'} has no other glyphs"
    term = _term(environ)
    if term == "linux" or term.startswith("linux-"):
        # At most 512 glyphs: shades and half blocks, but no braille, no eighths of a block, no ‖ or ∂.
        return "the font of a Linux console lacks the other glyphs"
    return ""


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
    ▲^ △' ▽, ▼v ▶> ◀< ►> ◂< ▸> ›> ‹< →> ←< ↑^ ↓v ▾v ↵/ ▣# ▫~
    ∂d ‖| ⊙* ∘o σs ×x φf √V εe τt βb αa δd πp ΣS ΔD ρr λl μm ηn γg θo ωw ∇v
    ·. •o ●* ○o ◉@ °o ∎. …. ∞I ±~ ≤< ≥> ≠! ≈~ ∅0 øm ␣_ −- –- —- ‑- ✓+ ✗x ╳x ₋- ⁻- ₊+ ⁺+
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
