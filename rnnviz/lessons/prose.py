"""Prose: Markdown's bold, emphasis and code, figures quoted from the frame, and lines of a given width.

>>> wrapped("Only **{grad_ratio:.1e}** is left.", 78, quote)
[[("Only ", ""), ("1.2e-06", "bold"), (" is left.", "")]]
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from rnnviz.errors import InputError
from rnnviz.glyphs import cells, pieces
from rnnviz.views.metrics import Reference, check_format, parse

Span = tuple[str, str]  # text and its style: "", "bold", "em", "code" or "formula"
Line = list[Span]
Quote = Callable[[Reference, str | None], str]

FORMULA = "    "  # a text that begins with it is a formula, or several, a line each

_QUOTE = re.compile(r"\{([^{}]*)\}")
_MARK = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*|(?<![\w*])[*_](?=[^\s*_])(.+?)(?<=[^\s*_])[*_](?![\w*])|`([^`]+)`")
_BREAK = re.compile(r" (?!%)")  # `90 %` stays together
_LINK = re.compile(r"\[([^\]]+)\]\([^)\s]+\)")
_SENTENCE = re.compile(r"[.!?](?= +[A-Z‖σ∂])")
_STYLES = ("bold", "em", "code")


def quotes(text: str) -> list[tuple[Reference, str | None]]:
    """All `{metric}` and `{metric:format}` in a text. Raises InputError for an unknown metric."""
    return [_quoted(inside) for inside in _QUOTE.findall(text)]


def _quoted(inside: str) -> tuple[Reference, str | None]:
    name, colon, spec = inside.partition(":")
    try:
        reference = parse(name)
    except InputError as error:
        raise InputError(f"{{{inside}}}: {error}") from None
    if colon:
        check_format(reference.name, spec)
    return reference, spec if colon else None


def filled(text: str, quote: Quote) -> str:
    return _QUOTE.sub(lambda match: quote(*_quoted(match[1])), text)


def spans(text: str) -> Line:
    """A paragraph's stretches of one style, without the signs of Markdown."""
    text = _LINK.sub(r"\1", text)
    line: Line = []
    at = 0
    for match in _MARK.finditer(text):
        line.append((text[at : match.start()], ""))
        which = next(i for i in range(3) if match[i + 1] is not None)
        line.append((match[which + 1], _STYLES[which]))
        at = match.end()
    line.append((text[at:], ""))
    return [span for span in line if span[0]]


def lone_sign(text: str) -> str | None:
    """A brace, a ** or a ` without its counterpart; None if all are matched."""
    left = _QUOTE.sub("x", text)
    lone = next((brace for brace in "{}" if brace in left), None)
    unset = "".join(part for part, style in spans(left) if not style)
    return lone or next((sign for sign in ("**", "`") if sign in unset), None)


def plain(line: Line) -> str:
    return "".join(text for text, _ in line)


def wrapped(text: str, width: int, quote: Quote | None = None, indent: int = 0) -> list[Line]:
    """A paragraph in lines of at most `width` cells, broken at spaces (a word longer than a line: anywhere); lines
    after the first are indented. A formula keeps its lines, and the blanks inside them, as far as they fit."""
    text = filled(text, quote) if quote else text
    return [*_formulas(text, width)] if text.startswith(FORMULA) else [*_wrapped(text, width, indent)]


def _formulas(text: str, width: int) -> Iterable[Line]:
    blank = " " * min(len(FORMULA), width // 8)
    for formula in text.removeprefix(FORMULA).split("\n"):
        for piece in pieces(formula, width - len(blank)):
            yield [(blank, ""), (piece, "formula")]


@lru_cache(maxsize=256)  # a step in a lesson asks for its page again, and mostly for the same words
def _wrapped(text: str, width: int, indent: int) -> tuple[Line, ...]:
    lines: list[Line] = [[]]
    used = 0
    for word in _words(spans(text), width - indent):
        size = sum(cells(part) for part, _ in word)
        gap = 1 if used > (indent if len(lines) > 1 else 0) else 0
        if gap and used + gap + size > width:
            lines.append([(" " * indent, "")] if indent else [])
            used, gap = indent, 0
        if gap:
            same = lines[-1][-1][1] == word[0][1]
            lines[-1].append((" ", word[0][1] if same else ""))
        lines[-1] += word
        used += gap + size
    return tuple(_joined(line) for line in lines)


def _words(line: Line, most: int) -> Iterable[Line]:
    """Words of at most this many cells."""
    word: Line = []
    for text, style in line:
        for i, part in enumerate(_BREAK.split(text)):
            if i and word:
                yield word
                word = []
            for piece in pieces(part, most) if part else ():
                if word and sum(cells(text) for text, _ in word) + cells(piece) > most:
                    yield word
                    word = []
                word.append((piece, style))
    if word:
        yield word


def _joined(line: Line) -> Line:
    """The line with neighbours of the same style joined."""
    out: Line = []
    for text, style in line:
        if out and out[-1][1] == style:
            out[-1] = (out[-1][0] + text, style)
        else:
            out.append((text, style))
    return out


def first_sentences(text: str, most: int) -> str:
    """The first sentence of a text, and those after it that fit into so many characters with it. A sentence ends with
    . ! or ? before a blank and a capital; one in brackets belongs to the one before."""
    ends = [match.start() + 1 for match in _SENTENCE.finditer(text)] + [len(text)]
    return text[: max(ends[0], *(end for end in ends if end <= most), 0)].strip()


def wide_character(text: str) -> str | None:
    """The first character that is not exactly one terminal cell wide."""
    for char in text:
        if unicodedata.east_asian_width(char) in "WF" or unicodedata.combining(char) or char == "\u200d":
            return char
        if unicodedata.category(char) in ("Cc", "Cf") and char != "\n":
            return char
    return None
