"""A table of rows: a CSV file from anywhere. Only the rows and columns that are needed are kept in memory.

The rows are in the order of time. A cell without a value is nan.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.types import Array
from rnnviz.tasks.own import cells
from rnnviz.tasks.own.decisions import Decisions
from rnnviz.tasks.own.layout import Layout, also_missing, column_of, columns_of, layout, split
from rnnviz.tasks.own.lines import PEEKED, Lines, named, opened, peek

ROWS = 10_000  # of a table, unless more are asked for
GROUPED_ROWS = 100_000  # of a table in which each row, or a few of them, are one sequence
INPUTS = 512  # most columns that a network reads
BLANK = 1_000_000  # most empty lines
FOOTER = 5  # most lines after the last row that are not rows: a source, a note


@dataclass(frozen=True, eq=False)
class Table:
    """layout      as it was found
    numbers     number of each column of `values` in the file, from 0; dates: that of the dates, or None
    columns     which of `values` the network reads; targets: which are predicted
    values      (R, C) float64; nan where there is no value
    names       (C,) of the columns
    labels      (R,) class of each row, or None
    groups      (R,) number of the group of each row (0, 1, …: in the order of their first rows), or None
    group_names name of each group
    missing     missing cells of each column; infinite: how many of them were infinite
    first, last the dates of the first and the last row, as they are written; "" without dates
    order       a remark on the order of the dates, or ""
    is_cut      whether the reading ended because the file is too long for more
    is_whole    whether all rows were read; share: the part of the file that was, about
    left_out    lines at the end that are not rows
    encoding    of the file
    """

    layout: Layout
    numbers: tuple[int, ...]
    dates: int | None
    columns: tuple[int, ...]
    targets: tuple[int, ...]
    values: Array
    names: tuple[str, ...]
    labels: tuple[str, ...] | None
    groups: Array | None
    group_names: tuple[str, ...]
    missing: tuple[int, ...]
    infinite: int
    first: str
    last: str
    order: str
    is_cut: bool
    is_whole: bool
    share: float
    left_out: int
    encoding: str


def first_lines(path: Path) -> list[str]:
    """The lines of the file's beginning, in which its layout is found."""
    head = len(peek(path))
    found: list[str] = []
    characters = 0
    with opened(path) as lines:
        for line in lines:
            characters += len(line) + 1
            if characters > PEEKED and found:
                break
            found.append(line)
    if not head or not any(line.strip() for line in found):
        raise InputError(f"{named(path)}: is empty; give a file with data")
    return found


def read(path: Path, decisions: Decisions) -> Table:
    """Read a table. Raises InputError with the line and the column of what is wrong."""
    lines = first_lines(path)
    try:
        found = layout(lines, decisions)
    except InputError as error:
        raise InputError(_placed(path, str(error))) from None
    except csv.Error as error:
        raise InputError(f"{named(path)}: is not a table: {error}; save it as CSV") from None
    return _Reader(path, decisions, found).read()


def _placed(path: Path, message: str) -> str:
    """The path at the beginning, unless the message begins with a flag."""
    name = message.partition(":")[0]
    return message if name in Decisions.__dataclass_fields__ else f"{named(path)}: {message}".replace(": has", " has")


class _Reader:
    def __init__(self, path: Path, decisions: Decisions, found: Layout) -> None:
        names = found.names
        self.path, self.decisions, self.layout = path, decisions, found
        self.also = also_missing(decisions)
        self.label = None if decisions.label is None else column_of(decisions.label, names, "label")
        self.group = None if decisions.group is None else column_of(decisions.group, names, "group")
        self.date = next((c for c, kind in enumerate(found.kinds) if kind == "date"), None)
        kept = {self.label, self.group}
        if decisions.columns is None:
            chosen = [c for c, kind in enumerate(found.kinds) if kind == "number" and c not in kept]
        else:
            chosen = list(columns_of(decisions.columns, names, "columns"))
        targets = () if decisions.target is None else columns_of(decisions.target, names, "target")
        chosen += [c for c in targets if c not in chosen and decisions.columns is None]
        self.inputs = len(chosen)
        chosen += [c for c in targets if c not in chosen]
        for c in chosen:
            if found.kinds[c] in ("text", "date", "empty"):
                flag = "target" if c in targets else "columns"
                held = {"text": "text", "date": "dates", "empty": "no values"}[found.kinds[c]]
                raise InputError(f"{flag}: the column {short_repr(names[c])} holds {held}, not numbers")
        if not chosen:
            raise InputError(self._no_numbers())
        if len(chosen) > INPUTS and not self.is_by_row:
            raise InputError(
                f"{named(path)}: {len(chosen):,} columns of numbers; choose at most {INPUTS} with --columns"
            )
        self.chosen = tuple(chosen)
        self.targets = tuple(chosen.index(c) for c in targets)

    @property
    def is_by_row(self) -> bool:
        """Whether each row is a sequence of its own, with its class beside it."""
        return self.label is not None and self.group is None

    def _no_numbers(self) -> str:
        found = ", ".join(f"{name} ({kind})" for name, kind in zip(self.layout.names, self.layout.kinds, strict=True))
        return (
            f"{named(self.path)}: no column holds numbers: {found[:200]}; check --delimiter and --decimal, "
            "or give lines of text<TAB>label"
        )

    def read(self) -> Table:
        limit = self.decisions.rows or (GROUPED_ROWS if self.label is not None or self.group is not None else ROWS)
        numbers = [array("d") for _ in self.chosen]
        labels: list[str] = []
        groups, known = array("q"), {}  # type: ignore[var-annotated]
        dates = _Dates(self.layout)
        self.missing, self.infinite = [0] * len(self.chosen), 0
        rows, is_whole, strays = 0, True, 0
        pairs = list(zip(self.chosen, numbers, range(len(self.chosen)), strict=True))
        with opened(self.path) as lines:
            for cells_of_row in self._rows(lines):
                if len(cells_of_row) != len(self.layout.names):
                    strays += 1
                    if strays == 1:
                        stray = self._stray(cells_of_row, lines.number)
                    if strays > FOOTER or len(cells_of_row) > len(self.layout.names) or not rows:
                        raise stray
                    continue
                if strays:
                    raise stray
                if rows == limit:
                    is_whole = False
                    break
                for c, into, k in pairs:
                    into.append(self._number(cells_of_row[c], k, lines))
                if self.label is not None:
                    labels.append(self._label(cells_of_row[self.label], lines))
                if self.group is not None:
                    groups.append(known.setdefault(cells_of_row[self.group].strip(), len(known)))
                if self.date is not None:
                    dates.add(cells_of_row[self.date].strip())
                rows += 1
            is_whole = is_whole and not lines.is_cut
            share, encoding, is_cut = lines.share, lines.encoding, lines.is_cut
        if not rows:
            raise InputError(f"{named(self.path)}: has a header and no rows; give a table with a value in each row")
        values = np.column_stack([np.frombuffer(one, np.float64) for one in numbers])
        backwards = self.group is None and dates.fall and not dates.rise
        if backwards:
            values, labels = values[::-1].copy(), labels[::-1]
        grouped = np.frombuffer(groups, np.int64) if self.group is not None else None
        if grouped is not None and backwards:
            grouped = grouped[::-1].copy()
        return Table(
            layout=self.layout, numbers=self.chosen, dates=self.date,
            columns=tuple(range(self.inputs)), targets=self.targets or tuple(range(self.inputs)),
                        values=values, names=tuple(self.layout.names[c] for c in self.chosen),
            labels=tuple(labels) if self.label is not None else None, groups=grouped, group_names=tuple(known),
            missing=tuple(self.missing), infinite=self.infinite, first=dates.last if backwards else dates.first,
            last=dates.first if backwards else dates.last, order="" if self.group is not None else dates.remark(),
                       is_cut=is_cut,
            is_whole=is_whole, share=share, left_out=strays, encoding=encoding,
        )  # fmt: skip

    def _rows(self, lines: Lines) -> Iterator[list[str]]:
        """The rows after the header that are not empty."""
        source, blank = iter(lines), 0
        for _ in range(self.layout.skipped):
            next(source, None)
        is_header = self.layout.has_header
        try:
            for row in split(source, self.layout.delimiter, strict=True):
                if not row or not any(cell and not cell.isspace() for cell in row):
                    blank += 1
                    if blank > BLANK:
                        raise InputError(f"{named(self.path)}: more than {BLANK:,} empty lines; remove them")
                elif is_header:
                    is_header = False
                else:
                    yield row
        except csv.Error as error:
            raise InputError(
                f"{named(self.path)}: line {lines.number:,}: {error}; close the quotation mark, or choose --delimiter"
            ) from None

    def _stray(self, row: list[str], line: int) -> InputError:
        has, wanted = len(row), len(self.layout.names)
        return InputError(
            f"{named(self.path)}: line {line:,} has {has:,} cell{'s' * (has != 1)}, the other rows have {wanted:,}; "
            "correct it, or choose --delimiter"
        )

    def _number(self, text: str, k: int, lines: Lines) -> float:
        if self.layout.decimal == "." and "_" not in text:
            try:
                value = float(text)
            except ValueError:
                pass
            else:
                if -cells.LARGEST < value < cells.LARGEST and (not self.also or text.strip() not in self.also):
                    return value
        if cells.is_missing(text, self.also):
            self.missing[k] += 1
            return float("nan")
        found = cells.number(text, self.layout.decimal)
        if found is None:
            name = short_repr(self.layout.names[self.chosen[k]])
            raise InputError(
                f"{named(self.path)}: line {lines.number:,}, column {name}: {short_repr(text)} is not a number; "
                "correct it, or say with --na that it means a missing value"
            )
        if not -cells.LARGEST < found < cells.LARGEST:
            self.missing[k] += 1
            self.infinite += 1
            return float("nan")
        return found

    def _label(self, text: str, lines: Lines) -> str:
        if cells.is_missing(text, self.also):
            raise InputError(
                f"{named(self.path)}: line {lines.number:,} has no label in column "
                f"{short_repr(self.decisions.label)}; fill it in, or remove the row"
            )
        return text.strip()


class _Dates:
    """The order of the dates, as they are read: no date but the newest is kept.

    first, last  as they are written; rise, fall: whether no date is earlier, or later, than the one before
    """

    def __init__(self, layout: Layout) -> None:
        self.first = self.last = ""
        self.rise, self.fall = True, True
        self._month_first = layout.has_month_first
        self._before: tuple[int, ...] | None = None

    def add(self, text: str) -> None:
        if text == self.last:
            return
        now = cells.moment(text, self._month_first)
        if now is None:
            return
        self.first, self.last = self.first or text, text
        before, self._before = self._before, now
        if before is not None and before != now and len(before) == len(now):
            self.rise, self.fall = self.rise and before < now, self.fall and before > now

    def remark(self) -> str:
        if self.rise:
            return ""
        if self.fall:
            return "the newest row comes first; the rows are read from the last to the first"
        return "the dates are not in order; the rows are read as they are"
