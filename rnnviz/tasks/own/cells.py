"""Cells of a table: which are numbers, which are missing, and which are dates.

    >>> number("1.234,5", ","), number("n/a", "."), moment("31.12.1999")
    (1234.5, None, (1999, 12, 31))

Does not import numpy.
"""

from __future__ import annotations

import re

#: Cells that mean "no value", in lower case.
MISSING = frozenset(("", "na", "n/a", "#n/a", "nan", "null", "none", "-", "--", "?", ".", "missing", "nil"))

_GROUPED = {".": re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?"), ",": re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?")}
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?|[+-]?\d{1,3}(\.\d{3})+,\d*")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_INFINITE = ("inf", "infinity", "+inf", "-inf", "+infinity", "-infinity")
_MONTHS = {
    name: n
    for n, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_CLOCK = r"(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?"
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?" + _CLOCK)
_DAY_OR_MONTH_FIRST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})" + _CLOCK)
_QUARTER = re.compile(r"(\d{4})[- ]?Q([1-4])", re.IGNORECASE)
_WORDS = re.compile(
    r"(?:(\d{1,2})[- ])?([A-Za-z]{3})[A-Za-z]*\.?[- ](?:(\d{1,2}),? )?(\d{4}|\d{2})|(\d{4})[- ]([A-Za-z]{3})[A-Za-z]*"
)
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{4})")
LARGEST = 1e100  # a larger number counts as infinite: its square has to be a number, too
LONGEST = 40  # characters of a date


def number(text: str, decimal: str) -> float | None:
    """The number in a cell: inf for one that is infinite or too large; None if the cell is not a number."""
    text = text.strip()
    if _PLAIN.fullmatch(text) and (decimal == "." or not _GROUPED[","].fullmatch(text)):
        return float(text)
    if _GROUPED[decimal].fullmatch(text):
        text = text.replace("," if decimal == "." else ".", "")
        return float(text.replace(",", "."))
    if decimal == "," and _DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    return float("inf") if text.lower() in _INFINITE else None


def has_decimal_comma(text: str) -> bool:
    return _DECIMAL_COMMA.fullmatch(text.strip()) is not None


def has_decimal_point(text: str) -> bool:
    return "." in text and _PLAIN.fullmatch(text.strip()) is not None and not _GROUPED[","].fullmatch(text.strip())


def is_missing(text: str, also: frozenset[str] = frozenset()) -> bool:
    text = text.strip()
    return text.lower() in MISSING or text in also


def moment(text: str, month_first: bool = False) -> tuple[int, ...] | None:
    """A date as numbers, the year first, so that later dates are greater; None if the cell is not a date.

    month_first  whether 1/2/1999 is in January
    """
    text = text.strip()
    if not 4 < len(text) <= LONGEST:
        return None
    found: tuple[int, ...] | None = None
    if match := _YEAR_FIRST.fullmatch(text):
        found = _numbers(*match.groups())
    elif match := _QUARTER.fullmatch(text):
        found = int(match[1]), 3 * int(match[2]) - 2
    elif match := _MONTH_FIRST.fullmatch(text):
        found = int(match[2]), int(match[1])
    elif match := _DAY_OR_MONTH_FIRST.fullmatch(text):
        day, month = int(match[1]), int(match[3])
        if month_first:
            day, month = month, day
        found = (_year(match[4]), month, day, *_numbers(*match.groups()[4:]))
    elif match := _WORDS.fullmatch(text):
        month_named = _MONTHS.get((match[2] or match[6]).lower())
        if month_named is not None:
            day = int(match[1] or match[3] or 1)
            found = (_year(match[4] or match[5]), month_named, day)
    if found is None or not 1 <= found[1] <= 12 or (len(found) > 2 and not 1 <= found[2] <= 31):
        return None
    return found


def is_month_first(texts: list[str]) -> bool:
    """Whether dates such as 1/2/1999 name the month first: some has a number above 12 in second place."""
    found = [match for text in texts if (match := _DAY_OR_MONTH_FIRST.fullmatch(text.strip()))]
    return any(int(match[3]) > 12 for match in found) and all(int(match[1]) <= 12 for match in found)


def _numbers(*texts: str | None) -> tuple[int, ...]:
    return tuple(int(text) for text in texts if text is not None)


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < 50 else 1900)
