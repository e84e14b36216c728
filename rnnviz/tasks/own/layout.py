"""The layout of a table, found in its first rows: delimiter, header, decimal comma, and what each column holds.

    >>> layout(["month;price", "2020-01;1,5", "2020-02;2,5"], Decisions())
    Layout(delimiter=';', has_header=True, names=('month', 'price'), kinds=('date', 'number'), decimal=',' …)

Does not import numpy.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from rnnviz.errors import InputError, short_repr
from rnnviz.glyphs import visible
from rnnviz.tasks.own import cells
from rnnviz.tasks.own.decisions import Decisions

DELIMITERS = {"tab": "\t", "space": " "}
NAMES = {"\t": "a tab", " ": "spaces", "": "none: one column"}
SAMPLE = 500  # rows in which the layout is found
COLUMNS = 2_000  # most columns of a table
ENOUGH = 0.8  # smallest share of the cells of a column that are of its kind
NAME = 40  # characters of a column's name
EVEN = 0.05  # largest difference between the steps of a column that counts, as a part of the usual one
_CALENDAR = frozenset(
    ("year", "month", "day", "hour", "minute", "weekday", "date", "time", "timestamp", "index", "id", "row", "step",
     "no", "t")
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """delimiter    one character; " " for any number of spaces, "" for a single column
    has_header  whether the first row holds names
    names       of the columns; their numbers from 1 without a header
    kinds       of each column: "number", "date", "text", "counter" (a number that counts the rows), or "empty"
    decimal     "." or ","
    skipped     lines before the first row
    has_month_first  whether a date such as 1/2/1999 is in January
    doubts      what the rows leave open, in sentences that name the flag
    """

    delimiter: str
    has_header: bool
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    decimal: str
    skipped: int
    has_month_first: bool = False
    doubts: tuple[str, ...] = ()


def layout(lines: list[str], decisions: Decisions) -> Layout:
    """The layout that the first lines show, where `decisions` do not say it. Raises InputError."""
    skipped, given = 0, decisions.delimiter
    while skipped < len(lines) and (not lines[skipped].strip() or lines[skipped].startswith("#")):
        skipped += 1
    if lines[skipped : skipped + 1] and lines[skipped].lower().startswith("sep=") and len(lines[skipped]) == 5:
        given = given or lines[skipped][4]  # Excel's own first line
        skipped += 1
    lines = lines[skipped : skipped + SAMPLE]
    no_rows = InputError("has no rows; give a table with a value in each row")
    if not lines:
        raise no_rows
    delimiter = _given_delimiter(given) if given else _delimiter(lines)
    rows = [row for row in split(lines, delimiter) if any(cell.strip() for cell in row)]
    if not rows:
        raise no_rows
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if width > COLUMNS:
        raise InputError(f"has {width:,} columns; at most {COLUMNS:,} are read")
    first = len(rows[0])
    sample = [row for row in rows[1:] if len(row) == width] or rows[:1]
    also = also_missing(decisions)
    decimal, doubts = (decisions.decimal, []) if decisions.decimal else _decimal(sample, delimiter)
    if decimal not in (".", ","):
        raise InputError(f"decimal: {short_repr(decimal)} is neither . nor ,")
    kinds = [_kind([row[c] for row in sample], decimal, also) for c in range(width)]
    has_header = decisions.header
    if has_header is None:
        has_header = first == width and _is_header(rows[0], kinds, decimal, also)
    if has_header and first != width:
        raise InputError(f"line {skipped + 1}: the header has {first} cells, the rows have {width}; correct it")
    names = _names(rows[0] if has_header else [""] * width)
    if not has_header and rows[0] not in sample and first == width:
        sample = [rows[0], *sample]
    if decisions.dates is None:
        kinds = _with_counters(kinds, names if has_header else (), sample, decimal, decisions)
    elif decisions.dates != "none":
        column = column_of(decisions.dates, names, "dates")
        kinds = ["date" if c == column else "text" if kind == "date" else kind for c, kind in enumerate(kinds)]
    else:
        kinds = ["text" if kind == "date" else kind for kind in kinds]
    dates = [row[c] for c, kind in enumerate(kinds) if kind == "date" for row in sample]
    month_first = cells.is_month_first(dates)
    return Layout(delimiter, has_header, names, tuple(kinds), decimal, skipped, month_first, tuple(doubts))


def also_missing(decisions: Decisions) -> frozenset[str]:
    return frozenset() if decisions.na is None else frozenset(part.strip() for part in decisions.na.split(","))


def split(lines: Iterable[str], delimiter: str, strict: bool = False) -> Iterator[list[str]]:
    """The cells of each row. A quoted cell may hold the delimiter, and line ends. With `strict` a quotation mark that
    is never closed raises csv.Error."""
    if delimiter == " ":
        return (line.split() for line in lines)
    if delimiter == "":
        return ([line.strip().strip('"')] for line in lines)
    return csv.reader((line + "\n" for line in lines), delimiter=delimiter, skipinitialspace=True, strict=strict)


def column_of(name: str, names: tuple[str, ...], flag: str) -> int:
    """The column of that name, or of that number from 1. Raises InputError, which begins with the flag's name."""
    name = name.strip()
    if names.count(name) == 1:
        return names.index(name)
    if name.isdecimal() and len(name) < 6 and 1 <= int(name) <= len(names):
        return int(name) - 1
    if name in names:
        raise InputError(f"{flag}: {names.count(name)} columns are named {short_repr(name)}; give its number, from 1")
    known = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    raise InputError(f"{flag}: no column is named {short_repr(name)}; the columns: {known} (or numbers from 1)")


def columns_of(text: str, names: tuple[str, ...], flag: str) -> tuple[int, ...]:
    """Several columns, separated by commas, each once. A name may hold a comma itself."""
    if text.strip() in names:
        return (column_of(text, names, flag),)
    return tuple(dict.fromkeys(column_of(part, names, flag) for part in text.split(",")))


def _given_delimiter(text: str) -> str:
    text = DELIMITERS.get(text, text)
    if len(text) != 1 or text in '"\r\n\0' or text.isalnum():
        raise InputError(f"delimiter: {short_repr(text)} is not one character such as ; or the words tab and space")
    return text


def _delimiter(lines: list[str]) -> str:
    """The delimiter by which the most rows have the same number of cells, two or more; a comma only after ; and tab,
    because it may be a decimal comma."""
    best, score = "", 0.0
    for candidate in ("\t", ";", "|", ",", " "):
        try:
            widths = Counter(len(row) for row in split(lines, candidate) if any(row))
        except csv.Error:
            continue
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        share = count / sum(widths.values())
        if width > 1 and share > score + 0.1 and (candidate != " " or _are_numbers(lines)):
            best, score = candidate, share
    return best


def _are_numbers(lines: list[str]) -> bool:
    """Whether most words are numbers, so that spaces separate cells."""
    words = [word for line in lines[1:51] or lines for word in line.split()]
    return sum(cells.number(word, ".") is not None for word in words) >= ENOUGH * len(words)


def _decimal(sample: list[list[str]], delimiter: str) -> tuple[str, list[str]]:
    all_cells = [cell for row in sample for cell in row if "," in cell or "." in cell]
    commas = [cell for cell in all_cells if cells.has_decimal_comma(cell)]
    sure = [cell for cell in commas if cells.number(cell, ".") is None]
    points = sum(cells.has_decimal_point(cell) for cell in all_cells)
    if len(sure) > points:
        return ",", []
    if commas and not points and delimiter != ",":
        cell = visible(commas[0].strip())
        return ",", [f"{cell} is read with a decimal comma; if its comma separates thousands, use --decimal ."]
    return ".", []


def _kind(column: list[str], decimal: str, also: frozenset[str]) -> str:
    present = [cell for cell in column if not cells.is_missing(cell, also)]
    if not present:
        return "empty"
    if sum(cells.number(cell, decimal) is not None for cell in present) >= ENOUGH * len(present):
        return "number"
    month_first = cells.is_month_first(present)
    if sum(cells.moment(cell, month_first) is not None for cell in present) >= ENOUGH * len(present):
        return "date"
    return "text"


def _is_header(first: list[str], kinds: list[str], decimal: str, also: frozenset[str]) -> bool:
    """Whether some cell of the first row is not of its column's kind, and none is a number in a column of numbers."""
    differs = False
    for cell, kind in zip(first, kinds, strict=True):
        if cells.is_missing(cell, also):
            continue
        if kind == "number":
            if cells.number(cell, decimal) is not None:
                return False
            differs = True
        elif kind == "date":
            differs |= cells.moment(cell) is None and cells.moment(cell, month_first=True) is None
    return differs or (set(kinds) == {"text"} and len(kinds) > 1 and len(set(first)) == len(first))


def _names(first: list[str]) -> tuple[str, ...]:
    return tuple(" ".join(visible(cell).split())[:NAME] or str(c) for c, cell in enumerate(first, start=1))


def _with_counters(
    kinds: list[str], names: tuple[str, ...], sample: list[list[str]], decimal: str, decisions: Decisions
) -> list[str]:
    """The kinds, with the columns of numbers that only count the rows (an index, years and months) as "counter".
    At least one column of numbers is left. Where each row is a sequence, only the name tells."""
    found = list(kinds)
    is_by_row = decisions.label is not None and decisions.group is None
    year = None
    for c, kind in enumerate(kinds):
        if kind != "number" or found.count("number") == 1:
            continue
        values = [cells.number(row[c], decimal) for row in sample]
        numbers = [value for value in values if value is not None]
        if len(numbers) != len(values) or len(numbers) < 3:
            continue
        named = bool(names) and names[c].lower() in _CALENDAR
        if is_by_row or decisions.group is not None:
            found[c] = "counter" if named else kind
            continue
        rises = [b - a for a, b in pairwise(numbers)]
        middle = sorted(rises)[len(rises) // 2]
        is_even = middle > 0 and all(abs(rise - middle) <= EVEN * middle for rise in rises)
        is_year = min(rises) >= 0 and all(value.is_integer() and 1500 <= value <= 2200 for value in numbers)
        is_month = year == c - 1 and all(value in range(1, 13) for value in numbers)
        if is_year and c == 0 and max(rises) > 0:
            year = c
        if is_even or (named and min(rises) >= 0) or year == c or is_month:
            found[c] = "counter"
    return found
